import type { RedisClient } from './clients.ts'
import { createExecutionStore } from './execution-store.ts'
import { expirySeconds } from './expiry.ts'
import { plainBackend } from './plain-backend.ts'
import { createReadAhead } from './read-ahead.ts'
import { scriptBackend } from './script-backend.ts'
import { recognize } from './script-client.ts'
import type { ExecutionStore } from './worker-store.ts'

export interface RedisStoreOptions {
  /** Milliseconds that an execution lives after its last step, rounded up to whole seconds. @default none */
  readonly ttl?: number | undefined
  /** Begins the name of every key. @default '' */
  readonly prefix?: string | undefined
}

const readAhead = createReadAhead()

/**
 * A store of executions in Redis, over a client of ioredis, node-redis, @upstash/redis or any with eight plain methods. It
 * opens and closes nothing. With scripts each operation is one command or none.
 *
 * @throws InputError for a ttl that is no positive number, a prefix that is no text, or a client that it does not know.
 */
export function createRedisStore(redis: RedisClient, options: RedisStoreOptions = {}): ExecutionStore {
  const seconds = expirySeconds(options.ttl)
  const client = recognize(redis)
  if ('plain' in client) return createExecutionStore(plainBackend(client.plain, seconds), options.prefix)
  return createExecutionStore(scriptBackend(client.scripts, { seconds, readAhead }), options.prefix)
}
