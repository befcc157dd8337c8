import { afterAll, beforeAll, expect, it } from 'vitest'
import { unreachable } from '../../../src/redis/failures.ts'
import { lockKey } from '../../../src/redis/keys.ts'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { DAY_MS, idsIn, makeUpJobs, NOW_MS, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

const COUNT = 210
const AWAITED = '3'
const SETS = ['bull:mail:completed', 'bull:mail:failed', 'bull:shop:failed'] as const
const DUE = 3 * COUNT - 1

/** How far the last request of a sweep that is killed still gets. */
const ends: Readonly<Record<string, (commands: readonly Command[]) => readonly Command[]>> = {
  'is not sent': () => [],
  'is carried out in part': (commands) => commands.slice(0, Math.ceil(commands.length / 2)),
  'is carried out, but not answered': (commands) => commands,
}

describeWithRedis('a sweep that is killed', () => {
  let rig: BullmqRig
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())

  it.each(Object.keys(ends))(
    'has taken the oldest jobs first and is completed by the next, whichever request %s',
    { timeout: 120_000 },
    async (end) => {
      let isThrough = false
      let disturbed = 0
      for (let last = 0; !isThrough; last += 1) {
        await stage(rig)
        let requests = 0
        const wrap =
          (send: Transport): Transport =>
          async (commands) => {
            requests += 1
            if (requests <= last) return await send(commands)
            if (requests === last + 1) await send(ends[end]?.(commands) ?? [])
            throw unreachable('it was killed')
          }
        const { report } = await rig.sweep({}, { wrap })
        isThrough = requests <= last
        expect(['done', 'failed']).toContain(report.outcome)
        disturbed += await expectOldestGone(rig)
        await rig.redis.del(lockKey('bullmq'))

        const rest = await rig.sweep()

        expect(rest.report).toMatchObject({ outcome: 'done', keptOpen: 1 })
        expect(await left(rig)).toEqual([[], [AWAITED], []])
        expect(await jobKeys(rig)).toEqual([`bull:mail:${AWAITED}`, `bull:mail:${AWAITED}:logs`])
      }
      expect(disturbed).toBeGreaterThan(5)
    },
  )

  it('says that it does not know what became of the last deletion', async () => {
    await stage(rig)
    const { report, code } = await rig.sweep({}, { wrap: withoutDeletions })

    expect(code).toBe('REDIS_UNREACHABLE')
    expect(report).toMatchObject({ outcome: 'failed', deleted: 0, due: 2 * COUNT })
    expect(report.because).toContain(UNKNOWN)
  })

  it('says the same of orphans', async () => {
    await rig.redis.flushall()
    await rig.redis.hset('bull:mail:meta', 'version', 'bullmq:6.7.0')
    const job = { name: 'job', data: '{}', opts: '{}', timestamp: NOW_MS - 3 * DAY_MS }
    for (let id = 0; id < 60; id += 1) await rig.redis.hset(`bull:mail:${id}`, job)

    const { report } = await rig.sweep({}, { wrap: losing(([, , , , mode]) => mode === 'delete') })

    expect(report).toMatchObject({ outcome: 'failed', deleted: 0 })
    expect(report.because).toContain(UNKNOWN)
    expect(await jobKeys(rig)).toHaveLength(10)
  })

  it('says the same of events', async () => {
    await rig.redis.flushall()
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: [] })
    const writes = rig.redis.pipeline()
    for (let at = 0; at < 11_000; at += 1) writes.xadd('bull:mail:events', '*', 'event', 'added')
    await writes.exec()

    const { report } = await rig.sweep({}, { wrap: losing(([name]) => name === 'XTRIM') })

    expect(report).toMatchObject({ outcome: 'failed', deleted: 0 })
    expect(report.because).toContain(UNKNOWN)
    expect(await rig.redis.xlen('bull:mail:events')).toBeLessThan(11_000)
  })

  it('says nothing of the kind in a dry run, which deletes nothing', async () => {
    await stage(rig)

    const { report } = await rig.sweep({ dryRun: true }, { wrap: losing(([name]) => name === 'EVAL') })

    expect(report).toMatchObject({ outcome: 'failed' })
    expect(report.because).not.toContain('unknown')
  })

  it('by its owner stops between two requests and says how to go on', async () => {
    await stage(rig)
    const stopper = new AbortController()
    const wrap =
      (send: Transport): Transport =>
      async (commands) => {
        const replies = await send(commands)
        if (commands.some(isDeletion)) stopper.abort()
        return replies
      }

    const { report } = await rig.sweep({ signal: stopper.signal }, { wrap })

    expect(report).toMatchObject({ outcome: 'stopped' })
    expect(report.deleted).toBeGreaterThan(0)
    expect(report.deleted).toBeLessThan(DUE)
    expect(await rig.redis.exists(lockKey('bullmq'))).toBe(0)
  })
})

