import { describe, expect, it } from 'vitest'
import { decodeBoot } from '../../../src/redis/budget/boot-field.ts'
import { billedOf, type Counts } from '../../../src/redis/budget/counts.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { type FakeClock, fakeClock, instant } from '../../support/clock.ts'
import { failure, lost, lostReply, spoil } from '../../support/transport.ts'
import { bootOn } from '../../support/usage-rig.ts'

const KEY = 'orderly:usage:2025-12'
const MINUTE_MS = 60_000
const PAUSE_MS = 15 * MINUTE_MS

function createRig(iso = '2025-12-08T21:00:00+01:00', resetDay = 1) {
  const clock = fakeClock(iso)
  const { send } = createMemoryConnection({ clock })
  const boot = (bootId: string) => bootOn(send, { clock, bootId, resetDay })
  const ask = async (...command: Command) => (await send([command]))[0]
  return { clock, send, ask, boot, a: boot('a') }
}

const GETS = (count: number): readonly Command[] => Array.from({ length: count }, () => ['GET', 'x'])

const total = (days: Counts) => Object.values(days).reduce((sum, day) => sum + billedOf(day), 0)

/** The counts that a boot has stored. */
const stored = async (send: Transport, id: string, key = KEY) => {
  const [text] = await send([['HGET', key, `boot:${id}`]])
  return typeof text === 'string' ? decodeBoot(text) : undefined
}

/** Writes after the pause, as the caller's timer does. */
const writeLater = async ({ clock, boot }: { clock: FakeClock; boot: ReturnType<typeof bootOn> }) => {
  clock.advance(PAUSE_MS)
  await boot.usage.write()
}

