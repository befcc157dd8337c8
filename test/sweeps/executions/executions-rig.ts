import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { ExecutionsConfig } from '../../../src/config.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import { createMeter } from '../../../src/redis/meter.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import { listOf, valueOf, type Command, type Connection, type Value } from '../../../src/redis/transport.ts'
import { createExecutionsSweep } from '../../../src/sweeps/executions/executions-sweep.ts'
import { createSweepRunner } from '../../../src/sweeps/runner.ts'
import type { SweepRequest, SweepRun } from '../../../src/sweeps/sweep.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { testRedis, type TestRedis } from '../../support/redis-server.ts'
import { allKeys } from '../../support/sweep-rig.ts'
import { watched, type WatchedTransport } from '../../support/transport.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const PREFIX = 'app[1]:'
export const SEEN = 'orderly:seen:executions'

/** What a store without a ttl leaves in Redis, as commands: begun tasks, and committed results. */
export function leftBy(id: string, { begun = ['b'], committed = ['a'], isWhole = true } = {}): readonly Command[] {
  const key = PREFIX + id
  return [
    ...(isWhole ? [['SET', key, 'true'] as const] : []),
    ...begun.map((task) => ['HSET', `${key}-transactions`, task, 'true'] as const),
    ...committed.map((task) => ['HSET', `${key}-results`, task, `{"of":"${task}"}`] as const),
  ]
}

function onDefect(error: unknown): never {
  throw error
}

export interface ExecutionsRig {
  readonly clock: FakeClock
  /** The sweep's way to Redis. */
  readonly transport: WatchedTransport
  readonly url: () => string
  /** Straight to Redis. Throws where a command is refused. */
  ask(...commands: readonly Command[]): Promise<readonly Value[]>
  /** A run that deletes. */
  sweep(request?: Partial<SweepRequest>): Promise<SweepRun>
  /** A run that counts only. */
  preview(request?: Partial<SweepRequest>): Promise<SweepRun>
  /** Lets time pass in which runs look often enough for all of it to count; none of them meets an execution. */
  timePasses(ms: number): Promise<void>
  /** A run that deletes, after so many milliseconds of such time. */
  sweepAfter(ms: number): Promise<SweepRun>
  /** Names under the prefix, in order. */
  keys(): Promise<readonly string[]>
  /** What is remembered: execution key -> since when, in which state. */
  seen(): Promise<Readonly<Record<string, string>>>
  /** When the latest pass began and what all have left out, as it is remembered. */
  passClock(): Promise<string | undefined>
}

/** A real Redis, empty at the beginning of each test, and the sweep over it with one day for the greatest age. */
export function executionsRig({ prefix = PREFIX, maxAgeDays = 1 } = {}): ExecutionsRig {
  let redis: TestRedis
  let connection: Connection
  const clock = fakeClock('2026-11-21T12:00:00Z')
  const transport = watched((commands) => connection.send(commands))
  beforeAll(async () => {
    redis = await testRedis()
    connection = createTcpConnection({ url: redis.url, deadlineMs: 20_000 })
  })
  afterAll(async () => {
    await connection.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await redis.flush()
    transport.onRequest = undefined
    transport.forget()
    clock.moveTo('2026-11-21T12:00:00Z')
  })
  const ask = async (...commands: readonly Command[]) => (await connection.send(commands)).map(valueOf)
  const runWith = async (config: Partial<ExecutionsConfig>, request: Partial<SweepRequest>, send = transport.send) => {
    const home = createMeter(createMemoryConnection({ clock }).send)
    const schedule = { pattern: '37 * * * *', zone: 'UTC' }
    const given = { redisUrl: redis.url, prefix, maxAgeDays, schedule, ...config }
    const sweep = createExecutionsSweep({ config: given, clock, meter: createMeter(send) })
    const runner = createSweepRunner({ meter: home, clock, zone: 'UTC', emit: () => {}, onDefect })
    return await runner(sweep)({ trigger: 'cli', dryRun: false, ...request })
  }
  const run = (request: Partial<SweepRequest>) => runWith({}, request)
  const timePasses = async (ms: number) => {
    const stepMs = (maxAgeDays * DAY_MS) / 2
    const endMs = clock() + ms
    while (clock() + stepMs < endMs) {
      clock.advance(stepMs)
      await runWith({ prefix: 'nobody:' }, {}, connection.send)
    }
    clock.advance(endMs - clock())
  }
  const remembered = async () => {
    const words = listOf((await ask(['HGETALL', SEEN]))[0] ?? null).map(String)
    return Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [])))
  }
  return {
    clock,
    transport,
    url: () => redis.url,
    ask,
    sweep: (request = {}) => run(request),
    preview: (request = {}) => run({ ...request, dryRun: true }),
    timePasses,
    sweepAfter: async (ms) => {
      await timePasses(ms)
      return await run({})
    },
    keys: async () => (await allKeys(connection.send)).filter((key) => key.startsWith(prefix)).toSorted(),
    seen: async () => {
      const { '': _, ...sightings } = await remembered()
      return sightings
    },
    passClock: async () => (await remembered())[''],
  }
}
