import type { Meter } from '../redis/meter.ts'
import type { Transport } from '../redis/transport.ts'
import type { Ending } from './ending.ts'
import type { Findings, SweepReport, Trigger } from './report.ts'
import type { Cutoffs } from './retention.ts'

/** What a sweep is handed for one run. */
export interface SweepJob extends Cutoffs {
  readonly asOfMs: number
  /** As they were asked for; undefined where the sweep's own retention counts. */
  readonly days: number | undefined
  /** The only organization to look at; undefined for all. */
  readonly organization: string | undefined
  /** The only queue to look at; undefined for all. */
  readonly queue: string | undefined
  readonly dryRun: boolean
  /** Charged, capped and interruptible: the only way to Redis. */
  readonly send: Transport
  /**
   * To be called between pieces of work that send nothing to Redis, such as pages of a database.
   *
   * @throws SweepStopped when the run must not go on.
   */
  readonly goOn: () => Promise<void>
  /** Waits for a long piece of such work and keeps the lease meanwhile. */
  readonly during: <Result>(work: Promise<Result>) => Promise<Result>
  /** Billed commands that the run may still spend. */
  readonly left: () => number
  /** Counts, filled in as the work goes on. */
  readonly findings: Findings
  /** To be called after each batch. */
  readonly onProgress: () => void
}

/** One store's hygiene. `run` deletes what is due and counts; it may end at any request, and the next run completes it. */
export interface Sweep {
  readonly name: string
  readonly defaultDays: number
  /** The least days that may be asked for. @default 0 */
  readonly leastDays?: number
  /** Whether every run is a dry one, whoever asks for another. @default false */
  readonly isAlwaysDry?: boolean
  /** Whether a lock of the sweep's own keeps other runs out even without the lease. @default false */
  readonly hasOwnLock?: boolean
  /** The Redis that the sweep works on, and in which its lock lives. @default Orderly's own */
  readonly meter?: Meter
  cutoffs(days: number, asOfMs: number): Cutoffs
  run(job: SweepJob): Promise<void>
}

/** Work that several instances may begin but only one may complete: asked and told under the lock. */
export interface Once {
  /** Whether it was completed before. Costs 1 command. */
  isDone(send: Transport): Promise<boolean>
  /** Records that it is completed. Costs 1 command. */
  markDone(send: Transport): Promise<void>
}

export interface SweepRequest {
  readonly trigger: Trigger
  /** The user who asks, where one does. */
  readonly by?: string
  /** @default the sweep's configured retention */
  readonly days?: number
  /** Only what belongs to this organization, where a sweep has such. @default all */
  readonly organization?: string
  /** Only this queue, where a sweep has such. @default all */
  readonly queue?: string
  /** For one of many parts of a run that somebody else coordinates and records: no lock, no history. @default false */
  readonly isPart?: boolean
  /** Judge as if it were then, in epoch milliseconds. @default now */
  readonly asOfMs?: number
  /** Count only: no lock, no deletion, no history. */
  readonly dryRun: boolean
  /** Billed commands that the run may spend at most, lock, record and release included. @default no cap */
  readonly maxCommands?: number
  /** 1 for the first run of a slot, one more for each retry. @default 1 */
  readonly attempt?: number
  /** Keep unfinished things however old they are. @default false */
  readonly sparesOpen?: boolean
  /** For a slot of a schedule: the run is skipped when it was completed before, and marks it when it is done. */
  readonly once?: Once
  readonly signal?: AbortSignal
  readonly onProgress?: (findings: Readonly<Findings>) => void
}

/** A run's report, and a stable code for why it did not end well: see `Ending`. */
export interface SweepRun {
  readonly report: SweepReport
  readonly code: Ending['code']
}

/**
 * Runs one sweep under its lock and reports; what goes wrong on the way is the report's outcome, not an exception.
 *
 * Costs the sweep's own commands plus at most 5 (lock 1, record 1, release 3), 1 more for each full minute; a dry run only
 * the sweep's own.
 *
 * @throws InputError for days that are not a whole number from 0 (or the sweep's least) to 365, or a cap below 1.
 */
export type RunSweep = (request: SweepRequest) => Promise<SweepRun>
