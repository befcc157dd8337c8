import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { expectedOf, keysOf } from '../../support/bullmq-model.ts'
import { DAY_MS, dumpAll, HOUR_MS, idsIn, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { startBullmqWorkers, type BullmqWorkers } from '../../support/bullmq-workers.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

const COMPLETED = 5_000
const FAILED = 8_000
const BASE = 'bull:pipeline:'

describeWithRedis('a queue that is at work', () => {
  let rig: BullmqRig
  let work: BullmqWorkers
  const nowMs = Date.now()
  beforeAll(async () => {
    rig = await startBullmqRig()
    work = startBullmqWorkers(rig.redis)
    for (const queue of ['pipeline', 'flows']) work.work(queue)
    await startLife(work)
    await finishJobs(work)
    await age(rig, nowMs)
  }, 120_000)
  afterAll(async () => {
    await work.close()
    await rig.stop()
  })

  it(
    'keeps exactly the jobs within the bounds, and all that is not a finished job as it was',
    { timeout: 60_000 },
    async () => {
      const bounds = {
        completed: { keep: 1_000, cutoffMs: nowMs - DAY_MS },
        failed: { keep: 5_000, cutoffMs: nowMs - 7 * DAY_MS },
      }
      const before = await dumpAll(rig.redis)
      const completed = await expectedOf(rig.redis, { base: BASE, state: 'completed', bounds: bounds.completed })
      const failed = await expectedOf(rig.redis, { base: BASE, state: 'failed', bounds: bounds.failed })
      expect(failed.awaited.length).toBeGreaterThan(10)
      expect(before.has(`${BASE}metrics:failed`)).toBe(true)

      const { report } = await rig.sweep({}, { nowMs })

      const gone = [...completed.gone, ...failed.gone]
      expect(report).toMatchObject({ outcome: 'done', deleted: gone.length, keptOpen: failed.awaited.length })
      expect(await idsIn(rig.redis, `${BASE}completed`)).toEqual(completed.kept)
      expect(await idsIn(rig.redis, `${BASE}failed`)).toEqual([...failed.awaited, ...failed.kept])
      const goneKeys = new Set(gone.flatMap((id) => keysOf(BASE, id)))
      expect(steady(await dumpAll(rig.redis))).toEqual(steady(before).filter(([key]) => !goneKeys.has(key)))
      expect(work.troubles).toEqual([])
    },
  )

  it('works on undisturbed while it is swept over and over, and keeps the newest', { timeout: 120_000 }, async () => {
    const config = { completed: { keep: 100, ageSeconds: 86_400 }, failed: { keep: 5_000, ageSeconds: 604_800 } }
    const produced = 3_000
    const counted = Number(await rig.redis.hget(`${BASE}metrics:completed`, 'count'))

    for (let first = 0; first < produced; first += 300) {
      const jobs = Array.from({ length: 300 }, (_, at) => ({
        name: 'job',
        data: {},
        opts: { jobId: `new${first + at}` },
      }))
      const [, { report }] = await Promise.all([work.queue('pipeline').addBulk(jobs), rig.sweep({}, { config, nowMs })])
      expect(report).toMatchObject({ outcome: 'done' })
    }
    await vi.waitUntil(() => work.completed.size === COMPLETED + produced, { timeout: 60_000 })
    const { report } = await rig.sweep({}, { config, nowMs })

    expect(report).toMatchObject({ outcome: 'done' })
    const left = await idsIn(rig.redis, `${BASE}completed`)
    expect(left).toHaveLength(100)
    const ends = [...work.completed].filter(([id]) => !left.includes(id)).map(([, at]) => at)
    const oldest = Math.min(...left.map((id) => work.completed.get(id) ?? 0))
    expect(Math.max(...ends)).toBeLessThanOrEqual(oldest)
    expect(Number(await rig.redis.hget(`${BASE}metrics:completed`, 'count'))).toBe(counted + produced)
    expect(work.troubles).toEqual([])
  })

  it('completes the jobs that it had when it was swept', { timeout: 60_000 }, async () => {
    work.release()

    for (const id of ['held0', 'held9']) await work.untilState('pipeline', id, 'completed')
    await work.untilCount('flows', 'waiting-children', 20)
    await work.untilCount('pipeline', 'delayed', 20)
    await work.untilCount('idle', 'prioritized', 20)
    expect(work.troubles).toEqual([])
  })
})

/** Jobs to add, with ids that tell what they are. */
const jobs = (count: number, data: object, opts: object = {}) =>
  Array.from({ length: count }, (_, at) => ({
    name: 'life',
    data,
    opts: { ...opts, jobId: `${String(Object.keys(data)[0])}${at}` },
  }))

/** Jobs in every state that is not finished: none of them may be touched. */
async function startLife({ queue, flows, untilCount }: BullmqWorkers): Promise<void> {
  await queue('pipeline').addBulk(
    jobs(10, { isHeld: true }).map((job, at) => ({ ...job, opts: { jobId: `held${at}` } })),
  )
  await queue('pipeline').addBulk(jobs(20, { delayed: 1 }, { delay: 20 * DAY_MS }))
  await queue('idle').addBulk(jobs(20, { waiting: 1 }))
  await queue('idle').addBulk(jobs(20, { prioritized: 1 }, { priority: 7 }))
  await queue('idle').upsertJobScheduler('daily', { every: DAY_MS }, { name: 'daily' })
  await queue('stopped').addBulk(jobs(5, { paused: 1 }))
  await queue('stopped').pause()
  for (let at = 0; at < 20; at += 1) {
    const children = [{ name: 'child', queueName: 'pipeline', data: { fail: true }, opts: { jobId: `child${at}` } }]
    await flows.add({ name: 'parent', queueName: 'flows', opts: { jobId: `parent${at}` }, children })
  }
  await untilCount('pipeline', 'active', 10)
  await untilCount('pipeline', 'failed', 20)
}

async function finishJobs({ queue, untilCount }: BullmqWorkers): Promise<void> {
  for (let first = 0; first < COMPLETED + FAILED - 20; first += 500) {
    const numbers = Array.from({ length: 500 }, (_, at) => first + at).filter((at) => at < COMPLETED + FAILED - 20)
    await queue('pipeline').addBulk(numbers.map((at) => ({ name: 'job', data: at < COMPLETED ? {} : { fail: true } })))
  }
  await untilCount('pipeline', 'completed', COMPLETED)
  await untilCount('pipeline', 'failed', FAILED)
}

/** Spreads what has finished over three days and over two weeks, some of it to the same millisecond, in no order. */
async function age({ redis }: BullmqRig, nowMs: number): Promise<void> {
  const writes = redis.pipeline()
  for (const [state, days] of [
    ['completed', 3],
    ['failed', 14],
  ] as const) {
    const ids = await idsIn(redis, `${BASE}${state}`)
    for (const [at, id] of ids.entries()) {
      const share = Math.floor(((at * 7_919) % ids.length) / 2) / ids.length
      const finishedMs = nowMs - HOUR_MS - Math.floor(share * 2 * days * DAY_MS)
      writes.zadd(`${BASE}${state}`, finishedMs, id)
      writes.hset(`${BASE}${id}`, 'finishedOn', finishedMs)
    }
  }
  await writes.exec()
}

/** All but the two sets, the events, and what idle workers write. */
const steady = (dump: ReadonlyMap<string, string>) =>
  [...dump].filter(
    ([key]) =>
      !/:(completed|failed|events|stalled-check|marker|stalled|[^:]+:lock)$/.test(key) || key.includes(':metrics:'),
  )
