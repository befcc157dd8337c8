import { describe, expect, it } from 'vitest'
import { decodeBoot } from '../../../src/redis/budget/boot-field.ts'
import { billedOf, type Counts } from '../../../src/redis/budget/counts.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import type { Command } from '../../../src/redis/transport.ts'
import { fakeClock, instant } from '../../support/clock.ts'
import { lost, lostReply, spoil } from '../../support/transport.ts'
import { type Boot, bootOn } from '../../support/usage-rig.ts'

const [NOVEMBER, DECEMBER] = ['orderly:usage:2025-11', 'orderly:usage:2025-12']
const EXPIRY_SECONDS = 400 * 86_400
const PAUSE_MS = 15 * 60_000

function createRig(iso: string, resetDay = 1) {
  const clock = fakeClock(iso)
  const { send } = createMemoryConnection({ clock })
  const ask = async (...command: Command) => (await send([command]))[0]
  return {
    clock,
    ask,
    boot: (bootId: string) => bootOn(send, { clock, bootId, resetDay }),
    /** The total of what a boot has stored in a month. */
    storedBy: async (bootId: string, key: string) =>
      total(decodeBoot(String(await ask('HGET', key, `boot:${bootId}`)))?.days),
    priorIn: (key: string) => ask('HGET', key, 'prior'),
    writeLater: async ({ usage }: Boot) => {
      clock.advance(PAUSE_MS)
      await usage.write()
    },
  }
}

const total = (days: Counts = {}) => Object.values(days).reduce((sum, day) => sum + billedOf(day), 0)

const spend = ({ spend: send }: Boot, count: number) => send(Array.from({ length: count }, () => ['GET', 'x']))

/** A boot that has stored 10 commands on 30 November and holds 5 more, shortly before midnight. */
async function beforeMidnight() {
  const rig = createRig('2025-11-30T23:30:00+01:00')
  const a = rig.boot('a')
  await a.usage.load()
  await spend(a, 10)
  await rig.writeLater(a)
  await spend(a, 5)
  return { ...rig, a, inNovember: a.meter.cost().billed }
}

