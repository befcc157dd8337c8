import { describe, expect, it } from 'vitest'
import { RedisError } from '../../../src/errors.ts'
import { calendarCount } from '../../../src/redis/budget/calendar-count.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import { instant } from '../../support/clock.ts'
import { MB, rig, upstash, ZONE } from './provider-rig.ts'

const MINUTE_MS = 60_000

const startOf = (iso: string) => budgetMonthAt(Date.parse(iso), { resetDay: 1, zone: ZONE }).startMs

describe('the developer API', () => {
  const figures = {
    isTold: true,
    atMs: Date.parse('2026-11-20T11:55:00Z'),
    requests: 359_613,
    bandwidthBytes: 7,
    storageBytes: 9,
    storageLimitBytes: 100,
    requestLimit: 500_000,
  } as const
  const at = '2026-11-20T13:00:00+01:00'

  it('has the word about the count of a calendar month', async () => {
    const { provider } = rig({ at, api: figures })

    expect(await provider.look()).toEqual({
      count: { source: 'developer-api', used: 359_613 },
      coversFromMs: startOf(at),
      running: { used: 0, fromMs: instant(at) },
      storage: { usedBytes: 51 * MB, limitBytes: 256 * MB },
      bandwidthBytes: 7,
    })
  })

  it('does not have it with another reset day, but its bandwidth is told', async () => {
    const { provider } = rig({ at, resetDay: 5, api: figures })

    expect(await provider.look()).toMatchObject({ count: { source: 'info', used: 0 }, bandwidthBytes: 7 })
  })

  it.each([
    ['before the month begins in UTC', '2026-12-01T00:30:00+01:00', '2026-11-30T23:30:00Z'],
    ['on its first day in UTC', '2026-12-02T00:59:00+01:00', '2026-12-01T23:59:59Z'],
  ])('does not have it %s, when it may still tell the month before', async (_, now, toldAt) => {
    const { provider } = rig({ at: now, api: { ...figures, atMs: Date.parse(toldAt) } })

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 0 })
  })

  it('has it from the second day on', async () => {
    const atMs = Date.parse('2026-12-02T00:00:00Z')
    const { provider } = rig({ at: '2026-12-02T01:00:00+01:00', api: { ...figures, atMs, requests: 9_000 } })

    expect((await provider.look())?.count).toEqual({ source: 'developer-api', used: 9_000 })
  })

  it('leaves the count to the running total where it does not tell one', async () => {
    const { provider } = rig({ at, api: { ...figures, requests: null } })

    expect((await provider.look())?.count?.source).toBe('info')
  })

  it('tells alone what it can where the database does not answer', async () => {
    const { provider, state } = rig({ at, api: figures })
    state.info = new RedisError('REDIS_LIMIT', 'No.')

    expect(await provider.look()).toMatchObject({
      count: { source: 'developer-api', used: 359_613 },
      storage: { usedBytes: 9, limitBytes: 100 },
    })
  })

  it('changes nothing where it fails', async () => {
    const { provider } = rig({ at, api: { isTold: false, isRefused: true, why: 'it answered with status 401' } })

    expect(await provider.look()).toMatchObject({ count: { source: 'info' }, bandwidthBytes: null })
  })

  it('goes on by what the running total has moved since, while it does not answer', async () => {
    const { state, clock, countAt } = rig({ at, api: figures })
    await countAt(1_000)
    state.api = undefined
    clock.advance(15 * MINUTE_MS)

    expect(await countAt(151_000)).toEqual({ source: 'developer-api', used: 509_613 })
    expect(await countAt(152_000)).toEqual({ source: 'developer-api', used: 510_613 })

    state.api = { ...figures, atMs: clock(), requests: 600_000 }
    expect(await countAt(152_100)).toEqual({ source: 'developer-api', used: 600_000 })
  })

  it('has its bandwidth stand while it does not answer', async () => {
    const { provider, state } = rig({ at, api: figures })
    await provider.look()
    state.api = undefined

    expect((await provider.look())?.bandwidthBytes).toBe(7)
  })

  it('goes on from the look in which it answered, however long its answer is kept', async () => {
    const { state, countAt } = rig({ at, api: figures })
    await countAt(1_000)
    await countAt(1_400)
    state.api = { ...figures, requests: null }

    expect((await countAt(1_500))?.used).toBe(359_613 + 500)
  })

  it('goes on from the first look that has a running total, where it told its count without one', async () => {
    const { provider, state, countAt } = rig({ at, api: figures })
    await countAt(1_000)
    state.api = { ...figures, atMs: figures.atMs + 11 * MINUTE_MS, requests: 400_000 }
    state.info = new RedisError('REDIS_UNREACHABLE', 'No.')
    await provider.look()
    state.api = undefined

    expect((await countAt(5_000))?.used).toBe(400_000)
    expect((await countAt(5_100))?.used).toBe(400_100)
  })

  it('stands while nobody answers, and is forgotten in the next month', async () => {
    const { provider, state, clock, marks } = rig({ at, api: figures })
    const before = await provider.look()
    state.api = undefined
    state.info = new RedisError('REDIS_UNREACHABLE', 'No.')
    expect(await provider.look()).toEqual(before)

    clock.moveTo('2026-12-01T00:20:00+01:00')
    expect(await provider.look()).toBeNull()
    marks.clear()
    state.info = upstash(9_000)
    expect((await provider.look())?.count).toEqual({ source: 'info', used: 0 })
  })

  it('of a month that a zone behind UTC is still in is not that of the next one', () => {
    const month = budgetMonthAt(Date.parse('2026-12-01T03:00:00Z'), { resetDay: 1, zone: 'America/Los_Angeles' })
    const told = { ...figures, atMs: Date.parse('2026-12-01T03:00:00Z'), requests: 12 }

    expect(month.name).toBe('2026-11')
    expect(calendarCount({ told, running: undefined, month, before: null })).toBeNull()
  })
})
