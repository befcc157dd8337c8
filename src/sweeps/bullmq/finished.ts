import type { Clock } from '../../clock.ts'
import { ask, listOf, textOf, type Transport, type Value } from '../../redis/transport.ts'
import { createPacer } from '../pacer.ts'
import type { SweepJob } from '../sweep.ts'
import type { Bounds } from './bounds.ts'
import type { Guard } from './client.ts'
import { holds, type Hold } from './holds.ts'
import { baseKey, stateKey, type FinishedState, type QueuePlace } from './keys.ts'
import type { BullmqPackage } from './load.ts'
import { openQueue, type OpenQueue } from './open-queue.ts'
import { AFTER_CLEAN, AFTER_REMOVE, CLEAN_GUARD, REMOVE_GUARD, SURVEY } from './scripts.ts'

/** What is known of the finished jobs of one state while they are swept. */
export interface FinishedTally {
  /** Beyond a bound and not known to be held; at the end of an applied run those that were deleted. */
  due: number
  deleted: number
  /** Beyond a bound, but something holds them. */
  readonly held: Record<Hold, number>
}

export interface FinishedOptions {
  readonly job: Pick<SweepJob, 'send' | 'dryRun' | 'onProgress'>
  readonly bullmq: BullmqPackage
  readonly clock: Clock
  readonly place: QueuePlace
  readonly state: FinishedState
  readonly bounds: Bounds
  /** `due` is what the bounds say; the rest is filled in as the work goes on. */
  readonly tally: FinishedTally
}

/** Jobs of one script: a few milliseconds, in which the server serves nobody else. A slow server gets fewer. */
const MOST_JOBS = 500
const LONG_MS = 100

/** Jobs that are looked at by one script and then removed one by one, in one request. */
const JOBS_PER_PAGE = 200

/**
 * Removes due jobs of one state, the oldest first, through BullMQ's own clean; in a queue where something holds one of
 * them, the others one by one through BullMQ's own removal. Both run behind a guard in the same script, so whatever workers do
 * meanwhile, no job goes that is within the bounds, held or has begun to run again.
 *
 * Costs 1 EVAL per 500 jobs; of a held job's queue 1 EVAL per 200 jobs and 1 EVAL or EVALSHA per job. A dry run only reads:
 * 1 EVAL per 200 jobs.
 *
 * @throws what `send` throws; the tally then holds what was done.
 */
export async function sweepFinished(options: FinishedOptions): Promise<void> {
  const { job, tally } = options
  if (tally.due === 0) return
  if (job.dryRun) return await eachPage(options, async () => {})
  const queue = await openQueue({ ...options, send: job.send, guards: guardsOf(options) })
  try {
    if (!(await cleanAll(queue, options))) await eachPage(options, removing(queue, tally))
    tally.due = tally.deleted
  } finally {
    await queue.close()
  }
}

function guardsOf({ place, state, bounds: { keep, cutoffMs } }: FinishedOptions): Record<string, Guard> {
  const args = [baseKey(place), stateKey(place, state), keep, cutoffMs]
  return {
    cleanJobsInSet: { lua: CLEAN_GUARD, after: AFTER_CLEAN, args },
    removeJob: { lua: REMOVE_GUARD, after: AFTER_REMOVE, args },
  }
}

/** @returns false when something holds one of the oldest jobs, which a clean cannot leave out. */
async function cleanAll({ backend }: OpenQueue, { state, tally, clock, job }: FinishedOptions): Promise<boolean> {
  const pacer = createPacer(MOST_JOBS, LONG_MS)
  let left = tally.due
  while (left > 0) {
    const startedAtMs = clock()
    // The time is no bound here: the guard knows both bounds.
    const limit = Math.min(pacer.size(), left)
    const reply: unknown = await backend.cleanJobsByState(state, Number.MAX_SAFE_INTEGER, limit)
    if (reply === HELD) return false
    if (typeof reply === 'number') {
      // The queue's workers have removed some meanwhile.
      left = Math.min(reply, left - 1)
      continue
    }
    const deleted = Array.isArray(reply) ? reply.length : 0
    if (deleted === 0) return true
    left -= deleted
    tally.deleted += deleted
    pacer.took(clock() - startedAtMs)
    job.onProgress()
  }
  return true
}

/** What the guard of the clean answers when it met a job that something holds. */
const HELD = -1

/** Walks through the due jobs, the oldest first, counts the held ones and hands out the others. */
async function eachPage(options: FinishedOptions, remove: (ids: readonly string[]) => Promise<void>): Promise<void> {
  const { tally, job } = options
  let left = tally.due - tally.deleted
  let passed = 0
  while (left > 0) {
    const most = Math.min(JOBS_PER_PAGE, left)
    const { free, held } = await survey(job.send, { ...options, passed, most })
    if (free.length + held.length === 0) return
    tally.due -= held.length
    for (const hold of held) tally.held[hold] += 1
    const before = tally.deleted
    await remove(free)
    passed += held.length + free.length - (tally.deleted - before)
    left -= held.length + free.length
    job.onProgress()
  }
}

interface SurveyOptions extends Pick<FinishedOptions, 'place' | 'state' | 'bounds'> {
  readonly passed: number
  readonly most: number
}

async function survey(send: Transport, { place, state, bounds, passed, most }: SurveyOptions) {
  const args = [baseKey(place), bounds.keep, bounds.cutoffMs, passed, most]
  const [free = null, held = null] = listOf(await ask(send, ['EVAL', SURVEY, 1, stateKey(place, state), ...args]))
  return { free: listOf(free).map(textOf), held: listOf(held).map(holdIn) }
}

const holdIn = (word: Value): Hold => holdNames.find((hold) => hold === word) ?? 'unreadable'

const holdNames = Object.keys(holds) as readonly Hold[]

/** Removes jobs in one request. What was removed is counted before a failure of the others is thrown. */
const removing =
  ({ backend }: OpenQueue, tally: FinishedTally) =>
  async (ids: readonly string[]) => {
    const ends = await Promise.allSettled(ids.map((id) => backend.remove(id, false)))
    tally.deleted += ends.filter((end) => end.status === 'fulfilled' && end.value === 1).length
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
