import { AppError, InterruptedError, isRedisError, type RedisError } from '../errors.ts'
import type { Hide } from './doctor-hiding.ts'

/** Everything that the doctor looks at, in the order in which it is told. docs/doctor.md explains each. */
export const checkNames = [
  'configuration',
  'versions',
  'zone data',
  'packages',
  'orders redis',
  'inngest redis',
  'bullmq redis',
  'executions redis',
  'inngest database',
  'audit database',
  'budget',
  'storage',
  'developer api',
  'schedule',
  'clock',
  'bot',
  'webhook',
  'orders chat',
  'admins',
  'public address',
  'API_TOKEN',
  'INTAKE_TOKEN',
  'DASHBOARD_SECRET',
] as const

export type CheckName = (typeof checkNames)[number]

/** Those that are looked at whatever the configuration is like. */
export type LocalName = 'configuration' | 'versions' | 'zone data'

/** What a person has to do: nothing, look into it, act now; `off` is what is not configured or could not be looked at. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'off'

/** What came of a look, in words of ours; of what a server said the first words of a refusal at most. */
export interface Finding {
  readonly verdict: Verdict
  readonly detail: string
  /** The command or the step that puts it right; null where nothing has to be. */
  readonly fix: string | null
}

export interface Check extends Finding {
  readonly name: CheckName
}

export const ok = (detail: string): Finding => ({ verdict: 'ok', detail, fix: null })
export const warn = (detail: string, fix: string): Finding => ({ verdict: 'warn', detail, fix })
export const fail = (detail: string, fix: string): Finding => ({ verdict: 'fail', detail, fix })
export const off = (detail: string): Finding => ({ verdict: 'off', detail, fix: null })

export interface ExamineOptions {
  readonly look: () => Finding | Promise<Finding>
  readonly signal: AbortSignal
  /** What puts a failure of ours right. */
  readonly fix: string
  /** Takes secrets out of what is told. */
  readonly hide: Hide
  /** @default 12 000, a little more than a request to Redis or a database may take */
  readonly deadlineMs?: number
}

/** Looks at one thing, for so long and until the signal. Whatever is thrown is this check's failure alone. Never throws. */
export async function examine(name: CheckName, options: ExamineOptions): Promise<Check> {
  const { look, signal, fix, hide, deadlineMs = 12_000 } = options
  const ended = new AbortController()
  const late = new Promise<Finding>((resolve) => {
    const timer = setTimeout(() => resolve(fail(`no answer within ${deadlineMs / 1_000} s`, fix)), deadlineMs)
    ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    const interrupted = () => resolve(INTERRUPTED)
    if (signal.aborted) interrupted()
    signal.addEventListener('abort', interrupted, { once: true, signal: ended.signal })
  })
  const looked = Promise.resolve()
    .then(look)
    .catch((error: unknown) => failureOf(error, { name, fix }))
  const found = await Promise.race([late, looked])
  ended.abort()
  return { name, ...found, detail: hide(found.detail) }
}

const INTERRUPTED = off('interrupted before it was known')

/** Only our own errors are known to hold no secrets. */
function failureOf(error: unknown, { name, fix }: { readonly name: CheckName; readonly fix: string }): Finding {
  if (error instanceof InterruptedError) return INTERRUPTED
  if (isRedisError(error, 'REDIS_LIMIT') && !tellsLimit.has(name))
    return off('the provider refuses commands: see budget')
  if (isRedisError(error)) return fail(error.message, redisFix(error, fix))
  if (error instanceof AppError) return fail(error.message, fix)
  const kind = error instanceof Error && /^[A-Za-z]{1,60}$/.test(error.name) ? error.name : typeof error
  return fail(`A defect of Orderly ended this check (${kind}).`, 'Please report it.')
}

/** Where the provider's refusal is told; everywhere else it is told twice. */
const tellsLimit: ReadonlySet<CheckName> = new Set<CheckName>([
  'budget',
  'orders redis',
  'inngest redis',
  'bullmq redis',
  'executions redis',
])

/** What puts right what a Redis answered; `unreached` where it did not, or refused the credentials. */
function redisFix({ code, message }: RedisError, unreached: string): string {
  switch (code) {
    case 'REDIS_UNREACHABLE':
      return unreached
    case 'REDIS_LIMIT':
      return 'A paid plan ends this at once; else it ends when the provider counts from 0 again (BUDGET_RESET_DAY).'
    case 'REDIS_FULL':
      return 'orderly sweep orders --apply makes room; or give the server more memory.'
    case 'REDIS_WRONG_TYPE':
      return 'Another program wrote to a key of Orderly. Remove it; of the budget it is orderly:usage:<yyyy-mm>, which begins anew.'
    case 'REDIS_REFUSED':
      return message.includes('credentials')
        ? unreached
        : 'Let its user do that, on keys that begin with order: and orderly:, or name another user.'
    default:
      return code satisfies never
  }
}
