import type { BudgetReport } from '../redis/budget/budget-report.ts'
import type { DeveloperApi } from '../redis/budget/developer-api.ts'
import { headline, subline } from '../redis/budget/sentences.ts'
import { fail, ok, off, warn, type Finding } from './doctor-check.ts'
import { bytesText } from './text.ts'

/** Shares of a limit from which on a person should know, and should act. */
const FILLING = 0.8
const ALMOST_FULL = 0.95

/** Whether the month's commands will do. */
export function checkBudget(report: BudgetReport): Finding {
  const { isLimitReached, isEnforced, mode, share, forecast } = report
  const told = `${headline(report)}. ${subline(report)}`
  if (isLimitReached) return fail(`the provider refuses commands, for its limit is reached. ${told}`, REFUSED)
  if (!isEnforced) return ok(`${told}. Nobody bills this Redis`)
  if (mode === 'saver' || share >= ALMOST_FULL) return fail(told, WAYS_OUT)
  const isBeyond = forecast.limitOn !== null && forecast.isFirm
  return share >= FILLING || isBeyond ? warn(told, WAYS_OUT) : ok(told)
}

const WAYS_OUT =
  'orderly usage shows what the commands went to; a paid plan (then set COMMAND_BUDGET to what it allows) or fewer features help.'

const REFUSED = 'A paid plan ends this at once; else it ends by itself with the reset.'

/** Whether there is room in the database, where the provider tells. */
export function checkStorage({ storage }: BudgetReport): Finding {
  if (storage === null) return off('the provider does not tell it, or nobody bills it')
  const { usedBytes, limitBytes } = storage
  if (limitBytes === null) return ok(`${bytesText(usedBytes)}, no limit is known`)
  const share = usedBytes / limitBytes
  const told = `${bytesText(usedBytes)} of ${bytesText(limitBytes)} (${Math.round(100 * share)} %)`
  if (share >= ALMOST_FULL) return fail(told, MAKE_ROOM)
  return share >= FILLING ? warn(told, MAKE_ROOM) : ok(told)
}

const MAKE_ROOM = 'orderly sweep orders --apply makes room; a smaller RETENTION_DAYS keeps it.'

/** Whether the provider's developer API answers, and agrees about the limit. */
export async function checkDeveloperApi(api: DeveloperApi, limit: number): Promise<Finding> {
  const answer = await api.look()
  if (!answer.isTold) {
    const told = `it tells nothing: ${answer.why}`
    return answer.isRefused
      ? fail(told, CREDENTIALS)
      : warn(told, 'The budget goes on without it; run orderly doctor again later.')
  }
  const { requests, requestLimit } = answer
  const told =
    requests === null ? 'answers, but does not tell the commands' : `answers: ${requests} commands in its month`
  if (requestLimit === null || requestLimit >= limit) return ok(told)
  return warn(
    `${told}, of ${requestLimit} in the plan, less than COMMAND_BUDGET`,
    `Set COMMAND_BUDGET to ${requestLimit}.`,
  )
}

const CREDENTIALS =
  'Check UPSTASH_EMAIL, UPSTASH_API_KEY and UPSTASH_DATABASE_ID; a key is made in the console under Account, Management API.'
