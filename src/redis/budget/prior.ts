import { z } from 'zod'
import type { BudgetMonth } from './budget-report.ts'
import { billedOf, type Counts } from './counts.ts'
import { daysBetween, localDay } from './month.ts'

/** The field of a month's hash that tells what the days before it cost. */
export const PRIOR = 'prior'

/** How many days before a month are remembered in it. */
export const PRIOR_DAYS = 14

export interface CountedMonth {
  readonly month: BudgetMonth
  readonly countedFromMs: number
  readonly days: Counts
}

/** The billed commands of a month's last whole days, oldest first, at most 14: fewer where counting began later. */
export function priorOf({ month, countedFromMs, days }: CountedMonth, zone: string): readonly number[] {
  const isWhole = (date: string) => countedFromMs <= month.startMs || date > localDay(countedFromMs, zone)
  return daysBetween(month.firstDay, month.lastDay)
    .slice(-PRIOR_DAYS)
    .filter(isWhole)
    .map((date) => (days[date] === undefined ? 0 : billedOf(days[date])))
}

const schema = z.array(z.int().min(0).max(1e12)).max(PRIOR_DAYS)

/** The text of the field; undefined for what is none. */
export function decodePrior(text: string): readonly number[] | undefined {
  try {
    return schema.safeParse(JSON.parse(text.slice(0, 1_000))).data
  } catch {
    return undefined
  }
}
