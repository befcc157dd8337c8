import { randomBytes } from 'node:crypto'
import type { OrderStatus } from './status.ts'

/** Who made an entry: a Telegram user's id or a source's name. */
export type By = number | string

/** What every entry has. */
interface EntryFacts {
  /** Unique within the order, 1 to 10 characters. An id seen before is skipped, so a repeated APPEND does no harm. */
  readonly id: string
  /** ISO 8601 with milliseconds and offset. */
  readonly at: string
  readonly by: By
}

/** A change of status. `after` is the last applied move or undo that the deciding person saw, null for none. */
export interface MoveEntry extends EntryFacts {
  readonly move: OrderStatus
  readonly after: string | null
}

/** Takes back the move whose id is `undo`. */
export interface UndoEntry extends EntryFacts {
  readonly undo: string
  readonly after: string | null
}

/** Replaces fields of the order. `after` is the last edit it was decided on, null for none. */
export interface EditEntry extends EntryFacts {
  readonly edit: Readonly<Record<string, unknown>>
  readonly after: string | null
}

/** The message that shows the order in a chat. */
export interface CardEntry extends EntryFacts {
  readonly card: { readonly chat: number; readonly message: number }
}

export interface NoteEntry extends EntryFacts {
  readonly note: string
}

/** One fact appended to an order. */
export type Entry = MoveEntry | UndoEntry | EditEntry | CardEntry | NoteEntry

/** A JSON object as found in the store: of any version and any origin, so nothing about its fields is certain. */
export type StoredObject = Readonly<Record<string, unknown>>

/** The value of an order's key, taken apart. */
export type StoredText =
  | { readonly kind: 'order'; readonly received: StoredObject; readonly entries: readonly StoredObject[] }
  /** Only entries: they were appended after the order had gone. */
  | { readonly kind: 'leftover'; readonly entries: readonly StoredObject[] }
  | { readonly kind: 'unreadable' }

/** A field of the received order for the store's own use: see `OrderStoreOptions.newLife`. It is not one of the order's facts. */
export const LIFE_FIELD = '_life'

/** Begins each entry of a JSON text sequence (RFC 7464). It cannot occur inside JSON, which escapes control characters. */
const ENTRY_MARK = '\u001e'

/** The text that one APPEND adds: each entry as 0x1E, JSON, line feed. */
export const encodeEntries = (entries: readonly Entry[]): string =>
  entries.map((entry) => `${ENTRY_MARK}${JSON.stringify(entry)}\n`).join('')

/** Takes a stored value apart. An entry that is no JSON object (cut short, foreign) is skipped. */
export function decodeStored(text: string): StoredText {
  const [head = '', ...rest] = text.split(ENTRY_MARK)
  const entries = rest.map(decodeObject).filter((entry) => entry !== undefined)
  if (head === '' && rest.length > 0) return { kind: 'leftover', entries }
  const received = decodeObject(head)
  return received === undefined ? { kind: 'unreadable' } : { kind: 'order', received, entries }
}

/** Whether a stored value holds nothing but entries. */
export const isLeftover = (text: string): boolean => text.startsWith(ENTRY_MARK)

function decodeObject(text: string): StoredObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isStoredObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a parsed value is a JSON object, not an array. */
export const isStoredObject = (value: unknown): value is StoredObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An id for a new entry, 10 characters of base 32: two entries of one order share one about never. */
export function newEntryId(): string {
  return [...randomBytes(10)].map((byte) => '0123456789abcdefghjkmnpqrstvwxyz'[byte & 31]).join('')
}
