import type { Clock } from '../../clock.ts'
import { createDeferred } from './deferred.ts'
import { isObject, type JsonObject } from './fields.ts'

/** What became of an update. */
export type Fate = 'delivered' | 'expired' | 'dropped' | 'not allowed'

/** An update; without an id it gets the next one. */
export type UpdateContent = JsonObject & { readonly update_id?: number }

/** An update that the bot has not taken yet. */
export interface PendingUpdate {
  readonly id: number
  /** The one field beside the id, such as `message`. */
  readonly kind: string
  /** Updates of one lane travel one after the other, in their order. */
  readonly lane: string
  readonly body: JsonObject
  readonly expiresAtMs: number
  /** How often it was sent in vain. */
  failures: number
  readonly settle: (fate: Fate) => void
}

/** The updates that wait for the bot, in the order of their ids. */
export interface UpdateQueue {
  /** Update types that the bot wants; undefined is what Telegram sends unasked. */
  allowed: readonly string[] | undefined
  add(content: UpdateContent, copies: number): Promise<Fate>
  /** Adds the update that was added last once more, under its id, and returns that; undefined when there was none. */
  addLastAgain(): number | undefined
  /** Without what has expired by now. */
  list(): readonly PendingUpdate[]
  /** Takes an update out. */
  settle(update: PendingUpdate, fate: Fate): void
}

/** A button press is forgotten after this time, anything else after a day: as the Bot API server does it. */
export const PRESS_LIFE_MS = 150_000
const LIFE_MS = 86_400_000

/** Real update ids start anywhere, too. */
const FIRST_ID = 731_000_001

/** Types that Telegram sends only to bots that ask for them. */
const UNASKED_FOR = new Set(['chat_member', 'message_reaction', 'message_reaction_count'])

export function createUpdateQueue({ clock, onChange }: { readonly clock: Clock; onChange(): void }): UpdateQueue {
  const updates: PendingUpdate[] = []
  let nextId = FIRST_ID
  let last: { readonly id: number; readonly content: UpdateContent } | undefined

  const settle = (update: PendingUpdate, fate: Fate) => {
    const index = updates.indexOf(update)
    if (index < 0) return
    updates.splice(index, 1)
    update.settle(fate)
    onChange()
  }

  const settleExpired = () =>
    updates.filter(({ expiresAtMs }) => clock() >= expiresAtMs).forEach((update) => settle(update, 'expired'))

  const queue: UpdateQueue = {
    allowed: undefined,
    add: (content, copies) => {
      const kind = Object.keys(content).find((name) => name !== 'update_id') ?? ''
      if (!(queue.allowed?.includes(kind) ?? !UNASKED_FOR.has(kind))) return Promise.resolve('not allowed')
      settleExpired()
      const id = content.update_id ?? nextId
      nextId = Math.max(nextId, id + 1)
      last = { id, content }
      const { promise, resolve } = createDeferred<Fate>()
      const expiresAtMs = clock() + (kind === 'callback_query' ? PRESS_LIFE_MS : LIFE_MS)
      const lane = laneOf(kind, content[kind], id)
      const fixed = { id, kind, lane, body: { ...content, update_id: id }, expiresAtMs }
      for (let copy = 1; copy <= copies; copy++) {
        updates.push({ ...fixed, failures: 0, settle: copy === copies ? resolve : () => undefined })
      }
      onChange()
      return promise
    },
    addLastAgain: () => {
      if (last !== undefined) void queue.add({ ...last.content, update_id: last.id }, 1)
      return last?.id
    },
    list: () => {
      settleExpired()
      return updates
    },
    settle,
  }
  return queue
}

/** Messages travel per chat, button presses per user: two people at one message are not in each other's way. */
function laneOf(kind: string, subject: unknown, id: number): string {
  const { chat, from } = isObject(subject) ? subject : {}
  if (kind === 'callback_query' && isObject(from)) return `user ${String(from['id'])}`
  if (kind.endsWith('message') && isObject(chat)) return `chat ${String(chat['id'])}`
  return `update ${id}`
}