/** Whether a command runs one of the guards, which begin so. */
const isDeletion = ([, lua]: Command) => String(lua).includes('noteWindow')

/** Answers everything but deletions. */
const withoutDeletions =
  (send: Transport): Transport =>
  async (commands) => {
    if (commands.some(isDeletion)) throw unreachable('it was killed')
    return await send(commands)
  }

/** Carries everything out, and loses the answers to such commands. */
const losing =
  (isLost: (command: Command) => boolean) =>
  (send: Transport): Transport =>
  async (commands) => {
    const replies = await send(commands)
    if (commands.some(isLost)) throw unreachable('the answer was lost')
    return replies
  }

const UNKNOWN = 'It is unknown how many jobs or events of the last request went, if any.'

/** Ids of each set in order of time; no id of one queue is in two sets. */
const idsOfSet = [10_000, 0, 0].map((first) => Array.from({ length: COUNT }, (_, at) => `${first + at}`))

/** Old jobs in three sets, in order of time; somebody waits for one of the first. */
async function stage({ redis }: BullmqRig): Promise<void> {
  await redis.flushall()
  for (const [at, set] of SETS.entries()) {
    const [, queue = '', state] = set.split(':')
    const jobs = (idsOfSet[at] ?? []).map((id, place) => ({ id, finishedMs: NOW_MS - 30 * DAY_MS + place }))
    await makeUpJobs(redis, { queue, state: state === 'failed' ? 'failed' : 'completed', jobs })
  }
  const parent = { id: 'mum', queueKey: 'bull:flows' }
  await redis.hset('bull:flows:mum', { name: 'parent', data: '{}', opts: '{}', timestamp: NOW_MS })
  await redis.zadd('bull:flows:waiting-children', NOW_MS, 'mum')
  await redis.sadd('bull:flows:mum:dependencies', `bull:mail:${AWAITED}`)
  await redis.hset(`bull:mail:${AWAITED}`, { parentKey: 'bull:flows:mum', parent: JSON.stringify(parent) })
}

const left = async ({ redis }: BullmqRig) => await Promise.all(SETS.map((set) => idsIn(redis, set)))

const jobKeys = async ({ redis }: BullmqRig) => (await redis.keys('bull:*:[0-9]*')).toSorted()

/** @returns 1 when something has gone, but not all. */
async function expectOldestGone(rig: BullmqRig): Promise<number> {
  const sets = await left(rig)
  for (const [at, ids] of sets.entries()) {
    const isDue = (id: string) => at !== 1 || id !== AWAITED
    const due = (idsOfSet[at] ?? []).filter(isDue)
    const kept = ids.filter(isDue)
    expect(kept).toEqual(due.slice(due.length - kept.length))
  }
  expect(await jobKeys(rig)).toHaveLength(2 * sets.reduce((sum, ids) => sum + ids.length, 0))
  const count = sets.reduce((sum, ids) => sum + ids.length, 0)
  return count > 1 && count < 3 * COUNT ? 1 : 0
}
