import type { Clock } from '../../clock.ts'
import type { BullmqConfig } from '../../config.ts'
import { AppError, InputError, isRedisError } from '../../errors.ts'
import type { Meter } from '../../redis/meter.ts'
import { PartsFailedError } from '../failures.ts'
import { hourCutoffs } from '../retention.ts'
import type { Sweep, SweepJob } from '../sweep.ts'
import { boundsOf, boundsText } from './bounds.ts'
import { trimEvents } from './events.ts'
import { sweepFinished } from './finished.ts'
import { finishedStates } from './keys.ts'
import { loadBullmq, type BullmqPackage } from './load.ts'
import { lookAt } from './look.ts'
import { sweepOrphans } from './orphans.ts'
import type { QueueTally } from './queue-tally.ts'
import { existingQueues, listQueues } from './queues.ts'
import { checkServer } from './server-check.ts'
import { createSweepTally, type SweepTally } from './sweep-tally.ts'

export interface BullmqSweepOptions {
  readonly config: BullmqConfig
  readonly clock: Clock
  /** Of the Redis that the queues are in. */
  readonly meter: Meter
}

const DAY_SECONDS = 86_400

/**
 * The sweep over the queues of BullMQ: finished jobs beyond the bounds of number or age, job hashes that nobody knows, events
 * beyond the queue's own length. Never a job that will run, nor a queue's meta, metrics or schedulers. Days that are asked for
 * stand for both ages; at least 1, for who waits for a job's result reads it after its end.
 *
 * Costs, on the Redis of the queues: 8 commands per queue, 1 EVAL per 500 jobs that go (see `sweepFinished`), 1 XTRIM per
 * 10 000 events, and what `listQueues` and `sweepOrphans` cost. What scripts run inside is not counted.
 */
export const createBullmqSweep = ({ config, clock, meter }: BullmqSweepOptions): Sweep => ({
  name: 'bullmq',
  defaultDays: Math.ceil(Math.max(config.completed.ageSeconds, config.failed.ageSeconds) / DAY_SECONDS),
  leastDays: 1,
  meter,
  cutoffs: (days, asOfMs) => hourCutoffs({ days, factor: 1 }, asOfMs),
  run: async (job) => {
    const tally = createSweepTally({ findings: job.findings, isDryRun: job.dryRun })
    try {
      await sweep({ job, config, clock, tally, bullmq: await loadBullmq() })
    } finally {
      tally.publish()
    }
  },
})

interface Run {
  readonly job: SweepJob
  readonly config: BullmqConfig
  readonly clock: Clock
  readonly tally: SweepTally
  readonly bullmq: BullmqPackage
}

async function sweep(run: Run): Promise<void> {
  const { job, config, tally } = run
  job.findings.mode = boundsText(config, job.days)
  await checkServer(job.send)
  const queues = await queuesOf(run)
  const failed: FailedQueue[] = []
  const sound: string[] = []
  for (const queue of queues) {
    const failure = await sweepQueue(run, tally.add(queue))
    if (failure === undefined) sound.push(queue)
    else failed.push({ queue, isPassing: isRedisError(failure, 'REDIS_REFUSED') })
  }
  const orphans = sweepOrphans({
    send: job.send,
    prefix: config.prefix,
    queues: sound,
    cutoffMs: job.asOfMs - DAY_SECONDS * 1_000,
    isDryRun: job.dryRun,
    onProgress: (counts) => {
      tally.setOrphans(counts)
      tally.publish()
      job.onProgress()
    },
  })
  await tellingUnknown(job, orphans)
  if (failed.length > 0) throw queuesFailed(failed)
}

async function queuesOf({ job, config, tally }: Run): Promise<readonly string[]> {
  const { prefix, queues } = config
  const names = job.queue === undefined ? queues : [job.queue]
  if (names === 'all') {
    const all = await listQueues(job.send, prefix)
    if (all.length === 0) job.findings.remarks.push('No queue was found under BULLMQ_PREFIX.')
    return all
  }
  const found = await existingQueues(job.send, { prefix, names })
  if (job.queue !== undefined && found.length === 0) {
    throw new InputError('There is no queue of this name under BULLMQ_PREFIX. Nothing was deleted.')
  }
  for (const name of names) if (!found.includes(name)) tally.addMissing(name)
  return found
}

/** @returns the reason when this queue could not be swept although others may be. */
async function sweepQueue(run: Run, tally: QueueTally): Promise<AppError | undefined> {
  try {
    await sweepOne(run, tally)
    return undefined
  } catch (error) {
    if (!(error instanceof AppError) || !isAboutOneQueue(error)) throw error
    tally.fail(error)
    return error
  } finally {
    run.tally.publish()
  }
}

const isAboutOneQueue = (error: AppError) =>
  error.code === 'QUEUE_UNKNOWN' || isRedisError(error, 'REDIS_WRONG_TYPE') || isRedisError(error, 'REDIS_REFUSED')

async function sweepOne({ job, config, clock, bullmq, tally }: Run, one: QueueTally): Promise<void> {
  const place = { prefix: config.prefix, queue: one.queue }
  const bounds = boundsOf(config, job)
  const look = await lookAt(job.send, { place, bounds })
  one.found(look, bounds)
  const onProgress = () => {
    tally.publish()
    job.onProgress()
  }
  for (const state of finishedStates) {
    const own = { state, bounds: bounds[state], tally: one.finished[state] }
    await tellingUnknown(job, sweepFinished({ job: { ...job, onProgress }, bullmq, clock, place, ...own }))
  }
  if (job.dryRun || look.events.length <= look.events.most) return
  await tellingUnknown(job, trimEvents(job.send, { place, most: look.events.most, onTrimmed: one.trimmed }))
}

const UNKNOWN_COUNT = 'It is unknown how many jobs or events of the last request went, if any.'

/** Notes, where an answer was lost, that more may have gone than was counted. */
async function tellingUnknown({ dryRun, findings }: SweepJob, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!dryRun && isRedisError(error, 'REDIS_UNREACHABLE')) findings.remarks.push(UNKNOWN_COUNT)
    throw error
  }
}

/** A queue that failed, and whether the next run may find it in a better state by itself. */
interface FailedQueue {
  readonly queue: string
  readonly isPassing: boolean
}

function queuesFailed(failed: readonly FailedQueue[]): PartsFailedError {
  const listed = failed.slice(0, 5).map(({ queue }) => queue)
  const what = failed.length === 1 ? '1 queue' : `${failed.length} queues`
  const parts = `${what} (${listed.join(', ')}${failed.length > 5 ? ', ...' : ''})`
  if (failed.every(({ isPassing }) => isPassing)) return new PartsFailedError(parts)
  return new PartsFailedError(parts, 'Where a queue has to stay as it is, name only the others in BULLMQ_QUEUES.')
}
