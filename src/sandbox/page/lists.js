/** @import { ChatFacts, PersonView } from '../page-view.ts' */
/** @import { State } from './state.js' */
import { chatTitle } from './chat-head.js'
import { arrange, find, make, say, perFrame } from './dom.js'
import { counted } from './figures.js'
import { preview } from './message.js'

/**
 * Whom to act as.
 *
 * @param {object} deps
 * @param {State} deps.state
 */
export function createPeopleList({ state }) {
  const list = find('people', HTMLDivElement)
  /** @type {Map<number, HTMLInputElement>} */
  const radios = new Map()

  /** @param {PersonView} person */
  const choice = ({ id, name, role }) => {
    const there = radios.get(id)?.closest('label')
    if (there != null) return there
    const radio = make('input', { type: 'radio', name: 'person', value: id })
    radio.addEventListener('change', () => state.actAs(id))
    radios.set(id, radio)
    return make('label', { class: 'person' }, radio, make('span', {}, `${name} (${role})`))
  }

  state.watch(({ kind }) => {
    if (kind !== 'begin' && kind !== 'facts' && kind !== 'person') return
    arrange(list, state.facts().people.map(choice))
    radios.forEach((radio, id) => (radio.checked = id === state.person()?.id))
  })
}

/**
 * The chats of the person.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {(chatId: number) => void} deps.onOpen
 */
export function createChatList({ state, onOpen }) {
  const list = find('chats', HTMLUListElement)
  /** @type {Map<number, ReturnType<typeof chatLine>>} */
  const lines = new Map()

  /** @param {ChatFacts} chat */
  const show = (chat) => {
    const line = lines.get(chat.id) ?? chatLine(`chat-${chat.id}`, () => onOpen(chat.id))
    lines.set(chat.id, line)
    line.show({
      title: chatTitle(state, chat),
      last: lastOf(state, chat.id),
      unread: state.unread(chat.id),
      isOpen: chat.id === state.chat()?.id,
      isPrivate: chat.type === 'private',
    })
    return line.element
  }

  const showAll = () => arrange(list, state.chats().map(show))
  const showSoon = perFrame(showAll)
  state.watch(({ kind }) => {
    if (kind === 'begin') lines.clear()
    if (kind === 'message' || kind === 'deleted' || kind === 'seen') showSoon()
    else if (kind !== 'row') showAll()
  })
}

/** @param {State} state @param {number} chatId */
function lastOf(state, chatId) {
  const last = state.messages(chatId).at(-1)
  return last === undefined ? 'No messages' : preview(last)
}

/** Called by its title alone; the last message is a description. @param {string} id @param {() => void} open */
function chatLine(id, open) {
  const avatar = make('span', { class: 'avatar', 'aria-hidden': 'true' })
  const title = make('span', {})
  const last = make('span', { class: 'chat-last', id: `${id}-last`, dir: 'auto' })
  const mark = make('span', { class: 'unseen' })
  const count = make('span', { class: 'unread', 'aria-hidden': 'true' })
  const button = make('button', { type: 'button', class: 'chat-name', 'aria-describedby': `${id}-last` }, title, mark)
  button.addEventListener('click', open)

  return {
    element: make('li', { class: 'chat' }, avatar, make('div', { class: 'chat-lines' }, button, last), count),
    /** @param {{ title: string, last: string, unread: number, isOpen: boolean, isPrivate: boolean }} chat */
    show: (chat) => {
      say(avatar, initial(chat.title))
      avatar.classList.toggle('bot', chat.isPrivate)
      say(title, chat.title)
      say(last, chat.last)
      say(mark, chat.unread === 0 ? '' : counted(chat.unread, 'new message'))
      say(count, String(chat.unread))
      count.hidden = chat.unread === 0
      if (chat.isOpen) button.setAttribute('aria-current', 'true')
      else button.removeAttribute('aria-current')
    },
  }
}

/** The first letter of a title, or its first picture, whole. @param {string} title */
const initial = (title) => /^\P{M}\p{M}*/u.exec(title)?.[0] ?? ''
