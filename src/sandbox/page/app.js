/** @import { MessageView } from '../page-view.ts' */
import { createChatHead } from './chat-head.js'
import { createComposer } from './composer.js'
import { createConversation } from './conversation.js'
import { createConnectionBadge } from './connection.js'
import { find, setBusy, onPress } from './dom.js'
import { createChatList, createPeopleList } from './lists.js'
import { createNotices } from './notices.js'
import { createPanes } from './panes.js'
import { ask, listen } from './server.js'
import { createState } from './state.js'
import { createTraffic } from './traffic.js'
import { createTrouble } from './trouble.js'
import { createTryThis } from './try-this.js'

const state = createState()
const notices = createNotices()
const badge = createConnectionBadge({ state })
const panes = createPanes({ state })

createPeopleList({ state })
createChatList({
  state,
  onOpen: (chatId) => {
    state.open(chatId)
    panes.show('talk')
  },
})
const composer = createComposer({ state, notices })
createChatHead({ state, notices, goOn: composer.focus })
const tryThis = createTryThis({ state, write: composer.write, showTalk: () => panes.show('talk') })
createConversation({ state, onCommand: composer.write, onPress: (...press) => void pressButton(...press) })
createTraffic({ state })
createTrouble({ state, notices })

/**
 * @param {MessageView} message
 * @param {{ readonly row: number, readonly column: number }} place
 * @param {HTMLElement} button
 */
async function pressButton({ chatId, id, buttons }, { row, column }, button) {
  const person = state.person()
  if (person === undefined) return
  setBusy(button, true)
  try {
    const answer = await ask('press', { personId: person.id, chatId, messageId: id, row, column })
    const { toast, isAlert, isAnswered, url } = answer
    if (isAnswered !== true) return notices.toast('The bot did not answer.')
    tryThis.notePress(buttons[row]?.[column]?.text ?? '')
    const text = typeof toast === 'string' ? toast : ''
    if (typeof url === 'string') notices.alert(text || 'The bot sends you to this address:', url)
    else if (text !== '') notices[isAlert === true ? 'alert' : 'toast'](text)
  } catch (error) {
    notices.problem(error)
  } finally {
    setBusy(button, false)
  }
}

const newOrder = find('new-order', HTMLButtonElement)
const askForOrder = async () => {
  setBusy(newOrder, true)
  try {
    await ask('order', {})
    notices.toast('A new order came in.')
  } catch (error) {
    notices.problem(error)
  } finally {
    setBusy(newOrder, false)
  }
}
onPress(newOrder, () => void askForOrder())

const startOver = async () => {
  if (!(await notices.confirmStartOver())) return
  await ask('restart', {}).then(badge.expectRestart, notices.problem)
}
find('start-over', HTMLButtonElement).addEventListener('click', () => void startOver())

for (const close of document.querySelectorAll('[data-close]')) {
  close.addEventListener('click', () => close.closest('dialog')?.close(close.getAttribute('data-close') ?? ''))
}

state.watch(({ kind }) => kind === 'chat' && notices.clear())

listen({
  hello: state.begin,
  facts: state.learn,
  message: state.add,
  deleted: state.remove,
  traffic: state.note,
  connection: badge.show,
})
