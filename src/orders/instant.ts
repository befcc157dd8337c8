import { DateTime } from 'luxon'

/** From here on a number is taken for epoch milliseconds instead of seconds: the year 5138, or March 1973. */
const MILLISECONDS_FROM = 1e11

/** The least number taken for a time: September 2001 in seconds. */
const LEAST_EPOCH = 1e9

/** The latest instant that a JavaScript date can hold. */
const LATEST_MS = 8.64e15

const ISO_DATE_TIME =
  /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-8])(?::?[0-5]\d)?)?$/

/**
 * Reads an instant as other systems store it: ISO 8601 with date and time, `T` or a space between them, an offset, `Z` or
 * neither (then it is a time of the business zone), or epoch seconds or milliseconds as a number.
 *
 * Everything else is undefined, above all what a date library would complete by itself: a date or a time alone, a week
 * date, a number in quotes.
 *
 * @returns milliseconds since the epoch.
 */
export function decodeInstant(value: unknown, zone: string): number | undefined {
  if (typeof value === 'number') return decodeEpoch(value)
  if (typeof value !== 'string' || !ISO_DATE_TIME.test(value)) return undefined
  // With its own offset kept, a text that has one is not converted to the zone, which would cost most of the time.
  const instant = DateTime.fromISO(value.replace(' ', 'T'), { zone, setZone: true })
  return instant.isValid ? instant.toMillis() : undefined
}

function decodeEpoch(value: number): number | undefined {
  if (value < LEAST_EPOCH) return undefined
  const ms = Math.trunc(value < MILLISECONDS_FROM ? value * 1_000 : value)
  return ms <= LATEST_MS ? ms : undefined
}
