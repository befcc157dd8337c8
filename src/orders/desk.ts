import type { Clock } from '../clock.ts'
import { newEntryId as randomEntryId, type By, type Entry } from './entries.ts'
import type { HistoryItem, Order } from './fold.ts'
import { readIntake } from './intake.ts'
import { isoInstant } from '../calendar.ts'
import { decodeInstant } from './instant.ts'
import { createOrderId, type OrderId } from './order.ts'
import { mayBecome, nextStatuses, type OrderStatus } from './status.ts'
import type { Decision, OrderStore } from './store.ts'

/** Milliseconds after a move in which it can be taken back. */
export const UNDO_MS = 10 * 60_000

/** The least expiry of a stored order, in seconds. */
const LEAST_EXPIRY_SECONDS = 3_600

export interface Received {
  /** `known`: the same order was received before; nothing was stored. */
  readonly outcome: 'received' | 'known'
  readonly order: Order
}

/** What a move or an undo came to. All of these are expected; only a store that does not answer throws. */
export type Moved =
  | { readonly outcome: 'moved'; readonly order: Order }
  /** The same person had already done the same: nothing to add. */
  | { readonly outcome: 'done'; readonly order: Order }
  /** Somebody else was faster; `by` is what was done after the state that this person saw. */
  | { readonly outcome: 'overtaken'; readonly order: Order; readonly by: HistoryItem | undefined }
  /** The status table forbids it; `allowed` says what may follow. */
  | { readonly outcome: 'forbidden'; readonly order: Order; readonly allowed: readonly OrderStatus[] }
  /** An undo that names no move which can still be taken back. */
  | { readonly outcome: 'too-late'; readonly order: Order }
  | { readonly outcome: 'gone' }

export interface MoveRequest {
  readonly to: OrderStatus
  /** The last applied move or undo that the person saw: `Order.lastMove` of the card. */
  readonly after: string | null
  readonly by: By
}

export interface UndoRequest {
  /** The id of the move to take back. */
  readonly undo: string
  readonly after: string | null
  readonly by: By
}

/** The use cases on orders. */
export interface Desk {
  /**
   * Takes an order in. Costs 1 command, 2 when it is known, 1 when this instance holds it under another wanted time.
   *
   * @throws InputError when it breaks a rule of intake; nothing was stored.
   */
  receive(payload: unknown): Promise<Received>
  /** Changes an order's status. Costs as `OrderStore.change`, 1 more for a move to `removed`, which deletes the order. */
  move(id: OrderId, request: MoveRequest): Promise<Moved>
  /** Takes a move back within 10 minutes. Costs as `OrderStore.change`. */
  undo(id: OrderId, request: UndoRequest): Promise<Moved>
}

export interface DeskOptions {
  readonly store: OrderStore
  readonly clock: Clock
  readonly zone: string
  /** The first instant that retention keeps, as of now. */
  readonly cutoffMs: () => number
  readonly ttlDays: number
  /** Told of each order that is new. */
  readonly onReceived?: () => void
  /** Makes the id of an entry. @default 10 random characters of base 32 */
  readonly newEntryId?: () => string
}

export function createDesk(options: DeskOptions): Desk {
  const { store, clock, zone, cutoffMs, ttlDays, onReceived, newEntryId = randomEntryId } = options
  const facts = (by: By) => ({ id: newEntryId(), at: isoInstant(clock(), zone), by })

  const commit = async (id: OrderId, entry: Intended, check: (order: Order) => Refusal | undefined): Promise<Moved> => {
    const changed = await store.change(id, (order) => decide(order, entry, check))
    if (changed.outcome === 'gone') return changed
    if (changed.outcome === 'refused') return { ...changed.refusal, order: changed.order }
    const isApplied = changed.order.history.some((item) => item.id === entry.id && item.applied)
    if (!isApplied) return { ...overtaken(changed.order, entry), order: changed.order }
    return { outcome: 'moved', order: changed.order }
  }

  return {
    receive: async (payload) => {
      const { order, source, orderTimeMs } = readIntake(payload, { nowMs: clock(), zone, cutoffMs: cutoffMs() })
      const id = createOrderId(source, orderTimeMs)
      const held = store.findByOrigin(id)
      // The copy alone does not tell whether the store still has it, and an order must not be answered for that is gone.
      const known = held === undefined || held.id === id ? undefined : await store.readAgain(held.id)
      if (known !== undefined && known.status !== 'removed') return { outcome: 'known', order: known }
      const created = await store.create(id, { ...order, status: 'new' }, expirySeconds(orderTimeMs, ttlDays, clock()))
      if (created.isNew) onReceived?.()
      return { outcome: created.isNew ? 'received' : 'known', order: created.order }
    },

    move: async (id, { to, after, by }) => {
      const moved = await commit(id, { ...facts(by), move: to, after }, ({ status }) =>
        mayBecome(status, to) ? undefined : { outcome: 'forbidden', allowed: nextStatuses(status) },
      )
      if (moved.outcome === 'moved' && to === 'removed') await store.remove(id)
      return moved
    },

    undo: (id, { undo, after, by }) =>
      commit(id, { ...facts(by), undo, after }, (order) => {
        const movedAtMs = decodeInstant(order.history.find((item) => item.id === undo)?.at, zone)
        const isInTime = movedAtMs !== undefined && clock() - movedAtMs <= UNDO_MS
        return order.undoable === undo && isInTime ? undefined : { outcome: 'too-late' }
      }),
  }
}

/** Seconds until Redis itself drops an order: a safety net that works even if no sweep ever runs. */
function expirySeconds(orderTimeMs: number, ttlDays: number, nowMs: number): number {
  const leftSeconds = Math.ceil((orderTimeMs - nowMs) / 1_000) + ttlDays * 86_400
  return Math.max(LEAST_EXPIRY_SECONDS, leftSeconds)
}

type Intended = Extract<Entry, { after: string | null; move: OrderStatus } | { undo: string }>

type Refusal =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'overtaken'; readonly by: HistoryItem | undefined }
  | { readonly outcome: 'forbidden'; readonly allowed: readonly OrderStatus[] }
  | { readonly outcome: 'too-late' }

function decide(order: Order, entry: Intended, check: (order: Order) => Refusal | undefined): Decision<Refusal> {
  if (order.lastMove !== entry.after) {
    const isKnown = statusChanges(order).some(({ id }) => id === entry.after)
    return { refuse: overtaken(order, entry), mayBeStale: !isKnown }
  }
  const refusal = check(order)
  return refusal === undefined ? { append: [entry] } : { refuse: refusal, mayBeStale: false }
}

/** Who was faster; or that it was the same person who did the same, and nothing has happened since. */
function overtaken(order: Order, entry: Intended): Refusal {
  const changes = statusChanges(order)
  const next = changes[changes.findIndex(({ id }) => id === entry.after) + 1]
  const wanted = 'move' in entry ? { kind: 'move', to: entry.move } : { kind: 'undo', to: next?.to }
  const isSame = next?.by === entry.by && next.kind === wanted.kind && next.to === wanted.to
  return isSame && next?.id === order.lastMove ? { outcome: 'done' } : { outcome: 'overtaken', by: next }
}

const statusChanges = (order: Order) =>
  order.history.filter(({ kind, applied }) => applied && (kind === 'move' || kind === 'undo'))
