import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstInstantOf, localDateBefore } from '../../src/calendar.ts'
import { RedisError } from '../../src/errors.ts'
import { decodeStored } from '../../src/orders/entries.ts'
import { foldOrder, type Order } from '../../src/orders/fold.ts'
import { decodeInstant } from '../../src/orders/instant.ts'
import { readIntake } from '../../src/orders/intake.ts'
import { createOrderId, orderIdOf, timeOfId } from '../../src/orders/order.ts'
import { isOpen } from '../../src/orders/status.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import type { Transport } from '../../src/redis/transport.ts'
import { createNewOrders } from '../../src/sandbox/new-order.ts'
import { cast, groupsOf, lena, personViews } from '../../src/sandbox/people.ts'
import { seedStory, tellStory } from '../../src/sandbox/story.ts'
import type { StoryTime } from '../../src/sandbox/story-days.ts'
import { cardOf } from '../../src/telegram/card.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { fakeClock, instant } from '../support/clock.ts'
import { allKeys, createSweepRig } from '../support/sweep-rig.ts'

const berlin = 'Europe/Berlin'
const at = (iso: string, zone = berlin): StoryTime => ({ nowMs: instant(iso), zone })

/** A store with the story in it, and the real pruner at the same time. */
async function seeded({ nowMs, zone }: StoryTime) {
  const connection = createMemoryConnection({ clock: () => nowMs })
  const result = await seedStory(connection.send, { nowMs, zone })
  const rig = createSweepRig({ now: new Date(nowMs).toISOString(), zone, send: connection.send })
  const prune = async (days: number, dryRun = false) => (await rig.prune({ days, dryRun })).report
  return { ...rig, result, send: connection.send, prune }
}

const foldedLines = (lines: ReturnType<typeof tellStory>): readonly Order[] =>
  lines.map(({ key, value }) => {
    const stored = decodeStored(value)
    if (stored.kind !== 'order') throw new Error(`${key} is no order.`)
    return foldOrder(orderIdOf(key), stored)
  })

const folded = (time: StoryTime) => foldedLines(tellStory(time))

const entryCount = (value: string) => value.split('\u001e').length - 1

const statuses = new Set<string | null>(['new', 'confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled'])

/** The rules that an order of the story breaks. */
function faultsOf(order: Order, value: string, { nowMs, zone }: StoryTime): readonly string[] {
  const { source, orderTimeMs } = readIntake(order.facts, { nowMs, zone, cutoffMs: 0 })
  const moves = order.history.map((item) => decodeInstant(item.at, zone) ?? NaN)
  const times = [source.createdAtMs, ...moves, nowMs]
  const { text } = cardOf(order, { zone, nowMs, undoMs: 600_000, nameOf: String })
  const rules = {
    'has the id of its intake': order.id === createOrderId(source, orderTimeMs),
    'was received as new': order.facts['status'] === 'new',
    'has a status of the table': statuses.has(order.status),
    'has only entries that are read': order.history.length === entryCount(value),
    'has no void entry': order.history.every(({ applied }) => applied),
    'has times in order, none of them to come': times.every((ms, index) => ms >= (times[index - 1] ?? 0)),
    'is told by a card': text.split('\n').length > 4,
  }
  return Object.entries(rules).flatMap(([rule, isKept]) => (isKept ? [] : [`${order.id}: ${rule}`]))
}

/** Every rule that a story breaks. */
function faultsOfStory(time: StoryTime): readonly string[] {
  const lines = tellStory(time)
  const orders = foldedLines(lines)
  const [keys, open] = [new Set(lines.map(({ key }) => key)).size, orders.filter(({ status }) => isOpen(status)).length]
  return [
    ...orders.flatMap((order, index) => faultsOf(order, lines[index]?.value ?? '', time)),
    ...(keys === 225 ? [] : [`${keys} keys`]),
    ...(open === 7 ? [] : [`${open} open orders`]),
  ]
}