describe('the end of a month', () => {
  it('is written to the old month, and what that costs to the new one', async () => {
    const { a, clock, inNovember, storedBy, writeLater } = await beforeMidnight()
    clock.moveTo('2025-12-01T00:10:00+01:00')
    await spend(a, 3)

    await a.usage.write()
    await writeLater(a)

    expect(await storedBy('a', NOVEMBER)).toBe(inNovember)
    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember)
    expect(total(a.usage.known().days)).toBe(a.meter.cost().billed - inNovember)
    expect(a.usage.known()).toMatchObject({
      month: { name: '2025-12' },
      countedFromMs: instant('2025-12-01T00:00:00+01:00'),
    })
  })

  it('takes the turn of one write, and with the next come two looks and an expiry', async () => {
    const { a, clock, writeLater } = await beforeMidnight()
    clock.moveTo('2025-12-01T00:10:00+01:00')
    await spend(a, 3)
    a.wire.forget()

    await a.usage.write()
    await writeLater(a)

    expect(a.wire.sent().map(([name, key]) => `${name} ${key}`)).toEqual([
      `HSET ${NOVEMBER}`,
      `HGETALL ${DECEMBER}`,
      `HGETALL ${NOVEMBER}`,
      `HSET ${DECEMBER}`,
      `EXPIRE ${DECEMBER}`,
    ])
  })

  it('lets both hashes expire, also where nothing of the old month was written before', async () => {
    const { ask, boot, clock, writeLater } = createRig('2025-11-30T23:59:00+01:00')
    const a = boot('a')
    await spend(a, 1)
    clock.moveTo('2025-12-01T00:20:00+01:00')
    await spend(a, 1)

    await a.usage.write()
    await writeLater(a)

    expect(await ask('TTL', NOVEMBER)).toBe(EXPIRY_SECONDS - PAUSE_MS / 1_000)
    expect(await ask('TTL', DECEMBER)).toBe(EXPIRY_SECONDS)
  })

  it.each([
    ['never arrives', lost],
    ['is answered by nobody', lostReply],
  ])('loses nothing when its write %s', async (_, fault) => {
    const { a, clock, inNovember, storedBy, writeLater } = await beforeMidnight()
    clock.moveTo('2025-12-01T00:10:00+01:00')
    await spend(a, 3)
    a.wire.onRequest = spoil('HSET', fault)
    await expect(a.usage.write()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })

    await writeLater(a)
    await writeLater(a)

    expect(await storedBy('a', NOVEMBER)).toBe(inNovember)
    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember)
  })

  it('loses nothing when it comes while the last write is under way', async () => {
    const { a, clock, inNovember, storedBy, writeLater } = await beforeMidnight()
    clock.moveTo('2025-11-30T23:59:59+01:00')
    a.wire.onRequest = spoil('HSET', async (_, carryOut) => {
      await Promise.resolve()
      clock.moveTo('2025-12-01T00:00:01+01:00')
      await spend(a, 3)
      return carryOut()
    })
    await a.usage.write({ isFinal: true })
    await writeLater(a)
    await writeLater(a)

    expect(await storedBy('a', NOVEMBER)).toBe(inNovember + 1)
    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember - 1)
  })

  it('is written at stop, too', async () => {
    const { a, clock, inNovember, storedBy } = await beforeMidnight()
    clock.moveTo('2025-12-01T00:00:01+01:00')
    await spend(a, 3)

    await a.usage.write({ isFinal: true })

    expect(await storedBy('a', NOVEMBER)).toBe(inNovember)
    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember)
  })

  it('does not come again when the clock goes back over it', async () => {
    const { a, clock, inNovember, storedBy } = await beforeMidnight()
    clock.moveTo('2025-12-01T00:10:00+01:00')
    await spend(a, 3)
    await a.usage.write()
    clock.moveTo('2025-11-30T23:58:00+01:00')
    await spend(a, 4)
    await a.usage.write({ isFinal: true })

    expect(await storedBy('a', NOVEMBER)).toBe(inNovember)
    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember)
    expect(Object.keys(a.usage.known().days)).toEqual(['2025-12-01'])
  })

  it('that a clock made up is left again, with nothing lost of the real one', async () => {
    const { a, clock, inNovember, storedBy, writeLater } = await beforeMidnight()
    clock.moveTo('2026-02-20T12:00:00+01:00')
    await spend(a, 3)
    await a.usage.write({ isFinal: true })
    const untilThen = a.meter.cost().billed
    clock.moveTo('2025-11-30T20:00:00+01:00')
    await spend(a, 4)

    expect(a.usage.known().month.name).toBe('2025-11')
    await writeLater(a)
    await a.usage.write({ isFinal: true })

    expect(await storedBy('a', 'orderly:usage:2026-02')).toBe(untilThen - inNovember)
    expect(await storedBy('a', NOVEMBER)).toBe(inNovember + a.meter.cost().billed - untilThen)
  })

  it('whose key holds something else does not keep the new month from being written', async () => {
    const { a, ask, clock, inNovember, storedBy, writeLater } = await beforeMidnight()
    await ask('SET', NOVEMBER, 'mine')
    clock.moveTo('2025-12-01T00:10:00+01:00')
    await spend(a, 3)

    await a.usage.write()
    await writeLater(a)

    expect(await storedBy('a', DECEMBER)).toBe(a.meter.cost().billed - inNovember)
    expect(a.usage.known().prior).toEqual([])
  })

  it('comes on the day of the reset, at local midnight', async () => {
    const { boot, clock } = createRig('2026-03-28T23:59:59+01:00', 28)
    const a = boot('a')
    await spend(a, 2)
    expect(a.usage.known().month.name).toBe('2026-03')
    clock.moveTo('2026-04-27T23:59:59+02:00')
    expect(a.usage.known()).toMatchObject({ month: { name: '2026-03' } })
    clock.moveTo('2026-04-28T00:00:00+02:00')

    expect(a.usage.known()).toMatchObject({ month: { name: '2026-04' }, days: {} })
  })
})

/** Two boots that spend 10 and 20 commands on each of the last three days of November, beside what usage costs. */
async function lastDays() {
  const rig = createRig('2025-11-27T12:00:00+01:00')
  const [a, b] = [rig.boot('a'), rig.boot('b')]
  const spent: number[] = []
  for (const day of [28, 29, 30]) {
    const before = a.meter.cost().billed + b.meter.cost().billed
    rig.clock.moveTo(`2025-11-${day}T12:00:00+01:00`)
    await spend(a, 10)
    await spend(b, 20)
    await a.usage.write()
    await b.usage.write()
    spent.push(a.meter.cost().billed + b.meter.cost().billed - before)
  }
  return { ...rig, a, b, spent }
}