describe('a write', () => {
  it('tells what was spent by day, purpose and command, with what the write itself costs', async () => {
    const { send, clock, a } = createRig('2025-12-08T23:50:00+01:00')
    await a.spend([...GETS(3), ['PING']])
    a.usage.noteOrder()
    a.usage.noteSweepBytes(1_500)

    await writeLater({ clock, boot: a })

    expect(await stored(send, 'a')).toEqual({
      fromMs: instant('2025-12-08T23:50:00+01:00'),
      days: {
        '2025-12-08': { commands: { orders: { GET: 3 } }, orders: 1, sweepBytes: 1_500 },
        '2025-12-09': { commands: { usage: { HGETALL: 2, HSET: 1, EXPIRE: 1 } }, orders: 0, sweepBytes: 0 },
      },
    })
    expect(a.usage.known().days).toEqual((await stored(send, 'a'))?.days)
  })

  it('costs 2 commands at first, then 1', async () => {
    const { clock, a } = createRig()
    await a.usage.load()
    const costs: number[] = []

    for (const _ of [1, 2, 3]) {
      await a.spend(GETS(1))
      const before = a.usageCost()
      await writeLater({ clock, boot: a })
      costs.push(a.usageCost() - before)
    }

    expect(costs).toEqual([2, 1, 1])
  })

  it('lets the hash expire in 400 days', async () => {
    const { ask, clock, a } = createRig()
    await a.spend(GETS(1))

    await writeLater({ clock, boot: a })

    expect(await ask('TTL', KEY)).toBe(400 * 86_400)
  })

  it('is made at most every 15 minutes, and at once where it is the final one', async () => {
    const { send, clock, a } = createRig()
    await a.usage.load()
    const written = async (options?: { isFinal: boolean }) => {
      await a.spend(GETS(1))
      a.wire.forget()
      await a.usage.write(options)
      return a.wire.sent().length > 0
    }

    clock.advance(PAUSE_MS - 1)
    expect(await written()).toBe(false)
    clock.advance(1)
    expect(await written()).toBe(true)
    clock.advance(PAUSE_MS - 1)
    expect(await written()).toBe(false)
    expect(await written({ isFinal: true })).toBe(true)
    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed)
  })

  it('is not put off for long by a clock that goes back', async () => {
    const { clock, a } = createRig()
    await a.usage.load()
    await a.spend(GETS(1))
    clock.moveTo('2025-12-08T09:00:00+01:00')

    await a.usage.write()

    expect(a.usageCost()).toBe(2 + 2)
  })

  it.each([[{}], [{ isFinal: true }]])('is never caused by what keeping usage costs (%o)', async (options) => {
    const { clock, a } = createRig()
    await a.spend(GETS(1))
    await writeLater({ clock, boot: a })

    for (let day = 0; day < 3; day++) {
      clock.advance(86_400_000)
      await a.usage.reload()
      await a.usage.put(`mark of day ${day}`, '')
      a.wire.forget()
      await a.usage.write(options)
      expect(a.wire.sent()).toEqual([])
    }
  })

  it('tells what reading cost together with what is worth a write', async () => {
    const { send, clock, a } = createRig()
    await a.usage.load()
    await a.usage.reload()
    await a.spend(GETS(1))

    await writeLater({ clock, boot: a })

    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed)
  })

  it.each([
    ['never arrived', lost],
    ['was carried out, but its answer was lost', lostReply],
    ['was refused', async () => Promise.reject(failure('REDIS_LIMIT'))],
  ])('that %s is made up for by the next one', async (_, fault) => {
    const { send, clock, a } = createRig()
    await a.usage.load()
    await a.spend(GETS(5))
    a.wire.onRequest = spoil('HSET', fault)

    await expect(writeLater({ clock, boot: a })).rejects.toThrow('A test made this failure')
    await writeLater({ clock, boot: a })

    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed)
  })

  it('whose command alone is refused is made up for, too', async () => {
    const { send, clock, a } = createRig()
    await a.usage.load()
    await a.spend(GETS(5))
    a.wire.onRequest = spoil('HSET', async (commands) => commands.map(() => failure('REDIS_FULL')))

    await expect(writeLater({ clock, boot: a })).rejects.toMatchObject({ code: 'REDIS_FULL' })
    await writeLater({ clock, boot: a })

    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed)
    expect(a.meter.cost().commands['EXPIRE']).toBe(2)
  })

  it('leaves what is spent while it is under way for the next one', async () => {
    const { send, clock, a } = createRig()
    await a.usage.load()
    await a.spend(GETS(1))
    a.wire.onRequest = spoil('HSET', async (_, carryOut) => {
      await a.spend(GETS(7))
      return carryOut()
    })

    await writeLater({ clock, boot: a })
    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed - 7)
    await writeLater({ clock, boot: a })

    expect(total((await stored(send, 'a'))?.days ?? {})).toBe(a.meter.cost().billed)
  })

  it('waits for the one before it', async () => {
    const { clock, a } = createRig()
    await a.usage.load()
    await a.spend(GETS(1))
    clock.advance(PAUSE_MS)
    const waiting: (() => void)[] = []
    a.wire.onRequest = async (_, carryOut) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return carryOut()
    }

    const both = [a.usage.write({ isFinal: true }), a.usage.write({ isFinal: true })]
    await new Promise(setImmediate)
    const sentMeanwhile = a.wire.sent().filter(([name]) => name === 'HSET').length
    a.wire.onRequest = undefined
    waiting.forEach((goOn) => goOn())
    await Promise.all(both)

    expect(sentMeanwhile).toBe(1)
    expect(a.meter.cost().commands['HSET']).toBe(1)
  })

  it('gives a hash that somebody removed its expiry again', async () => {
    const { ask, clock, a } = createRig()
    await a.spend(GETS(1))
    await writeLater({ clock, boot: a })
    await ask('DEL', KEY)

    for (const _ of [1, 2]) {
      await a.spend(GETS(1))
      await writeLater({ clock, boot: a })
    }

    expect(await ask('TTL', KEY)).toBe(400 * 86_400)
  })

  it('reads what the others spent where that was not possible before', async () => {
    const { clock, boot, a } = createRig()
    await a.spend(GETS(20))
    await a.usage.write({ isFinal: true })
    const b = boot('b')
    b.wire.onRequest = spoil('HGETALL', lost)
    await expect(b.usage.load()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    expect(total(b.usage.known().days)).toBe(1)

    await b.spend(GETS(1))
    await writeLater({ clock, boot: b })

    expect(total(b.usage.known().days)).toBe(a.meter.cost().billed + b.meter.cost().billed)
  })
})

