import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRedisStore, type ExecutionStore } from '../../src/executions/index.ts'
import { clientKinds, type OpenClient } from '../support/executions-clients.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'

const HOUR_MS = 3_600_000
const KEYS = ['x', 'x-transactions', 'x-results']

/** Begins one that has a result and a begun task. */
const begin = async (store: ExecutionStore) => {
  await store.beginExecution('x')
  await store.beginExecutionTask('x', 'ship')
  await store.commitExecutionTaskResult('x', 'pay', 1)
}

describeWithRedis(
  'an execution',
  () => {
    const server = redisOfSuite()
    const { ask } = server
    const lives = () => Promise.all(KEYS.map((key) => ask('TTL', key)))
    /** How many of its keys have most of an hour left. */
    const fresh = async () => (await lives()).filter((seconds) => Number(seconds) > 3_000).length

    describe.each(clientKinds)('over $name', (kind) => {
      let client: OpenClient
      let timed: ExecutionStore
      let untimed: ExecutionStore
      beforeAll(async () => {
        client = await kind.open(server.url())
        timed = createRedisStore(client.redis, { ttl: HOUR_MS })
        untimed = createRedisStore(client.redis)
      })
      afterAll(() => client.close())
      beforeEach(() => server.flush())

      it('keeps its expiry, and so its results, when a store without one begins it again', async () => {
        await begin(timed)

        await untimed.beginExecution('x')

        expect(await fresh()).toBe(3)
        expect(await untimed.getExecutionTaskResult('x', 'pay')).toBe(1)
      })

      it('has no key that outlives it when stores without expiry work on it', { skip: !kind.hasScripts }, async () => {
        await timed.beginExecution('x')
        await untimed.beginExecutionTask('x', 'ship')
        await untimed.commitExecutionTaskResult('x', 'pay', 1)

        expect(await fresh()).toBe(3)
      })

      it('lends its expiry to the keys of a dead one that it takes over', async () => {
        await ask('HSET', 'x-transactions', 'ship', 'true')
        await ask('HSET', 'x-results', 'pay', '1')

        await timed.beginExecution('x')

        expect(await fresh()).toBe(3)
        expect({ ...(await timed.getExecutionTaskResults('x')) }).toEqual({ pay: 1 })
      })

      it(
        'without expiry loses no result to the expiry of a dead one that it takes over',
        { skip: !kind.hasScripts },
        async () => {
          await begin(timed)
          await ask('DEL', 'x')

          await untimed.beginExecution('x')

          expect(await lives()).toEqual([-1, -1, -1])
        },
      )

      it('gets its expiry from a begin of a store that has one', async () => {
        await begin(untimed)

        await timed.beginExecution('x')

        expect(await fresh()).toBe(3)
      })

      it.each([
        ['a list', ['RPUSH', 'x', 'secret'], ['LRANGE', 'x', 0, -1], ['secret']],
        ['a hash', ['HSET', 'x', 'true', 'secret'], ['HGET', 'x', 'true'], 'secret'],
        ['another text', ['SET', 'x', 'secret'], ['GET', 'x'], 'secret'],
        ['an empty text', ['SET', 'x', ''], ['GET', 'x'], ''],
      ])('is not begun over %s under its key, which stays as it is', async (_, put, look, value) => {
        await ask(...put)

        for (const store of [timed, untimed]) {
          const error = await store.beginExecution('x').catch((thrown: unknown) => thrown)

          expect(error).toMatchObject({ code: 'KEY_TAKEN', message: expect.stringContaining('The key "x" holds') })
          expect(String(error)).not.toContain('secret')
          expect(error).not.toHaveProperty('cause')
        }
        expect(await ask(...look)).toEqual(value)
        expect(await lives()).toEqual([-1, -2, -2])
      })
    })
  },
  { own: false },
)
