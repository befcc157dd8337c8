import { PassThrough } from 'node:stream'
import { ulid } from 'ulid'
import { expect } from 'vitest'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { lockKey, sweepsKey } from '../../src/redis/keys.ts'
import type { Command, Connection, Reply } from '../../src/redis/transport.ts'
import type { SweepRequest, SweepRun } from '../../src/sweeps/sweep.ts'
import { fakeClock, instant } from './clock.ts'
import { openResp, textReply } from './resp.ts'

/** On this evening and with two days of retention, the cutoffs are the 6th and the 4th. */
const clock = fakeClock('2025-12-08T21:00:00+01:00')
const MOST_MS = 8_000

const stored = (status: string, day: number) =>
  JSON.stringify({ status, created_at: `2025-12-0${day}T12:00:00+01:00`, note: 'Dal für Änne' })
const LEFTOVER = `\x1e${JSON.stringify({ id: 'a', at: '2025-12-04T12:00:00.000+01:00', by: 1, note: 'x' })}\n`

/** Orders of each kind: how many, what they hold, whether they are due. */
const KINDS = [
  { name: 'past the extended cutoff', count: 5_100, key: keyOn(2), value: stored('new', 2), isDue: true },
  { name: 'finished', count: 200, key: keyOn(4), value: stored('delivered', 4), isDue: true },
  { name: 'open', count: 150, key: keyOn(5), value: stored('assigned', 5), isDue: false },
  { name: 'leftover', count: 50, key: keyOn(4), value: LEFTOVER, isDue: true },
  { name: 'young', count: 200, key: keyOn(7), value: stored('delivered', 7), isDue: false },
  { name: 'of the former bot', count: 200, key: keyNamed('order:old-'), value: stored('delivered', 5), isDue: true },
  { name: 'of the former bot, young', count: 100, key: keyNamed('order:new-'), value: stored('new', 8), isDue: false },
  { name: 'without a time', count: 5, key: keyNamed('order:timeless-'), value: '{"status":"new"}', isDue: false },
  { name: 'no order at all', count: 20, key: keyNamed('other:'), value: 'something', isDue: false },
] as const

function keyOn(day: number) {
  return (number: number) => `order:${ulid(instant(`2025-12-0${day}T12:00:00+01:00`) + number)}`
}
function keyNamed(prefix: string) {
  return (number: number) => `${prefix}${number}`
}

/** Keys with their values, and those of them that a sweep must delete. */
const ORDERS = KINDS.flatMap(({ count, key, value, isDue }) =>
  Array.from({ length: count }, (_, number) => ({ key: key(number), value, isDue })),
)
const DUE = new Set(ORDERS.filter(({ isDue }) => isDue).map(({ key }) => key))
const LISTS = ['order:list-1', 'order:list-2']

/** Told of each request before it is sent, with its number from 0; may delay it, and may send it itself. */
export type OnRequest = (
  commands: readonly Command[],
  index: number,
  carryOut: () => Promise<readonly Reply[]>,
) => Promise<readonly Reply[]>

/** A run that something happened to. */
export interface Troubled extends SweepRun {
  /** The command of each request, in order. */
  readonly requests: readonly string[]
  /** Those of them that got no answer. */
  readonly unanswered: readonly string[]
}

/** Runs the order pruner over a connection that a test may interfere with. */
export async function sweepThrough(
  connection: Connection,
  request: Partial<SweepRequest> = {},
  onRequest: OnRequest = (_, __, carryOut) => carryOut(),
): Promise<Troubled> {
  const requests: string[] = []
  const unanswered: string[] = []
  const log = createLog({ level: 'silent', destination: new PassThrough() })
  const app = await createApp(readConfig({}), log, {
    clock,
    connection: {
      ...connection,
      send: async (commands) => {
        const name = commands[0]?.[0] ?? ''
        const index = requests.push(name) - 1
        try {
          return await onRequest(commands, index, () => connection.send(commands))
        } catch (error) {
          unanswered.push(name)
          throw error
        }
      },
    },
  })
  const startedAtMs = performance.now()
  const run = await app.sweeps.orders({ trigger: 'cli', dryRun: false, ...request })
  expect(performance.now() - startedAtMs).toBeLessThan(MOST_MS)
  return { ...run, requests, unanswered }
}

/** A Redis with some thousand orders, and what must hold about it after any run. */
export interface Stage {
  /** Puts all orders back and forgets lock and history. */
  reset(): Promise<void>
  /** A dry run plans to delete exactly the due orders, and deletes none. */
  expectPlanned(): Promise<void>
  /** An undisturbed run. */
  rehearse(): Promise<Troubled>
  /** Nothing but due orders has gone; the lock is free or runs out by itself. Resolves with the number of deleted ones. */
  expectOnlyDueGone(): Promise<number>
  /** A further run deletes exactly what is left of the due ones, and leaves all else as it was. */
  expectRestGoes(): Promise<void>
  close(): void
}

export async function openStage(url: string, connection: Connection): Promise<Stage> {
  let direct = await openResp(url)
  const ask = async (...command: readonly (string | number)[]) => {
    if (!direct.isOpen) direct = await openResp(url)
    const [reply = null] = await direct.call([command])
    return textReply(reply)
  }
  const keys = async () => new Set((await ask('KEYS', '*')) as string[])
  return {
    reset: async () => {
      await ask('FLUSHALL')
      await ask('MSET', ...ORDERS.flatMap(({ key, value }) => [key, value]))
      for (const key of LISTS) await ask('RPUSH', key, 'x')
    },
    expectPlanned: async () => {
      const plan = await sweepThrough(connection, { dryRun: true })
      expect(plan.report).toMatchObject({ outcome: 'planned', due: DUE.size, deleted: 0 })
      expect(countGone(await keys())).toBe(0)
    },
    rehearse: () => sweepThrough(connection),
    expectOnlyDueGone: async () => {
      const left = await keys()
      const gone = countGone(left)
      if (left.has(lockKey('orders'))) {
        const ttlMs = Number(await ask('PTTL', lockKey('orders')))
        expect(ttlMs).toBeGreaterThan(0)
        expect(ttlMs).toBeLessThanOrEqual(120_000)
      }
      return gone
    },
    expectRestGoes: async () => {
      await ask('DEL', lockKey('orders'))
      const before = countGone(await keys())

      const { report } = await sweepThrough(connection)

      expect(report).toMatchObject({ outcome: 'done', deleted: DUE.size - before, unreadable: { count: 7 } })
      expect(countGone(await keys())).toBe(DUE.size)
      const kept = ORDERS.filter(({ isDue }) => !isDue)
      expect(await ask('MGET', ...kept.map(({ key }) => key))).toEqual(kept.map(({ value }) => value))
    },
    close: () => direct.close(),
  }
}

const OWN = new Set([lockKey('orders'), sweepsKey('orders')])
const ALL = new Set([...ORDERS.map(({ key }) => key), ...LISTS])

/** How many orders have gone; fails when anything else has, or has come. */
function countGone(left: ReadonlySet<string>): number {
  const gone = ORDERS.map(({ key }) => key).filter((key) => !left.has(key))
  expect(gone.filter((key) => !DUE.has(key))).toEqual([])
  const strangers = [...left].filter((key) => !ALL.has(key) && !OWN.has(key))
  expect(strangers).toEqual([])
  expect(LISTS.every((key) => left.has(key))).toBe(true)
  return gone.length
}
