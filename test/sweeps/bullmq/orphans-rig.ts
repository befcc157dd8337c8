import { afterAll, beforeAll, beforeEach } from 'vitest'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import { ask, listOf, textOf, type Command, type Connection, type Transport } from '../../../src/redis/transport.ts'
import { sweepOrphans, type OrphanOptions } from '../../../src/sweeps/bullmq/orphans.ts'
import type { OrphanCounts } from '../../../src/sweeps/bullmq/orphans-tally.ts'
import { instant } from '../../support/clock.ts'
import { testRedis, type TestRedis } from '../../support/redis-server.ts'
import { allKeys } from '../../support/sweep-rig.ts'

export const NOW_MS = instant('2026-11-15T12:00:00Z')
export const DAY_MS = 86_400_000
export const CUTOFF_MS = NOW_MS - DAY_MS
export const OLD_MS = CUTOFF_MS - 1

/** A Redis with queues, empty at the beginning of each test. */
export interface QueueRig {
  readonly url: string
  /** For BullMQ's own classes. */
  readonly connection: { readonly host: string; readonly port: number }
  readonly send: Transport
  flush(): Promise<void>
  run(...commands: Command[]): Promise<void>
  /** Names of all keys, sorted. */
  keys(): Promise<readonly string[]>
  /** Every key with its value as DUMP has it. */
  content(): Promise<Readonly<Record<string, string>>>
  /** One pass over the queue `mails`, or over others. */
  pass(given?: Partial<OrphanOptions>): Promise<OrphanCounts>
}

/** To be called inside a suite. */
export function queueRig(): QueueRig {
  let redis: TestRedis
  let connection: Connection
  const send: Transport = (commands) => connection.send(commands)
  const keys = async () => (await allKeys(send)).toSorted()
  beforeAll(async () => {
    redis = await testRedis()
    connection = createTcpConnection({ url: redis.url, deadlineMs: 30_000 })
  })
  afterAll(async () => {
    await connection.close()
    await redis.stop()
  })
  beforeEach(() => redis.flush())
  return {
    send,
    keys,
    get url() {
      return redis.url
    },
    get connection() {
      const { hostname, port } = new URL(redis.url)
      return { host: hostname, port: Number(port) }
    },
    flush: () => redis.flush(),
    run: async (...commands) => {
      for (const reply of await send(commands)) if (reply instanceof Error) throw reply
    },
    content: async () => {
      const names = await keys()
      const values = await Promise.all(names.map((name) => valueAt(send, name)))
      return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
    },
    pass: async (given = {}) => {
      const counts = await sweepOrphans({
        send,
        prefix: 'bull',
        queues: ['mails'],
        cutoffMs: CUTOFF_MS,
        isDryRun: false,
        ...given,
      })
      const [first] = counts.values()
      if (first === undefined) throw new Error('No queue was swept.')
      return first
    },
  }
}

/** A key's value in an order that does not depend on how Redis keeps it. */
async function valueAt(send: Transport, key: string): Promise<string> {
  const type = textOf(await ask(send, ['TYPE', key]))
  const [read] = reads.filter(([of]) => of === type).map(([, command]) => command(key))
  if (read === undefined) return type
  const reply = await ask(send, read)
  if (typeof reply === 'string' || typeof reply === 'number') return `${type} ${reply}`
  const words = listOf(reply).map((word) => JSON.stringify(word))
  return `${type} ${(type === 'set' || type === 'hash' ? words.toSorted() : words).join(' ')}`
}

const reads: readonly (readonly [type: string, command: (key: string) => Command])[] = [
  ['string', (key) => ['GET', key]],
  ['hash', (key) => ['HGETALL', key]],
  ['set', (key) => ['SMEMBERS', key]],
  ['list', (key) => ['LRANGE', key, 0, -1]],
  ['zset', (key) => ['ZRANGE', key, 0, -1, 'WITHSCORES']],
  ['stream', (key) => ['XLEN', key]],
]

/** The hash of a job as BullMQ stores it, in no list or set. */
export const job = (
  id: string,
  fields: Readonly<Record<string, string | number>> = {},
  base = 'bull:mails:',
): Command => [
  'HSET',
  `${base}${id}`,
  ...Object.entries({ name: 'send', data: '{}', opts: '{}', timestamp: OLD_MS, ...fields }).flat(),
]
