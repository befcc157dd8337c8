import type { Logger } from 'pino'
import { AppError } from '../errors.ts'
import type { InngestPackage } from './load.ts'

/** What no repetition mends: what was asked for is wrong, or somebody has to change something first. */
const USELESS: ReadonlySet<string> = new Set([
  'BAD_INPUT',
  'BAD_CONFIGURATION',
  'DATABASE_REFUSED',
  'DATABASE_UNKNOWN',
  'DATABASE_DRIVER',
  'REDIS_REFUSED',
  'REDIS_LIMIT',
])

/** The errors that functions end with. The engine shows them to people, so their texts are ours. */
export interface Failures {
  /** For the code of a run's ending: the engine repeats the run, or does not. */
  ofRun(code: string, message: string): Error
  /** One that the engine does not repeat. */
  final(message: string): Error
  /** Any error as the engine may see it, told to the log: without frames and cause, and in no words but ours. */
  outward(error: unknown): Error
}

/** Makes the errors with the classes of the package, by which the engine tells them apart. */
export function createFailures(inngest: InngestPackage['inngest'], log: Logger): Failures {
  const ours = new WeakSet<Error>()
  const own = (error: Error) => {
    error.stack = ''
    ours.add(error)
    return error
  }
  const final = (message: string) => own(new inngest.NonRetriableError(message))
  const ofRun = (code: string, message: string) => (USELESS.has(code) ? final(message) : own(new Error(message)))
  return {
    ofRun,
    final,
    outward: (error) => {
      // A step's error was made ours where it arose, and the package knows it by identity.
      if (error instanceof inngest.StepError || (error instanceof Error && ours.has(error))) return error
      if (error instanceof AppError) {
        log.warn({ event: 'engine.failed', code: error.code, because: error.message }, 'engine.failed')
        return ofRun(error.code, error.message)
      }
      log.error({ event: 'engine.defect', err: error }, 'engine.defect')
      const name = error instanceof Error ? error.name : typeof error
      return own(new Error(`A defect of Orderly ended the function (${name}). See the log.`))
    },
  }
}
