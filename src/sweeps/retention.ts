import { DateTime } from 'luxon'

export interface RetentionPolicy {
  /** Calendar days kept before today. */
  readonly days: number
  /** The business zone, whose days these are. */
  readonly zone: string
}

export interface Cutoffs {
  /** The first instant that is kept, in epoch milliseconds. */
  readonly cutoffMs: number
  /** The same for unfinished things: twice the retention. */
  readonly extendedCutoffMs: number
}

/** The cutoffs of a policy on the local day of `asOfMs`. Counts calendar days, so both are starts of local days. */
export const calendarCutoffs = ({ days, zone }: RetentionPolicy, asOfMs: number): Cutoffs => ({
  cutoffMs: startOfDayBefore(asOfMs, days, zone),
  extendedCutoffMs: startOfDayBefore(asOfMs, 2 * days, zone),
})

/**
 * The first instant of the local day that lies `days` calendar days before that of `asOfMs`. A day that the zone skipped
 * altogether (Apia, 30 December 2011) begins at the first instant after the gap.
 */
function startOfDayBefore(asOfMs: number, days: number, zone: string): number {
  const { year, month, day } = DateTime.fromMillis(asOfMs, { zone })
  const wanted = DateTime.utc(year, month, day).minus({ days })
  const found = DateTime.fromObject({ year: wanted.year, month: wanted.month, day: wanted.day }, { zone })
  return firstInstantOfDay(found)
}

/** How far back to look for an earlier midnight of the same date: no clock was ever set back by more than this. */
const LOOK_BACK_HOURS = 3

/**
 * The earliest instant with the local date of `day`. Where clocks are set back over midnight, a date has two midnights
 * (Havana), or even comes, goes and comes again (St. John's until 2011), and luxon's `startOf` may give the later one.
 */
function firstInstantOfDay(day: DateTime): number {
  const start = day.startOf('day')
  const setBackMinutes = start.minus({ hours: LOOK_BACK_HOURS }).offset - start.offset
  const earlier = start.minus({ minutes: setBackMinutes })
  const isSameDay = setBackMinutes > 0 && earlier.toISODate() === start.toISODate()
  return (isSameDay ? earlier : start).toMillis()
}
