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
  /** Keeps a copy if the order is young enough, in place of what was held. */
  put(id: OrderId, copy: Copy): void
  /** A change got no answer: the copy counts as unknown until the order is read again. */
  doubt(id: OrderId): void
  drop(id: OrderId): void
  /** Held orders that are not in doubt. */
  orders(): readonly Order[]
  findByOrigin(id: OrderId): Order | undefined
  /** Begins a reload: what is put or dropped from now on is newer than what the reload reads. */
  beginReload(): Reload
}

/** A reload of the whole store that runs beside changes. */
export interface Reload {
  /** Takes a text over unless the order was changed since the reload began and the text does not know of it. */
  adopt(id: OrderId, text: string): void
  /** Drops orders that were held when the reload began, were not found, and did not change since. */
  finish(): void
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
  let changes = 0

  const drop = (id: OrderId) => {
    if (!held.delete(id)) return
    if (origins.get(originOf(id)) === id) origins.delete(originOf(id))
  }
  const makeRoom = () => {
    const oldestFirst = [...held].toSorted(([, a], [, b]) => a.orderTimeMs - b.orderTimeMs)
    for (const [id] of oldestFirst.slice(0, held.size - Math.floor(capacity * KEPT_SHARE))) drop(id)
  }
  const put = (id: OrderId, copy: Copy, change: number) => {
    const orderTimeMs = timeOfId(id, clock()) ?? timeOfStored(decodeStored(copy.text), zone)
    if (orderTimeMs === undefined || orderTimeMs < earliestMs()) return drop(id)
    held.set(id, { copy, orderTimeMs, change, inDoubt: false })
    origins.set(originOf(id), id)
    if (held.size > capacity) makeRoom()
  }

  const beginReload = (): Reload => {
    const begun = changes
    const missing = new Set(held.keys())
    return {
      adopt: (id, text) => {
        missing.delete(id)
        const current = held.get(id)
        if (current !== undefined && current.change > begun && !isExtension(text, current.copy.text)) return
        const copy = copyOf(id, text)
        if (copy === undefined) drop(id)
        else put(id, copy, begun)
      },
      finish: () => {
        for (const id of missing) if ((held.get(id)?.change ?? 0) <= begun) drop(id)
      },
    }
  }

  return {
    get: (id) => {
      const found = held.get(id)
      return found?.inDoubt === false ? found.copy : undefined
    },
    put: (id, copy) => put(id, copy, ++changes),
    doubt: (id) => {
      const found = held.get(id)
      if (found !== undefined) held.set(id, { ...found, inDoubt: true, change: ++changes })
    },
    drop,
    orders: () => [...held.values()].filter(({ inDoubt }) => !inDoubt).map(({ copy }) => copy.order),
    findByOrigin: (id) => held.get(origins.get(originOf(id)) ?? id)?.copy.order,
    beginReload,
  }
}

interface Held {
  readonly copy: Copy
  readonly orderTimeMs: number
  /** The number of the change that made this copy; 0 and up. */
  readonly change: number
  readonly inDoubt: boolean
}

const isExtension = (text: string, of: string) => text.length > of.length && text.startsWith(of)
