/** @import { ChatFacts } from '../page-view.ts' */
/** @import { Notices } from './notices.js' */
/** @import { State } from './state.js' */
import { find, makeButton, say } from './dom.js'
import { counted } from './figures.js'
import { ask } from './server.js'

/**
 * Title of the open chat, and what can be done to the bot in it.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {Notices} deps.notices
 * @param {() => void} deps.goOn Finds another place for the focus.
 */
export function createChatHead({ state, notices, goOn }) {
  const title = find('chat-title', HTMLHeadingElement)
  const members = find('chat-members', HTMLSpanElement)
  const tools = find('chat-tools', HTMLDivElement)

  const block = makeButton(
    'Block the bot',
    () => {
      const person = state.person()
      if (person !== undefined) ask('block', { personId: person.id, isBlocked: true }).catch(notices.problem)
    },
    { class: 'button small' },
  )

  const membership = makeButton(
    'Remove the bot',
    () => {
      const chat = state.chat()
      if (chat === undefined) return
      ask('membership', { chatId: chat.id, isBotMember: chat.isBotRemoved }).catch(notices.problem)
    },
    { class: 'button small' },
  )

  tools.append(block, membership)

  state.watch(({ kind }) => {
    if (kind !== 'facts' && kind !== 'chat' && kind !== 'begin') return
    const chat = state.chat()
    say(title, chat === undefined ? 'No chat' : chatTitle(state, chat))
    say(members, chat === undefined ? '' : membersText(chat))
    say(membership, chat?.isBotRemoved === true ? 'Add the bot' : 'Remove the bot')
    const hadFocus = block === document.activeElement
    block.hidden = chat?.type !== 'private' || chat.isBlocked || !chat.hasStarted
    if (hadFocus && block.hidden) goOn()
    membership.hidden = chat === undefined || chat.type === 'private' || state.person()?.role !== 'admin'
  })
}

/**
 * What a chat is called by those who are in it: a private one by the bot's name.
 *
 * @param {State} state
 * @param {ChatFacts} chat
 */
export const chatTitle = (state, { type, title }) => (type === 'private' ? state.facts().bot.name : title)

/** @param {ChatFacts} chat */
function membersText({ type, memberIds, isBlocked, isBotRemoved }) {
  if (type === 'private') return isBlocked ? 'bot, blocked' : 'bot'
  const people = counted(memberIds.length, 'member')
  return isBotRemoved ? `${people}, the bot was removed` : `${people} and the bot`
}
