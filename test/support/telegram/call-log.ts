import type { Clock } from '../../../src/clock.ts'

/** One call of the bot. */
export interface LoggedCall {
  readonly method: string
  /** As they came: in a multipart body each value is text. */
  readonly params: Readonly<Record<string, unknown>>
  readonly atMs: number
  /** The HTTP status of the answer; absent as long as there is none, and where the connection broke. */
  readonly status?: number
  /** The refusal. */
  readonly description?: string
}

export interface CallLog {
  readonly calls: readonly LoggedCall[]
  /** Notes a call. What is returned notes its outcome. */
  begin(method: string, params: LoggedCall['params']): (outcome: Pick<LoggedCall, 'status' | 'description'>) => void
  /** The latest calls as text. */
  latest(): string
}

export interface CallLogOptions {
  readonly clock: Clock
  readonly onChange: () => void
}

export function createCallLog({ clock, onChange }: CallLogOptions): CallLog {
  const calls: LoggedCall[] = []

  return {
    calls,
    begin: (method, params) => {
      const call = { method, params, atMs: clock() }
      const index = calls.push(call) - 1
      onChange()
      return (outcome) => {
        calls.splice(index, 1, { ...call, ...outcome })
        onChange()
      }
    },
    latest: () => ['The latest calls were:', ...calls.slice(-10).map(lineOf)].join('\n'),
  }
}

const lineOf = ({ method, params, status, description = '' }: LoggedCall) =>
  `  ${method} ${JSON.stringify(params)} -> ${status ?? 'no answer'} ${description}`
