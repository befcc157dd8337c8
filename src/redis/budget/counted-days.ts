import { billedOf, type DayCounts } from './counts.ts'
import type { DayScale } from './day-scale.ts'
import { daysBetween, localDay } from './month.ts'
import type { MonthUsage } from './usage.ts'
import { sum } from './sum.ts'

/** What Orderly counted on one local day. */
export interface CountedDay {
  readonly date: string
  readonly own: number
  /** The part of `own` that was spent on orders. */
  readonly ownForOrders: number
  readonly orders: number
  readonly cleanups: number
}

export interface CountedDays {
  readonly fromMs: number
  /** From the day of `fromMs` to today, oldest first, without a gap. */
  readonly days: readonly CountedDay[]
}

export interface CountedDaysOptions {
  readonly nowMs: number
  readonly zone: string
  readonly scale: DayScale
}

/**
 * The days that were counted. What an instance whose clock is off counted on a later day is today's, so that nothing is lost; what
 * it counted before the time from which on counts are said to be, makes that time earlier.
 */
export function countedDays(usage: MonthUsage, { nowMs, zone, scale }: CountedDaysOptions): CountedDays {
  const { month, days, countedFromMs } = usage
  const within = (date: string) => [month.firstDay, date, month.lastDay].toSorted()[1] ?? date
  const [today, began] = [within(localDay(nowMs, zone)), within(localDay(countedFromMs, zone))]
  const counted = Object.entries(days).map(([date, day]) => countedDay(within(date), day))
  const first = [today, began, ...counted.map(({ date }) => date)].toSorted()[0] ?? today
  return {
    fromMs: first === began ? countedFromMs : scale.instant(daysBetween(month.firstDay, first).length - 1),
    days: daysBetween(first, today).map((date) =>
      total(
        date,
        counted.filter((day) => (date === today ? day.date >= date : day.date === date)),
      ),
    ),
  }
}

function countedDay(date: string, day: DayCounts): CountedDay {
  const { orders, commands } = day
  return {
    date,
    own: billedOf(day),
    ownForOrders: sum(Object.values(commands['orders'] ?? {})),
    orders,
    // A sweep that is applied records itself by one XADD.
    cleanups: commands['sweep:orders']?.['XADD'] ?? 0,
  }
}

const total = (date: string, days: readonly CountedDay[]): CountedDay => ({
  date,
  own: sum(days.map(({ own }) => own)),
  ownForOrders: sum(days.map(({ ownForOrders }) => ownForOrders)),
  orders: sum(days.map(({ orders }) => orders)),
  cleanups: sum(days.map(({ cleanups }) => cleanups)),
})
