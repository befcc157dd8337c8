import { Redis } from 'ioredis'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Transport } from '../../src/redis/transport.ts'
import type { BullmqConfig } from '../../src/config.ts'
import { createBullmqSweep } from '../../src/sweeps/bullmq/bullmq-sweep.ts'
import { createSweepRunner } from '../../src/sweeps/runner.ts'
import type { SweepRequest, SweepRun } from '../../src/sweeps/sweep.ts'
import { startRedisServer, type RedisServer, type RedisServerOptions } from './redis-server.ts'

/** The instant that all of these tests judge from, unless they run workers: those know the real time only. */
export const NOW_MS = Date.UTC(2026, 10, 21, 12)
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** A redis-server, BullMQ's way to it, and the sweep over it. */
export interface BullmqRig {
  readonly server: RedisServer
  /** A plain client, also for BullMQ's own classes. */
  readonly redis: Redis
  readonly send: Transport
  sweep(request?: Partial<SweepRequest>, changes?: SweepChanges): Promise<SweepRun>
  stop(): Promise<void>
}

export interface SweepChanges {
  readonly config?: Partial<BullmqConfig>
  /** Put between the sweep and the server. */
  readonly wrap?: (send: Transport) => Transport
  readonly nowMs?: number
}

/** Starts a server with nothing in it. */
export async function startBullmqRig(options: RedisServerOptions = {}): Promise<BullmqRig> {
  const server = await startRedisServer(options)
  const redis = new Redis(server.url, { maxRetriesPerRequest: null })
  const { send, close } = createTcpConnection({ url: server.url, deadlineMs: 30_000 })
  return {
    server,
    redis,
    send,
    sweep: async (request = {}, { config = {}, wrap = (own: Transport) => own, nowMs = NOW_MS } = {}) => {
      const clock = () => nowMs
      const runner = createSweepRunner({
        meter: createMeter(createMemoryConnection({ clock }).send),
        clock,
        zone: 'Europe/Berlin',
        emit: () => {},
        onDefect: (error) => {
          throw error
        },
      })
      const meter = createMeter(wrap(send))
      const sweep = createBullmqSweep({ config: { ...usualConfig(server.url), ...config }, clock, meter })
      return await runner(sweep)({ trigger: 'cli', dryRun: false, ...request })
    },
    stop: async () => {
      redis.disconnect()
      await close()
      await server.stop()
    },
  }
}

const usualConfig = (redisUrl: string): BullmqConfig => ({
  redisUrl,
  prefix: 'bull',
  queues: 'all',
  completed: { keep: 1_000, ageSeconds: 86_400 },
  failed: { keep: 5_000, ageSeconds: 604_800 },
  schedule: { pattern: '17 * * * *', zone: 'Europe/Berlin' },
})

/** A finished job to make up. */
export interface MadeUpJob {
  readonly id: string
  readonly finishedMs: number | string
  /** Further fields of its hash. */
  readonly fields?: Readonly<Record<string, string>>
}

/** Writes finished jobs as BullMQ 6 does, with logs, and the meta hash of their queue. */
export async function makeUpJobs(redis: Redis, { queue, state, jobs, prefix = 'bull' }: MadeUpJobs): Promise<void> {
  const base = `${prefix}:${queue}:`
  const writes = redis.pipeline()
  writes.hset(`${base}meta`, 'opts.maxLenEvents', '10000', 'version', 'bullmq:6.7.0')
  for (const { id, finishedMs, fields = {} } of jobs) {
    const at = String(finishedMs)
    const outcome = state === 'completed' ? { returnvalue: '1' } : { failedReason: 'no', stacktrace: '["no"]' }
    const hash = {
      name: 'job',
      data: '{"to":"Änne"}',
      opts: '{"attempts":0}',
      timestamp: at,
      processedOn: at,
      finishedOn: at,
    }
    writes.hset(`${base}${id}`, { ...hash, ...outcome, atm: '1', ...fields })
    writes.rpush(`${base}${id}:logs`, 'a line')
    writes.zadd(`${base}${state}`, at, id)
  }
  for (const [error] of (await writes.exec()) ?? []) if (error) throw error
}

export interface MadeUpJobs {
  readonly queue: string
  readonly state: 'completed' | 'failed'
  readonly jobs: readonly MadeUpJob[]
  readonly prefix?: string
}

/** Every key with its value and without its expiry, as Redis would dump it. */
export async function dumpAll(redis: Redis): Promise<ReadonlyMap<string, string>> {
  const keys = (await redis.keys('*')).toSorted()
  const reads = redis.pipeline()
  for (const key of keys) reads.call('DUMP', key)
  const dumps = (await reads.exec()) ?? []
  return new Map(keys.map((key, at) => [key, String(dumps[at]?.[1])]))
}

/** The members of a sorted set in its order. */
export const idsIn = async (redis: Redis, key: string): Promise<readonly string[]> =>
  (await redis.call('ZRANGE', key, '0', '-1')) as string[]
