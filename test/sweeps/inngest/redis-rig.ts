import { afterAll, beforeAll, beforeEach } from 'vitest'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import type { Connection } from '../../../src/redis/transport.ts'
import { instant } from '../../support/clock.ts'
import { fillRedis, redisContent, storeKeys, type RedisContent } from '../../support/inngest-redis.ts'
import type { RedisKey } from '../../support/inngest-fixture.ts'
import { testRedis, type TestRedis } from '../../support/redis-server.ts'
import { watched, type WatchedTransport } from '../../support/transport.ts'

/** What the fixture's truth was judged from. */
export const NOW_MS = instant('2026-11-15T12:00:00Z')
export const HOUR_MS = 3_600_000

/** A real Redis, empty at the beginning of each test, and a watched transport to it. */
export interface RedisRig {
  readonly transport: WatchedTransport
  fill(): Promise<void>
  /** Puts in a key of any type; the value does not matter. */
  put(...names: string[]): Promise<void>
  store(keys: readonly RedisKey[]): Promise<void>
  content(): Promise<RedisContent>
  empty(): Promise<void>
}

/** To be called inside a suite. */
export function redisRig(): RedisRig {
  let redis: TestRedis
  let connection: Connection
  const transport = watched((commands) => connection.send(commands))
  const empty = async () => {
    await redis.flush()
    transport.onRequest = undefined
    transport.forget()
  }
  beforeAll(async () => {
    redis = await testRedis()
    connection = createTcpConnection({ url: redis.url, deadlineMs: 10_000 })
  })
  afterAll(async () => {
    await connection.close()
    await redis.stop()
  })
  beforeEach(empty)
  const store = (keys: readonly RedisKey[]) => storeKeys(redis.url, keys)
  return {
    transport,
    empty,
    store,
    fill: () => fillRedis(redis.url),
    put: (...names) => store(names.map((key) => ({ key, type: 'string', pttl: -1, value: 'x' }))),
    content: () => redisContent(redis.url),
  }
}
