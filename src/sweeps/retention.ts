import { firstInstantOf, localDateBefore } from '../calendar.ts'

export interface RetentionPolicy {
  /** Calendar days kept before today. */
  readonly days: number
  /** The business zone, whose days these are. */
  readonly zone: string
}

export interface Cutoffs {
  /** The first instant that is kept, in epoch milliseconds. */
  readonly cutoffMs: number
  /** The same for unfinished things: twice the retention, unless it says otherwise. */
  readonly extendedCutoffMs: number
}

/**
 * The cutoffs of a policy on the local day of `asOfMs`: first instants of local days, whatever the clocks do in between. A day
 * that the zone skipped altogether (Apia, 30 December 2011) begins at the first instant after the gap.
 */
export const calendarCutoffs = ({ days, zone }: RetentionPolicy, asOfMs: number): Cutoffs => ({
  cutoffMs: startOfDayBefore(asOfMs, days, zone),
  extendedCutoffMs: startOfDayBefore(asOfMs, 2 * days, zone),
})

const startOfDayBefore = (asOfMs: number, days: number, zone: string) =>
  firstInstantOf({ ...localDateBefore(asOfMs, days, zone), hour: 0, minute: 0 }, zone)

/** Milliseconds of a day that is 24 hours long, which a calendar day need not be. */
const DAY_MS = 86_400_000

/** The cutoffs of stores whose days are N x 24 hours before `asOfMs`; unfinished things are kept `factor` times as long. */
export const hourCutoffs = (
  { days, factor }: { readonly days: number; readonly factor: number },
  asOfMs: number,
): Cutoffs => ({
  cutoffMs: asOfMs - days * DAY_MS,
  extendedCutoffMs: asOfMs - Math.ceil(days * factor * DAY_MS),
})
