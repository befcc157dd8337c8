import { InputError } from '../errors.ts'
import type { IoredisLike, NodeRedisLike, PlainRedis, RedisClient, UpstashLike } from './clients.ts'

/** A client that can run scripts, as the store uses it. Each call is one command. */
export interface ScriptClient {
  exists(key: string): Promise<boolean>
  remove(keys: readonly string[]): Promise<void>
  evaluate(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/**
 * Recognizes a client by its methods.
 *
 * @throws InputError when it is none that the store can work through.
 */
export function recognize(redis: RedisClient): { readonly scripts: ScriptClient } | { readonly plain: PlainRedis } {
  if (typeof redis === 'object' && redis !== null) {
    if (isIoredis(redis)) return { scripts: overWords((name, ...args) => redis.call(name, ...args)) }
    if (isNodeRedis(redis)) return { scripts: overWords((...words) => redis.sendCommand(words)) }
    if (isUpstash(redis)) return { scripts: overUpstash(redis) }
    if (isPlain(redis)) return { plain: redis }
  }
  throw new InputError(
    'This is no Redis client that the store knows: hand in a client of ioredis, node-redis or @upstash/redis, or an ' +
      `object with the methods ${PLAIN_METHODS.join(', ')}.`,
  )
}

const PLAIN_METHODS = ['set', 'get', 'hset', 'hget', 'hdel', 'hgetall', 'del', 'expire'] as const

const has = (redis: object, ...methods: readonly string[]) =>
  methods.every((method) => typeof Reflect.get(redis, method) === 'function')

const isIoredis = (redis: RedisClient): redis is IoredisLike => has(redis, 'call')
// Clusters and sentinels of node-redis have a `sendCommand` that wants to be told a key or a role first.
const isNodeRedis = (redis: RedisClient): redis is NodeRedisLike =>
  has(redis, 'sendCommand', 'hGetAll') && Reflect.get(redis, 'sendCommand').length <= 2
const isUpstash = (redis: RedisClient): redis is UpstashLike => has(redis, 'del', 'exists', 'eval', 'createScript')
const isPlain = (redis: RedisClient): redis is PlainRedis => has(redis, ...PLAIN_METHODS)

/** Over a client that sends any command as its words. */
const overWords = (send: (name: string, ...args: string[]) => Promise<unknown>): ScriptClient => ({
  exists: async (key) => Number(answered(await send('EXISTS', key))) > 0,
  remove: async (keys) => {
    answered(await send('DEL', ...keys))
  },
  evaluate: async (script, keys, args) => answered(await send('EVAL', script, String(keys.length), ...keys, ...args)),
})

const overUpstash = (redis: UpstashLike): ScriptClient => ({
  exists: async (key) => Number(answered(await redis.exists(key))) > 0,
  remove: async (keys) => {
    answered(await redis.del(...keys))
  },
  evaluate: async (script, keys, args) => answered(await redis.eval(script, [...keys], [...args])),
})

/** What a client answered. Redis has no undefined: taken for an answer, it would mean that there is nothing. */
function answered(reply: unknown): unknown {
  if (reply !== undefined) return reply
  throw new InputError(
    'The Redis client gives no answers: node-redis 4 with `legacyMode` answers callbacks only, so hand in its ' +
      '`client.v4`. Whether the command was carried out is unknown.',
  )
}