describe('what is known', () => {
  it('adds up over instances and boots, each counted once', async () => {
    const { clock, boot, a } = createRig()
    const [b, c] = [boot('b'), boot('c')]
    for (const [at, one] of [a, b, c].entries()) {
      await one.spend(GETS(10 ** at))
      await writeLater({ clock, boot: one })
    }

    await a.usage.reload()
    await a.usage.reload()

    const all = a.meter.cost().billed + b.meter.cost().billed + c.meter.cost().billed
    expect(total(a.usage.known().days)).toBe(all)
    expect(a.usage.known().days['2025-12-08']?.commands['orders']).toEqual({ GET: 111 })
  })

  it('begins where the first boot of the month began', async () => {
    const { clock, boot, a } = createRig()
    await a.spend(GETS(1))
    await writeLater({ clock, boot: a })
    clock.moveTo('2025-12-20T12:00:00+01:00')
    const b = boot('b')
    expect(b.usage.known().countedFromMs).toBe(instant('2025-12-20T12:00:00+01:00'))

    await b.usage.load()

    expect(b.usage.known().countedFromMs).toBe(instant('2025-12-08T21:00:00+01:00'))
  })

  it('costs 1 command to read, whether early or late in a month', async () => {
    const { clock, ask, a, boot } = createRig()
    await ask('HSET', KEY, 'prior', '[1,2]')
    await a.usage.load()
    clock.moveTo('2025-12-20T12:00:00+01:00')
    const late = boot('late')
    await late.usage.load()
    await late.usage.reload()

    expect([a.usageCost(), late.usageCost()]).toEqual([1, 2])
  })

  it('is our own where the key holds something else, which stays as it is', async () => {
    const { ask, clock, a } = createRig()
    await ask('SET', KEY, 'mine')
    await a.spend(GETS(3))

    await expect(a.usage.load()).rejects.toMatchObject({ code: 'REDIS_WRONG_TYPE' })
    await expect(writeLater({ clock, boot: a })).rejects.toMatchObject({ code: 'REDIS_WRONG_TYPE' })
    await expect(a.usage.write({ isFinal: true })).rejects.toMatchObject({ code: 'REDIS_WRONG_TYPE' })

    expect(await ask('GET', KEY)).toBe('mine')
    expect(total(a.usage.known().days)).toBe(a.meter.cost().billed)
  })

  it.each([
    ['a boot of nonsense', 'boot:x', '{"from":1}'],
    ['a boot without text', 'boot:', ''],
    ['a boot of ten megabytes', 'boot:x', 'x'.repeat(10_000_000)],
    ['a boot of the next month', 'boot:x', '{"from":1800000000000,"of":["orders GET"],"days":{"2025-12-08":[0,0,5]}}'],
    ['a mark of great length', 'note', 'x'.repeat(10_000)],
    ['a mark with a long name', 'n'.repeat(1_000), ''],
    ['a past that is none', 'prior', '[-1]'],
  ])('does not change by %s', async (_, field, text) => {
    const { ask, boot } = createRig('2025-12-20T12:00:00+01:00')
    const [plain, hostile] = [boot('plain'), boot('hostile')]
    await plain.usage.load()
    await ask('HSET', KEY, field, text)

    await hostile.usage.load()

    expect(hostile.usage.known()).toEqual(plain.usage.known())
  })

  it('takes of a boot whose month was another one the days of this month', async () => {
    const { ask, a } = createRig()
    const text = '{"from":1700000000000,"of":["orders GET"],"days":{"2025-11-30":[0,0,9],"2025-12-01":[0,0,5]}}'
    await ask('HSET', KEY, 'boot:x', text)

    await a.usage.load()

    expect(a.usage.known().countedFromMs).toBe(instant('2025-12-01T00:00:00+01:00'))
    expect(Object.keys(a.usage.known().days)).toEqual(['2025-12-01', '2025-12-08'])
  })

  it('adds up over more boots than anybody starts', async () => {
    const { ask, a } = createRig()
    const text = '{"from":1765200000000,"of":["orders GET"],"days":{"2025-12-08":[0,0,1]}}'
    const boots = Array.from({ length: 20_000 }, (_, at) => [`boot:${at}`, text])
    await ask('HSET', KEY, ...boots.flat())

    await a.usage.load()

    expect(total(a.usage.known().days)).toBe(20_000 + a.meter.cost().billed)
  })

  it('does not mix a month that is read with one that has begun meanwhile', async () => {
    const { clock, boot, a } = createRig('2025-12-31T23:59:00+01:00')
    await a.spend(GETS(50))
    await a.usage.write({ isFinal: true })
    const b = boot('b')
    b.wire.onRequest = spoil('HGETALL', async (_, carryOut) => {
      clock.advance(2 * MINUTE_MS)
      return carryOut()
    })

    await b.usage.load()

    expect(b.usage.known()).toMatchObject({ month: { name: '2026-01' }, days: {} })
  })
})

