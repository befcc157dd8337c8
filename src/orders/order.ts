import { createHash } from 'node:crypto'
import { decodeTime, ulid } from 'ulid'
import { InputError } from '../errors.ts'
import { ORDER_PREFIX } from '../redis/keys.ts'

declare const orderIdBrand: unique symbol

/** What follows `order:` in an order's key: a ULID of the order time, or whatever the former bot chose. */
export type OrderId = string & { readonly [orderIdBrand]: true }

/** The id of an order's key. */
export const orderIdOf = (key: string): OrderId => key.slice(ORDER_PREFIX.length) as OrderId

/**
 * Reads an id that a person typed, with or without `order:` before it.
 *
 * @throws InputError when it is empty or longer than 512 characters.
 */
export function parseOrderId(text: string): OrderId {
  const key = text.startsWith(ORDER_PREFIX) ? text : `${ORDER_PREFIX}${text}`
  const id = orderIdOf(key)
  if (id === '' || id.length > 512) throw new InputError('An order id has 1 to 512 characters.')
  return id
}

/** 26 characters of Crockford's base 32, upper case, within the 48 bits of a ULID's time. */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** No ULID is older than its specification (2016); an earlier time is some other number. */
const EARLIEST_ULID_MS = Date.UTC(2015)

/**
 * The order time that an id carries, in epoch milliseconds. Undefined for an id that is no ULID or whose time is not
 * between 2015 and a year after `nowMs`, the app's clock: it only looks like one.
 */
export function timeOfId(id: string, nowMs: number): number | undefined {
  if (!ULID.test(id)) return undefined
  const ms = decodeTime(id)
  return ms >= EARLIEST_ULID_MS && ms <= yearAfter(nowMs) ? ms : undefined
}

/** The same time a calendar year later. Without luxon, for a sweep asks once for each of a million keys. */
function yearAfter(nowMs: number): number {
  const date = new Date(nowMs)
  const month = date.getUTCMonth()
  date.setUTCFullYear(date.getUTCFullYear() + 1)
  // 29 February becomes 1 March, which is a day too late.
  return date.getUTCMonth() === month ? date.getTime() : date.setUTCDate(0)
}

export interface OrderSource {
  /** The system the order came from, such as `shopify`. */
  readonly source: string
  /** Its own number for the order; a till counts from 1 every day. */
  readonly sourceId: string
  readonly createdAtMs: number
}

/**
 * The id of an order: a ULID of its order time whose second part is a hash of where it came from, so that the same intake
 * makes the same id on any instance and at any time.
 */
export function createOrderId(source: OrderSource, orderTimeMs: number): OrderId {
  const hash = createHash('sha256')
    .update(JSON.stringify([source.source, source.sourceId, source.createdAtMs]))
    .digest()
  let at = 0
  return ulid(orderTimeMs, () => hash.readUInt8(at++) / 256) as OrderId
}

/** The part of a ULID that tells where an order came from. Two live orders that share it are the same order. */
export const originOf = (id: string): string => id.slice(10)
