import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Queue } from 'bullmq'
import { RedisError } from '../../../src/errors.ts'
import type { Transport } from '../../../src/redis/transport.ts'
import { checkServer } from '../../../src/sweeps/bullmq/server-check.ts'
import { DAY_MS, dumpAll, idsIn, makeUpJobs, NOW_MS, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

const OLD = { id: 'old', finishedMs: NOW_MS - 30 * DAY_MS }
const YOUNG = { id: 'young', finishedMs: NOW_MS - 1_000 }
const JOBS = { state: 'completed', jobs: [OLD, YOUNG] } as const

describeWithRedis('the sweep over the queues of BullMQ', () => {
  let rig: BullmqRig
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())
  beforeEach(() => rig.redis.flushall())
  const setVersion = (version: string) => rig.redis.hset('bull:broken:meta', 'version', version)

  it('finds every queue of its prefix, whatever its name, and no other', async () => {
    const names = ['mail', 'a*b', 'Grüße 🚚', 'c?[d]']
    for (const queue of names) await makeUpJobs(rig.redis, { queue, ...JOBS })
    await makeUpJobs(rig.redis, { queue: 'mail', prefix: 'bullet', ...JOBS })
    await makeUpJobs(rig.redis, { queue: 'mail', prefix: 'bull:eu', ...JOBS })
    await rig.redis.hset('bull:mail:17:meta', 'name', 'no queue')

    const { report } = await rig.sweep()

    expect(report).toMatchObject({ outcome: 'done', summary: 'Deleted 4 jobs of 4 queues: 4 completed.' })
    expect(report.parts?.map(({ name }) => name)).toEqual(names.toSorted())
    expect(await rig.redis.zcard('bullet:mail:completed')).toBe(2)
    expect(await rig.redis.zcard('bull:eu:mail:completed')).toBe(2)
  })

  it.each(['{bull}', 'shop:jobs', 'b*[x]'])('works under the prefix %s', async (prefix) => {
    await makeUpJobs(rig.redis, { queue: 'mail', prefix, ...JOBS })

    const { report } = await rig.sweep({}, { config: { prefix } })

    expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(await idsIn(rig.redis, `${prefix}:mail:completed`)).toEqual(['young'])
  })

  it('sweeps the named queues only, tells of those that are not there, and makes none', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await makeUpJobs(rig.redis, { queue: 'other', ...JOBS })

    const { report } = await rig.sweep({}, { config: { queues: ['mail', 'mial', 'a:b'] } })

    expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(report.parts).toMatchObject([
      { name: 'mail', deleted: 1, because: 'completed: 1 too old' },
      { name: 'mial', scanned: 0, because: 'There is no such queue.' },
      { name: 'a:b', scanned: 0, because: 'There is no such queue.' },
    ])
    expect(await rig.redis.keys('bull:mial*')).toEqual([])
    expect(await rig.redis.zcard('bull:other:completed')).toBe(2)
  })

  it.each([{ queues: ['mail'] }, { queue: 'mail' }])(
    'sweeps a named queue that has lost its meta, and makes it no new one, as with %j',
    async ({ queue, ...config }: { queues?: readonly string[]; queue?: string }) => {
      await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
      await makeUpJobs(rig.redis, {
        queue: 'mail',
        state: 'failed',
        jobs: [
          { ...OLD, id: 'held' },
          { ...OLD, id: 'free' },
        ],
      })
      await rig.redis.del('bull:mail:meta')
      await rig.redis.set('bull:mail:held:lock', 'token')

      const { report } = await rig.sweep(queue === undefined ? {} : { queue }, { config })

      expect(report).toMatchObject({ outcome: 'done', deleted: 2, keptOpen: 1 })
      expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual(['young'])
      expect(await rig.redis.exists('bull:mail:meta')).toBe(0)
    },
  )

  it('says that no queue was found where there is none under the prefix', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })

    const { report } = await rig.sweep({}, { config: { prefix: 'bul' } })

    expect(report).toMatchObject({ outcome: 'done', because: 'No queue was found under BULLMQ_PREFIX.' })
    expect((await rig.sweep()).report.because).toBeNull()
  })

  it('sweeps one queue where one is asked for, and refuses one that is not there', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await makeUpJobs(rig.redis, { queue: 'other', ...JOBS })

    expect((await rig.sweep({ queue: 'mail' })).report).toMatchObject({ outcome: 'done', deleted: 1 })
    const refused = await rig.sweep({ queue: 'mial' })

    expect(refused).toMatchObject({ code: 'BAD_INPUT', report: { outcome: 'failed', deleted: 0 } })
    expect(await rig.redis.zcard('bull:other:completed')).toBe(2)
  })

  it('writes nothing in a dry run, nor in a run that finds nothing due', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs: [YOUNG] })
    await makeUpJobs(rig.redis, { queue: 'other', ...JOBS })
    const before = await dumpAll(rig.redis)

    expect((await rig.sweep({ dryRun: true })).report).toMatchObject({ outcome: 'planned', due: 1, deleted: 0 })
    expect((await rig.sweep({ queue: 'mail' })).report).toMatchObject({ outcome: 'done', deleted: 0 })

    expect(await dumpAll(rig.redis)).toEqual(before)
  })

  it('trims the events to the length that the queue has set, and leaves its meta alone', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await rig.redis.hset('bull:mail:meta', 'opts.maxLenEvents', '777')
    const writes = rig.redis.pipeline()
    for (let at = 0; at < 25_000; at += 1) writes.xadd('bull:mail:events', '*', 'event', 'added')
    await writes.exec()
    const meta = await rig.redis.hgetall('bull:mail:meta')

    const dry = await rig.sweep({ dryRun: true })
    const { report } = await rig.sweep()

    expect(dry.report.parts?.[1]).toMatchObject({ name: 'events of mail', due: 24_223, deleted: 0 })
    const left = await rig.redis.xlen('bull:mail:events')
    expect(left).toBeGreaterThanOrEqual(777)
    expect(left).toBeLessThan(1_000)
    const part = report.parts?.[1]
    expect(part).toMatchObject({ name: 'events of mail', scanned: 25_000, because: 'The queue keeps about 777.' })
    expect(part?.deleted).toBeGreaterThan(24_000)
    expect(await rig.redis.hgetall('bull:mail:meta')).toEqual(meta)
  })

  describe('leaves alone, and names, a queue', () => {
    const broken: readonly (readonly [string, () => Promise<unknown>, string])[] = [
      ['whose set is none', () => rig.redis.set('bull:broken:failed', 'x'), 'ZCARD met a key of another type.'],
      ['whose events are none', () => rig.redis.set('bull:broken:events', 'x'), 'XLEN met a key of another type.'],
      ['whose meta is none', () => rig.redis.set('bull:broken:meta', 'x'), 'HMGET met a key of another type.'],
      ['of an old BullMQ', () => setVersion('bullmq:3.9.1'), 'It is of BullMQ 3, which is too old. It was left alone.'],
      [
        'of a coming BullMQ',
        () => setVersion('bullmq:7.0.0'),
        'It is of BullMQ 7, which is too new for bullmq@6. It was left alone.',
      ],
      ['of somebody else', () => setVersion('carrot 1'), 'Its meta names no version of BullMQ. It was left alone.'],
    ]

    it.each(broken)('%s, sweeps the others and ends failed', async (_, breakIt, because) => {
      await makeUpJobs(rig.redis, { queue: 'broken', ...JOBS })
      await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
      await rig.redis.del('bull:broken:meta')
      await setVersion('bullmq:6.7.0')
      if (because.startsWith('HMGET')) await rig.redis.del('bull:broken:meta')
      await breakIt()
      const before = [...(await dumpAll(rig.redis))].filter(([key]) => key.startsWith('bull:broken:'))

      const { report, code } = await rig.sweep()

      expect(code).toBe('PARTS_FAILED')
      expect(report).toMatchObject({ outcome: 'failed', deleted: 1 })
      expect(report.because).toBe(
        '1 queue (broken) failed; see the parts of the report. Where a queue has to stay as it is, name only the others in BULLMQ_QUEUES.',
      )
      expect(report.parts).toMatchObject([
        { name: 'broken', deleted: 0, because },
        { name: 'mail', deleted: 1 },
      ])
      expect([...(await dumpAll(rig.redis))].filter(([key]) => key.startsWith('bull:broken:'))).toEqual(before)
    })

    it('and says that the next run completes it where the server only refused', async () => {
      await makeUpJobs(rig.redis, { queue: 'broken', ...JOBS })
      const refused = new RedisError('REDIS_REFUSED', 'Redis refused XLEN.')
      const wrap =
        (send: Transport): Transport =>
        async (commands) =>
          (await send(commands)).map((reply, at) => (commands[at]?.[0] === 'XLEN' ? refused : reply))

      const { report, code } = await rig.sweep({}, { wrap })

      expect(code).toBe('PARTS_FAILED')
      expect(report.because).toBe('1 queue (broken) failed; see the parts of the report. The next run completes them.')
    })

    it.each(['bullmq:4.0.0', 'bullmq:5.61.2', 'bullmq-pro:7.33.1'])('unless it is of %s', async (version) => {
      await makeUpJobs(rig.redis, { queue: 'broken', ...JOBS })
      await setVersion(version)

      expect((await rig.sweep()).report).toMatchObject({ outcome: 'done', deleted: 1 })
    })

    it('unless it is so old that it has no version', async () => {
      await makeUpJobs(rig.redis, { queue: 'broken', ...JOBS })
      await rig.redis.hdel('bull:broken:meta', 'version')

      expect((await rig.sweep()).report).toMatchObject({ outcome: 'done', deleted: 1 })
    })
  })

  it('takes orphaned hashes into its counts, except those of a queue that it leaves alone', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await makeUpJobs(rig.redis, { queue: 'broken', ...JOBS })
    await rig.redis.del('bull:mail:completed', 'bull:broken:completed')
    await setVersion('bullmq:7.0.0')

    const { report } = await rig.sweep()

    expect(report).toMatchObject({ scanned: 1, due: 1, deleted: 1 })
    expect(report.summary).toBe('Deleted 1 job of 2 queues: 1 orphaned.')
    expect(report.parts).toMatchObject([
      { name: 'broken' },
      { name: 'mail', scanned: 0 },
      { name: 'orphaned job hashes of mail', scanned: 1, deleted: 1 },
    ])
    expect((await rig.redis.keys('bull:*:old')).toSorted()).toEqual(['bull:broken:old'])
  })

  it('counts what it sent: a look of 8 commands, 1 EVAL for some hundred jobs', async () => {
    const jobs = Array.from({ length: 50 }, (_, at) => ({ id: `${at}`, finishedMs: NOW_MS - 30 * DAY_MS + at }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs })
    await rig.server.resetStats()

    const { report } = await rig.sweep({}, { config: { queues: ['mail'] } })

    expect(report).toMatchObject({ deleted: 50 })
    expect(report.commands).toMatchObject({ HMGET: 1, XLEN: 1, ZCARD: 2, ZCOUNT: 4, INFO: 1, EXISTS: 1 })
    const { EVAL, EVALSHA = 0 } = await rig.server.stats()
    expect(report.commands['EVAL']).toBe(EVAL)
    expect(report.commands['EVALSHA'] ?? 0).toBe(EVALSHA)
  })

  it('stops at its cap, and a further run goes on', async () => {
    const jobs = Array.from({ length: 3_000 }, (_, at) => ({ id: `${at}`, finishedMs: NOW_MS - 30 * DAY_MS + at }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs })

    const capped = await rig.sweep({ maxCommands: 18 }, { config: { queues: ['mail'] } })
    const rest = await rig.sweep()

    expect(capped).toMatchObject({ code: 'CAP_REACHED', report: { outcome: 'stopped' } })
    expect(capped.report.deleted).toBeGreaterThan(0)
    expect(capped.report.billedCommands).toBeLessThanOrEqual(18)
    expect(capped.report.deleted + rest.report.deleted).toBe(3_000)
  })

  it('leaves no connection behind', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await rig.sweep()
    const connected = await clients(rig)

    await rig.sweep()

    expect(await clients(rig)).toEqual(connected)
  })

  it('keeps what BullMQ itself says of the queue consistent', async () => {
    await makeUpJobs(rig.redis, { queue: 'mail', ...JOBS })
    await rig.sweep()
    const queue = new Queue('mail', { connection: rig.redis, skipMetasUpdate: true })

    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 1, failed: 0 })
    expect((await queue.getCompleted()).map(({ id }) => id)).toEqual(['young'])
    expect(await queue.getJob('old')).toBeUndefined()
    await queue.close()
  })
})

