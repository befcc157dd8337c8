import { decodeStored } from '../orders/entries.ts'
import { foldOrder, type Order } from '../orders/fold.ts'
import { decodeInstant } from '../orders/instant.ts'
import { timeOfStored } from '../orders/order-time.ts'
import { orderIdOf, timeOfId } from '../orders/order.ts'
import { isOpen } from '../orders/status.ts'
import type { Cutoffs } from './retention.ts'

/** What retention says of an order. `kept-open`: past the cutoff, but unfinished. */
export type Verdict = 'due' | 'kept' | 'kept-open' | 'unreadable'

export interface Judged<V = Verdict> {
  readonly verdict: V
  /** The order time in epoch milliseconds, where it is known. */
  readonly timeMs: number | undefined
}

export interface OrderWindow extends Cutoffs {
  /** The instant that the run judges from. */
  readonly asOfMs: number
  /** The app's clock, which decides whether an id is a ULID. */
  readonly nowMs: number
  readonly zone: string
}

/** Milliseconds after its last move in which an order counts as unfinished, for the move can still be taken back. */
const SETTLED_AFTER_MS = 15 * 60_000

/** Judges an order by its key alone where the key carries its time; `read` where the value must be read. */
export function judgeKey(key: string, { cutoffMs, extendedCutoffMs, nowMs }: OrderWindow): Judged<Verdict | 'read'> {
  const timeMs = timeOfId(orderIdOf(key), nowMs)
  if (timeMs === undefined) return { verdict: 'read', timeMs }
  if (timeMs >= cutoffMs) return { verdict: 'kept', timeMs }
  return { verdict: timeMs < extendedCutoffMs ? 'due' : 'read', timeMs }
}

/** Judges an order by its key and its value. Exactly at a cutoff is kept; nothing is deleted on a guess. */
export function judgeValue(key: string, text: string, window: OrderWindow): Judged {
  const id = orderIdOf(key)
  const stored = decodeStored(text)
  const timeMs = timeOfId(id, window.nowMs) ?? timeOfStored(stored, window.zone)
  if (timeMs === undefined) return { verdict: 'unreadable', timeMs }
  if (timeMs >= window.cutoffMs) return { verdict: 'kept', timeMs }
  if (timeMs < window.extendedCutoffMs || stored.kind === 'leftover') return { verdict: 'due', timeMs }
  if (stored.kind === 'unreadable') return { verdict: 'unreadable', timeMs }
  return { verdict: isUnfinished(foldOrder(id, stored), window) ? 'kept-open' : 'due', timeMs }
}

function isUnfinished({ status, lastMoveAt }: Order, { asOfMs, zone }: OrderWindow): boolean {
  if (isOpen(status)) return true
  const movedAtMs = decodeInstant(lastMoveAt, zone)
  return status !== 'removed' && movedAtMs !== undefined && asOfMs - movedAtMs < SETTLED_AFTER_MS
}
