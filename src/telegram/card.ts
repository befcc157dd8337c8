import { InlineKeyboard } from 'grammy'
import { DateTime } from 'luxon'
import { isStoredObject, type StoredObject } from '../orders/entries.ts'
import type { Order } from '../orders/fold.ts'
import { decodeInstant } from '../orders/instant.ts'
import { isOrderStatus, mayBecome, type OrderStatus } from '../orders/status.ts'
import { encodeButton } from './buttons.ts'
import { cut, inLine } from './text.ts'

/** A message that shows an order. Plain text without markup, so no customer's text can break it. */
export interface Card {
  readonly text: string
  readonly keyboard: InlineKeyboard
}

export interface CardOptions {
  readonly zone: string
  readonly nowMs: number
  /** How long after a move its undo button is offered, in milliseconds. */
  readonly undoMs: number
  /** What a person is called who made an entry. */
  readonly nameOf: (by: number | string) => string
}

const SIGNS = {
  new: '🆕',
  asked: '❓',
  confirmed: '👍',
  assigned: '👤',
  'picked-up': '🛵',
  delivered: '✅',
  cancelled: '❌',
  removed: '🗑',
} as const satisfies Record<OrderStatus, string>

/** UTF-16 units of a field and of a note, as intake takes them: a longer one in the store must leave room for the others. */
const MOST_UNITS = 512
const MOST_OF_NOTE = 2_000

/** The card of an order as it is now. */
export function cardOf(order: Order, options: CardOptions): Card {
  const { facts, status } = order
  const customer = objectAt(facts, 'customer')
  const lines = [
    `${isOrderStatus(status) ? SIGNS[status] : '▫️'} ${titleOf(order)}: ${statusText(status)}`,
    timeLine(facts, options.zone),
    joined('👤', [textAt(customer, 'name'), textAt(customer, 'phone')]),
    joined('📍', [facts['pickup'] === true ? 'pickup' : null, textAt(customer, 'address'), textAt(customer, 'zip')]),
    ...itemLines(facts),
    joined('💶', [totalOf(facts), textAt(facts, 'payment') ?? textAt(facts, 'payment_method')]),
    joined('📝', [textAt(facts, 'note', MOST_OF_NOTE)]),
    moveLine(order, options),
  ]
  return { text: cut(lines.filter((line) => line !== null).join('\n')), keyboard: keyboardOf(order, options) }
}

/** What people call an order: the former bot's name, or the source and its number. */
export function titleOf({ id, facts }: Order): string {
  const origin = `${plainText(facts['source'])} ${plainText(facts['source_id'])}`
  return inLine(plainText(facts['name']), 80) || inLine(origin, 80) || inLine(id, 80) || '?'
}

/** A status as people are told of it; a stored one may be any text. */
export const statusText = (status: string | null): string => inLine(status ?? '', 40) || 'no status'

function keyboardOf(order: Order, { nowMs, undoMs, zone }: CardOptions): InlineKeyboard {
  const keyboard = new InlineKeyboard()
  const deliver = mayBecome(order.status, 'delivered')
    ? encodeButton({ kind: 'move', id: order.id, to: 'delivered', after: order.lastMove })
    : undefined
  if (deliver !== undefined) return keyboard.text('✅ Delivered', deliver)
  const movedAtMs = decodeInstant(order.lastMoveAt, zone)
  const isYoung = movedAtMs !== undefined && nowMs - movedAtMs <= undoMs
  const isUndoable = order.undoable !== null && order.undoable === order.lastMove && isYoung
  const undo = isUndoable ? encodeButton({ kind: 'undo', id: order.id, undo: order.lastMove ?? '' }) : undefined
  return undo === undefined ? keyboard : keyboard.text('↩️ Undo', undo)
}

function timeLine(facts: StoredObject, zone: string): string | null {
  const created = clockTime(facts['created_at'] ?? facts['createdAt'], zone)
  const wanted = clockTime(facts['wanted_at'], zone) ?? textAt(facts, 'requested_time')
  return joined('🕐', [created, wanted === null ? null : `for ${wanted}`])
}

function clockTime(value: unknown, zone: string): string | null {
  const ms = decodeInstant(value, zone)
  return ms === undefined ? null : DateTime.fromMillis(ms, { zone }).toFormat('d LLL HH:mm', { locale: 'en' })
}

/** The latest move or undo that counts, whose maker the card names. */
export const lastMoveOf = ({ history }: Order): Order['history'][number] | undefined =>
  history.findLast(({ kind, applied }) => applied && (kind === 'move' || kind === 'undo'))

function moveLine(order: Order, { nameOf, zone }: CardOptions): string | null {
  const last = lastMoveOf(order)
  if (last === undefined) return null
  const what = last.kind === 'undo' ? `back to ${statusText(last.to)}` : statusText(last.to)
  const when = clockTime(last.at, zone)
  return `${what} by ${last.by === null ? 'somebody' : nameOf(last.by)}${when === null ? '' : `, ${when}`}`
}

/** Lines of the items, in the form of intake or in the former bot's. */
function itemLines(facts: StoredObject): readonly string[] {
  const items: readonly unknown[] = Array.isArray(facts['items']) ? facts['items'] : []
  const lines = items.filter(isStoredObject).map((item) => {
    const note = textAt(item, 'note', MOST_OF_NOTE)
    const vendor = textAt(item, 'vendor')
    const name = `• ${textAt(item, 'quantity') ?? '1'} × ${textAt(item, 'name') ?? '?'}`
    return `${name}${vendor === null ? '' : ` (${vendor})`}${note === null ? '' : `: ${note}`}`
  })
  const former = Object.entries(objectAt(facts, 'vendor_items')).flatMap(([vendor, names]) =>
    (Array.isArray(names) ? names : []).map((name) => `• ${shown(name) ?? '?'} (${shown(vendor) ?? '?'})`),
  )
  return [...lines, ...former]
}

function totalOf(facts: StoredObject): string | null {
  const total = objectAt(facts, 'total')
  return joined('', [textAt(total, 'amount'), textAt(total, 'currency')], ' ')?.trim() ?? textAt(facts, 'total')
}

const objectAt = (from: StoredObject, name: string): StoredObject => {
  const value = from[name]
  return isStoredObject(value) ? value : {}
}

/** A field as a part of a line; null for one that is missing, shows nothing, or is no text or number. */
const textAt = (from: StoredObject, name: string, most = MOST_UNITS): string | null => shown(from[name], most)

const shown = (value: unknown, most = MOST_UNITS): string | null => inLine(plainText(value), most) || null

/** A stored text or number as text; empty for anything else, which may not even be made a text. */
const plainText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

const joined = (sign: string, parts: readonly (string | null)[], between = ', '): string | null => {
  const present = parts.filter((part) => part !== null)
  return present.length === 0 ? null : `${sign} ${present.join(between)}`
}
