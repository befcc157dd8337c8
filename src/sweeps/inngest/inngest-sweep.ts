import type { Clock } from '../../clock.ts'
import type { InngestConfig } from '../../config.ts'
import type { Meter } from '../../redis/meter.ts'
import { SweepStopped } from '../guard.ts'
import { createPacer } from '../pacer.ts'
import { hourCutoffs } from '../retention.ts'
import type { Sweep, SweepJob } from '../sweep.ts'
import { lockOut, openInngestDatabase, type InngestDatabase } from './database.ts'
import { createDueRuns } from './due-runs.ts'
import { sweepEvents } from './events.ts'
import { sweepConnections, sweepRunlessTraces, sweepSnapshots } from './leftovers.ts'
import { createLiveness } from './liveness.ts'
import { notePlaces } from './places.ts'
import { sweepRuns } from './run-pass.ts'
import { createRuns } from './runs.ts'
import { sweepState } from './state-pass.ts'
import type { Step } from './step.ts'
import { createTally } from './tally.ts'
import { vacuum } from './vacuum.ts'
import { goOn, type Work } from './work.ts'

export interface InngestSweepOptions {
  readonly config: InngestConfig
  readonly clock: Clock
  /** Of Inngest's Redis; undefined where none is configured. */
  readonly meter: Meter | undefined
  /** Opens the session. @default openInngestDatabase */
  readonly open?: typeof openInngestDatabase
  /** Milliseconds between the two looks at runs that seem abandoned: what a server may need to end a run. @default 5 000 */
  readonly settleMs?: number
}

/**
 * The sweep over a self-hosted Inngest: its rows in PostgreSQL or SQLite, and the state in Redis that belongs to no run any
 * more. A run's id is a ULID, so its age needs no column and no time zone.
 *
 * Costs, in commands of Inngest's Redis: 3 EXISTS for each old unfinished run (6 for one that seems abandoned), a few SCAN for
 * each of two looks whether it is the right Redis, 1 SCAN per 1 000 keys for the pass over orphaned state, and there 1 TTL for
 * each idempotency key and 2 EXISTS for each run with state.
 */
export const createInngestSweep = (options: InngestSweepOptions): Sweep => {
  const { config, clock, meter, open = openInngestDatabase, settleMs = 5_000 } = options
  return {
    name: 'inngest',
    defaultDays: config.retentionDays,
    leastDays: 1,
    isAlwaysDry: config.isDryRun,
    hasOwnLock: config.database.kind === 'postgres',
    ...(meter !== undefined && { meter }),
    cutoffs: (days, asOfMs) => hourCutoffs({ days, factor: config.doubleRetention }, asOfMs),
    run: async (job) => {
      const database = await open(config.database)
      try {
        if (!job.dryRun && !(await lockOut(database))) throw new SweepStopped('locked-out')
        await sweep({ ...(await prepare({ job, database, config, clock })), job, clock, settleMs })
      } finally {
        await database.sql.close()
      }
    },
  }
}

interface Surroundings {
  readonly job: SweepJob
  readonly database: InngestDatabase
  readonly config: InngestConfig
  readonly clock: Clock
}

async function prepare({ job, database, config, clock }: Surroundings) {
  const { findings, cutoffMs, asOfMs, send } = job
  findings.remarks.push(...database.schema.remarks)
  if (config.isDryRun) findings.remarks.push('INNGEST_DRY_RUN=true: nothing is deleted.')
  const freshRuns = createRuns(database)
  const liveness = await createLiveness({ config, nowMs: Math.max(asOfMs, clock()), send, runs: freshRuns })
  findings.mode = liveness.text()
  const places = await job.during(notePlaces(database, { beforeMs: cutoffMs, goOn: job.goOn }))
  return {
    database,
    liveness,
    places,
    runs: createRuns(database, places),
    freshRuns,
    dueRuns: await createDueRuns(database),
    tally: createTally(config.isRedisAware ? 'abandoned incomplete runs' : 'incomplete runs by age alone'),
    pacer: createPacer(Math.min(config.batchSize, database.dialect.mostBatch), database.dialect.longMs),
  }
}

async function sweep(work: Work): Promise<void> {
  const { job, liveness, tally, database } = work
  try {
    await sweepRuns(work)
    await sweepOthers(work)
    await sweepState(work)
    await vacuum(database, tally.touched(), job)
  } finally {
    job.findings.mode = liveness.text()
    tally.publish(job.findings, job.dryRun)
  }
}

/** What belongs to no run, or to several. */
async function sweepOthers(work: Work): Promise<void> {
  const { database, dueRuns, places, pacer, job } = work
  const options = { cutoffMs: job.cutoffMs, isDryRun: job.dryRun, limit: pacer.most }
  await each(work, 'events', sweepEvents(database, { ...options, dueRuns, places, goOn: job.goOn }))
  await each(work, 'run-less traces', sweepRunlessTraces(database, { ...options, places }))
  await each(work, 'worker connections', sweepConnections(database, options))
  await each(work, 'queue snapshots', sweepSnapshots(database, options))
}

async function each(work: Work, name: string, steps: AsyncIterable<Step>): Promise<void> {
  for await (const step of steps) {
    work.tally.add(name, step)
    await goOn(work)
  }
}