/** What cleanups of 2, 1 and 0 days would find, and then what they do one after the other. */
async function cleanupsOf(time: StoryTime) {
  const { prune, send } = await seeded(time)
  const found = [await prune(2, true), await prune(1, true), await prune(0, true)]
  const first = await prune(2)
  const [stored] = await send([['DBSIZE']])
  const next = await prune(0, true)
  const done = [first, await prune(1), await prune(0)]
  const unfinished = [...found, ...done].filter(({ outcome }) => outcome !== 'planned' && outcome !== 'done')
  return {
    found: found.map(numbersOf),
    next: numbersOf(next),
    done: done.map(numbersOf),
    stored,
    isCheap: first.billedCommands <= 8,
    unfinished: unfinished.length,
  }
}

const numbersOf = ({ due, deleted, kept, keptOpen, unreadable }: SweepReport) =>
  `${due} due, ${deleted} deleted, ${kept} kept, ${keptOpen + unreadable.count} others`

/** What is promised of them at any time. */
const promised = {
  found: [
    '143 due, 0 deleted, 82 kept, 0 others',
    '174 due, 0 deleted, 51 kept, 0 others',
    '204 due, 0 deleted, 21 kept, 0 others',
  ],
  next: '61 due, 0 deleted, 21 kept, 0 others',
  done: [
    '143 due, 143 deleted, 82 kept, 0 others',
    '31 due, 31 deleted, 51 kept, 0 others',
    '30 due, 30 deleted, 21 kept, 0 others',
  ],
  // The orders that are left, and the sweeps' history.
  stored: 82 + 1,
  isCheap: true,
  unfinished: 0,
}

