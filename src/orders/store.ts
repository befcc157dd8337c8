import { Buffer } from 'node:buffer'
import { randomBytes, randomInt } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { isRedisError, RedisError } from '../errors.ts'
import { orderKey } from '../redis/keys.ts'
import { withRepeats } from '../redis/repeat.ts'
import { dropLeftover, evalCommand } from '../redis/scripts.ts'
import { ask, integerOf, optionalTextOf, type Transport } from '../redis/transport.ts'
import { copyOf, createOrderCopies, type Copy, type OrderCopies, type Reading } from './copies.ts'
import { encodeEntries, isLeftover, LIFE_FIELD, type Entry, type StoredObject } from './entries.ts'
import type { Order } from './fold.ts'
import { createFreshness } from './freshness.ts'
import { loadOrders, type Loaded } from './load.ts'
import type { OrderId } from './order.ts'
import { createQueues } from './queues.ts'

/** What a change came to. */
export type Changed<Refusal> =
  /** The entries are in the store; whether they were applied or void is told by the order's history. */
  | { readonly outcome: 'appended'; readonly order: Order }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly order: Order }
  | { readonly outcome: 'gone' }

/** What to do about an order, decided on the copy at hand. */
export type Decision<Refusal> =
  | { readonly append: readonly [Entry, ...Entry[]] }
  /** `mayBeStale`: the copy may be older than what the deciding person saw, so read the order before refusing. */
  | { readonly refuse: Refusal; readonly mayBeStale: boolean }

export interface Created {
  /** False when the store already had this order. */
  readonly isNew: boolean
  readonly order: Order
}

/** The orders in Redis, with copies of the live ones in memory. */
export interface OrderStore {
  /**
   * Stores a new order; the same order twice is one order. Costs 1 command; 2 when it is already there; up to 5 more for
   * each leftover of an older one that stands in the way, three times at the most.
   *
   * @throws RedisError `REDIS_REFUSED` when the key stays occupied by leftovers.
   */
  create(id: OrderId, order: StoredObject, expirySeconds: number): Promise<Created>

  /**
   * Changes one order by appending entries. `decide` is called with the order as this instance knows it; it may be called
   * a second time with a fresh copy. Changes to one order leave this process one after another.
   *
   * Costs 1 command; 2 when somebody else wrote in between; 1 more when the order is not held or the copy was in doubt;
   * 0 when refused on the copy at hand. A change to an order that has gone costs up to 5 (the leftover is dropped).
   *
   * @throws RedisError when no answer came even after repeating; the change may or may not be stored, and a later repeat
   *   of the same decision cannot count twice.
   */
  change<Refusal>(id: OrderId, decide: (order: Order) => Decision<Refusal>): Promise<Changed<Refusal>>

  /** One order: from memory for 0 commands when held, else 1 GET. Undefined when there is none or it is no order. Throws for another type. */
  read(id: OrderId): Promise<Order | undefined>

  /** One order as the store has it now. Costs 1 command. */
  readAgain(id: OrderId): Promise<Order | undefined>

  /** Forgets copies of orders that were deleted, for 0 commands. */
  forget(ids: readonly OrderId[]): void

  /** The held orders, for 0 commands. */
  held(): readonly Order[]

  /** A held order that came from the same source, source id and creation, whatever time it is wanted for. 0 commands. */
  findByOrigin(id: OrderId): Order | undefined

  /**
   * Reads the live orders of the whole store into memory. Costs 1 SCAN per 1 000 keys of the database and 1 MGET per
   * 2 000 orders (or 3 MB); ids that carry a time before `earliestMs` are not read.
   */
  load(): Promise<Loaded>

  /**
   * Loads again when other instances are likely to have written since: the copy is older than 30 s, and was loaded less than
   * 2 minutes after the first load or less than 10 minutes after the latest sign of another writer, and `mayReload` says so. Else costs nothing.
   */
  freshen(): Promise<void>

