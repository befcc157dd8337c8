import { Queue, Worker } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, dumpAll, idsIn, makeUpJobs, NOW_MS, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

const OLD_MS = NOW_MS - 30 * DAY_MS
const RUNNING = 'they have not finished, or somebody holds their lock'
const UNREADABLE = 'their keys are no jobs, or belong to others too'

type Write = readonly [string, ...(string | number)[]]

/** A job that has not finished, as BullMQ adds it. */
const waiting = (id: string): readonly Write[] => [
  ['HSET', `bull:mail:${id}`, 'name', 'job', 'data', '{}', 'opts', '{}', 'timestamp', NOW_MS],
  ['LPUSH', 'bull:mail:wait', id],
]

/** What stands in the set of completed jobs beside a plain one, by what makes it no job to delete. */
const running: Readonly<Record<string, readonly Write[]>> = {
  'waits, for its hash was lost and it was added again': [['DEL', 'bull:mail:x', 'bull:mail:x:logs'], ...waiting('x')],
  'is retried': [['HDEL', 'bull:mail:x', 'finishedOn', 'processedOn']],
  'is locked': [['SET', 'bull:mail:x:lock', 'token']],
  'is locked, although its hash has gone': [
    ['DEL', 'bull:mail:x', 'bull:mail:x:logs'],
    ['SET', 'bull:mail:x:lock', 'token'],
  ],
}

const shadowed = ['logs', 'dependencies', 'processed', 'failed', 'unsuccessful'].map((part): [string, Write[]] => [
  `is named like the ${part} of another`,
  [['DEL', 'bull:mail:x:logs'], ...waiting(`x:${part}`)],
])

const unreadable: Readonly<Record<string, readonly Write[]>> = {
  ...Object.fromEntries(shadowed),
  'is no hash': [
    ['DEL', 'bull:mail:x'],
    ['SET', 'bull:mail:x', 'y'],
  ],
  'is a hash of something else': [['HDEL', 'bull:mail:x', 'timestamp']],
  'deduplicates by a key of another type': [
    ['HSET', 'bull:mail:x', 'deid', 'daily'],
    ['RPUSH', 'bull:mail:de:daily', 'x'],
  ],
  'is of a scheduler in a key of another type': [
    ['HSET', 'bull:mail:x', 'rjk', 'nightly'],
    ['SET', 'bull:mail:repeat', 'x'],
  ],
  'has a parent with children of another type': [
    ['HSET', 'bull:mail:x', 'parentKey', 'bull:mail:mum', 'parent', '{}'],
    ['HSET', 'bull:mail:mum', 'name', 'job'],
    ['SET', 'bull:mail:mum:dependencies', 'x'],
  ],
}

