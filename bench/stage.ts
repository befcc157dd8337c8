import { spawnSync } from 'node:child_process'
import { systemClock } from '../src/clock.ts'
import type { RedisTarget } from '../src/config.ts'
import { connect } from '../src/redis/connect.ts'
import { sweepsKey } from '../src/redis/keys.ts'
import { ask, integerOf, type Command } from '../src/redis/transport.ts'
import { startRedisServer } from '../test/support/redis-server.ts'
import { startRest } from './children.ts'
import type { Via } from './job.ts'
import { orderAt, type Filling } from './orders.ts'

/** The servers of a bench. */
export interface Stage {
  readonly targets: Readonly<Record<Via, RedisTarget>>
  /** Replaces everything in the store. */
  fill(filling: Filling, count: number): Promise<void>
  /** Forgets the statistics so far. */
  resetStats(): Promise<void>
  /** Calls since then of each command that a provider bills, by upper-case name, as the server itself counted them. */
  billed(): Promise<Readonly<Record<string, number>>>
  /** Order keys in the store: all keys but those of Orderly's own. */
  countOrders(): Promise<number>
  stop(): Promise<void>
}

/** Not billed by Upstash (its pricing page, November 2026). Spelled out here because the meter's own list is under test. */
const FREE = new Set(['PING', 'INFO', 'AUTH', 'HELLO', 'SELECT', 'CONFIG', 'COMMAND', 'RESET', 'QUIT'])

/** Keys of one MSET while filling, and MSETs of one request. */
const MSET_KEYS = 250
const MSETS = 20

/** Starts a redis-server and a REST server in front of it, both on the loopback interface. */
export async function openStage(asOfMs: number): Promise<Stage> {
  const redis = await startRedisServer()
  const rest = await startRest(redis.url)
  const tcp: RedisTarget = { kind: 'tcp', url: redis.url }
  const { send, close } = await connect(tcp, { clock: systemClock, deadlineMs: 60_000 })
  return {
    targets: { tcp, rest: rest.target },
    fill: async (filling, count) => {
      await ask(send, ['FLUSHALL', 'SYNC'])
      for (let from = 0; from < count; from += MSET_KEYS * MSETS) {
        const replies = await send(msets(filling, { from, to: Math.min(from + MSET_KEYS * MSETS, count), asOfMs }))
        if (replies.some((reply) => reply !== 'OK')) throw new Error('The store could not be filled.')
      }
    },
    resetStats: redis.resetStats,
    billed: async () => Object.fromEntries(Object.entries(await redis.stats()).filter(([name]) => !FREE.has(name))),
    countOrders: async () => {
      await ask(send, ['UNLINK', sweepsKey('orders')])
      return integerOf(await ask(send, ['DBSIZE']))
    },
    stop: async () => {
      await close()
      rest.stop()
      await redis.stop()
    },
  }
}

interface Range {
  readonly from: number
  readonly to: number
  readonly asOfMs: number
}

function msets(filling: Filling, { from, to, asOfMs }: Range): Command[] {
  const commands: Command[] = []
  for (let start = from; start < to; start += MSET_KEYS) {
    const words: string[] = []
    for (let number = start; number < Math.min(start + MSET_KEYS, to); number++) {
      const { key, value } = orderAt(filling, number, asOfMs)
      words.push(key, value)
    }
    commands.push(['MSET', ...words])
  }
  return commands
}

/** The version of the redis-server on the PATH. */
export const redisVersion = () =>
  /v=([\d.]+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown'
