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
 * What a report gives reason to warn of and nobody was told of this month, but never of the provider's refusal. Where usage has
 * jumped over several shares only the highest is sent. A forecast beyond the limit is news until the limit is reached.
 */
export function dueWarnings(
  { used, limit, forecast }: BudgetReport,
  isTold: (warning: BudgetWarning) => boolean,
): DueWarnings {
  const passed = SHARES.filter((percent) => used * 100 >= limit * percent)
  const isForecast = forecast.isFirm && forecast.end > limit
  const reasons: readonly BudgetWarning[] = isForecast ? ['forecast', ...passed] : passed
  const mark = reasons.filter((warning) => !isTold(warning))
  const most = mark.at(-1)
  const isNews = most === 'forecast' ? used < limit : most === passed.at(-1)
  return { send: most !== undefined && isNews ? [most] : [], mark }
}
