/** @import { MessageView } from '../page-view.ts' */
/** @import { Around, MessageBubble } from './message.js' */
/** @import { State } from './state.js' */
import { arrange, find, isAtEnd, scrollToEnd, perFrame } from './dom.js'
import { counted } from './figures.js'
import { createMessage } from './message.js'

/**
 * The messages of the open chat.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {Around['onCommand']} deps.onCommand
 * @param {Around['onPress']} deps.onPress
 */
export function createConversation({ state, onCommand, onPress }) {
  const log = find('log', HTMLDivElement)
  const toEnd = find('to-end', HTMLButtonElement)
  /** @type {Map<number, MessageBubble>} */
  const bubbles = new Map()
  let isFollowing = true

  const around = () => aroundOf(state, onCommand, onPress)

  /** @param {MessageView} message */
  const show = (message) => {
    const bubble = bubbles.get(message.id) ?? createMessage(message, around())
    bubbles.set(message.id, bubble)
    bubble.show(message)
    return bubble.element
  }

  const showAll = () => {
    const messages = state.messages(state.chat()?.id ?? 0)
    const ids = new Set(messages.map(({ id }) => id))
    const hadFocus = log.contains(document.activeElement)
    for (const id of bubbles.keys()) if (!ids.has(id)) bubbles.delete(id)
    arrange(log, messages.map(show))
    if (hadFocus && !log.contains(document.activeElement)) log.focus({ preventScroll: true })
  }

  const follow = () => {
    toEnd.hidden = true
    isFollowing = true
    scrollToEnd(log)
    // On a narrow page another part may be in front of it.
    if (log.checkVisibility({ visibilityProperty: true })) state.see()
  }

  /** A chat that was opened is not read out as if all of it were new. */
  const openChat = () => {
    log.setAttribute('aria-live', 'off')
    bubbles.clear()
    log.replaceChildren()
    showAll()
    follow()
    setTimeout(() => log.removeAttribute('aria-live'), 500)
  }

  let hasNew = false
  const settle = perFrame(() => {
    showAll()
    if (isFollowing) follow()
    else if (hasNew || !toEnd.hidden) countUnseen()
    hasNew = false
  })

  /** @param {MessageView} message @param {boolean} isNew */
  const add = (message, isNew) => {
    hasNew ||= isNew
    isFollowing ||= isNew && message.from === state.person()?.id
    settle()
  }

  const countUnseen = () => {
    const unseen = state.unread(state.chat()?.id ?? 0)
    toEnd.textContent = `↓ ${counted(unseen, 'new message')}`
    toEnd.hidden = unseen === 0
  }

  toEnd.addEventListener('click', () => {
    follow()
    log.focus({ preventScroll: true })
  })
  // Only a person scrolls up. What makes the log longer, such as a picture, leaves its end behind without anybody's wish.
  let lastTop = 0
  log.addEventListener('scroll', () => {
    const isUp = log.scrollTop < lastTop - 1
    lastTop = log.scrollTop
    if (isAtEnd(log)) follow()
    else if (isUp) isFollowing = false
  })
  // A picture that arrives makes the log longer, and so does a page that becomes narrower.
  const stay = () => isFollowing && follow()
  log.addEventListener('load', stay, true)
  new ResizeObserver(stay).observe(log)
  find('panes', HTMLElement).addEventListener('pane', stay)

  state.watch((change) => {
    if (change.kind === 'chat' || (change.kind === 'begin' && change.isNewRun)) openChat()
    if (change.kind === 'begin' && !change.isNewRun) settle()
    if (change.kind === 'message' && change.message.chatId === state.chat()?.id) add(change.message, change.isNew)
    if (change.kind === 'deleted' && change.chatId === state.chat()?.id) settle()
  })
}

/**
 * @param {State} state
 * @param {Around['onCommand']} onCommand
 * @param {Around['onPress']} onPress
 * @returns {Around}
 */
function aroundOf(state, onCommand, onPress) {
  return {
    author: ({ from }) => nameOf(state, from),
    isOwn: ({ from }) => from === state.person()?.id,
    hasNames: state.chat()?.type !== 'private',
    repliedTo: ({ chatId, replyTo }) => state.messages(chatId).find(({ id }) => id === replyTo),
    onCommand,
    onPress,
  }
}

/**
 * The name of whoever wrote.
 *
 * @param {State} state
 * @param {number} id
 */
function nameOf(state, id) {
  const { bot, people } = state.facts()
  return id === bot.id ? bot.name : (people.find((person) => person.id === id)?.name ?? 'Somebody')
}
