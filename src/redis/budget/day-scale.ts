import { firstInstantOf } from '../../calendar.ts'
import type { BudgetMonth } from './budget-report.ts'
import { localDay } from './month.ts'

/** A month as a line of days: 2.5 is the middle of its third day, also where that day has 23 or 25 hours. */
export interface DayScale {
  /** Where an instant lies, from 0 to the month's length; one outside of the month lies at its nearer end. */
  at(ms: number): number
  /** The instant of a place on the line, always one of the month. */
  instant(place: number): number
}

const DAY_MS = 86_400_000

/** Measures a month in the local days of a zone. */
export function dayScale({ firstDay, length, startMs, endMs }: BudgetMonth, zone: string): DayScale {
  const [year = 0, month = 1, day = 1] = firstDay.split('-').map(Number)
  const startOf = (index: number) =>
    index < length ? firstInstantOf({ year, month, day: day + index, hour: 0, minute: 0 }, zone) : endMs
  const lengthOf = (index: number) => startOf(index + 1) - startOf(index)
  const within = (ms: number) => Math.min(Math.max(ms, startMs), endMs - 1)
  return {
    at: (ms) => {
      if (ms >= endMs) return length
      // Dates have no zone, so that the days between two of them all have 24 hours.
      const index = (Date.parse(localDay(within(ms), zone)) - Date.parse(firstDay)) / DAY_MS
      // An hour that comes twice, where clocks go back over midnight, may have the date before its day's.
      if (index < 0) return 0
      return index + Math.min(Math.max(0, within(ms) - startOf(index)) / lengthOf(index), 1)
    },
    instant: (place) => {
      const index = Math.min(Math.max(Math.floor(place), 0), length)
      return within(Math.floor(startOf(index) + (place - index) * lengthOf(index)))
    },
  }
}
