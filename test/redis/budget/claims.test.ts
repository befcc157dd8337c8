import { expect, it } from 'vitest'
import { createClaims } from '../../../src/redis/budget/claims.ts'
import { createUsage } from '../../../src/redis/budget/usage.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import { createMeter, type Meter } from '../../../src/redis/meter.ts'
import { fakeClock } from '../../support/clock.ts'

const MINUTE_MS = 60_000

/** Instances on one store. */
function aRig() {
  const clock = fakeClock('2025-12-20T12:00:00+01:00')
  const { send } = createMemoryConnection({ clock })
  const startInstance = async () => {
    const meter: Meter = createMeter(send, { onBilled: (purpose, name) => usage.charge(purpose, name) })
    const usage = createUsage({ send: meter.open('usage').send, clock, zone: 'Europe/Berlin', resetDay: 1 })
    await usage.load()
    return { ...createClaims({ usage, clock, limit: 500_000 }), usage, meter }
  }
  return { clock, startInstance, send }
}

it('lets one of all instances take a warning, and none a second time', async () => {
  const { startInstance } = aRig()
  const [one, other] = [await startInstance(), await startInstance()]

  expect(one.isTaken(80)).toBe(false)
  const takes = await Promise.all([one.take(80), other.take(80)])

  expect(takes.filter(Boolean)).toHaveLength(1)
  expect([one.isTaken(80), other.isTaken(80)]).toEqual([true, true])
  expect([await one.take(80), await other.take(80)]).toEqual([false, false])
})

const others = [90, 95, 'forecast'] as const

it('keeps the warnings apart', async () => {
  const { startInstance } = aRig()
  const one = await startInstance()
  await one.take(80)

  expect(others.map(one.isTaken)).toEqual([false, false, false])
  expect(await one.take(90)).toBe(true)
})

it('takes what was told for taken, also after a restart long after', async () => {
  const { clock, startInstance } = aRig()
  const one = await startInstance()
  await one.take('forecast')
  await one.noteTold('forecast')
  clock.advance(24 * 60 * MINUTE_MS)

  const next = await startInstance()

  expect(next.isTaken('forecast')).toBe(true)
  expect(await next.take('forecast')).toBe(false)
})

it('lets a later start tell what an instance took and never told, once', async () => {
  const { clock, startInstance } = aRig()
  await (await startInstance()).take(80)
  clock.advance(14 * MINUTE_MS)
  expect((await startInstance()).isTaken(80)).toBe(true)
  clock.advance(2 * MINUTE_MS)
  const [second, third] = [await startInstance(), await startInstance()]

  const takes = await Promise.all([second.take(80), third.take(80)])

  expect(takes.filter(Boolean)).toHaveLength(1)
  clock.advance(60 * MINUTE_MS)
  expect((await startInstance()).isTaken(80)).toBe(true)
})

it('does not tell a warning again that it is still trying to deliver', async () => {
  const { clock, startInstance } = aRig()
  const one = await startInstance()
  await one.take(80)
  clock.advance(60 * MINUTE_MS)
  await one.usage.reload()

  expect(one.isTaken(80)).toBe(true)
})

it('begins anew with each month', async () => {
  const { clock, startInstance } = aRig()
  const one = await startInstance()
  await one.take(80)
  await one.noteTold(80)
  clock.moveTo('2026-01-02T12:00:00+01:00')

  expect(one.isTaken(80)).toBe(false)
  expect(await one.take(80)).toBe(true)
})

it('tells a warning once whose mark makes no sense', async () => {
  const { send, startInstance } = aRig()
  await send([['HSET', 'orderly:usage:2025-12', 'warned:80:500000:2025-12-01', 'soon']])

  expect(await (await startInstance()).take(80)).toBe(true)
  expect((await startInstance()).isTaken(80)).toBe(true)
})

it('costs one command to take a warning and one to note that it was told', async () => {
  const { startInstance } = aRig()
  const one = await startInstance()
  await one.usage.put('first', '1')
  const before = one.meter.cost().billed

  await one.take(80)
  expect(one.meter.cost().billed - before).toBe(1)
  await one.noteTold(80)
  expect(one.meter.cost().billed - before).toBe(2)
  one.isTaken(80)
  await one.take(80)
  expect(one.meter.cost().billed - before).toBe(2)
})
