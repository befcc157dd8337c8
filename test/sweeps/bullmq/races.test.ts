import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Transport } from '../../../src/redis/transport.ts'
import { DAY_MS, idsIn, makeUpJobs, NOW_MS, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { startBullmqWorkers } from '../../support/bullmq-workers.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

describeWithRedis('between the look at a queue and a deletion', () => {
  let rig: BullmqRig
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())
  beforeEach(() => rig.redis.flushall())

  /** A sweep that is overtaken right before its first deletion of that kind. */
  const sweepOvertakenBy = async (action: () => Promise<unknown>, way = 'together') => {
    let isOver = false
    const wrap =
      (send: Transport): Transport =>
      async (commands) => {
        if (!isOver && commands.some(([name, lua]) => name === 'EVAL' && isDeletion(String(lua), way))) {
          isOver = true
          await action()
        }
        return await send(commands)
      }
    const { report } = await rig.sweep({}, { wrap })
    expect(isOver).toBe(true)
    return report
  }
  const drop = async (state: string, ids: readonly string[]) => {
    await rig.redis.zrem(`bull:mail:${state}`, ...ids)
    await rig.redis.del(...ids.flatMap((id) => [`bull:mail:${id}`, `bull:mail:${id}:logs`]))
  }

  it('workers may remove the newest jobs, and no other goes in their place', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: jobsAged(1_040, 60_000) })
    const newest = (await idsIn(rig.redis, 'bull:mail:completed')).slice(-10)

    const report = await sweepOvertakenBy(() => drop('completed', newest))

    expect(report).toMatchObject({ outcome: 'done', deleted: 30 })
    expect(await rig.redis.zcard('bull:mail:completed')).toBe(1_000)
  })

  it('workers may remove the newest jobs, and those whose times are none do not count in their stead', async () => {
    const endless = ['x', 'y', 'z'].map((id) => ({ id, finishedMs: 'inf' }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: [...jobsAged(1_003, 60_000), ...endless] })
    const newest = (await idsIn(rig.redis, 'bull:mail:completed')).slice(-5, -3)

    const report = await sweepOvertakenBy(() => drop('completed', newest))

    expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(await rig.redis.zcard('bull:mail:completed')).toBe(1_003)
  })

  it('workers may remove the oldest jobs, and none at the cutoff goes in their place', async () => {
    const atCutoff = Array.from({ length: 5 }, (_, at) => ({ id: `at${at}`, finishedMs: NOW_MS - DAY_MS }))
    const older = jobsAged(3, DAY_MS + 10)
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: [...older, ...atCutoff] })

    const report = await sweepOvertakenBy(() =>
      drop(
        'completed',
        older.slice(0, 2).map(({ id }) => id),
      ),
    )

    expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual(atCutoff.map(({ id }) => id))
  })

  it('workers may remove all that is due', async () => {
    const jobs = jobsAged(4, 2 * DAY_MS)
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs })

    const report = await sweepOvertakenBy(() =>
      drop(
        'completed',
        jobs.map(({ id }) => id),
      ),
    )

    expect(report).toMatchObject({ outcome: 'done', due: 0, deleted: 0 })
    expect(await rig.redis.exists('bull:mail:events')).toBe(0)
  })

  /** In the second case somebody counts on the oldest job, so the others go one by one. */
  it.each([
    ['together', 3],
    ['one by one', 2],
  ])('a job that goes %s may become the child of a parent that waits, and stays', async (way, deleted) => {
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs: jobsAged(4, 20 * DAY_MS) })
    const [first = '', , third = ''] = await idsIn(rig.redis, 'bull:mail:failed')
    if (way === 'one by one') await waitFor(rig, first)

    const report = await sweepOvertakenBy(() => waitFor(rig, third), way)

    expect(report).toMatchObject({ outcome: 'done', deleted })
    expect(await rig.redis.exists(`bull:mail:${third}`)).toBe(1)
    expect(await rig.redis.smembers(`bull:parents:of-${third}:dependencies`)).toEqual([`bull:mail:${third}`])
    expect(await idsIn(rig.redis, 'bull:parents:waiting-children')).toContain(`of-${third}`)
  })

  it.each(['together', 'one by one'])('a job that goes %s may be run again, and does', async (way) => {
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs: jobsAged(4, 20 * DAY_MS) })
    const [first = '', , third = ''] = await idsIn(rig.redis, 'bull:mail:failed')
    if (way === 'one by one') await waitFor(rig, first)
    const work = startBullmqWorkers(rig.redis)
    const again = async () => await (await work.queue('mail').getJob(third))?.retry()

    const report = await sweepOvertakenBy(again, way)

    expect(report).toMatchObject({ outcome: 'done', deleted: way === 'together' ? 3 : 2 })
    work.work('mail')
    await work.untilState('mail', third, 'completed')
    expect(work.troubles).toEqual([])
    await work.close()
  })
})

/** Old enough jobs, a millisecond apart. */
const jobsAged = (count: number, ageMs: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `${ageMs}-${at}`, finishedMs: NOW_MS - ageMs + at }))

/** What our guards begin with; only the one of single jobs asks for a rank. */
const isDeletion = (lua: string, way: string) =>
  lua.includes('noteWindow') && lua.includes("'ZRANK'") === (way === 'one by one')

/** Makes a parent that waits for a job. */
async function waitFor({ redis }: BullmqRig, id: string): Promise<void> {
  const parent = { id: `of-${id}`, queueKey: 'bull:parents' }
  await redis.hset(`bull:parents:of-${id}`, { name: 'parent', data: '{}', opts: '{}', timestamp: NOW_MS })
  await redis.zadd('bull:parents:waiting-children', NOW_MS, parent.id)
  await redis.sadd(`bull:parents:of-${id}:dependencies`, `bull:mail:${id}`)
  await redis.hset(`bull:mail:${id}`, { parentKey: `bull:parents:of-${id}`, parent: JSON.stringify(parent) })
}
