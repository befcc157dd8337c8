import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  decodeStored,
  encodeEntries,
  type By,
  type CardEntry,
  type EditEntry,
  type Entry,
  type MoveEntry,
  type NoteEntry,
  type StoredObject,
  type UndoEntry,
} from '../../src/orders/entries.ts'
import { foldOrder, type Order } from '../../src/orders/fold.ts'
import { orderIdOf } from '../../src/orders/order.ts'
import { ulid } from 'ulid'
import type { Command } from '../../src/redis/transport.ts'
import { instant } from './clock.ts'

/** An intake that breaks no rule on 8 December 2025, 20:00 in Passau. */
export const anIntake = (fields: StoredObject = {}): StoredObject => ({
  source: 'shopify',
  source_id: '6986534250496',
  created_at: '2025-12-08T18:02:11+01:00',
  customer: { name: 'Finn Wagner', phone: '+49851214602', address: 'Bahnhofstraße 17' },
  items: [{ vendor: 'Leckerolls', quantity: 1, name: 'Gulasch' }],
  total: { amount: '23.90', currency: 'EUR' },
  ...fields,
})

/** An order as received and stored. */
export const anOrder = (fields: StoredObject = {}): StoredObject => ({
  status: 'new',
  created_at: '2025-12-08T18:02:11+01:00',
  ...fields,
})

type Rest = { readonly at?: string; readonly by?: By }
const facts = (id: string, { at = '2025-12-08T18:10:00.000+01:00', by = 7 }: Rest) => ({ id, at, by })

export const aMove = (
  id: string,
  move: MoveEntry['move'],
  { after = null, ...rest }: Rest & { readonly after?: string | null } = {},
): MoveEntry => ({ ...facts(id, rest), move, after })

export const anUndo = (
  id: string,
  undo: string,
  { after = undo, ...rest }: Rest & { after?: string | null } = {},
): UndoEntry => ({
  ...facts(id, rest),
  undo,
  after,
})

export const anEdit = (id: string, edit: StoredObject, after: string | null = null): EditEntry => ({
  ...facts(id, {}),
  edit,
  after,
})

export const aCard = (id: string, chat: number, message: number): CardEntry => ({
  ...facts(id, {}),
  card: { chat, message },
})

export const aNote = (id: string, note: string): NoteEntry => ({ ...facts(id, {}), note })

/** The stored text of an order; entries of any shape, as another version may have written them. */
export const storedText = (received: StoredObject, ...entries: readonly (Entry | StoredObject)[]): string =>
  JSON.stringify(received) + encodeEntries(entries as readonly Entry[])

/** What a stored text folds to. */
export function folded(text: string, id = 'a'): Order {
  const stored = decodeStored(text)
  if (stored.kind !== 'order') throw new Error(`This is ${stored.kind}, not an order.`)
  return foldOrder(orderIdOf(`order:${id}`), stored)
}

/** A key that carries its order time. */
export const keyOf = (iso: string): string => `order:${ulid(instant(iso))}`

/** One row of the table of odd orders, which share one time and one retention. */
export interface OddOrder {
  readonly name: string
  readonly key: string
  readonly type: 'string' | 'hash' | 'list'
  readonly value: unknown
  readonly now: string
  readonly days: number
  readonly verdict: 'kept' | 'deleted' | 'kept-open' | 'unreadable' | 'untouched'
  readonly why: string
}

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8')

export const oddOrders: readonly OddOrder[] = JSON.parse(fixture('odd-orders.json'))

/** The command that stores an odd order as what it is. */
export function storeOdd({ key, type, value }: OddOrder): Command {
  if (type === 'hash') return ['HSET', key, ...Object.entries(value as Record<string, string>).flat()]
  if (type === 'list') return ['RPUSH', key, ...(value as string[])]
  return ['SET', key, value as string]
}

/** The 225 orders that the former bot left behind. */
export const formerBotOrders: readonly { readonly key: string; readonly value: string }[] = fixture(
  'former-bot-orders.jsonl',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