describeWithRedis('a Redis that is full', () => {
  it('is swept all the same', async () => {
    const rig = await startBullmqRig({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
    try {
      const jobs = Array.from({ length: 500 }, (_, at) => ({ id: `${at}`, finishedMs: NOW_MS - 30 * DAY_MS + at }))
      await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs })
      const filling = async () => {
        for (let at = 0; ; at += 1) await rig.redis.set(`filling${at}`, 'x'.repeat(10_000))
      }
      await expect(filling()).rejects.toThrow('OOM')

      const { report } = await rig.sweep()

      expect(report).toMatchObject({ outcome: 'done', deleted: 500 })
    } finally {
      await rig.stop()
    }
  })
})

describeWithRedis('a node of a cluster', () => {
  it('is refused before anything is looked at', async () => {
    const rig = await startBullmqRig({ args: ['--cluster-enabled', 'yes'] })
    try {
      const { report } = await rig.sweep()

      expect(report).toMatchObject({ outcome: 'failed', scanned: 0, because: expect.stringContaining('is a cluster') })
    } finally {
      await rig.stop()
    }
  })
})

describe('a server that BullMQ cannot be swept on', () => {
  it.each([
    ['a cluster', 'redis_version:7.0.15\r\ncluster_enabled:1', 'is a cluster'],
    [
      'a Redis 4',
      'redis_version:4.0.14\r\ncluster_enabled:0',
      'BullMQ needs Redis 5 or later; BULLMQ_REDIS_URL is Redis 4.',
    ],
  ])('%s is refused', async (_, info, why) => {
    await expect(checkServer(told(info))).rejects.toThrow(why)
  })

  it.each(['redis_version:5.0.0', 'redis_version:7.2.4\r\nvalkey_version:8.0.1', 'nothing of the kind'])(
    'is not %s',
    async (info) => {
      await expect(checkServer(told(info))).resolves.toBeUndefined()
    },
  )
})

/** A server that answers every request with a text. */
const told =
  (text: string): Transport =>
  async () => [text]

const clients = async ({ redis }: BullmqRig) => /connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]
