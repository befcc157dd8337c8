import { DateTime } from 'luxon'
import { firstInstantOf, localDateBefore } from '../../calendar.ts'
import type { BudgetMonth } from './budget-report.ts'

export interface MonthRule {
  /** The day on which the provider's counter starts from 0: 1 to 28, so that every month has it. */
  readonly resetDay: number
  /** The business zone, whose days these are. */
  readonly zone: string
}

/** The budget's month that holds an instant: `startMs <= nowMs < endMs`. */
export function budgetMonthAt(nowMs: number, { resetDay, zone }: MonthRule): BudgetMonth {
  const { year, month, day } = localDateBefore(nowMs, 0, zone)
  const first = DateTime.utc(year, month, resetDay).minus({ months: day < resetDay ? 1 : 0 })
  const begun = monthFrom(first, zone)
  // Where clocks go back over midnight, the hour before it comes once more although the month has begun.
  return nowMs < begun.endMs ? begun : monthFrom(first.plus({ months: 1 }), zone)
}

function monthFrom(first: DateTime, zone: string): BudgetMonth {
  const next = first.plus({ months: 1 })
  const midnight = ({ year, month, day }: DateTime) => firstInstantOf({ year, month, day, hour: 0, minute: 0 }, zone)
  return {
    name: first.toFormat('yyyy-MM'),
    firstDay: dateOf(first),
    lastDay: dateOf(next.minus({ days: 1 })),
    resetsOn: dateOf(next),
    length: next.diff(first, 'days').days,
    startMs: midnight(first),
    endMs: midnight(next),
  }
}

/** The local date of an instant, `yyyy-mm-dd`. */
export const localDay = (ms: number, zone: string): string => dateOf(DateTime.fromMillis(ms, { zone }))

/** The dates from one to another, both included; none where the last is before the first. */
export function daysBetween(firstDay: string, lastDay: string): readonly string[] {
  const first = DateTime.fromISO(firstDay, { zone: 'utc' })
  const count = DateTime.fromISO(lastDay, { zone: 'utc' }).diff(first, 'days').days + 1
  return Array.from({ length: Math.max(count, 0) }, (_, days) => dateOf(first.plus({ days })))
}

const dateOf = (date: DateTime) => date.toFormat('yyyy-MM-dd')