describe('what the days before a month cost', () => {
  it('is known of all instances after the first write, and put into the new month', async () => {
    const { a, b, clock, spent, priorIn, writeLater } = await lastDays()
    clock.moveTo('2025-12-01T00:20:00+01:00')
    await spend(a, 1)
    await writeLater(a)
    await b.usage.write()
    await b.usage.load()

    expect(a.usage.known().prior).toEqual(spent)
    expect(b.usage.known().prior).toEqual(spent)
    expect(JSON.parse(String(await priorIn(DECEMBER)))).toEqual(spent)
  })

  it('is put, too, where somebody looked before the first write', async () => {
    const { a, clock, spent, priorIn, writeLater } = await lastDays()
    clock.moveTo('2025-12-01T00:20:00+01:00')
    await a.usage.reload()
    await spend(a, 1)
    await writeLater(a)

    expect(JSON.parse(String(await priorIn(DECEMBER)))).toEqual(spent)
  })

  it('is known before that write as far as it is in memory', async () => {
    const { a, clock } = await lastDays()
    await a.usage.reload()
    const { days } = a.usage.known()
    clock.moveTo('2025-12-01T00:00:00+01:00')

    expect(a.usage.known().prior).toEqual([28, 29, 30].map((day) => billedOf(days[`2025-11-${day}`] ?? never())))
  })

  it('is read by a boot in the first 14 days, put by its first write, and then read no more', async () => {
    const { boot, clock, spent, writeLater } = await lastDays()
    clock.moveTo('2025-12-14T12:00:00+01:00')
    const c = boot('c')
    await c.usage.load()
    expect([c.usage.known().prior, c.usageCost()]).toEqual([spent, 2])
    await spend(c, 1)
    await writeLater(c)
    expect(c.usageCost()).toBe(2 + 2)

    const d = boot('d')
    await d.usage.load()

    expect([d.usage.known().prior, d.usageCost()]).toEqual([spent, 1])
  })

  it('is not looked for later, and then nothing is put', async () => {
    const { boot, clock, priorIn, writeLater } = await lastDays()
    clock.moveTo('2025-12-15T12:00:00+01:00')
    const c = boot('c')
    await c.usage.load()
    await spend(c, 1)
    await writeLater(c)

    expect([c.usage.known().prior, c.usageCost(), await priorIn(DECEMBER)]).toEqual([[], 1 + 2, null])
  })

  it('is empty where nobody counted, which is looked for once', async () => {
    const { boot, priorIn, writeLater } = createRig('2025-12-03T12:00:00+01:00')
    const a = boot('a')
    await a.usage.load()
    await spend(a, 1)
    await writeLater(a)
    const b = boot('b')
    await b.usage.load()

    expect([await priorIn(DECEMBER), b.usage.known().prior, b.usageCost()]).toEqual(['[]', [], 1])
  })

  it('is at most 14 days, and nothing for a quiet one', async () => {
    const { boot, clock } = createRig('2025-11-01T00:00:00+01:00')
    const a = boot('a')
    for (const day of ['16', '17', '20', '30']) {
      clock.moveTo(`2025-11-${day}T12:00:00+01:00`)
      await spend(a, Number(day))
    }
    clock.moveTo('2025-12-01T00:00:00+01:00')

    expect(a.usage.known().prior).toEqual([17, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30])
  })

  it('is unknown after a month in which the process stood still', async () => {
    const { a, clock } = await lastDays()
    clock.moveTo('2026-01-20T12:00:00+01:00')

    expect(a.usage.known()).toMatchObject({ month: { name: '2026-01' }, prior: [] })
  })

  it('that somebody made unreadable is made anew', async () => {
    const { ask, boot, clock, spent, priorIn, writeLater } = await lastDays()
    clock.moveTo('2025-12-02T12:00:00+01:00')
    await ask('HSET', DECEMBER, 'prior', 'lots')
    const c = boot('c')
    await c.usage.load()
    await spend(c, 1)
    await writeLater(c)

    expect(JSON.parse(String(await priorIn(DECEMBER)))).toEqual(spent)
  })
})

function never(): never {
  throw new Error('A day is missing.')
}
