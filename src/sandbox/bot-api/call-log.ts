import type { Clock } from '../../clock.ts'
import { addLatest } from './latest.ts'

/** One call of the bot. */
export interface LoggedCall {
  /** Counts calls and deliveries together, from 1. */
  readonly number: number
  readonly method: string
  /** As they came: in a multipart body each value is text. Empty where the body could not be read. */
  readonly params: Readonly<Record<string, unknown>>
  readonly atMs: number
  /** Until the end; absent while it is under way. */
  readonly ms?: number
  /** The HTTP status of the answer; absent while it is under way, and where the connection broke. */
  readonly status?: number
  /** The refusal, or that the connection broke. */
  readonly description?: string
}

export interface CallLog {
  /** The latest calls, oldest first. */
  readonly calls: readonly LoggedCall[]
  /** Notes a call. What is returned notes its outcome. */
  begin(method: string, params: LoggedCall['params']): (outcome: Pick<LoggedCall, 'status' | 'description'>) => void
}

export interface CallLogOptions {
  readonly clock: Clock
  readonly nextNumber: () => number
  /** Told of each call when it begins, and again when it was answered. */
  readonly onChange: (call: LoggedCall) => void
  /** How many calls are kept. @default 5000 */
  readonly most?: number
}

export function createCallLog({ clock, nextNumber, onChange, most = 5000 }: CallLogOptions): CallLog {
  const calls: LoggedCall[] = []

  return {
    calls,
    begin: (method, params) => {
      const call = { number: nextNumber(), method, params, atMs: clock() }
      addLatest(calls, call, most)
      onChange(call)
      return (outcome) => {
        const answered = { ...call, ms: clock() - call.atMs, ...outcome }
        const index = calls.lastIndexOf(call)
        if (index >= 0) calls.splice(index, 1, answered)
        onChange(answered)
      }
    },
  }
}

/** The call without what nobody but the bot and Telegram may know. */
export function maskSecrets(call: LoggedCall): LoggedCall {
  const { secret_token: secret } = call.params
  return secret === undefined || secret === '' ? call : { ...call, params: { ...call.params, secret_token: '***' } }
}
