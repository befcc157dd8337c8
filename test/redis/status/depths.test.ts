import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { QueueDepth } from '../../../src/redis/status/status.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import type { Transport } from '../../../src/redis/transport.ts'
import { createDepthReader, type DepthOptions } from '../../../src/sweeps/bullmq/depths.ts'
import { fakeClock } from '../../support/clock.ts'
import { describeWithRedis, testRedis, type TestRedis } from '../../support/redis-server.ts'
import { openResp } from '../../support/resp.ts'
import { watched, type WatchedTransport } from '../../support/transport.ts'

const clock = fakeClock('2026-11-21T12:00:00Z')
const ids = (count: number) => Array.from({ length: count }, (_, at) => at)
const namesOf = (depths: readonly QueueDepth[]) => depths.map(({ name }) => name)
const OWN = { isBilled: false }
const wholeReader = (options: Partial<DepthOptions> = {}) =>
  createDepthReader({ prefix: 'bull', queues: 'all', clock, ...options })
const reader = (options: Partial<DepthOptions> = {}) => {
  const read = wholeReader(options)
  return async (send: Transport) => (await read(send, OWN)).queues
}

describeWithRedis(
  'the depths of queues',
  () => {
    let redis: TestRedis
    let connection: ReturnType<typeof createTcpConnection>
    let transport: WatchedTransport

    beforeAll(async () => {
      redis = await testRedis()
      connection = createTcpConnection({ url: redis.url, deadlineMs: 10_000 })
      transport = watched(connection.send)
    })
    beforeEach(async () => {
      await redis.flush()
      transport.forget()
    })
    afterAll(async () => {
      await connection.close()
      await redis.stop()
    })

    const put = async (...commands: readonly (readonly (string | number)[])[]) => {
      const resp = await openResp(redis.url)
      await resp.call(commands)
      resp.close()
    }

    it('are those that BullMQ itself counts', async () => {
      const client = new Redis(redis.url, { maxRetriesPerRequest: null })
      const queue = new Queue('mails', { connection: client })
      await queue.addBulk([
        { name: 'a', data: {} },
        { name: 'b', data: {} },
        { name: 'later', data: {}, opts: { delay: 3_600_000 } },
        { name: 'first', data: {}, opts: { priority: 1 } },
      ])
      const counts = await queue.getJobCounts('wait', 'delayed', 'prioritized', 'active')

      const [depth, ...others] = await reader()(transport.send)

      expect(others).toEqual([])
      expect(depth).toMatchObject({ name: 'mails', verdict: 'ok', cure: null, states: counts })
      expect(counts).toEqual({ wait: 2, delayed: 1, prioritized: 1, active: 0 })

      await queue.pause()
      const [paused] = await reader()(transport.send)
      expect(paused).toMatchObject({ verdict: 'look', cure: expect.stringContaining('paused') })
      await queue.close()
      client.disconnect()
    })

    it('of all queues are found by their meta hash, under their prefix only', async () => {
      await put(
        ['HSET', 'bull:b:meta', 'x', 1],
        ['HSET', 'bull:a:meta', 'x', 1],
        ['HSET', 'bull:a:17:meta', 'x', 1],
        ['HSET', 'other:c:meta', 'x', 1],
        ['HSET', '{bull}:d:meta', 'x', 1],
      )

      expect(namesOf(await reader({ prefix: 'bull' })(transport.send))).toEqual(['a', 'b'])
      expect(namesOf(await reader({ prefix: 'other' })(transport.send))).toEqual(['c'])
      expect(namesOf(await reader({ prefix: '{bull}' })(transport.send))).toEqual(['d'])
      expect(namesOf(await reader({ prefix: '*' })(transport.send))).toEqual([])
    })

    it('cost 10 commands a queue in one request, and the finding once in 5 minutes', async () => {
      await put(['HSET', 'bull:a:meta', 'x', 1], ['HSET', 'bull:b:meta', 'x', 1])
      const read = reader()

      await read(transport.send)
      expect(transport.sent().map(([name]) => name)).toEqual([
        'SCAN',
        ...Array.from({ length: 20 }, (): unknown => expect.any(String)),
      ])
      transport.forget()
      clock.advance(299_999)
      await read(transport.send)
      expect(transport.sent().filter(([name]) => name === 'SCAN')).toEqual([])
      clock.advance(1)
      await read(transport.send)

      expect(transport.sent().filter(([name]) => name === 'SCAN')).toHaveLength(1)
    })

    it('of named queues need no finding, and say of a queue that is not there', async () => {
      await put(['HSET', 'bull:a:meta', 'x', 1])

      const depths = await reader({ queues: ['a', 'missing'] })(transport.send)

      expect(depths.map(({ name, verdict }) => [name, verdict])).toEqual([
        ['a', 'ok'],
        ['missing', 'look'],
      ])
      expect(depths[1]?.cure).toContain('BULLMQ_QUEUES')
      expect(transport.sent()).toHaveLength(20)
    })

    it.each([
      [1_000, 0, 0, 'ok', null],
      [1_001, 0, 0, 'look', /its workers run/],
      [1_001, 1, 0, 'ok', null],
      [0, 0, 10_000, 'ok', null],
      [0, 0, 10_001, 'look', /sweep bullmq/],
    ] as const)('with %i waiting, %i in work and %i done are %s', async (wait, active, done, verdict, cure) => {
      await put(
        ['HSET', 'bull:a:meta', 'x', 1],
        ...(wait > 0 ? [['RPUSH', 'bull:a:wait', ...ids(wait)]] : []),
        ...(active > 0 ? [['RPUSH', 'bull:a:active', ...ids(active)]] : []),
        ...(done > 0 ? [['ZADD', 'bull:a:failed', ...ids(done).flatMap((id) => [id, id])]] : []),
      )

      const [depth] = await reader()(transport.send)

      expect(depth?.verdict).toBe(verdict)
      expect(depth?.cure ?? 'none').toMatch(cure ?? /^none$/)
    })

    it.each([
      [{ completed: { keep: 0 }, failed: { keep: 7_000 } }, 11_000, 'ok'],
      [{ completed: { keep: 0 }, failed: { keep: 7_000 } }, 11_001, 'look'],
      [{ completed: { keep: 10 }, failed: { keep: 10 } }, 4_021, 'look'],
    ] as const)('of finished jobs are judged by what the sweep keeps: %j, %i done', async (kept, done, verdict) => {
      await put(['HSET', 'bull:a:meta', 'x', 1], ['ZADD', 'bull:a:failed', ...ids(done).flatMap((id) => [id, id])])

      const [depth] = await reader(kept)(transport.send)

      expect(depth?.verdict).toBe(verdict)
    })

    it('tell every trouble of a queue, not only the first', async () => {
      await put(
        ['HSET', 'bull:a:meta', 'x', 1],
        ['RPUSH', 'bull:a:wait', ...ids(1_001)],
        ['ZADD', 'bull:a:failed', ...ids(10_001).flatMap((id) => [id, id])],
      )

      const [depth] = await reader()(transport.send)

      expect(depth?.cure).toMatch(/^Jobs wait and none is in work\. .* Finished jobs pile up\./)
    })

    it('say of a key of another type that it is one, not that a right is missing, and a name is made harmless', async () => {
      await put(['HSET', 'bull:a\u001b[2J:meta', 'x', 1], ['SET', 'bull:a\u001b[2J:completed', 'x'])

      const [depth] = await reader()(transport.send)

      expect(depth).toMatchObject({ name: 'a?[2J', verdict: 'look', states: { completed: null, wait: 0 } })
      expect(depth?.cure).toContain('another type')
      expect(depth?.cure).not.toContain('right')
    })

    it('say of keys that the user may not see which rights and keys are missing', async () => {
      await put(
        ['ACL', 'SETUSER', 'looker', 'reset', 'on', '>looking', '+@all', '~order*'],
        ['HSET', 'q:a:meta', 'x', 1],
      )
      const { host } = new URL(redis.url)
      const looker = createTcpConnection({ url: `redis://looker:looking@${host}`, deadlineMs: 10_000 })

      const [depth] = await reader({ prefix: 'q', queues: ['a'] })(looker.send)

      await looker.close()
      await put(['ACL', 'DELUSER', 'looker'])
      expect(depth).toMatchObject({ verdict: 'unknown', states: { wait: null } })
      expect(depth?.cure).toContain('+llen +zcard +exists +hexists, and its keys (~q:*)')
    })

    it('show 50 found queues and tell how many more there are', async () => {
      await put(...Array.from({ length: 62 }, (_, at) => ['HSET', `bull:q${at}:meta`, 'x', 1]))

      const { queues, leftOut, isSearchWhole } = await wholeReader()(transport.send, OWN)

      expect([queues.length, leftOut, isSearchWhole]).toEqual([50, 12, true])
    })

    it('of a queue that is named twice are told once', async () => {
      expect(namesOf(await reader({ queues: ['a', 'b', 'a'] })(transport.send))).toEqual(['a', 'b'])
    })

    it('show 500 named queues, each in its own order, and tell how many more were named', async () => {
      await put(['HSET', 'bull:q499:meta', 'x', 1], ['RPUSH', 'bull:q499:wait', 1, 2])
      const names = ids(501).map((id) => `q${id}`)

      const { queues, leftOut } = await wholeReader({ queues: names })(transport.send, OWN)

      expect([queues.length, leftOut]).toEqual([500, 1])
      expect(queues.filter(({ verdict }) => verdict === 'ok')).toMatchObject([{ name: 'q499', states: { wait: 2 } }])
    })

    it.each([
      [100, true, 100, true],
      [101, true, 100, false],
      [500, false, 500, true],
      [10_001, false, 10_000, false],
    ])('of %i pages, billed %s, are found in %i, which is all of them: %s', async (pages, isBilled, found, isWhole) => {
      const endless: Transport = async (commands) =>
        commands.map(([name, cursor]) =>
          name === 'SCAN'
            ? [Number(cursor) + 1 < pages ? String(Number(cursor) + 1) : '0', [`bull:q${cursor}:meta`]]
            : 0,
        )

      const { queues, leftOut, isSearchWhole } = await wholeReader()(endless, { isBilled })

      expect([queues.length + leftOut, isSearchWhole]).toEqual([found, isWhole])
    })

    it('are none where there is none', async () => {
      expect(await reader()(transport.send)).toEqual([])
      expect(transport.sent().map(([name]) => name)).toEqual(['SCAN'])
    })
  },
  { own: false },
)
