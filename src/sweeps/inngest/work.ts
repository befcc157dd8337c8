import type { Clock } from '../../clock.ts'
import type { Pacer } from '../pacer.ts'
import type { SweepJob } from '../sweep.ts'
import type { InngestDatabase } from './database.ts'
import type { DueRuns } from './due-runs.ts'
import type { Liveness } from './liveness.ts'
import type { Places } from './places.ts'
import type { Runs } from './runs.ts'
import type { Tally } from './tally.ts'

/** Everything that the passes of one run share. */
export interface Work {
  readonly job: SweepJob
  readonly clock: Clock
  /** Milliseconds between the two looks at runs that seem abandoned. */
  readonly settleMs: number
  readonly database: InngestDatabase
  readonly places: Places
  readonly runs: Runs
  /** The same without what was noted at the start: sees rows that came since. */
  readonly freshRuns: Runs
  readonly dueRuns: DueRuns
  readonly liveness: Liveness
  readonly pacer: Pacer
  readonly tally: Tally
}

/**
 * After each piece of work: tells how far it is, and looks whether to go on.
 *
 * @throws SweepStopped
 */
export async function goOn({ job, tally }: Work): Promise<void> {
  tally.publish(job.findings, job.dryRun)
  job.onProgress()
  await job.goOn()
}
