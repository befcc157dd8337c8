/** @import { ChatFacts, MessageView, PersonView, StoreFacts } from '../page-view.ts' */
/** @import { State } from './state.js' */
import { find, make, makeButton, perFrame } from './dom.js'

/**
 * Five steps through what the bot can do. A step is ticked once it was done in this run.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {(text: string) => void} deps.write Fills the message field.
 * @param {() => void} deps.showTalk
 */
export function createTryThis({ state, write, showTalk }) {
  const list = find('steps', HTMLOListElement)
  /** @type {Set<number>} */
  const done = new Set()
  /** @type {Set<string>} */
  const pressed = new Set()
  let shown = ''

  /** @param {PersonView | undefined} person @param {ChatFacts | undefined} chat @param {string} [text] */
  const go = (person, chat, text) => {
    if (person === undefined || chat === undefined) return
    state.actAs(person.id)
    state.open(chat.id)
    showTalk()
    if (text !== undefined) write(text)
  }

  const show = () => {
    remember(state.run(), done)
    const cast = castOf(state)
    const wanted = JSON.stringify([cast, state.facts().store])
    if (wanted !== shown) list.replaceChildren(...stepsOf(cast, state.facts().store, go))
    shown = wanted
    ;[...list.children].forEach((step, index) => tick(step, done.has(index + 1)))
  }

  const showSoon = perFrame(show)
  state.watch((change) => {
    if (change.kind === 'begin' && change.isNewRun) {
      done.clear()
      pressed.clear()
    }
    if (change.kind === 'begin') {
      for (const step of recall(state.run())) done.add(step)
      const messages = state.facts().chats.flatMap(({ id }) => state.messages(id))
      for (const message of messages) note(done, message, castOf(state))
      for (const { kind, status } of state.rows())
        if (kind === 'intake' && status !== undefined && status < 400) done.add(1)
    }
    if (change.kind === 'message') note(done, change.message, castOf(state))
    if (change.kind === 'row' && change.row.kind === 'intake' && (change.row.status ?? 500) < 400) done.add(1)
    if (change.kind !== 'seen') showSoon()
  })

  return {
    /** A press was answered. @param {string} label */
    notePress: (label) => {
      if (state.person()?.role === 'courier')
        pressed.add(/undo/i.test(label) ? 'undo' : /deliver/i.test(label) ? 'delivered' : '')
      if (pressed.has('delivered') && pressed.has('undo')) done.add(2)
      show()
    },
  }
}

/** Where a tab keeps what was done in a run, for the bot takes some of the messages away that would show it. */
const KEY = 'done'

/** @param {string} run @param {ReadonlySet<number>} done */
function remember(run, done) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ run, done: [...done] }))
  } catch {
    // A browser that keeps nothing shows the ticks until the page is loaded again.
  }
}

/** @param {string} run @returns {readonly number[]} */
function recall(run) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? '{}')
    return kept.run === run && Array.isArray(kept.done) ? kept.done : []
  } catch {
    return []
  }
}

/**
 * Who plays which part.
 *
 * @typedef {object} Cast
 * @property {PersonView | undefined} admin
 * @property {PersonView | undefined} courier
 * @property {PersonView | undefined} stranger
 * @property {ChatFacts | undefined} group Where the cards are.
 * @property {ChatFacts | undefined} adminChat
 * @property {ChatFacts | undefined} strangerChat
 */

/** @param {State} state @returns {Cast} */
function castOf(state) {
  const { people, chats } = state.facts()
  /** @param {PersonView['role']} role */
  const first = (role) => people.find((person) => person.role === role)
  /** @param {PersonView | undefined} person @param {boolean} isPrivate */
  const chatOf = (person, isPrivate) =>
    chats.find(({ type, memberIds }) => (type === 'private') === isPrivate && memberIds.includes(person?.id ?? 0))
  const [admin, courier, stranger] = [first('admin'), first('courier'), first('stranger')]
  const [adminChat, strangerChat] = [chatOf(admin, true), chatOf(stranger, true)]
  return { admin, courier, stranger, group: chatOf(courier, false), adminChat, strangerChat }
}

/** @param {Set<number>} done @param {MessageView} message @param {Cast} cast */
function note(done, { from, chatId, text }, { admin, stranger, adminChat, strangerChat }) {
  const said = text.trim()
  if (from === admin?.id && chatId === adminChat?.id && said === '/cleanup 2 preview') done.add(3)
  if (from === admin?.id && chatId === adminChat?.id && said === '/cleanup 2') done.add(4)
  if (from === stranger?.id && chatId === strangerChat?.id && said === '/cleanup 2') done.add(5)
}

/**
 * @param {Cast} cast
 * @param {StoreFacts} store
 * @param {(person: PersonView | undefined, chat: ChatFacts | undefined, text?: string) => void} go
 */
function stepsOf({ admin, courier, stranger, group, adminChat, strangerChat }, { kind, seeded }, go) {
  /** @param {string} label @param {PersonView | undefined} person @param {ChatFacts | undefined} chat @param {string} [text] */
  const way = (label, person, chat, text) =>
    makeButton(label, () => go(person, chat, text), { class: text === undefined ? 'way' : 'way command' })
  const title = group?.title ?? 'dispatch group'
  // A store of one's own may hold other orders besides.
  const outcome =
    kind === 'memory' && seeded > 0
      ? ': 143 orders go, for at most 8 Redis commands.'
      : ': what is finished and older goes.'
  return [
    ['Press “New order” above, then look at the ', way(title, admin, group), '.'],
    ['As ', way(`courier ${courier?.name}`, courier, group), ', press Delivered on its card, then Undo.'],
    [
      `As ${admin?.name}, in the chat with the bot, send `,
      way('/cleanup 2 preview', admin, adminChat, '/cleanup 2 preview'),
      '.',
    ],
    ['Send ', way('/cleanup 2', admin, adminChat, '/cleanup 2'), outcome],
    [
      `As ${stranger?.name}, the stranger, send `,
      way('/cleanup 2', stranger, strangerChat, '/cleanup 2'),
      ': refused politely.',
    ],
  ].map((parts) =>
    make('li', {}, ...parts, make('span', { class: 'tick', hidden: true }, make('span', { class: 'unseen' }, ' Done'))),
  )
}

/** @param {Element} step @param {boolean} isDone */
function tick(step, isDone) {
  step.classList.toggle('done', isDone)
  const mark = step.querySelector('.tick')
  if (mark instanceof HTMLElement) mark.hidden = !isDone
}
