import { eachMinute, type Clock } from '../../src/clock.ts'
import { isRedisError } from '../../src/errors.ts'
import { budgetMonthAt, daysBetween, localDay } from '../../src/redis/budget/month.ts'
import type { Usage } from '../../src/redis/budget/usage.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { evalCommand, releaseLock } from '../../src/redis/scripts.ts'
import type { Command, Transport } from '../../src/redis/transport.ts'
import { fakeClock, instant } from './clock.ts'
import { failure } from './transport.ts'

/** Keeps what one boot spends: Orderly's own way, or one to compare it with. */
export type Keep = (send: Transport, options: { readonly clock: Clock; readonly bootId: string }) => Kept
export type Kept = Pick<Usage, 'charge' | 'load' | 'write'>

export interface MonthsOptions {
  /** One for each instance. */
  readonly connections: readonly Transport[]
  readonly keep: Keep
  /** Billed commands that the server has carried out so far. */
  readonly counted: () => Promise<number>
  /** An instant before the end. @default the end */
  readonly until?: string
}

export interface Months {
  /** Billed commands that the server carried out, by month. */
  readonly served: Counter
  /** What must be stored more or less than that: what never arrived, less what boots took with them when they ended. */
  readonly explained: Counter
  /** The most that keeping usage cost an instance on one day. */
  readonly mostUsageADay: number
}

/** Counts by month, `yyyy-mm`. */
export type Counter = ReturnType<typeof createCounter>

export const RULE = { resetDay: 1, zone: 'Europe/Berlin' }
export const MONTHS = ['2026-02', '2026-03', '2026-04']

/** All of March, which has a day of 23 hours, with a day of the months beside it. */
const [FROM, TO] = ['2026-02-28T00:00:00+01:00', '2026-04-02T00:00:00+02:00']
const STEP_MS = 15 * 60_000
const RESTARTS = 20

/**
 * Lets instances work in steps of a quarter of an hour. Each starts again 20 times, half of them without a last write; of
 * the requests that write usage 4 of 100 never arrive, and the answers of 6 more are lost.
 */
export async function simulateMonths({ connections, keep, counted, until = TO }: MonthsOptions): Promise<Months> {
  const clock = fakeClock(FROM)
  const [served, explained] = [createCounter(), createCounter()]
  const instances = connections.map((send, at) => createInstance({ name: `${at}`, clock, send, keep, explained }))
  const restarts = instances.map(({ roll }) => restartsOf(roll))
  let month = budgetMonthAt(clock(), RULE)
  let before = await counted()
  const close = async () => {
    const now = await counted()
    served.add(month.name, now - before)
    before = now
  }

  for (let step = 0; clock() < instant(until); step++) {
    if (clock() >= month.endMs) {
      await close()
      month = budgetMonthAt(clock(), RULE)
    }
    for (const [at, instance] of instances.entries()) {
      await instance.step(restarts[at]?.has(step) === true)
    }
    clock.advance(STEP_MS)
  }
  clock.advance(-1)
  for (const instance of instances) await instance.stop()
  await close()
  return { served, explained, mostUsageADay: Math.max(...instances.map(({ mostUsageADay }) => mostUsageADay())) }
}

function createCounter() {
  const counts: Record<string, number> = {}
  return {
    add: (name: string, count: number) => {
      counts[name] = (counts[name] ?? 0) + count
    },
    of: (name: string) => counts[name] ?? 0,
    most: () => Math.max(...Object.values(counts)),
  }
}

interface InstanceOptions {
  readonly name: string
  readonly clock: Clock
  readonly send: Transport
  readonly keep: Keep
  readonly explained: Counter
}

/** One instance: boot after boot over one connection. */
function createInstance({ name, clock, send, keep, explained }: InstanceOptions) {
  const roll = dice(name.charCodeAt(0))
  const today = eachMinute(clock, (nowMs) => ({
    month: budgetMonthAt(nowMs, RULE).name,
    date: localDay(nowMs, RULE.zone),
  }))
  const usageByDay = createCounter()
  /** Charged since the last write that arrived. */
  let unwritten = createCounter()
  let boots = 0

  const rough: Transport = async (commands) => {
    const writes = commands.filter(isUsageWrite).map(([, key]) => String(key).slice(-7))
    const chance = writes.length > 0 ? roll(100) : 100
    if (chance < 4) {
      explained.add(today().month, commands.length)
      throw failure('REDIS_UNREACHABLE')
    }
    for (const month of writes) unwritten.add(month, -unwritten.of(month))
    const replies = await send(commands)
    if (chance < 10) throw failure('REDIS_UNREACHABLE')
    return replies
  }
  const start = () => {
    const meter = createMeter(rough, {
      onBilled: (purpose, command) => {
        kept.charge(purpose, command)
        unwritten.add(today().month, 1)
        if (purpose === 'usage') usageByDay.add(today().date, 1)
      },
    })
    const kept = keep(meter.open('usage').send, { clock, bootId: `${name}-${(boots += 1)}` })
    return { kept, spend: meter.open('orders').send }
  }
  let boot = start()

  const stop = async (isClean = true) => {
    if (isClean) await boot.kept.write({ isFinal: true }).catch(unlessUnreachable)
    MONTHS.forEach((month) => explained.add(month, -unwritten.of(month)))
    unwritten = createCounter()
  }
  const restart = async () => {
    await stop(roll(2) === 0)
    boot = start()
    await boot.kept.load()
  }
  return {
    roll,
    stop,
    step: async (isRestart: boolean) => {
      await boot.spend(workOf(roll))
      await (isRestart ? restart() : boot.kept.write().catch(unlessUnreachable))
    },
    mostUsageADay: usageByDay.most,
  }
}

const isUsageWrite = ([name, key, field]: Command) =>
  String(key).startsWith('orderly:usage:') && (name === 'HINCRBY' || String(field).startsWith('boot:'))

const unlessUnreachable = (error: unknown) => {
  if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
}

/** What an instance sends in a quarter of an hour. */
function workOf(roll: (below: number) => number): readonly Command[] {
  const key = `order:${roll(50)}`
  const held = roll(2) === 0 ? 'mine' : 'theirs'
  const choices: readonly (readonly Command[])[] = [
    [['GET', key]],
    [['SET', key, 'x'], ['GET', key], ['PING']],
    [
      ['MGET', key, 'order:1', 'order:2'],
      ['SCAN', '0', 'COUNT', 100],
    ],
    [['SET', 'lock', 'mine', 'NX', 'EX', 60], evalCommand(releaseLock, 'lock', held)],
    Array.from({ length: 10 }, () => ['APPEND', key, 'y'] as const),
  ]
  return choices[roll(choices.length)] ?? []
}

/** The steps in which an instance starts again, on a day each; not on the first, on which a month's end is to be written. */
function restartsOf(roll: (below: number) => number): ReadonlySet<number> {
  const days = daysBetween('2026-03-02', '2026-03-31').map((date) => ({ date, order: roll(1_000_000) }))
  const chosen = days.toSorted((a, b) => a.order - b.order).slice(0, RESTARTS)
  return new Set(chosen.map(({ date }) => stepAt(`${date}T04:00:00+02:00`) + roll(70)))
}

const stepAt = (iso: string) => Math.floor((instant(iso) - instant(FROM)) / STEP_MS)

/** Whole numbers from 0 to below `below`, the same in every run (mulberry32). */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
