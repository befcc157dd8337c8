import * as fc from 'fast-check'
import { ulid } from 'ulid'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import type { Transport } from '../../src/redis/transport.ts'
import { cadenceTimetable, type Cadence } from '../../src/schedule/cadence.ts'
import { calendarCutoffs } from '../../src/sweeps/retention.ts'
import { fakeClock, instant } from '../support/clock.ts'
import { createInstance, type Instance } from '../support/schedule-instance.ts'
import { allKeys } from '../support/sweep-rig.ts'
import { failure } from '../support/transport.ts'

// What a lost answer makes `withRepeats` wait takes no time here: the clock is the simulation's.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }))

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const DAYS = 400

/** A service that nobody asks for this long is put to sleep by its host. */
const IDLE_MS = 15 * MINUTE_MS

/** The record that a slot is done, as it arrived in Redis. */
interface Mark {
  readonly slot: string
  readonly atMs: number
  /** Who made it: an instance may repeat its own when the answer was lost. */
  readonly boot: number
}

/** The life of a service on a host that puts it to sleep, by chance from a seed. */
async function live({ zone, at, seed, start }: { zone: string; at: string; seed: number; start: string }) {
  const chance = randomFrom(seed)
  const clock = fakeClock(start)
  const redis = createMemoryConnection({ clock })
  const cadence: Cadence = { everyDays: 3, at, anchor: start.slice(0, 10), zone }
  const world = { isOut: false }
  const marks: Mark[] = []
  /** The slots' times that reports name as done. */
  const reportedMs: number[] = []
  const problems: string[] = []
  /** When somebody was awake with Redis in reach, at a time when a check was made. */
  const checkedMs: number[] = []
  let instances: Instance[] = []
  const counts = { boots: 0, kills: 0, deploys: 0, outages: 0, failed: 0, skipped: 0 }

  /** Redis as an instance sees it: away for some time, or losing an answer now and then. */
  const sendOf =
    (boot: number): Transport =>
    async (commands) => {
      if (world.isOut) throw failure('REDIS_UNREACHABLE')
      const replies = await redis.send(commands)
      for (const [name, key, slot, ...rest] of commands) {
        const isMark = name === 'SET' && key === 'orderly:schedule:orders' && rest.length === 0
        if (isMark) marks.push({ slot: String(slot), atMs: clock(), boot })
      }
      if (chance() < 0.01) throw failure('REDIS_UNREACHABLE')
      return replies
    }

  const boot = async () => {
    counts.boots += 1
    const instance = await createInstance({
      clock,
      connection: { ...redis, send: sendOf(counts.boots) },
      env: { TIME_ZONE: zone, SWEEP_AT: at, SWEEP_ANCHOR: cadence.anchor },
      onRun: ({ report, code }, { asOfMs = NaN }) => {
        if (report.outcome === 'failed') counts.failed += 1
        if (report.outcome === 'skipped') counts.skipped += 1
        if (report.outcome === 'done') reportedMs.push(asOfMs)
        if (code === 'UNEXPECTED') problems.push(`defect at ${new Date(clock()).toISOString()}`)
      },
    })
    instances.push(instance)
    await instance.start()
  }
  const checkAll = async () => {
    if (!world.isOut && instances.length > 0) checkedMs.push(clock())
    await Promise.all(instances.map(({ check }) => check()))
  }
  const endAll = async () => {
    await Promise.all(instances.map(({ stop }) => stop()))
    instances = []
  }
  /** A crash in the middle of a check: whatever it sends from some request on is lost with it. */
  const kill = async (instance: Instance) => {
    counts.kills += 1
    let left = Math.floor(chance() * 10)
    instance.transport.onRequest = async (_, carryOut) => {
      if (left-- > 0) return await carryOut()
      throw failure('REDIS_UNREACHABLE')
    }
    await instance.check()
    await instance.stop()
    instances = instances.filter((other) => other !== instance)
  }

  const endMs = clock() + DAYS * DAY_MS
  const nextMs = () => cadenceTimetable(cadence).nextSlots(clock(), 1)[0]?.atMs ?? Infinity
  let alarmMs = nextMs()
  let [outUntilMs, deployEndsMs, busyUntilMs] = [-Infinity, Infinity, -Infinity]

  /** What may happen at any time, and happens more often just when a slot is due. */
  const suffer = async () => {
    const isDue = clock() >= alarmMs
    if (isDue) alarmMs = nextMs()
    if (chance() < (isDue ? 0.1 : 0.01)) {
      counts.outages += 1
      outUntilMs = clock() + chance() * chance() * 2 * DAY_MS
    }
    world.isOut = clock() < outUntilMs
    const isDeployed = instances.length === 1 && chance() < (isDue ? 0.2 : 0.02)
    if (isDeployed) {
      counts.deploys += 1
      deployEndsMs = clock() + 90_000
    }
    const [victim] = instances
    const isKilled = victim !== undefined && chance() < (isDue ? 0.3 : 0.02)
    await Promise.all([isKilled && kill(victim), isDeployed && boot(), checkAll()])
  }

  await boot()
  while (clock() < endMs) {
    // Awake and busy: a ping every few minutes. Then hours or days of silence, in which the host sends it to sleep.
    const isBusy = clock() < busyUntilMs
    const silenceMs = chance() < 0.1 ? chance() * 9 * DAY_MS : chance() * 16 * HOUR_MS
    const wakeMs = clock() + Math.round(isBusy ? (9 + 5 * chance()) * MINUTE_MS : silenceMs)
    const asleepMs = clock() + IDLE_MS
    if (!isBusy) busyUntilMs = wakeMs + chance() * 2 * HOUR_MS
    if (instances.length > 0 && alarmMs < Math.min(wakeMs, asleepMs)) {
      clock.advance(alarmMs - clock())
      await suffer()
    }
    if (wakeMs > asleepMs) await endAll()
    clock.advance(Math.max(wakeMs - clock(), 0))
    if (chance() < 0.1) await redis.send([['SET', `order:${ulid(clock(), chance)}`, '{"status":"delivered"}']])
    if (instances.length === 0) await boot()
    if (clock() > deployEndsMs && instances.length > 1) {
      deployEndsMs = Infinity
      await instances.shift()?.stop()
    }
    await suffer()
  }
  // At last everybody is well again, long enough for the longest pause.
  world.isOut = false
  await endAll()
  clock.advance(2 * HOUR_MS)
  for (let tries = 0; tries < 5; tries++) {
    await boot()
    clock.advance(3 * MINUTE_MS)
    await checkAll()
    await endAll()
  }
  const keys = await allKeys(redis.send)
  const recorded = String((await redis.send([['GET', 'orderly:schedule:orders']]))[0])
  return {
    cadence,
    startMs: instant(start),
    endMs: clock(),
    marks,
    reportedMs,
    checkedMs,
    keys,
    recorded,
    problems,
    counts,
  }
}

