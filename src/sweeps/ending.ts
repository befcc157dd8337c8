import { AppError, ConfigError, InterruptedError, isRedisError } from '../errors.ts'
import { SweepStopped, type StopReason } from './guard.ts'
import type { Outcome } from './report.ts'

/** How a run ended. */
export interface Ending {
  readonly outcome: Outcome
  /** `LOCKED`, `ALREADY_DONE`, `CAP_REACHED`, `INTERRUPTED`, `LEASE_LOST`, an `AppError`'s code or `UNEXPECTED`; null when it ended well. */
  readonly code: string | null
  readonly because: string | null
}

const STOPPED: Readonly<Record<StopReason, Ending>> = {
  cap: {
    outcome: 'stopped',
    code: 'CAP_REACHED',
    because:
      'The cap on Redis commands is reached. Run it again to go on, with a higher cap if this run deleted nothing.',
  },
  interrupted: { outcome: 'stopped', code: 'INTERRUPTED', because: 'Interrupted. Run it again to go on.' },
  'locked-out': {
    outcome: 'skipped',
    code: 'LOCKED',
    because: 'Another cleaner is at work on this database.',
  },
  lease: {
    outcome: 'stopped',
    code: 'LEASE_LOST',
    because: 'The lease on the lock ran out, so another run may be at work. Run it again later.',
  },
  unreachable: {
    outcome: 'stopped',
    code: 'DATABASE_UNREACHABLE',
    because: 'The connection failed for five organizations in a row. Run it again when the database answers.',
  },
}

/** The ending that an error of any origin makes. An error that is not ours is a defect; its text may hold anything. */
export function endingOf(error: unknown): Ending {
  if (error instanceof SweepStopped) return STOPPED[error.reason]
  if (isRedisError(error, 'REDIS_LIMIT')) return { outcome: 'stopped', code: error.code, because: error.message }
  if (error instanceof InterruptedError)
    return { ...STOPPED.interrupted, because: `${error.message} Run it again to go on.` }
  if (error instanceof ConfigError) return { outcome: 'failed', code: error.code, because: error.problems.join(' ') }
  if (error instanceof AppError) return { outcome: 'failed', code: error.code, because: error.message }
  const name = error instanceof Error ? error.name : typeof error
  return { outcome: 'failed', code: 'UNEXPECTED', because: `A defect of Orderly ended the run (${name}). See the log.` }
}

/** The ending of a run that another one keeps out. */
export const skippedFor = (holder: string | undefined): Ending => ({
  outcome: 'skipped',
  code: 'LOCKED',
  because: `Another run holds the lock: ${holder ?? 'one that has just let go'}.`,
})

/** The ending of a run whose slot another instance has completed. */
export const ALREADY_DONE: Ending = {
  outcome: 'skipped',
  code: 'ALREADY_DONE',
  because: 'Another instance has completed this slot.',
}