describeWithRedis('a job in a finished state that is due', () => {
  let rig: BullmqRig
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())
  beforeEach(() => rig.redis.flushall())

  const write = async (commands: readonly Write[]) => {
    for (const [name, ...words] of commands) await rig.redis.call(name, ...words)
  }
  const makeUp = (...ids: readonly string[]) =>
    makeUpJobs(rig.redis, {
      queue: 'mail',
      state: 'completed',
      jobs: ids.map((id, at) => ({ id, finishedMs: OLD_MS + at })),
    })
  /** All but what a sweep changes when it takes the plain job. */
  const steady = async () =>
    [...(await dumpAll(rig.redis))].filter(([key]) => !/^bull:mail:(plain.*|events|completed)$/.test(key))

  /** A job that a worker has completed. */
  const complete = async (deduplication: { id: string; ttl?: number }) => {
    const queue = new Queue('mail', { connection: rig.redis })
    await queue.add('x', {}, { jobId: 'x', deduplication })
    const worker = new Worker('mail', async () => 'done', { connection: rig.redis })
    await expect.poll(() => queue.getCompletedCount(), { timeout: 20_000 }).toBe(1)
    await worker.close()
    return queue
  }

  const expectKept = async (id: string, part: object) => {
    const before = await steady()
    const dry = await rig.sweep({ dryRun: true })
    const { report } = await rig.sweep()

    expect(dry.report).toMatchObject({ outcome: 'planned', due: 1, ...part })
    expect(report).toMatchObject({ outcome: 'done', deleted: 1, ...part })
    expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual([id])
    expect(await steady()).toEqual(before)
    return report.parts?.[0]?.because
  }

  it.each(Object.entries(running))('stays and counts as kept when it %s, and others go', async (_, commands) => {
    await makeUp('x', 'plain')
    await write(commands)

    const because = await expectKept('x', { keptOpen: 1, unreadable: { count: 0 } })

    expect(because).toBe(`completed: 2 too old; 1 kept: ${RUNNING}`)
  })

  it.each(Object.entries(unreadable))(
    'stays and counts as unreadable when one %s, and others go',
    async (_, commands) => {
      await makeUp('x', 'plain')
      await write(commands)

      const because = await expectKept('x', { keptOpen: 0, unreadable: { count: 1 } })

      expect(because).toBe(`completed: 2 too old; 1 kept: ${UNREADABLE}`)
    },
  )

  it.each(['meta', 'failed', 'wait', 'id', 'metrics', 'stalled-check'])(
    'never takes a key of BullMQ along when its id is %s',
    async (id) => {
      await makeUp('plain')
      await write([
        ['ZADD', 'bull:mail:completed', OLD_MS, id],
        ['HSET', 'bull:mail:meta', 'paused', 1],
        ['HSET', 'bull:mail:metrics:failed', 'count', 1],
        ['ZADD', 'bull:mail:failed', NOW_MS, 'young'],
        ['SET', 'bull:mail:id', 9],
        ...waiting('7'),
      ])

      expect(await expectKept(id, { unreadable: { count: 1 } })).toContain(UNREADABLE)
    },
  )

  it('goes when nothing but its id is left', async () => {
    await makeUp('x', 'plain')
    await rig.redis.del('bull:mail:x', 'bull:mail:x:logs')

    expect((await rig.sweep()).report).toMatchObject({ outcome: 'done', deleted: 2, unreadable: { count: 0 } })
    expect(await rig.redis.zcard('bull:mail:completed')).toBe(0)
  })

  it('with a time beyond all dates is no job that anybody can judge, nor is a younger one taken in its place', async () => {
    const young = ['a', 'b'].map((id) => ({ id, finishedMs: NOW_MS - 1_000 }))
    const endless = ['x', 'y', 'z'].map((id) => ({ id, finishedMs: 'inf' }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: [...young, ...endless] })
    const changes = { config: { completed: { keep: 2, ageSeconds: 86_400 } } }

    const dry = await rig.sweep({ dryRun: true }, changes)
    const { report } = await rig.sweep({}, changes)

    const expected = { due: 0, kept: 2, unreadable: { count: 3 } }
    expect(dry.report).toMatchObject(expected)
    expect(report).toMatchObject({ outcome: 'done', deleted: 0, ...expected })
    expect(report.parts?.[0]?.because).toBe('3 kept: their times are none')
    expect((await rig.sweep({}, { config: { completed: { keep: 1, ageSeconds: 86_400 } } })).report.deleted).toBe(1)
    expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual(['b', 'x', 'y', 'z'])
  })

  it('stays when its parent waits for it, although a lost one of that id had finished', async () => {
    await makeUp('x', 'plain')
    await write([
      ['HSET', 'bull:mail:x', 'parentKey', 'bull:flows:mum', 'parent', '{"id":"mum","queueKey":"bull:flows"}'],
      ['HSET', 'bull:flows:mum', 'name', 'job', 'data', '{}', 'opts', '{}', 'timestamp', NOW_MS],
      ['SADD', 'bull:flows:mum:dependencies', 'bull:mail:x'],
      ['ZADD', 'bull:flows:waiting-children', NOW_MS, 'mum'],
      ['ZADD', 'bull:flows:completed', NOW_MS, 'mum'],
    ])

    expect(await expectKept('x', { keptOpen: 1 })).toContain('1 kept: a parent that waits')
  })

  describe('and began a deduplication', () => {
    const later = { nowMs: Date.now() + 2 * DAY_MS }

    it.each(['by itself', 'one by one'])('goes %s, and its window ends when it would have, not before', async (way) => {
      const queue = await complete({ id: 'daily', ttl: 7 * DAY_MS })

      // Where something holds one of the jobs, the others go one by one.
      if (way === 'one by one') await rig.redis.zadd('bull:mail:completed', 1, 'meta')
      const before = await rig.redis.pttl('bull:mail:de:daily')

      const { report } = await rig.sweep({}, later)

      expect(report).toMatchObject({ outcome: 'done', deleted: 1, keptOpen: 0 })
      expect(await rig.redis.exists('bull:mail:x')).toBe(0)
      expect(await rig.redis.get('bull:mail:de:daily')).toBe('x')
      const left = await rig.redis.pttl('bull:mail:de:daily')
      expect(left).toBeGreaterThan(before - 60_000)
      expect(left).toBeLessThanOrEqual(before)
      expect((await queue.add('x', {}, { deduplication: { id: 'daily', ttl: 7 * DAY_MS } })).id).toBe('x')
      expect(await queue.getWaitingCount()).toBe(0)
      await queue.close()
    })

    it.each([
      ['whose window ended with it', {}],
      ['whose window another job has now', { holder: 'y', ttl: 100_000 }],
      ['whose key has no end, for that is no window', { holder: 'x' }],
    ])('goes where it is one %s', async (_, { holder, ttl }: { holder?: string; ttl?: number }) => {
      const queue = await complete({ id: 'daily' })
      if (holder !== undefined) await rig.redis.set('bull:mail:de:daily', holder)
      if (ttl !== undefined) await rig.redis.pexpire('bull:mail:de:daily', ttl)

      expect((await rig.sweep({}, later)).report).toMatchObject({ outcome: 'done', deleted: 1, keptOpen: 0 })
      expect(await rig.redis.get('bull:mail:de:daily')).toBe(holder === 'y' ? 'y' : null)
      await queue.close()
    })
  })

  it.each([{}, { 'opts.maxLenEvents': '777' }])(
    'leaves a meta with the fields %j as it is when others go one by one',
    async (fields: Readonly<Record<string, string>>) => {
      await makeUp('x', 'plain')
      await rig.redis.hdel('bull:mail:meta', 'opts.maxLenEvents')
      await rig.redis.hset('bull:mail:meta', { paused: '1', ...fields })
      await rig.redis.set('bull:mail:x:lock', 'token')
      const meta = await rig.redis.hgetall('bull:mail:meta')

      expect((await rig.sweep()).report).toMatchObject({ deleted: 1, keptOpen: 1 })
      expect(await rig.redis.hgetall('bull:mail:meta')).toEqual(meta)
      expect(meta).toMatchObject(fields)
    },
  )
})
