import { Buffer } from 'node:buffer'
import { isOrderStatus, type OrderStatus } from '../orders/status.ts'
import type { OrderId } from '../orders/order.ts'

/** What a button on a card does. `after` is the last move that the card showed. */
export type CardButton =
  | { readonly kind: 'move'; readonly id: OrderId; readonly to: OrderStatus; readonly after: string | null }
  | { readonly kind: 'undo'; readonly id: OrderId; readonly undo: string }

/** What Telegram carries with a button, in bytes. */
const MOST_BYTES = 64

/** One letter for each status that a button can lead to; a status of one letter fits any id that Telegram can carry. */
const LETTERS = { delivered: 'd' } as const satisfies Partial<Record<OrderStatus, string>>

/**
 * A button's callback data, `m<letter>:<after>:<order id>` or `u:<move>:<order id>`. An undo's `after` is the move it takes
 * back. Undefined when the order's id is too long to be carried (the former bot's ids may be anything), and when the move's id
 * is none of ours and could not be read again.
 */
export function encodeButton(button: CardButton): string | undefined {
  const isUndo = button.kind === 'undo'
  const reference = isUndo ? button.undo : (button.after ?? '')
  const action = isUndo ? 'u' : `m${LETTERS[button.to as keyof typeof LETTERS]}`
  const text = `${action}:${reference}:${button.id}`
  const isReadable = !/[:\p{Cs}]/u.test(reference)
  return isReadable && Buffer.byteLength(text) <= MOST_BYTES ? text : undefined
}

/** Reads callback data; undefined when it is none of ours, for anybody can send anything. */
export function decodeButton(text: string): CardButton | undefined {
  const [, action = '', reference = '', rawId = ''] = /^(m[a-z]|u):([^:]{0,10}):(.+)$/s.exec(text) ?? []
  if (rawId === '') return undefined
  const id = rawId as OrderId
  if (action === 'u') return reference === '' ? undefined : { kind: 'undo', id, undo: reference }
  const to = Object.entries(LETTERS).find(([, letter]) => action === `m${letter}`)?.[0]
  return isOrderStatus(to) ? { kind: 'move', id, to, after: reference === '' ? null : reference } : undefined
}