describe('the story', () => {
  it.each([
    ['an evening', '2025-12-08T19:30:00+01:00', berlin],
    ['the first instant of a day', '2025-12-08T00:00:00+01:00', berlin],
    ['half a minute after midnight', '2025-12-08T00:00:30+01:00', berlin],
    ['early in the morning', '2025-12-08T03:10:00+01:00', berlin],
    ['shortly after the kitchens open', '2025-12-08T11:05:00+01:00', berlin],
    ['when they have been open for two hours', '2025-12-08T13:00:00+01:00', berlin],
    ['the last minute of a day', '2025-12-08T23:59:59.999+01:00', berlin],
    ['a day of 23 hours', '2026-03-29T00:00:30+01:00', berlin],
    ['the day after it', '2026-03-30T00:01:00+02:00', berlin],
    ['a day of 25 hours, in the hour that comes twice', '2025-10-26T02:30:00+01:00', berlin],
    ['a day of 25 hours', '2025-10-26T23:59:00+01:00', berlin],
    ['two days after a day of 25 hours', '2025-10-28T00:00:30+01:00', berlin],
    ['a day that begins at one', '2025-09-07T01:00:30-03:00', 'America/Santiago'],
    ['two days after a day that begins at one', '2025-09-09T00:00:30-03:00', 'America/Santiago'],
    ['a day whose last hour comes twice', '2025-04-05T23:59:30-04:00', 'America/Santiago'],
    ['the day after it', '2025-04-06T00:00:30-04:00', 'America/Santiago'],
    ['a day whose midnight is skipped', '2025-03-30T01:00:00+03:00', 'Asia/Beirut'],
    ['a day whose midnight comes twice', '2025-10-26T00:00:10+02:00', 'Asia/Beirut'],
    ['half hours beside everybody else', '2025-12-08T00:00:30+05:30', 'Asia/Kolkata'],
    ['the day the clocks go back', '2025-11-02T01:30:00-05:00', 'America/New_York'],
    ['two days after they went forward', '2025-03-11T00:00:30-04:00', 'America/New_York'],
    ['a leap day', '2028-02-29T12:00:00+01:00', berlin],
    ['New Year', '2026-01-01T00:00:30+01:00', berlin],
  ])('has 143 orders for /cleanup 2: %s', async (_, now, zone) => {
    expect(faultsOfStory(at(now, zone))).toEqual([])
    expect(await cleanupsOf(at(now, zone))).toEqual(promised)
  })

  it.each([
    '2011-12-29T12:00:00-10:00',
    ...['2011-12-31', '2012-01-01', '2012-01-02', '2012-01-03', '2012-01-06'].flatMap((date) => [
      `${date}T00:00:30+14:00`,
      `${date}T20:00:00+14:00`,
    ]),
  ])('has them around the day that Apia skipped: %s', async (now) => {
    const time = at(now, 'Pacific/Apia')
    expect(faultsOfStory(time)).toEqual([])
    const { prune } = await seeded(time)
    expect(await prune(2, true)).toMatchObject({ due: 143, kept: 82 })
    expect(await prune(2)).toMatchObject({ outcome: 'done', deleted: 143, kept: 82, keptOpen: 0 })
  })

  it('has them at any time in any zone', { timeout: 30_000 }, async () => {
    const zones = [berlin, 'America/Santiago', 'Asia/Beirut', 'Asia/Kolkata', 'America/New_York', 'America/Havana']
    const more = ['Pacific/Apia', 'Australia/Lord_Howe', 'Africa/Cairo', 'Pacific/Chatham', 'UTC', 'America/St_Johns']
    const moment = fc.record({
      ms: fc.integer({ min: Date.UTC(2020), max: Date.UTC(2035) }),
      zone: fc.constantFrom(...zones, ...more),
      afterMidnight: fc.option(fc.constantFrom(0, 1, 999, 30_000, 59_999, 60_000, 3_600_000), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(moment, async ({ ms, zone, afterMidnight }) => {
        const midnight = firstInstantOf({ ...localDateBefore(ms, 0, zone), hour: 0, minute: 0 }, zone)
        const time = { zone, nowMs: afterMidnight === undefined ? ms : midnight + afterMidnight }
        expect(faultsOfStory(time)).toEqual([])
        expect(await cleanupsOf(time)).toEqual(promised)
      }),
      { numRuns: 30 },
    )
  })

  it('lies on eight days as told, and the pre-order tomorrow at noon', () => {
    const time = at('2025-12-08T00:00:30+01:00')
    const days = new Map<string, number>()
    for (const { id } of folded(time)) {
      const ms = timeOfId(id, time.nowMs) ?? NaN
      const { month, day } = localDateBefore(ms, 0, berlin)
      days.set(`${day}.${month}.`, (days.get(`${day}.${month}.`) ?? 0) + 1)
    }

    expect(Object.fromEntries(days)).toEqual({
      '1.12.': 27,
      '2.12.': 28,
      '3.12.': 29,
      '4.12.': 29,
      '5.12.': 30,
      '6.12.': 31,
      '7.12.': 30,
      '8.12.': 20,
      '9.12.': 1,
    })
  })

  it('has a lively evening, one forgotten order, a wrong tap taken back, a pickup and a few cancelled ones', () => {
    const time = at('2025-12-08T19:30:00+01:00')
    const orders = folded(time)
    const open = orders.filter(({ status }) => isOpen(status))
    const recent = open.filter(({ facts }) => String(facts['created_at']) > '2025-12-08T18:55')

    expect(recent.map(({ status }) => status)).toEqual(['picked-up', 'assigned', 'confirmed', 'new', 'new'])
    expect(open.slice(0, 2).map(({ status, facts }) => [status, facts['wanted_at']])).toEqual([
      ['assigned', undefined],
      ['confirmed', '2025-12-09T12:00:00.000+01:00'],
    ])
    const undos = orders.flatMap(({ history }) => history.filter(({ kind }) => kind === 'undo'))
    expect(undos.length).toBeGreaterThan(0)
    expect(orders.filter(({ facts }) => facts['pickup'] === true).length).toBeGreaterThan(0)
    const cancelled = orders.filter(({ status }) => status === 'cancelled').length
    expect(cancelled).toBeGreaterThan(3)
    expect(cancelled).toBeLessThan(25)
  })

  it('has one name for each order', () => {
    const names = folded(at('2025-12-08T19:30:00+01:00')).map(({ facts }) => facts['name'])

    expect(new Set(names).size).toBe(225)
  })

  it('is the same within a minute, and its earlier days the same the whole day long', () => {
    const [early, late] = ['2025-12-08T00:00:30+01:00', '2025-12-08T23:59:00+01:00'].map((now) => tellStory(at(now)))

    expect(tellStory(at('2025-12-08T23:59:59.999+01:00'))).toEqual(late)
    expect(early?.slice(0, 205)).toEqual(late?.slice(0, 205))
  })
})

describe('seeding', () => {
  it('stores the story without expiry for 225 commands in 3 requests', async () => {
    const time = at('2025-12-08T19:30:00+01:00')
    const connection = createMemoryConnection({ clock: () => time.nowMs })
    const requests: number[] = []
    const send: Transport = (commands) => {
      requests.push(commands.length)
      return connection.send(commands)
    }

    expect(await seedStory(send, time)).toEqual({ seeded: 225, existing: 0 })

    expect(requests).toEqual([204, 1, 20])
    const keys = await allKeys(connection.send)
    expect(keys.toSorted()).toEqual(
      tellStory(time)
        .map(({ key }) => key)
        .toSorted(),
    )
    const ttls = await connection.send(keys.map((key) => ['TTL', key]))
    expect(new Set(ttls)).toEqual(new Set([-1]))
  })

  it('adds nothing a second time on the same day, however late, and brings back what a cleanup took', async () => {
    const { result, send, prune } = await seeded(at('2025-12-08T00:00:30+01:00'))
    const evening = at('2025-12-08T22:15:00+01:00')

    expect(result).toEqual({ seeded: 225, existing: 0 })
    expect(await seedStory(send, evening)).toEqual({ seeded: 0, existing: 225 })
    await prune(2)
    expect(await seedStory(send, evening)).toEqual({ seeded: 143, existing: 82 })
  })

  it('leaves an order as it is now', async () => {
    const time = at('2025-12-08T19:30:00+01:00')
    const { send } = await seeded(time)
    const key = tellStory(time)[224]?.key ?? ''
    await send([['APPEND', key, '\u001e{}\n']])
    const before = await send([['GET', key]])

    await seedStory(send, time)

    expect(await send([['GET', key]])).toEqual(before)
  })

  it('fails as Redis does', async () => {
    const full = new RedisError('REDIS_FULL', 'No room.')
    const refusing: Transport = async (commands) => commands.map((_, index) => (index === 7 ? full : 'OK'))
    const none = new RedisError('REDIS_UNREACHABLE', 'No answer.')
    const unreachable: Transport = () => Promise.reject(none)

    await expect(seedStory(refusing, at('2025-12-08T19:30:00+01:00'))).rejects.toBe(full)
    await expect(seedStory(unreachable, at('2025-12-08T19:30:00+01:00'))).rejects.toBe(none)
  })
})

describe('new orders', () => {
  it('are taken in at any time, each another one', () => {
    const nowMs = instant('2025-12-08T00:00:00+01:00')
    const shop = createNewOrders({ clock: () => nowMs, zone: berlin, run: 'a' })
    const orders = Array.from({ length: 50 }, () => shop.next())
    const read = orders.map((order) => readIntake(order, { nowMs, zone: berlin, cutoffMs: nowMs }))

    expect(new Set(read.map(({ source, orderTimeMs }) => createOrderId(source, orderTimeMs))).size).toBe(50)
    expect(read.every(({ source }) => source.createdAtMs === nowMs)).toBe(true)
    expect(new Set(orders.map(({ items }) => JSON.stringify(items))).size).toBeGreaterThan(20)
    expect(orders.filter(({ pickup }) => pickup === true)).toHaveLength(10)
  })

  it('are the same after each start, but for the run that they name', () => {
    const clock = fakeClock('2025-12-08T19:30:00+01:00')
    const [one, other] = ['a', 'b'].map((run) => createNewOrders({ clock, zone: berlin, run }).next())

    expect({ ...one, source_id: '' }).toEqual({ ...other, source_id: '' })
    expect([one?.source_id, other?.source_id]).toEqual(['a-1', 'b-1'])
  })
})

describe('the cast', () => {
  it('is five people, of whom only Lena never pressed Start', () => {
    expect(personViews.map(({ name, role }) => `${name}: ${role}`)).toEqual([
      'Asha: admin',
      'Ravi: courier',
      'Lena: courier',
      'Kofi: vendor',
      'Sam: stranger',
    ])
    expect(cast.filter(({ hasStarted }) => hasStarted === false)).toEqual([lena])
  })

  it('has groups whose ids are of one run only', () => {
    const seeds = [0, 1, 2, 1_765_000_000_000, 1_765_000_000_001]
    const ids = seeds.map(groupsOf).flatMap(({ dispatch, vendor }) => [dispatch.id, vendor.id])

    expect(new Set(ids).size).toBe(10)
    expect(ids.every((id) => id < 0 && id > -1_000_000_000_000)).toBe(true)
  })
})