describe('a mark', () => {
  it('is ours when we are the first to put it, and known at once', async () => {
    const { boot, a } = createRig()
    const b = boot('b')

    expect(await a.usage.putOnce('warned:80', 'a')).toBe(true)
    expect(await b.usage.putOnce('warned:80', 'b')).toBe(false)
    expect(a.usage.known().marks).toEqual(new Map([['warned:80', 'a']]))
    expect(b.usage.known().marks).toEqual(new Map())

    await b.usage.reload()
    expect(b.usage.known().marks).toEqual(new Map([['warned:80', 'a']]))
  })

  it('is put over another one where that is wanted', async () => {
    const { boot, a } = createRig()
    const b = boot('b')
    await a.usage.put('baseline', '1')
    await b.usage.put('baseline', '2')
    await a.usage.reload()

    expect(a.usage.known().marks.get('baseline')).toBe('2')
    expect(b.usage.known().marks.get('baseline')).toBe('2')
  })

  it('costs 2 commands before the first write of a boot in a month, then 1', async () => {
    const { a, ask } = createRig()
    await a.usage.put('one', '1')
    expect(await ask('TTL', KEY)).toBe(400 * 86_400)
    const first = a.usageCost()

    await a.usage.put('two', '2')
    await a.usage.putOnce('three', '3')

    expect([first, a.usageCost()]).toEqual([2, 4])
  })

  it.each([
    ['never arrived', lost, true],
    ['was carried out, but its answer was lost', lostReply, true],
  ])('that %s is ours at the next try', async (_, fault, isOurs) => {
    const { a } = createRig()
    a.wire.onRequest = spoil('HSETNX', fault)

    await expect(a.usage.putOnce('warned:80', 'a, first')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })

    expect(await a.usage.putOnce('warned:80', 'a, second')).toBe(isOurs)
  })

  it('that never arrived is not ours when another one was faster', async () => {
    const { boot, a } = createRig()
    a.wire.onRequest = spoil('HSETNX', lost)
    await expect(a.usage.putOnce('warned:80', 'a')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    await boot('b').usage.putOnce('warned:80', 'b')

    expect(await a.usage.putOnce('warned:80', 'a')).toBe(false)
    expect(await a.usage.putOnce('warned:80', 'a')).toBe(false)
  })

  it('is not told in the next month', async () => {
    const { clock, a } = createRig('2025-12-31T23:00:00+01:00')
    await a.usage.putOnce('warned:80', 'a')
    clock.moveTo('2026-01-01T00:00:00+01:00')

    expect(a.usage.known().marks).toEqual(new Map())
    expect(await a.usage.putOnce('warned:80', 'a')).toBe(true)
  })
})

it('each of a million charges counts', () => {
  const { a } = createRig()

  for (let at = 0; at < 1_000_000; at++) a.usage.charge('orders', 'GET')

  expect(total(a.usage.known().days)).toBe(1_000_000)
})
