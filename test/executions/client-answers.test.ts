import { Redis as Upstash } from '@upstash/redis'
import { createCluster, createSentinel } from 'redis'
import { createClient as createNodeRedis4, createCluster as createCluster4 } from 'redis4'
import { createCluster as createCluster5 } from 'redis5'
import { beforeEach, expect, it } from 'vitest'
import { createRedisStore, type ExecutionStore, type PlainRedis } from '../../src/executions/index.ts'
import { ofPlain } from '../support/executions-clients.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'

/** Every operation that asks a question of Redis. */
const operations: readonly (readonly [name: string, (store: ExecutionStore) => Promise<unknown>])[] = [
  ['beginExecution', (store) => store.beginExecution('x')],
  ['getExecutionTaskResults', (store) => store.getExecutionTaskResults('x')],
  ['getExecutionTaskResult', (store) => store.getExecutionTaskResult('x', 'pay')],
  ['beginExecutionTask', (store) => store.beginExecutionTask('x', 'ship')],
  ['commitExecutionTaskResult', (store) => store.commitExecutionTaskResult('x', 'mail', '5')],
  ['isExecutionInProgress', (store) => store.isExecutionInProgress('x')],
  ['isExecutionTaskInProgress', (store) => store.isExecutionTaskInProgress('x', 'pay')],
  ['disposeExecution', (store) => store.disposeExecution('x')],
]

const pairs = (list: readonly string[]) =>
  list.flatMap((field, at) => (at % 2 === 0 ? [[field, list[at + 1] ?? ''] as const] : []))

const nodes = { rootNodes: [{ url: 'redis://127.0.0.1:1' }] }

it.each([
  ['a cluster of node-redis 4', () => createCluster4(nodes)],
  ['a cluster of node-redis 5', () => createCluster5(nodes)],
  ['a cluster of node-redis 6', () => createCluster(nodes)],
  ['a sentinel', () => createSentinel({ name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })],
])('%s is refused, for its commands go to one node each', (_, create) => {
  expect(() => createRedisStore(create() as never)).toThrow(/^This is no Redis client that the store knows/)
})

describeWithRedis(
  'a client that answers otherwise',
  () => {
    const server = redisOfSuite()
    const { ask } = server

    beforeEach(async () => {
      await server.flush()
      await ask('SET', 'x', 'true')
      await ask('HSET', 'x-results', 'pay', '1', 'ship', '"x"')
    })

    const openLegacy = async () => {
      const redis = createNodeRedis4({ url: server.url(), legacyMode: true })
      await redis.connect()
      return { redis, close: () => redis.v4['QUIT']() }
    }

    it.each(operations)('with nothing, as node-redis 4 in legacyMode does, is told by %s', async (_, operation) => {
      const { redis, close } = await openLegacy()
      try {
        await expect(operation(createRedisStore(redis))).rejects.toMatchObject({
          code: 'BAD_INPUT',
          message: expect.stringMatching(/legacyMode.*`client\.v4`/),
        })
      } finally {
        await close()
      }
    })

    it('with nothing has a sibling that the error names, and that works', async () => {
      const { redis, close } = await openLegacy()
      try {
        const { sendCommand, hGetAll } = redis.v4
        const store = createRedisStore({ sendCommand, hGetAll })

        expect(await store.isExecutionInProgress('x')).toBe(true)
        expect({ ...(await store.getExecutionTaskResults('x')) }).toEqual({ pay: 1, ship: 'x' })
      } finally {
        await close()
      }
    })

    it.each(operations.filter(([name]) => /^(beginExecution|beginExecutionTask|commit|isExecutionIn)/.test(name)))(
      'with values made of texts is told by %s before a result is written',
      async (_, operation) => {
        const rest = await startRestServer({ redisUrl: server.url() })
        const upstash = new Upstash({ url: rest.url, token: rest.token, enableTelemetry: false })
        const redis: PlainRedis = {
          set: (key, value) => upstash.set(key, value),
          get: (key) => upstash.get(key),
          hset: (key, fields) => upstash.hset(key, fields),
          hget: (key, field) => upstash.hget(key, field),
          hdel: (key, field) => upstash.hdel(key, field),
          hgetall: (key) => upstash.hgetall(key),
          del: (key) => upstash.del(key),
          expire: (key, seconds) => upstash.expire(key, seconds),
        }
        try {
          await expect(operation(createRedisStore(redis, { ttl: 60_000 }))).rejects.toMatchObject({
            code: 'BAD_INPUT',
            message: expect.stringContaining('switch off whatever turns stored texts into values'),
          })
        } finally {
          await rest.stop()
        }

        expect(await ask('TTL', 'x')).toBe(-1)
        expect(await ask('HGETALL', 'x-transactions')).toEqual([])
        expect(await ask('HGETALL', 'x-results')).toEqual(['pay', '1', 'ship', '"x"'])
      },
    )

    const resultsBy = async (shape: (fields: readonly string[]) => unknown) => {
      const { redis, close } = await ofPlain(server.url(), shape)
      try {
        return { ...(await createRedisStore(redis).getExecutionTaskResults('x')) }
      } finally {
        await close()
      }
    }

    it.each<readonly [string, (fields: readonly string[]) => unknown]>([
      ['a flat list', (list) => list],
      ['an object', (list) => Object.fromEntries(pairs(list))],
      ['an object without prototype', (list) => Object.assign(Object.create(null), Object.fromEntries(pairs(list)))],
      ['a Map', (list) => new Map(pairs(list))],
    ])('to hgetall with %s is read', async (_, shape) => {
      expect(await resultsBy(shape)).toEqual({ pay: 1, ship: 'x' })
    })

    it.each<readonly [string, unknown]>([
      ['null', null],
      ['an empty list', []],
      ['an empty object', {}],
      ['an empty Map', new Map()],
    ])('to hgetall with %s has no results', async (_, answer) => {
      expect(await resultsBy(() => answer)).toEqual({})
    })

    it.each<readonly [string, (fields: readonly string[]) => unknown]>([
      ['nothing', () => undefined],
      ['a list of two pairs', pairs],
      ['a list of one pair', (list) => pairs(list).slice(1)],
      ['a list with an end missing', (list) => list.slice(1)],
      ['a list with a hole', () => ['pay', null]],
      ['a Map with other names', () => new Map([[1, '1']])],
      ['a Set', (list) => new Set(list)],
      ['an object of a class', () => new URLSearchParams()],
      ['a text', () => ''],
      ['a number', () => 0],
      ['a function', () => pairs],
    ])('to hgetall with %s is refused', async (_, shape) => {
      await expect(resultsBy(shape)).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringContaining('answers hgetall with something else'),
      })
    })
  },
  { own: false },
)