  /** Deletes an order that was just moved to `removed`. Costs 1 command. */
  remove(id: OrderId): Promise<void>
}

export interface OrderStoreOptions {
  readonly send: Transport
  readonly clock: Clock
  readonly zone: string
  /** The extended cutoff: orders before it are not held in memory. */
  readonly earliestMs: () => number
  /** Whether a reload that nothing depends on may be paid for. @default always */
  readonly mayReload?: () => boolean
  /** How many orders are held at most. @default 20 000 */
  readonly capacity?: number
  /**
   * Makes the mark that tells one life of an order from another (removed and received again): its random length makes it
   * unlikely that two lives grow to the same number of bytes, which is all that an APPEND tells. @default 6 to 69 characters
   */
  readonly newLife?: () => string
}

/** How often a change or an intake starts over when the order was replaced under its hands. */
const TRIES = 3

export function createOrderStore(options: OrderStoreOptions): OrderStore {
  const { send, clock, zone, earliestMs, mayReload = () => true, capacity = 20_000, newLife = randomLife } = options
  const copies = createOrderCopies({ clock, zone, earliestMs, capacity })
  const freshness = createFreshness(clock)
  const parts: Parts = { send, repeating: withRepeats(send), copies, noteOthers: freshness.noteOthers }
  const load = async () => {
    const begunMs = clock()
    const loaded = await loadOrders({ send, copies, clock, earliestMs: earliestMs() })
    freshness.noteLoad(begunMs)
    return loaded
  }
  const queues = createQueues<OrderId>()
  const inTurn = <Result>(id: OrderId, task: (turn: Turn) => Promise<Result>): Promise<Result> =>
    queues(id, async () => {
      const reading = copies.beginReading('one order')
      return await task({ ...parts, id, reading }).finally(reading.end)
    })
  return {
    create: (id, order, expirySeconds) =>
      inTurn(id, (turn) => create(turn, { order: { ...order, [LIFE_FIELD]: newLife() }, expirySeconds })),
    change: (id, decide) => inTurn(id, (turn) => change(turn, decide)),
    read: async (id) => copies.get(id)?.order ?? (await inTurn(id, fetchCopy))?.order,
    readAgain: async (id) => (await inTurn(id, fetchCopy))?.order,
    forget: (ids) => ids.forEach(copies.drop),
    held: copies.orders,
    findByOrigin: copies.findByOrigin,
    load,
    freshen: async () => {
      if (freshness.isReloadDue(mayReload)) await load()
    },
    remove: (id) =>
      inTurn(id, async () => {
        await ask(send, ['UNLINK', orderKey(id)])
        copies.drop(id)
      }),
  }
}

interface Parts {
  readonly send: Transport
  readonly repeating: Transport
  readonly copies: OrderCopies
  /** A sign that another instance writes to the same store. */
  readonly noteOthers: () => void
}

/** The work of this process on one order, while everything else goes on beside it. */
interface Turn extends Parts {
  readonly id: OrderId
  readonly reading: Reading
}

interface NewOrder {
  readonly order: StoredObject
  readonly expirySeconds: number
}

async function create({ send, id, reading }: Turn, { order, expirySeconds }: NewOrder): Promise<Created> {
  const key = orderKey(id)
  const text = JSON.stringify(order)
  let wasRepeated = false
  const repeating = withRepeats(send, { onRepeat: () => void (wasRepeated = true) })
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const reply = await ask(repeating, ['SET', key, text, 'NX', 'EX', expirySeconds])
    const found = reply === null ? optionalTextOf(await ask(repeating, ['GET', key])) : text
    if (found === undefined) continue
    if (isLeftover(found)) {
      await ask(send, evalCommand(dropLeftover, key))
      continue
    }
    const copy = reading.adopt(id, copyOf(id, found))
    if (copy === undefined) break
    return { isNew: reply !== null || (wasRepeated && found === text), order: copy.order }
  }
  throw new RedisError('REDIS_REFUSED', `The key ${key} is occupied by something that is no order. Nothing was stored.`)
}

