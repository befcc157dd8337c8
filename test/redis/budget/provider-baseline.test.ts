import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import { rig, sharedMarks, upstash, ZONE } from './provider-rig.ts'

const MINUTE_MS = 60_000

const startOf = (iso: string) => budgetMonthAt(Date.parse(iso), { resetDay: 1, zone: ZONE }).startMs

describe('the running total of an Upstash database', () => {
  it('counts from the baseline of the month, with what Orderly had counted before it', async () => {
    const { provider, state } = rig()
    state.own = 40

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 40 })

    state.info = upstash(1_500)
    expect((await provider.look())?.count).toEqual({ source: 'info', used: 540 })
  })

  it('costs one command a month, however often it is looked at', async () => {
    const { provider, state, reload } = rig()

    await Promise.all([provider.look(), provider.look()])
    await provider.look()
    reload()
    await provider.look()

    expect(state.writes).toBe(1)
  })

  it('has one baseline for all instances: the first one counts', async () => {
    const marks = sharedMarks()
    const [first, second] = [rig({ marks }), rig({ marks })]
    await first.provider.look()
    second.state.info = upstash(1_200)

    expect((await second.provider.look())?.count).toBeNull()
    expect((await second.provider.look())?.count).toBeNull()
    expect(second.state.writes).toBe(1)

    second.reload()
    expect((await second.provider.look())?.count).toEqual({ source: 'info', used: 200 })
  })

  it('survives a restart of the process', async () => {
    const before = rig()
    await before.provider.look()
    const after = rig({ marks: before.marks, at: '2026-11-12T12:00:00+01:00' })
    after.state.info = upstash(9_000)

    expect((await after.provider.look())?.count?.used).toBe(8_000)
    expect(after.state.writes).toBe(0)
  })

  it('goes on with what was spent until then when the server begins anew', async () => {
    const { state, clock, countAt, reload } = rig()
    await countAt(2_000_000)
    await countAt(2_300_000)
    expect(await countAt(5)).toEqual({ source: 'info', used: 300_000 })
    clock.advance(15 * MINUTE_MS)

    expect(await countAt(100_005)).toEqual({ source: 'info', used: 400_000 })
    expect(await countAt(250_005)).toEqual({ source: 'info', used: 550_000 })
    reload()
    expect(await countAt(250_105)).toEqual({ source: 'info', used: 550_100 })
    expect(state.writes).toBe(2)
  })

  it('covers what it covered before, after the server began anew', async () => {
    const { provider, clock, countAt } = rig()
    await provider.look()
    clock.moveTo('2026-11-12T12:00:00+01:00')
    await countAt(5)
    clock.advance(15 * MINUTE_MS)

    expect(await provider.look()).toMatchObject({
      count: { used: 0 },
      coversFromMs: startOf('2026-11-12T12:00:00+01:00'),
    })
  })

  it('goes on with our own counts where they are larger', async () => {
    const { provider, state, clock, countAt } = rig()
    await provider.look()
    state.own = 700
    await countAt(5)
    clock.advance(15 * MINUTE_MS)

    expect((await countAt(105))?.used).toBe(800)
  })

  it('goes on with our own counts in a process that never saw it before the server began anew', async () => {
    const before = rig()
    await before.provider.look()
    const after = rig({ marks: before.marks, at: '2026-11-12T12:00:00+01:00' })
    after.state.own = 700

    expect(await after.countAt(5)).toBeNull()
    after.clock.advance(15 * MINUTE_MS)
    expect(await after.countAt(105)).toEqual({ source: 'info', used: 800 })
  })

  it('begins anew a second time, too', async () => {
    const { provider, clock, countAt } = rig()
    await provider.look()
    await countAt(1_500)
    await countAt(50)
    clock.advance(15 * MINUTE_MS)
    expect((await countAt(60))?.used).toBe(510)

    await countAt(2)
    clock.advance(15 * MINUTE_MS)
    expect((await countAt(3))?.used).toBe(511)
  })

  it('keeps its baseline through a lower total that is told once, as by a node that counts apart', async () => {
    const { provider, state, clock, countAt } = rig()
    await provider.look()
    await countAt(1_500)
    for (let day = 0; day < 3; day += 1) {
      clock.advance(15 * MINUTE_MS)
      expect((await countAt(5))?.used).toBe(500)
      clock.advance(15 * MINUTE_MS)
      expect((await countAt(1_500))?.used).toBe(500)
    }

    expect(state.writes).toBe(1)
  })

  it('keeps its baseline until the total has been lower for 10 minutes', async () => {
    const { provider, state, clock, countAt } = rig()
    await provider.look()
    await countAt(5)
    clock.advance(10 * MINUTE_MS - 1)
    await countAt(5)
    expect(state.writes).toBe(1)

    clock.advance(1)
    await countAt(5)
    expect(state.writes).toBe(2)
  })

  it('waits anew where the total falls further, or the clock is put back', async () => {
    const { provider, state, clock, countAt } = rig({ at: '2026-11-12T12:00:00+01:00' })
    await provider.look()
    await countAt(50)
    clock.advance(10 * MINUTE_MS)
    await countAt(40)
    clock.moveTo('2026-11-12T11:30:00+01:00')
    await countAt(40)
    clock.advance(10 * MINUTE_MS - 1)
    await countAt(40)
    expect(state.writes).toBe(1)

    clock.advance(1)
    await countAt(40)
    expect(state.writes).toBe(2)
  })

  it('waits anew where another instance has put a baseline meanwhile', async () => {
    const { provider, state, clock, marks, countAt, reload } = rig()
    await provider.look()
    await countAt(50)
    marks.set('baseline', JSON.stringify({ at: clock(), processed: 100, own: 0 }))
    reload()
    clock.advance(15 * MINUTE_MS)

    await countAt(60)
    expect(state.writes).toBe(1)
  })

  it('follows the server down after a total that was too high once', async () => {
    const { provider, countAt } = rig()
    await provider.look()

    expect((await countAt(900_000))?.used).toBe(899_000)
    expect((await countAt(1_100))?.used).toBe(100)
  })

  it('has a new baseline in each month', async () => {
    const { state, clock, marks, countAt } = rig()
    await countAt(1_000)
    await countAt(49_000)
    clock.moveTo('2026-12-01T00:20:00+01:00')
    marks.clear()

    expect((await countAt(50_000))?.used).toBe(0)
    expect(state.writes).toBe(2)
  })

  it.each([
    'what',
    '{}',
    '[]',
    'null',
    '{"at":"1","processed":1,"own":1}',
    '{"at":1793487600000,"processed":-1,"own":0}',
    '{"at":1793487600000,"processed":1e999,"own":0}',
    '{"at":1,"processed":1,"own":0}',
    '{"at":4102444800000,"processed":1,"own":0}',
    '{"__proto__":{"at":1}}',
  ])('replaces a stored baseline that cannot be one: %s', async (text) => {
    const { provider, state, marks } = rig({ marks: new Map([['baseline', text]]) })

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 0 })
    expect(state.writes).toBe(1)
    expect(JSON.parse(marks.get('baseline') ?? '')).toEqual({
      at: Date.parse('2026-11-01T00:10:00+01:00'),
      processed: 1_000,
      own: 0,
    })
  })

  it('covers the whole month from a baseline of its first hour, and else the time from the baseline on', async () => {
    const early = rig()
    const late = rig({ at: '2026-11-05T12:00:00+01:00' })

    expect((await early.provider.look())?.coversFromMs).toBe(startOf('2026-11-01T12:00:00+01:00'))
    expect((await late.provider.look())?.coversFromMs).toBe(late.clock())
  })

  it('never counts less than Orderly had counted at the baseline, nor falls while the total rises', async () => {
    const steps = fc.array(fc.record({ theirs: fc.nat(1_000), ours: fc.nat(100) }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(10_000), async (spent, own) => {
        const { provider, state } = rig()
        state.own = own
        let [total, before] = [1_000, own]
        for (const { theirs, ours } of spent) {
          total += theirs + ours
          state.own += ours
          state.info = upstash(total)
          const used = (await provider.look())?.count?.used ?? -1
          expect(used).toBeGreaterThanOrEqual(before)
          before = used
        }
      }),
    )
  })
})
