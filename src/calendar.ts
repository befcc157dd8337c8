import { DateTime, IANAZone } from 'luxon'

/** A date and time as a wall clock shows it. */
export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

/** Far enough from any local time to be before or after the clock change next to it, in hours. */
const BESIDE_HOURS = 36

/**
 * The first instant at which the clocks of a zone show a local time, in epoch milliseconds. A time that comes twice means the
 * first; a time that the clocks skip means the first instant after the gap.
 */
export function firstInstantOf({ year, month, day, hour, minute }: LocalTime, zone: string): number {
  const wanted = Date.UTC(year, month - 1, day, hour, minute)
  const clocks = IANAZone.create(zone)
  const wallAt = (ms: number) => ms + clocks.offset(ms) * 60_000
  const beside = [-BESIDE_HOURS, BESIDE_HOURS].map((hours) => clocks.offset(wanted + hours * 3_600_000))
  const candidates = beside.map((offset) => wanted - offset * 60_000).toSorted((a, b) => a - b)
  const found = candidates.find((ms) => wallAt(ms) === wanted)
  return found ?? firstAfterGap(wallAt, wanted, candidates)
}

/** The clock change lies between the two instants that the offsets before and after it would give. */
function firstAfterGap(wallAt: (ms: number) => number, wanted: number, [low = 0, high = 0]: readonly number[]): number {
  let [before, after] = [low - 1, high]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (wallAt(middle) < wanted) before = middle
    else after = middle
  }
  return after
}

/** The local date of an instant, `days` calendar days earlier. */
export function localDateBefore(ms: number, days: number, zone: string): Pick<LocalTime, 'year' | 'month' | 'day'> {
  const { year, month, day } = DateTime.fromMillis(ms, { zone })
  const earlier = DateTime.utc(year, month, day).minus({ days })
  return { year: earlier.year, month: earlier.month, day: earlier.day }
}

/** An instant as text: ISO 8601 with milliseconds and the zone's offset at that time. */
export const isoInstant = (ms: number, zone: string): string => DateTime.fromMillis(ms, { zone }).toISO() ?? ''