/** Reads an order past the copy in memory. Costs 1 command. */
async function fetchCopy(turn: Turn): Promise<Copy | undefined> {
  const text = await fetchText(turn)
  turn.noteOthers()
  return turn.reading.adopt(turn.id, text === undefined ? undefined : copyOf(turn.id, text))
}

const fetchText = async ({ repeating, id }: Turn) => optionalTextOf(await ask(repeating, ['GET', orderKey(id)]))

async function change<R>(turn: Turn, decide: (order: Order) => Decision<R>): Promise<Changed<R>> {
  const heldCopy = turn.copies.get(turn.id)
  let isFresh = heldCopy === undefined
  let copy = heldCopy ?? (await fetchCopy(turn))
  for (let attempt = 1; attempt <= TRIES && copy !== undefined; attempt++) {
    const decision = decide(copy.order)
    if ('append' in decision) {
      const appended = await append(turn, copy, decision.append)
      if (appended.outcome !== 'replaced') return appended
      copy = appended.copy
    } else {
      if (isFresh || !decision.mayBeStale) return { outcome: 'refused', refusal: decision.refuse, order: copy.order }
      copy = await fetchCopy(turn)
    }
    isFresh = true
  }
  return { outcome: 'gone' }
}

type Appended =
  | { readonly outcome: 'appended'; readonly order: Order }
  | { readonly outcome: 'gone' }
  /** The order went and was received again between our APPEND and our look: this one knows nothing of our entries. */
  | { readonly outcome: 'replaced'; readonly copy: Copy }

async function append(turn: Turn, before: Copy, entries: readonly Entry[]): Promise<Appended> {
  const { id, reading, repeating } = turn
  const added = encodeEntries(entries)
  try {
    const bytes = integerOf(await ask(repeating, ['APPEND', orderKey(id), added]))
    const text = await textAfterAppend(turn, before, { added, bytes })
    if (text !== undefined && isLeftover(text)) await dropLeftoverOf(turn)
    const found = text === undefined ? undefined : copyOf(id, text, bytesAfterAppend(text, { added, bytes }))
    const copy = reading.adopt(id, found)
    if (found === undefined || copy === undefined) return { outcome: 'gone' }
    const isOurs = copy.order.history.some((item) => item.id === entries[0]?.id)
    return isOurs ? { outcome: 'appended', order: copy.order } : { outcome: 'replaced', copy }
  } catch (error) {
    turn.copies.doubt(id)
    throw error
  }
}

interface AppendedText {
  readonly added: string
  /** APPEND's reply: the length of the whole value. */
  readonly bytes: number
}

/** What the order's text is after our APPEND. Its reply tells when nobody else wrote, or when only our own entries remain. */
async function textAfterAppend(turn: Turn, before: Copy, { added, bytes }: AppendedText): Promise<string | undefined> {
  const addedBytes = Buffer.byteLength(added)
  if (bytes === before.bytes + addedBytes) return before.text + added
  turn.noteOthers()
  if (bytes === addedBytes) return added
  return await fetchText(turn)
}

/** A text with bytes that are no UTF-8 has another length once decoded; then only APPEND's own reply tells the true one. */
const bytesAfterAppend = (text: string, { added, bytes }: AppendedText): number | undefined =>
  text.includes('\ufffd') && text.endsWith(added) ? bytes : undefined

/** Removes what an APPEND to a missing order left behind. Where that fails, the sweep removes it later. */
async function dropLeftoverOf({ send, id }: Turn): Promise<void> {
  try {
    await ask(send, evalCommand(dropLeftover, orderKey(id)))
  } catch (error) {
    if (!isRedisError(error)) throw error
  }
}

const randomLife = () =>
  randomBytes(69)
    .toString('base64url')
    .slice(0, 6 + randomInt(64))
