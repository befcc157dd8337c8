/** @import { ChatFacts, Facts, Hello, MessageView, PersonView, TrafficRow } from '../page-view.ts' */

/**
 * What changed, for those who show it.
 *
 * @typedef {{ readonly kind: 'begin', readonly isNewRun: boolean }
 *   | { readonly kind: 'facts' | 'person' | 'chat' | 'seen' }
 *   | { readonly kind: 'message', readonly message: MessageView, readonly isNew: boolean }
 *   | { readonly kind: 'deleted', readonly chatId: number, readonly messageId: number }
 *   | { readonly kind: 'row', readonly row: TrafficRow }} Change
 */

/** Messages of a chat, and lines of traffic, that are kept. */
const MOST_KEPT = 300

/** @type {Facts} */
const NO_FACTS = {
  bot: { id: 0, name: 'Bot', username: '' },
  people: [],
  chats: [],
  store: { kind: 'memory', seeded: 0 },
  faults: { planned: 0, isDown: false, slowMs: 0 },
}

/** @typedef {ReturnType<typeof createState>} State */

/** All that the page knows. Whoever shows something of it listens with `watch`. */
export function createState() {
  let run = ''
  let facts = NO_FACTS
  let personId = 0
  let chatId = 0
  /** @type {Map<number, Map<number, MessageView>>} */
  const messages = new Map()
  /** @type {Map<number, TrafficRow>} */
  const rows = new Map()
  const marks = createMarks()
  /** @type {((change: Change) => void)[]} */
  const watchers = []

  /** @param {Change} change */
  const tell = (change) => watchers.forEach((watcher) => watcher(change))

  /** @returns {PersonView | undefined} */
  const person = () => facts.people.find(({ id }) => id === personId)
  const chats = () => chatsOf(facts, personId)
  const chat = () => chats().find(({ id }) => id === chatId)

  /**
   * Undefined for a change of a message that is too old to be kept: ids only grow.
   *
   * @param {MessageView} message
   */
  const keep = (message) => {
    const kept = messages.get(message.chatId) ?? new Map()
    const isNew = !kept.has(message.id)
    const [oldest = 0] = kept.keys()
    if (isNew && message.id < oldest) return undefined
    messages.set(message.chatId, kept.set(message.id, message))
    if (kept.size > MOST_KEPT) kept.delete(oldest)
    return isNew
  }

  /** @param {TrafficRow} row */
  const keepRow = (row) => {
    rows.set(row.number, row)
    const [oldest] = rows.keys()
    if (rows.size > MOST_KEPT && oldest !== undefined) rows.delete(oldest)
  }

  /** Keeps the chosen person and chat where they still exist; a chat may have another id under the same title. */
  const settle = (title = '') => {
    if (person() === undefined) personId = facts.people[0]?.id ?? 0
    if (chat() === undefined) {
      const again = chats().find((other) => other.type !== 'private' && other.title === title) ?? chats()[0]
      chatId = again?.id ?? 0
    }
  }

  return {
    facts: () => facts,
    person,
    chats,
    chat,
    run: () => run,
    rows: () => [...rows.values()],
    /** @param {number} id */
    messages: (id) => [...(messages.get(id)?.values() ?? [])],
    /** Messages of a chat that the person did not see, nor write. @param {number} id */
    unread: (id) => marks.after(personId, id, [...(messages.get(id)?.values() ?? [])]),

    /** @param {(change: Change) => void} watcher */
    watch: (watcher) => void watchers.push(watcher),

    /** Everything anew. @param {Hello} hello */
    begin: (hello) => {
      const isNewRun = hello.run !== run
      const title = chat()?.title
      run = hello.run
      facts = hello.facts
      messages.clear()
      rows.clear()
      hello.messages.forEach(keep)
      hello.traffic.forEach(keepRow)
      if (isNewRun) marks.reset(hello.messages)
      settle(title)
      tell({ kind: 'begin', isNewRun })
    },

    /** @param {Facts} next */
    learn: (next) => {
      const before = chat()
      facts = next
      settle(before?.title)
      tell({ kind: 'facts' })
      if (chat()?.id !== before?.id) tell({ kind: 'chat' })
    },

    /** @param {MessageView} message */
    add: (message) => {
      const isNew = keep(message)
      if (isNew !== undefined) tell({ kind: 'message', message, isNew })
    },

    /** @param {{ readonly chatId: number, readonly messageId: number }} where */
    remove: (where) => {
      messages.get(where.chatId)?.delete(where.messageId)
      tell({ kind: 'deleted', ...where })
    },

    /** @param {TrafficRow} row */
    note: (row) => {
      keepRow(row)
      tell({ kind: 'row', row })
    },

    /** @param {number} id */
    actAs: (id) => {
      if (id === personId) return
      const title = chat()?.title
      personId = id
      settle(title)
      tell({ kind: 'person' })
      tell({ kind: 'chat' })
    },

    /** @param {number} id */
    open: (id) => {
      if (id === chatId) return
      chatId = id
      settle()
      tell({ kind: 'chat' })
    },

    /** The person has seen the open chat to its end. */
    see: () => {
      const last = [...(messages.get(chatId)?.keys() ?? [])].at(-1)
      if (last !== undefined && marks.set(personId, chatId, last)) tell({ kind: 'seen' })
    },
  }
}

/**
 * The chats that a person is in: groups first.
 *
 * @param {Facts} facts
 * @param {number} personId
 * @returns {readonly ChatFacts[]}
 */
function chatsOf({ chats }, personId) {
  const own = chats.filter(({ memberIds }) => memberIds.includes(personId))
  return [...own.filter(({ type }) => type !== 'private'), ...own.filter(({ type }) => type === 'private')]
}

/** Up to where each person has seen each chat. Message ids of a chat only grow. */
function createMarks() {
  /** @type {Map<string, number>} */
  const seen = new Map()
  /** @type {Map<number, number>} */
  const atStart = new Map()
  /** @param {number} personId @param {number} chatId */
  const mark = (personId, chatId) => seen.get(`${personId} ${chatId}`) ?? atStart.get(chatId) ?? 0

  return {
    /** What is there at the start counts as seen. @param {readonly MessageView[]} messages */
    reset: (messages) => {
      seen.clear()
      atStart.clear()
      for (const { chatId, id } of messages) atStart.set(chatId, Math.max(id, atStart.get(chatId) ?? 0))
    },
    /** @param {number} personId @param {number} chatId @param {number} last */
    set: (personId, chatId, last) => {
      const isLater = last > mark(personId, chatId)
      if (isLater) seen.set(`${personId} ${chatId}`, last)
      return isLater
    },
    /** @param {number} personId @param {number} chatId @param {readonly MessageView[]} messages */
    after: (personId, chatId, messages) =>
      messages.filter(({ id, from }) => id > mark(personId, chatId) && from !== personId).length,
  }
}
