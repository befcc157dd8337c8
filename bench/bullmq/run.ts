import { Queue } from 'bullmq'
import { idsIn, makeUpJobs, startBullmqRig, type BullmqRig } from '../../test/support/bullmq-rig.ts'
import { hasRedisServer } from '../../test/support/redis-server.ts'
import type { Extent } from '../plan.ts'

/** One way to remove the due jobs of a queue. */
export interface BullmqRow {
  readonly way: BullmqWay
  readonly deleted: number
  readonly ms: number
  /** Commands that the client sent. */
  readonly sent: number
  /** Commands that the server ran, those inside scripts included. */
  readonly ran: number
  /** The longest time that the server served nobody else. */
  readonly longestMs: number
}

export const bullmqWays = ['orderly', 'orderly-awaited', 'naive'] as const
export type BullmqWay = (typeof bullmqWays)[number]

/** All that was measured over queues of BullMQ. */
export interface BullmqMeasured {
  readonly completed: number
  readonly failed: number
  readonly rows: readonly BullmqRow[]
  readonly problems: readonly string[]
}

export interface BullmqRunOptions {
  readonly extent: Extent
  readonly nowMs: number
  /** Told of each step. */
  readonly say: (text: string) => void
}

const TIMES: Readonly<Record<Extent, number>> = { short: 1, default: 4, full: 20 }

const KEPT = { completed: 1_000, failed: 5_000 }
const MINUTE_MS = 60_000

/**
 * Removes the due jobs of a queue with 5 000 completed and 8 000 failed jobs (more without `--short`) in Orderly's way, also
 * where a parent waits for the oldest of them, and in the naive one.
 *
 * @returns null where redis-server is not installed.
 */
export async function runBullmq({ extent, nowMs, say }: BullmqRunOptions): Promise<BullmqMeasured | null> {
  if (!hasRedisServer) return null
  const counts = { completed: 5_000 * TIMES[extent], failed: 8_000 * TIMES[extent] }
  const rig = await startBullmqRig({ args: ['--slowlog-max-len', '100000', '--slowlog-log-slower-than', '200'] })
  try {
    const [rows, problems]: [BullmqRow[], string[]] = [[], []]
    for (const way of bullmqWays) {
      say(`bullmq: ${way}, ${counts.completed} completed and ${counts.failed} failed jobs`)
      await fill(rig, { ...counts, nowMs, isAwaited: way === 'orderly-awaited' })
      rows.push(await measure(rig, way, nowMs))
      problems.push(...(await problemsOf(rig, way)))
    }
    return { ...counts, rows, problems }
  } finally {
    await rig.stop()
  }
}

interface Filling {
  readonly completed: number
  readonly failed: number
  readonly nowMs: number
  readonly isAwaited: boolean
}

/** A job each minute and state; what is beyond the bounds is so by number and by age. */
async function fill({ redis }: BullmqRig, { nowMs, isAwaited, ...counts }: Filling): Promise<void> {
  await redis.flushall()
  for (const state of ['completed', 'failed'] as const) {
    for (let from = 0; from < counts[state]; from += 1_000) {
      const jobs = Array.from({ length: 1_000 }, (_, at) => ({
        id: `${state}-${from + at}`,
        finishedMs: nowMs - (counts[state] - from - at) * MINUTE_MS,
      }))
      await makeUpJobs(redis, { queue: 'mail', state, jobs })
    }
  }
  if (!isAwaited) return
  await redis.hset('bull:flows:mum', { name: 'parent', data: '{}', opts: '{}', timestamp: nowMs })
  await redis.zadd('bull:flows:waiting-children', nowMs, 'mum')
  await redis.sadd('bull:flows:mum:dependencies', 'bull:mail:failed-0')
  await redis.hset('bull:mail:failed-0', {
    parentKey: 'bull:flows:mum',
    parent: '{"id":"mum","queueKey":"bull:flows"}',
  })
}

async function measure(rig: BullmqRig, way: BullmqWay, nowMs: number): Promise<BullmqRow> {
  await rig.server.resetStats()
  await rig.redis.call('SLOWLOG', 'RESET')
  const startedAtMs = performance.now()
  const { deleted, sent } = await (way === 'naive' ? removeOneByOne(rig) : sweep(rig, nowMs))
  const ms = performance.now() - startedAtMs
  const { CONFIG: _config, INFO: _info, SLOWLOG: _slowlog, ...ran } = await rig.server.stats()
  const slow = (await rig.redis.call('SLOWLOG', 'GET', '-1')) as (readonly [number, number, number])[]
  return {
    way,
    deleted,
    ms,
    sent,
    ran: Object.values(ran).reduce((sum, count) => sum + count, 0),
    longestMs: Math.max(0, ...slow.map(([, , microseconds]) => microseconds)) / 1_000,
  }
}

async function sweep(rig: BullmqRig, nowMs: number) {
  const { report } = await rig.sweep({}, { nowMs })
  const sent = Object.values(report.commands).reduce((sum, count) => sum + count, 0)
  return { deleted: report.outcome === 'done' ? report.deleted : 0, sent }
}

/** What people write: the ids of the queue, and BullMQ's own removal of each that is due, one after another. */
async function removeOneByOne({ redis }: BullmqRig) {
  const queue = new Queue('mail', { connection: redis, skipMetasUpdate: true })
  let deleted = 0
  for (const state of ['completed', 'failed'] as const) {
    const ids = await idsIn(redis, `bull:mail:${state}`)
    // The jobs are a minute apart, so both bounds of number are the stricter ones.
    for (const id of ids.slice(0, -KEPT[state])) deleted += await queue.remove(id)
  }
  await queue.close()
  return { deleted, sent: deleted + 2 }
}

async function problemsOf({ redis }: BullmqRig, way: BullmqWay): Promise<readonly string[]> {
  const left = await Promise.all(['completed', 'failed'].map((state) => redis.zcard(`bull:mail:${state}`)))
  const wanted = [KEPT.completed, KEPT.failed + (way === 'orderly-awaited' ? 1 : 0)]
  return left.join() === wanted.join()
    ? []
    : [`bullmq, ${way}: ${left.join(' and ')} jobs are left, not ${wanted.join(' and ')}.`]
}
