import type { Api } from 'grammy'
import { InterruptedError } from '../errors.ts'
import type { BudgetReport, BudgetWarning } from '../redis/budget/budget-report.ts'
import type { Background } from './background.ts'
import { isRefusal, untilAnswered } from './calls.ts'
import { warningText } from './warning-text.ts'

export interface WarnOptions {
  readonly api: Api
  readonly adminIds: readonly number[]
  readonly background: Background
  readonly onError: (error: unknown) => void
}

/** Warns every admin of the month's budget; resolves with how many were told. */
export type Warn = (warning: BudgetWarning, report: BudgetReport) => Promise<number>

/**
 * Resolves once every admin was told, or Telegram refused to tell them, as it does where one never pressed Start: to 0 where
 * nobody was. Tries for as long as Telegram is away.
 *
 * @throws InterruptedError when the service stops before.
 */
export const createWarn =
  ({ api, adminIds, background, onError }: WarnOptions): Warn =>
  async (warning, report) => {
    const text = warningText(warning, report)
    const tell = async (id: number, signal: AbortSignal) => {
      while (!signal.aborted) {
        try {
          await untilAnswered(() => api.sendMessage(id, text), signal)
          return true
        } catch (error) {
          onError(error)
          if (isRefusal(error)) return false
        }
      }
      throw new InterruptedError('The service stopped before every admin was warned of the budget.')
    }
    const telling = adminIds.map(
      (id) =>
        new Promise<boolean>((resolve, reject) => background.run((signal) => tell(id, signal).then(resolve, reject))),
    )
    return (await Promise.all(telling)).filter(Boolean).length
  }
