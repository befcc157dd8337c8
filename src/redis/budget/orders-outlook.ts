import type { BudgetReport } from './budget-report.ts'
import type { CountedDay } from './counted-days.ts'
import { usualDay } from './usual-day.ts'
import { wholeDays } from './whole-days.ts'
import { sum } from './sum.ts'

/** What was spent on one local day, by Orderly and by others. */
export interface SpentDay extends CountedDay {
  readonly others: number
}

/** A week: orders depend on the weekday. */
const MOST_DAYS = 7

/**
 * What orders cost, and what tomorrow will: as many orders as on a usual day, each at what orders alone took so far, and what all
 * else usually takes. `from` says when counting began, as a place on the month's line of days.
 */
export function ordersOutlook(days: readonly SpentDay[], from: number): BudgetReport['orders'] {
  const count = sum(days.map(({ orders }) => orders))
  const own = sum(days.map((day) => day.own))
  const forOrders = sum(days.map(({ ownForOrders }) => ownForOrders))
  const whole = wholeDays(days, from).slice(-MOST_DAYS)
  const usualPerDay = whole.length === 0 ? null : sum(whole.map(({ orders }) => orders)) / whole.length
  const tomorrow =
    usualPerDay === null ? null : usualPerDay * (count === 0 ? 0 : forOrders / count) + restOf(whole, count)
  return {
    count,
    commandsPerOrder: count === 0 ? null : own / count,
    usualPerDay,
    tomorrow: tomorrow === null ? null : Math.round(tomorrow),
  }
}

/** What is spent on a usual day beside orders; without any order, nothing is for orders. */
const restOf = (whole: readonly SpentDay[], count: number) =>
  usualDay(whole.map(({ own, ownForOrders, others }) => own + others - (count === 0 ? 0 : ownForOrders))).perDay
