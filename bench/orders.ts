import { Buffer } from 'node:buffer'
import { encodeEntries, type Entry } from '../src/orders/entries.ts'
import { isoInstant } from '../src/calendar.ts'
import { createOrderId, orderIdOf } from '../src/orders/order.ts'
import type { OrderStatus } from '../src/orders/status.ts'
import { orderKey } from '../src/redis/keys.ts'
import { ZONE, type PruneWay } from './job.ts'

/** Bytes of every made-up order. */
export const ORDER_BYTES = 1_500

/**
 * What the store is filled with: `foreign`: the former bot's numbered keys, every second order a month old; `ulid`: the
 * same under Orderly's keys; `between`: the old half lies between the two cutoffs, a tenth of it still open; `fresh`:
 * Orderly's orders as just received.
 */
export type Filling = 'foreign' | 'ulid' | 'between' | 'fresh'

/** What a way to prune finds in the store. */
export const fillingFor = (way: PruneWay): Filling => (way === 'former' || way === 'naive' ? 'foreign' : way)

/** One key with its value. */
export interface StoredOrder {
  readonly key: string
  readonly value: string
}

const DAY_MS = 24 * 3_600_000

/** The order with a number from 0; the same each time for the same `asOfMs`. */
export function orderAt(filling: Filling, number: number, asOfMs: number): StoredOrder {
  const createdAtMs = asOfMs - ageMs(filling, number) - (number % 3_600) * 1_000
  if (filling === 'foreign')
    return { key: orderKey(String(6_000_000_000_000 + number)), value: formerOrder(number, createdAtMs) }
  const source = { source: 'shopify', sourceId: String(number), createdAtMs }
  const id = createOrderId(source, createdAtMs)
  const created_at = timeText(createdAtMs)
  const received = { source: source.source, source_id: source.sourceId, created_at, ...CONTENT, status: 'new' }
  return { key: orderKey(id), value: padded(received, encodeEntries(entriesOf(filling, number, createdAtMs))) }
}

/** The id of the order with a number. */
export const orderIdAt = (filling: Filling, number: number, asOfMs: number) =>
  orderIdOf(orderAt(filling, number, asOfMs).key)

/** How many of the first `count` orders a pruner must delete. */
export function dueAmong(filling: Filling, count: number): number {
  let due = 0
  for (let number = 0; number < count; number++) if (isOld(filling, number) && !isOpen(filling, number)) due += 1
  return due
}

const isOld = (filling: Filling, number: number) => filling !== 'fresh' && number % 2 === 1

/** Only open orders between the cutoffs survive their age. */
const isOpen = (filling: Filling, number: number) =>
  filling === 'between' && isOld(filling, number) && number % 20 === 1

function ageMs(filling: Filling, number: number): number {
  if (!isOld(filling, number)) return 0
  return (filling === 'between' ? 3 : 30) * DAY_MS
}

/** The fields of a JSON text that is not Latin-1, as with most orders: V8 then holds it with two bytes a character. */
const CONTENT = {
  customer: { name: 'Jonas Groß', phone: '+49851672758', address: 'Grabengasse 27, 94032 Passau' },
  items: [
    { vendor: 'Leckerolls', quantity: 2, name: 'Zimtschnecke' },
    { vendor: 'Thai Garten', quantity: 1, name: 'Thai Curry Bowl', note: 'ohne Erdnüsse, 2,50 € Aufpreis' },
  ],
  total: { amount: '23.90', currency: 'EUR' },
  payment: 'paid',
}

const formerOrder = (number: number, createdAtMs: number) =>
  padded(
    {
      order_id: String(6_000_000_000_000 + number),
      order_type: 'shopify',
      vendors: ['Leckerolls', 'Thai Garten'],
      ...CONTENT,
      status_history: [{ type: 'new', timestamp: timeText(createdAtMs) }],
      status: 'delivered',
      created_at: timeText(createdAtMs),
    },
    '',
  )

/** An order's text of exactly `ORDER_BYTES`: the JSON, filled up with a note, then its entries. */
function padded(order: object, entries: string): string {
  const text = JSON.stringify({ ...order, note: '' })
  const missing = ORDER_BYTES - Buffer.byteLength(text) - Buffer.byteLength(entries)
  return `${text.slice(0, -'"}'.length)}${NOTE.slice(0, missing)}"}${entries}`
}

const NOTE = 'Bitte zweimal klingeln, dann in den Hof. '.repeat(40)

const LIFE = ['confirmed', 'assigned', 'picked-up', 'delivered'] as const satisfies readonly OrderStatus[]

/** The moves of an order's life, each decided on the one before. */
function entriesOf(filling: Filling, number: number, createdAtMs: number): Entry[] {
  const moves = filling === 'fresh' ? [] : LIFE.slice(0, isOpen(filling, number) ? 2 : LIFE.length)
  return moves.map((move, at) => ({
    id: `entry-${at}`,
    at: timeText(createdAtMs + (at + 1) * 600_000),
    by: 5_000_000_001,
    move,
    after: at === 0 ? null : `entry-${at - 1}`,
  }))
}

const timeTexts = new Map<number, string>()

/** An instant as text. Remembered, for filling the store would otherwise mostly consist of this. */
function timeText(ms: number): string {
  const text = timeTexts.get(ms) ?? isoInstant(ms, ZONE)
  timeTexts.set(ms, text)
  return text
}
