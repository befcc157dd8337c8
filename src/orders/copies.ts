import { Buffer } from 'node:buffer'
import { decodeStored } from './entries.ts'
import { foldOrder, type Order } from './fold.ts'
import { timeOfStored } from './order-time.ts'
import { originOf, timeOfId, type OrderId } from './order.ts'

/** What this instance last knew of an order. */
export interface Copy {
  readonly order: Order
  /** The stored text. */
  readonly text: string
  /** Its length in bytes as Redis counts them, which is what an APPEND's reply is compared with. */
  readonly bytes: number
}

/** How much of the capacity stays used when the oldest copies make room. */
const KEPT_SHARE = 0.95

export interface OrderCopiesOptions {
  readonly clock: () => number
  readonly zone: string
  /** Orders with an order time before this instant are not held. */
  readonly earliestMs: () => number
  readonly capacity: number
}

/** The bounded copy of the live orders in memory. Costs no Redis command. */
export interface OrderCopies {
  /** The copy of an order; undefined when it is not held or in doubt. */
  get(id: OrderId): Copy | undefined
  /** A change got no answer: the copy counts as unknown until the order is read again. */
  doubt(id: OrderId): void
  drop(id: OrderId): void
  /** Held orders that are young enough still and not in doubt. */
  orders(): readonly Order[]
  findByOrigin(id: OrderId): Order | undefined
  /** To be called before a request whose answer tells about one order, or before the first one about the whole store. */
  beginReading(of: 'one order' | 'the whole store'): Reading
}

/**
 * One request, or a series of them, that tells about orders. Others run beside it, and answers may come in another order than
 * the store's: a text that is only the beginning of what was learned meanwhile is older, and is ignored.
 */
export interface Reading {
  /**
   * Takes over what the store told of an order, undefined for nothing. Held only if the order is young enough.
   *
   * @returns what counts now: the same, or the newer copy that was learned meanwhile. Nothing always counts: an order that
   *   is missed is found again by the next look, one that has gone would be shown for long.
   */
  adopt(id: OrderId, copy: Copy | undefined): Copy | undefined
  /** For a reading of the whole store: drops what was held when it began, was not found, and did not change since. */
  dropMissing(): void
  /** To be called in the end, whatever came of it. */
  end(): void
}

/** Reads a stored text as a copy; undefined when it is no order. `bytes` only where Redis told them. */
export function copyOf(id: OrderId, text: string, bytes?: number): Copy | undefined {
  const stored = decodeStored(text)
  if (stored.kind !== 'order') return undefined
  return { order: foldOrder(id, stored), text, bytes: bytes ?? Buffer.byteLength(text) }
}

export function createOrderCopies({ clock, zone, earliestMs, capacity }: OrderCopiesOptions): OrderCopies {
  const held = new Map<OrderId, Held>()
  const origins = new Map<string, OrderId>()
  const readings = new Set<SinceBegun>()

  const note = (what: keyof SinceBegun, id: OrderId, own?: SinceBegun) => {
    for (const since of readings) if (since !== own) since[what].add(id)
  }
  const forget = (id: OrderId) => {
    if (held.delete(id) && origins.get(originOf(id)) === id) origins.delete(originOf(id))
  }
  const makeRoom = () => {
    const oldestFirst = [...held].toSorted(([, a], [, b]) => a.orderTimeMs - b.orderTimeMs)
    for (const [id] of oldestFirst.slice(0, held.size - Math.floor(capacity * KEPT_SHARE))) forget(id)
  }
  const hold = (id: OrderId, copy: Copy) => {
    const orderTimeMs = timeOfId(id, clock()) ?? timeOfStored(decodeStored(copy.text), zone)
    if (orderTimeMs === undefined || orderTimeMs < earliestMs()) return forget(id)
    held.set(id, { copy, orderTimeMs, inDoubt: false })
    origins.set(originOf(id), id)
    if (held.size > capacity) makeRoom()
  }

  const beginReading = (of: 'one order' | 'the whole store'): Reading => {
    const since: SinceBegun = { learned: new Set(), gone: new Set() }
    const missing = new Set(of === 'the whole store' ? held.keys() : [])
    readings.add(since)
    return {
      adopt: (id, copy) => {
        missing.delete(id)
        if (copy === undefined) {
          note('gone', id, since)
          forget(id)
          return undefined
        }
        const learned = held.get(id)?.copy
        if (since.gone.has(id)) return learned ?? copy
        const isOlder = learned === undefined || learned.text.startsWith(copy.text)
        if (since.learned.has(id) && isOlder) return learned ?? copy
        note('learned', id, since)
        hold(id, copy)
        return copy
      },
      dropMissing: () => {
        for (const id of missing) if (!since.learned.has(id)) forget(id)
      },
      end: () => void readings.delete(since),
    }
  }

  return {
    get: (id) => {
      const found = held.get(id)
      return found?.inDoubt === false ? found.copy : undefined
    },
    doubt: (id) => {
      note('learned', id)
      const found = held.get(id)
      if (found !== undefined) held.set(id, { ...found, inDoubt: true })
    },
    drop: (id) => {
      note('gone', id)
      forget(id)
    },
    orders: () => {
      const earliest = earliestMs()
      for (const [id, { orderTimeMs }] of held) if (orderTimeMs < earliest) forget(id)
      return [...held.values()].filter(({ inDoubt }) => !inDoubt).map(({ copy }) => copy.order)
    },
    findByOrigin: (id) => held.get(origins.get(originOf(id)) ?? id)?.copy.order,
    beginReading,
  }
}

/** What happened to orders since a reading began. */
interface SinceBegun {
  /** Something newer than its answer may be known of them. */
  readonly learned: Set<OrderId>
  /** They went, and may have been received again: its answer may tell of the order before. */
  readonly gone: Set<OrderId>
}

interface Held {
  readonly copy: Copy
  readonly orderTimeMs: number
  readonly inDoubt: boolean
}
