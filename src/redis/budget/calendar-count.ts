import type { RunningCount } from './baseline.ts'
import type { BudgetMonth } from './budget-report.ts'
import type { DeveloperFigures } from './developer-api.ts'

/** The developer API's latest count of a month. */
export interface CalendarCount {
  /** When it was told. */
  readonly atMs: number
  readonly requests: number
  /** What the running count said in the first look that had both; null until there is one. */
  readonly ran: number | null
}

export interface CalendarLook {
  /** What the API tells now. */
  readonly told: DeveloperFigures | undefined
  /** What the running count says now. */
  readonly running: RunningCount | undefined
  readonly month: BudgetMonth
  /** The latest count of this month before. */
  readonly before: CalendarCount | null
}

const DAY_MS = 86_400_000

/**
 * The latest count of a month that is a calendar month (UTC). What is told on its first day is left out: figures that lag
 * would be those of the month before.
 */
export function calendarCount({ told, running, month, before }: CalendarLook): CalendarCount | null {
  const isOfMonth = (ms: number) => new Date(ms).toISOString().slice(0, 7) === month.name
  const isTold = told !== undefined && told.requests !== null && isOfMonth(told.atMs) && isOfMonth(told.atMs - DAY_MS)
  const ran = running?.used ?? null
  if (isTold && told.atMs !== before?.atMs) return { atMs: told.atMs, requests: told.requests, ran }
  return before && { ...before, ran: before.ran ?? ran }
}

/** The count with what was spent since it was told, as far as the running count says so. */
export function usedSince({ requests, ran }: CalendarCount, running: RunningCount | null): number {
  return requests + (running === null || ran === null ? 0 : Math.max(0, running.used - ran))
}
