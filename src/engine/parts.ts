import type { Inngest, InngestFunction } from 'inngest'
import type { Logger } from 'pino'
import { isoInstant } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import type { SweepName, Sweeps } from '../sweeps/registry.ts'
import type { SweepReport } from '../sweeps/report.ts'
import type { RunSweep } from '../sweeps/sweep.ts'
import type { Failures } from './failures.ts'
import type { RunToEnd } from './runs.ts'

/** What every function is made with. */
export interface FunctionParts {
  readonly client: Inngest
  readonly appId: string
  readonly sweeps: Sweeps
  readonly failures: Failures
  readonly log: Logger
  readonly clock: Clock
  /** Tells people what came of a run that is not repeated any more. */
  readonly announce: (report: SweepReport) => void
  readonly runToEnd: RunToEnd
}

/** A function as the package serves it. */
export type EngineFunction = InngestFunction.Like & { id(): string }

/** How often a function is repeated after it failed. */
export const RETRIES = 3

/** The local date of an instant, `YYYY-MM-DD`. */
export const dayAt = (ms: number, zone: string): string => isoInstant(ms, zone).slice(0, 10)

/** The sweep of a name; where its store is not configured, no repetition of the function will find one. */
export function configured({ sweeps, failures }: FunctionParts, name: SweepName): RunSweep {
  const sweep = sweeps[name]
  if (sweep === undefined) throw failures.final(`The sweep ${name} is not configured here.`)
  return sweep
}
