import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStore, createRedisStore, type RedisClient } from '../../src/executions/index.ts'
import { clientKinds, type OpenClient } from '../support/executions-clients.ts'
import { fakeClock } from '../support/clock.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { itKeepsTheContract } from './contract.ts'

describe('the store in memory', () => {
  itKeepsTheContract((options) => createMemoryStore({ ...options, clock: fakeClock('2026-11-21T12:00Z') }))
})

const HOUR_MS = 3_600_000
const quiet = async () => undefined

describeWithRedis(
  'the store in Redis',
  () => {
    const server = redisOfSuite()
    const { ask } = server
    /** Seconds to live of the three keys of an execution: -2 for no key, -1 for no expiry. */
    const lives = (id: string) => Promise.all(['', '-transactions', '-results'].map((end) => ask('TTL', `${id}${end}`)))
    /** Lets the keys of an execution look as they would after most of their time. */
    const age = (id: string) =>
      Promise.all(['', '-transactions', '-results'].map((end) => ask('EXPIRE', `${id}${end}`, 9)))

    describe.each(clientKinds)('over $name', (kind) => {
      let client: OpenClient
      beforeAll(async () => {
        await server.flush()
        client = await kind.open(server.url())
      })
      afterAll(() => client.close())

      const create = (options?: { readonly ttl?: number; readonly prefix?: string }) =>
        createRedisStore(client.redis, options)

      itKeepsTheContract(create)

      it('names its keys as the store before it did', async () => {
        const store = create()
        await store.beginExecution('plain')
        await store.beginExecutionTask('plain', 'pay')
        await store.commitExecutionTaskResult('plain', 'ship', { to: 'Passau' })

        expect(await ask('GET', 'plain')).toBe('true')
        expect(await ask('HGETALL', 'plain-transactions')).toEqual(['pay', 'true'])
        expect(await ask('HGETALL', 'plain-results')).toEqual(['ship', '{"to":"Passau"}'])
        expect(await lives('plain')).toEqual([-1, -1, -1])

        await store.disposeExecution('plain')
        expect(await lives('plain')).toEqual([-2, -2, -2])
      })

      it('puts the prefix before every key and keeps prefixes apart', async () => {
        const [one, other] = [create({ prefix: 'one:*' }), create({ prefix: 'other:' })]
        await one.beginExecution('same')
        await one.commitExecutionTaskResult('same', 'pay', 1)

        expect(await ask('GET', 'one:*same')).toBe('true')
        expect(await ask('EXISTS', 'same', 'other:same')).toBe(0)
        expect(await other.isExecutionInProgress('same')).toBe(false)
        expect(await other.getExecutionTaskResults('same')).toEqual({})
      })

      it('reads what the store before it wrote, undefined too', async () => {
        await ask('SET', 'former', 'true')
        await ask('HSET', 'former-transactions', 'ship', 'true')
        await ask('HSET', 'former-results', 'pay', '{"cents":1250}', 'mail', '', 'note', '"1e21"', 'count', '1e21')
        const store = create()

        expect(await store.isExecutionInProgress('former')).toBe(true)
        expect(await store.isExecutionTaskInProgress('former', 'ship')).toBe(true)
        expect(await store.getExecutionTaskResult('former', 'mail')).toBe(undefined)
        expect({ ...(await store.getExecutionTaskResults('former')) }).toStrictEqual({
          pay: { cents: 1250 },
          mail: undefined,
          note: '1e21',
          count: 1e21,
        })
      })

      it('gives every key its expiry', async () => {
        const long = create({ ttl: HOUR_MS - 1 })
        await long.beginExecution('long')
        await long.beginExecutionTask('long', 'pay')
        await long.commitExecutionTaskResult('long', 'ship', 1)

        for (const seconds of await lives('long'))
          expect(seconds).toSatisfy((one: number) => one > 3_000 && one <= 3_600)
      })

      it.each<readonly [string, (store: ReturnType<typeof create>) => Promise<unknown>]>([
        ['beginning it again', (store) => store.beginExecution('aging')],
        ['beginning a task', (store) => store.beginExecutionTask('aging', 'another')],
        ['beginning a task again', (store) => store.beginExecutionTask('aging', 'begun')],
        ['beginning a task that has a result', (store) => store.beginExecutionTask('aging', 'done')],
        ['a result', (store) => store.commitExecutionTaskResult('aging', 'late', 1)],
        ['a result brought again', (store) => store.commitExecutionTaskResult('aging', 'done', 2)],
      ])('refreshes the expiry of all three keys by %s', async (_, step) => {
        const store = create({ ttl: HOUR_MS })
        await store.beginExecution('aging')
        await store.beginExecutionTask('aging', 'begun')
        await store.commitExecutionTaskResult('aging', 'done', 1)
        await age('aging')

        await step(store)

        for (const seconds of await lives('aging')) expect(seconds).toBeGreaterThan(3_000)
      })

      it('gives an expiry to an execution that a store without one began', async () => {
        const without = create()
        await without.beginExecution('adopted')
        await without.beginExecutionTask('adopted', 'pay')
        await without.commitExecutionTaskResult('adopted', 'ship', 1)

        await create({ ttl: HOUR_MS }).beginExecutionTask('adopted', 'pay')

        for (const seconds of await lives('adopted')) expect(seconds).toBeGreaterThan(3_000)
      })

      it('recreates no key after the execution expired or was disposed of', async () => {
        const store = create({ ttl: HOUR_MS })
        await store.beginExecution('gone')
        await ask('DEL', 'gone')

        await store.beginExecutionTask('gone', 'pay')
        await store.commitExecutionTaskResult('gone', 'ship', 1)

        expect(await lives('gone')).toEqual([-2, -2, -2])
      })

      it('names key, field and the first 80 characters of a broken result, and no more', async () => {
        const broken = `{"card": ${'4'.repeat(70)}A${'B'.repeat(500)}`
        await ask('SET', 'p:broken', 'true')
        await ask('HSET', 'p:broken-results', 'pay', broken, 'ship', '1')
        const store = create({ prefix: 'p:' })

        for (const call of [store.getExecutionTaskResult('broken', 'pay'), store.getExecutionTaskResults('broken')]) {
          const error = await call.catch((thrown: unknown) => thrown)
          expect(error).toMatchObject({ code: 'BROKEN_RESULT' })
          expect(error).not.toHaveProperty('cause')
          expect(String(error)).toContain(
            `"p:broken-results", field "pay", is not JSON; it begins with: ${broken.slice(0, 80)}.`,
          )
          expect(String(error)).not.toContain('BB')
        }
        expect(await store.getExecutionTaskResult('broken', 'ship')).toBe(1)
      })

      it('lets many callers claim one task at once, each told apart', { skip: !kind.hasScripts }, async () => {
        const store = create()
        await store.beginExecution('crowd')

        const claims = await Promise.all(Array.from({ length: 20 }, () => store.beginExecutionTask('crowd', 'pay')))

        expect(claims.filter(Boolean)).toHaveLength(1)
      })

      it(
        'leaves no key without expiry whatever type of key stands in the way',
        { skip: !kind.hasScripts },
        async () => {
          const store = create({ ttl: HOUR_MS })
          await store.beginExecution('odd')
          await ask('SET', 'odd-transactions', 'no hash')

          await expect(store.commitExecutionTaskResult('odd', 'pay', 1)).rejects.toThrow(/WRONGTYPE/)
          await expect(store.beginExecutionTask('odd', 'ship')).rejects.toThrow(/WRONGTYPE/)

          for (const seconds of await lives('odd')) expect(seconds).toBeGreaterThan(3_000)
          expect(await store.getExecutionTaskResult('odd', 'pay')).toBe(1)
        },
      )
    })

    describe('asked for a client that it does not know', () => {
      it.each<readonly [string, unknown]>([
        ['nothing', undefined],
        ['null', null],
        ['a text', 'redis://localhost'],
        ['an empty object', {}],
        ['seven of the eight methods', { set() {}, get() {}, hset() {}, hget() {}, hdel() {}, hgetall() {}, del() {} }],
        ['a function', () => {}],
      ])('refuses %s and says what it needs', (_, redis) => {
        expect(() => createRedisStore(redis as RedisClient)).toThrow(
          /an object with the methods set, get, hset, hget, hdel, hgetall, del, expire/,
        )
      })
    })

    it('refuses values that a plain client has turned into something else', async () => {
      const redis = { set: quiet, get: quiet, hset: quiet, hdel: quiet, del: quiet, expire: quiet }
      const store = createRedisStore({ ...redis, hget: async () => ({ a: 1 }), hgetall: async () => ({ pay: 1 }) })

      await expect(store.getExecutionTaskResult('x', 'pay')).rejects.toThrow(/switch off/)
      await expect(store.getExecutionTaskResults('x')).rejects.toThrow(/switch off/)
    })

    it.each([1, null, {}, 'half \ud800'])('refuses the prefix %j', (prefix) => {
      expect(() => Reflect.apply(createRedisStore, undefined, [{ call: async () => null }, { prefix }])).toThrow(
        /option prefix/,
      )
    })
  },
  { own: false },
)