type Life = Awaited<ReturnType<typeof live>>

/** What breaks the promise of the schedule. */
function brokenPromises(life: Life): string[] {
  const { cadence, endMs, marks, reportedMs, checkedMs, keys, recorded } = life
  const found = [...life.problems]
  const slots = slotsOf(life)
  const isDone = (slot: string) => marks.some((mark) => mark.slot === slot)
  for (const { slot } of marks) if (!slots.some(({ name }) => name === slot)) found.push(`${slot} is no slot`)
  for (const ms of reportedMs) {
    const slot = slots.find(({ atMs }) => atMs === ms)
    if (slot === undefined || !isDone(slot.name)) found.push(`a run as of ${ms} says done, but is not recorded`)
  }
  for (const [at, { atMs, name }] of slots.entries()) {
    const own = marks.filter(({ slot }) => slot === name)
    const nextMs = slots[at + 1]?.atMs ?? Infinity
    if (new Set(own.map(({ boot }) => boot)).size > 1) found.push(`${name} was done by several instances`)
    if (reportedMs.filter((ms) => ms === atMs).length > 1) found.push(`${name} was done more than once`)
    if (own.some((mark) => mark.atMs < atMs)) found.push(`${name} was done before its time`)
    if (own.some((mark) => mark.atMs >= nextMs)) found.push(`${name} was done after the next had come`)
    if (own.length > 0) continue
    if (!slots.slice(at + 1).some((later) => isDone(later.name))) found.push(`${name} was left out`)
    // Only who slept through the whole time until the next slot may leave it to that one.
    const wellMs = checkedMs.filter((ms) => ms >= atMs && ms < nextMs)
    if (wellMs.length > MOST_CHECKS) found.push(`${name} was left out by a service that was awake`)
  }
  const latest = cadenceTimetable(cadence).latestSlot(endMs)
  if (recorded !== latest?.name) found.push(`${recorded} is recorded at the end`)
  const { cutoffMs } = calendarCutoffs({ days: 2, zone: cadence.zone }, latest?.atMs ?? 0)
  const old = keys.filter((key) => key.startsWith('order:') && timeOf(key) < cutoffMs)
  if (old.length > 0) found.push(`${old.length} orders are left from before ${new Date(cutoffMs).toISOString()}`)
  return found
}

/** The slots of a life. The first boot comes before the first of them. */
const slotsOf = ({ cadence, startMs, endMs }: Life) =>
  cadenceTimetable(cadence)
    .nextSlots(startMs, DAYS)
    .filter(({ atMs }) => atMs <= endMs)

/** So many checks in a row may meet a pause after an outage (an hour at most) or the lock of a dead one. */
const MOST_CHECKS = 15

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeOf = (key: string) => Array.from(key.slice(6, 16)).reduce((sum, sign) => sum * 32 + ALPHABET.indexOf(sign), 0)

/** Mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = Math.trunc(state + 0x6d2b79f5)
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('400 days of sleep, restarts, deploys, crashes and outages', () => {
  it.each([
    ['Europe/Berlin', '23:59', '2025-12-08T12:00:00+01:00'],
    ['America/Santiago', '23:59', '2025-06-01T12:00:00-04:00'],
    ['Australia/Lord_Howe', '02:10', '2026-01-01T00:00:00+11:00'],
  ])('in %s, slots at %s: each is done once as of its own time, or covered by a later one', async (zone, at, start) => {
    const total = { done: 0, left: 0, boots: 0, deploys: 0, kills: 0, outages: 0, failed: 0, skipped: 0 }

    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const life = await live({ zone, at, seed, start })

        expect(brokenPromises(life)).toEqual([])

        const done = new Set(life.marks.map(({ slot }) => slot)).size
        const counts = { ...life.counts, done, left: slotsOf(life).length - done }
        for (const [name, count] of Object.entries(counts)) total[name as keyof typeof total] += count
      }),
      { numRuns: 1 },
    )
    console.log(`${zone} ${at}: ${JSON.stringify(total)}`)
    // A world in which nothing happens would prove nothing.
    const { failed, skipped, ...others } = total
    expect(failed + skipped).toBeGreaterThan(0)
    expect(Math.min(...Object.values(others))).toBeGreaterThan(0)
  })
})
