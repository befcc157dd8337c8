import { Redis as Upstash } from '@upstash/redis'
import { Redis as Ioredis } from 'ioredis'
import { Redis as Ioredis5 } from 'ioredis5'
import { createClient as createNodeRedis } from 'redis'
import { createClient as createNodeRedis4 } from 'redis4'
import { createClient as createNodeRedis5 } from 'redis5'
import type { PlainRedis, RedisClient } from '../../src/executions/index.ts'
import { isErrorReply, openResp, textReply } from './resp.ts'
import { startRestServer } from './rest-server.ts'

/** A client as the store gets it. */
export interface OpenClient {
  readonly redis: RedisClient
  close(): Promise<unknown>
}

/** A kind of client and how to connect one; `hasScripts` where the store's operations are atomic. */
export interface ClientKind {
  readonly name: string
  readonly hasScripts: boolean
  open(url: string): Promise<OpenClient>
}

/** Every kind of client that the store promises to work through, each handed over without a cast. */
export const clientKinds: readonly ClientKind[] = [
  { name: 'ioredis 5', hasScripts: true, open: async (url) => ofIoredis(new Ioredis5(url)) },
  { name: 'ioredis 6', hasScripts: true, open: async (url) => ofIoredis(new Ioredis(url)) },
  {
    name: 'node-redis 4',
    hasScripts: true,
    open: async (url) => {
      const redis = createNodeRedis4({ url })
      await redis.connect()
      return { redis, close: () => redis.quit() }
    },
  },
  {
    name: 'node-redis 5',
    hasScripts: true,
    open: async (url) => {
      const redis = createNodeRedis5({ url })
      await redis.connect()
      return { redis, close: () => redis.close() }
    },
  },
  {
    name: 'node-redis 6',
    hasScripts: true,
    open: async (url) => {
      const redis = createNodeRedis({ url })
      await redis.connect()
      return { redis, close: () => redis.close() }
    },
  },
  {
    name: 'node-redis 5 with RESP 3',
    hasScripts: true,
    open: async (url) => {
      const redis = createNodeRedis5({ url, RESP: 3 })
      await redis.connect()
      return { redis, close: () => redis.close() }
    },
  },
  { name: '@upstash/redis', hasScripts: true, open: (url) => ofUpstash(url, {}) },
  {
    name: '@upstash/redis without deserialization',
    hasScripts: true,
    open: (url) => ofUpstash(url, { automaticDeserialization: false }),
  },
  {
    name: '@upstash/redis with pipelining',
    hasScripts: true,
    open: (url) => ofUpstash(url, { enableAutoPipelining: true }),
  },
  { name: 'eight plain methods', hasScripts: false, open: (url) => ofPlain(url, (fields) => fields) },
  {
    name: 'eight plain methods with objects',
    hasScripts: false,
    open: (url) =>
      ofPlain(url, (list) => {
        const fields: [string, string][] = []
        for (let at = 0; at < list.length; at += 2) fields.push([list[at] ?? '', list[at + 1] ?? ''])
        return Object.fromEntries(fields)
      }),
  },
]

const ofIoredis = (redis: Ioredis | Ioredis5): OpenClient => ({
  redis,
  close: async () => redis.disconnect(),
})

interface UpstashOptions {
  readonly automaticDeserialization?: boolean
  readonly enableAutoPipelining?: boolean
}

async function ofUpstash(redisUrl: string, options: UpstashOptions): Promise<OpenClient> {
  const server = await startRestServer({ redisUrl })
  const redis = new Upstash({ url: server.url, token: server.token, enableTelemetry: false, ...options })
  return { redis, close: () => server.stop() }
}

/** An object with the eight methods and nothing else; `shape` makes what `hgetall` answers of a flat list. */
export async function ofPlain(
  url: string,
  shape: (fields: readonly string[]) => unknown,
): Promise<OpenClient & { readonly redis: PlainRedis }> {
  const connection = await openResp(url)
  const send = async (...words: readonly string[]) => {
    const [reply = null] = await connection.call([words])
    if (isErrorReply(reply)) throw new Error(reply.error)
    return textReply(reply)
  }
  const redis: PlainRedis = {
    set: (key, value) => send('SET', key, value),
    get: (key) => send('GET', key),
    hset: (key, fields) => send('HSET', key, ...Object.entries(fields).flat()),
    hget: (key, field) => send('HGET', key, field),
    hdel: (key, field) => send('HDEL', key, field),
    hgetall: async (key) => {
      const fields = await send('HGETALL', key)
      return shape(Array.isArray(fields) ? fields.map(String) : [])
    },
    del: (key) => send('DEL', key),
    expire: (key, seconds) => send('EXPIRE', key, String(seconds)),
  }
  return { redis, close: async () => connection.close() }
}
