import { AppError, ConfigError } from '../errors.ts'
import type { Cost } from '../redis/meter.ts'

/** Exit codes: 0 ok, 1 problem, 2 wrong use, 3 stopped by a cap or the provider's limit, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130

export interface CommandError {
  readonly code: string
  readonly message: string
}

/** What a command came to, for people and for scripts. */
export interface CommandResult {
  /** For scripts: what `--json` shows as `data`; null where there is none. */
  readonly data: unknown
  /** For people: what stdout shows without `--json`; empty when the error says it all. */
  readonly text: string
  readonly error: CommandError | null
  readonly warnings: readonly string[]
  /** What the command spent, where it spent something. */
  readonly cost?: Pick<Cost, 'billed' | 'requests'>
}

/** The command was called in a way that it does not understand. */
export class WrongUseError extends AppError<'WRONG_USE'> {
  override readonly name = 'WrongUseError'

  constructor(message: string) {
    super('WRONG_USE', message)
  }
}

/** The exit code that belongs to an error. */
export function exitCodeOf(error: CommandError | null): ExitCode {
  switch (error?.code) {
    case undefined:
      return 0
    case 'WRONG_USE':
      return 2
    case 'CAP_REACHED':
    case 'REDIS_LIMIT':
      return 3
    case 'INTERRUPTED':
      return 130
    default:
      return 1
  }
}

/** A thrown error as a result. Only our own errors are known to hold no secrets, so no other message is shown. */
export function failed(error: unknown): CommandResult {
  const told: CommandError =
    error instanceof AppError
      ? { code: error.code, message: error.message }
      : { code: 'UNEXPECTED', message: `A defect of Orderly ended the command (${nameOf(error)}). Please report it.` }
  const hint = error instanceof ConfigError ? ['Every variable is explained in docs/configuration.md.'] : []
  return { data: null, text: '', error: told, warnings: hint }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error)

/** The one object that `--json` prints. */
export const envelopeOf = (command: string | null, { data, error, warnings, cost }: CommandResult) => ({
  ok: error === null,
  command,
  data: data ?? null,
  error,
  warnings,
  cost: { redisCommands: cost?.billed ?? 0, requests: cost?.requests ?? 0 },
})
