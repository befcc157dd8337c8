import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeReport, type ReportParts } from '../../../src/redis/budget/compose-report.ts'
import type { DayCounts } from '../../../src/redis/budget/counts.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import type { ProviderFigures } from '../../../src/redis/budget/provider.ts'
import type { MonthUsage } from '../../../src/redis/budget/usage.ts'
import { instant } from '../../support/clock.ts'

const zone = 'Europe/Berlin'
const at = '2025-11-04T12:00:00+01:00'

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

/** Commands spent on orders, and by default nothing else. */
const aDay = (forOrders: number, given: Partial<DayCounts> = {}): DayCounts => ({
  commands: { orders: { APPEND: forOrders } },
  orders: 0,
  sweepBytes: 0,
  ...given,
})

function usageOf(given: Partial<MonthUsage> = {}): MonthUsage {
  const month = budgetMonthAt(instant(at), { resetDay: 1, zone })
  return { month, countedFromMs: month.startMs, days: {}, prior: [], marks: new Map(), ...given }
}

const compose = (usage: Partial<MonthUsage>, given: Partial<ReportParts> = {}) =>
  composeReport({
    usage: usageOf(usage),
    nowMs: instant(at),
    zone,
    limit: 1_000,
    isEnforced: true,
    provider: null,
    isLimitReached: false,
    ...given,
  })

/** The provider's count of the whole month, as INFO tells it. */
const counting = (used: number, since = '2025-11-01T00:00:00+01:00'): Pick<ReportParts, 'provider'> => {
  const [count, coversFromMs] = [{ source: 'info', used }, instant(since)] as const
  return {
    provider: { count, coversFromMs, running: null, storage: null, bandwidthBytes: null } satisfies ProviderFigures,
  }
}

describe('The report of a budget', () => {
  it('says when it was and where the month stands', () => {
    const report = compose({ days: { '2025-11-01': aDay(200), '2025-11-02': aDay(100), '2025-11-04': aDay(60) } })

    expect(report.at).toBe('2025-11-04T12:00:00.000+01:00')
    expect([report.day, report.month.length, report.used, report.share, report.own]).toEqual([4, 30, 360, 0.36, 360])
    expect([report.provider, report.difference, report.storage]).toEqual([null, null, null])
    expect(report.bandwidth).toEqual({ sweepBytes: 0, usedBytes: null })
    expect(report.countedFrom).toBe('2025-11-01T00:00:00.000+01:00')
    expect(report.forecast.end).toBeGreaterThan(360)
  })

  it('has a row for each day since counting began, with what was not counted on it as nothing', () => {
    const swept = { orders: { SET: 5 }, 'sweep:orders': { SCAN: 2, XADD: 2 }, 'sweep:inngest': { XADD: 4 } }

    const { days } = compose({ days: { '2025-11-02': aDay(0, { commands: swept, orders: 5 }) } })

    expect(days).toEqual([
      { date: '2025-11-01', own: 0, others: 0, orders: 0, cleanups: 0 },
      { date: '2025-11-02', own: 13, others: 0, orders: 5, cleanups: 2 },
      { date: '2025-11-03', own: 0, others: 0, orders: 0, cleanups: 0 },
      { date: '2025-11-04', own: 0, others: 0, orders: 0, cleanups: 0 },
    ])
  })

  it('does not take what was spent before Orderly came for what others go on spending', () => {
    const fromMs = instant('2025-11-20T00:00:00+01:00')
    const own = { '2025-11-20': aDay(100), '2025-11-21': aDay(100), '2025-11-22': aDay(100) }
    const provider = {
      count: { source: 'developer-api', used: 90_300 },
      coversFromMs: instant('2025-11-01T00:00:00+01:00'),
      running: { used: 360, fromMs },
      storage: null,
      bandwidthBytes: null,
    } as const

    const report = compose(
      { days: own, countedFromMs: fromMs },
      { nowMs: instant('2025-11-23T00:00:00+01:00'), limit: 500_000, provider },
    )

    expect(report.used).toBe(90_300)
    expect(report.days.map(({ others }) => others)).toEqual([20, 20, 20, 0])
    expect(report.forecast.end).toBe(90_300 + 8 * 120)
  })

  it('ranks purposes and commands over all days', () => {
    const first = { orders: { SET: 5, GET: 2 }, usage: { HSET: 9 } }
    const second = { orders: { SET: 1 }, 'sweep:orders': { SCAN: 2 } }

    const report = compose({
      days: { '2025-11-01': aDay(0, { commands: first }), '2025-11-02': aDay(0, { commands: second }) },
    })

    expect(report.purposes).toEqual([
      { name: 'usage', commands: 9 },
      { name: 'orders', commands: 8 },
      { name: 'sweep:orders', commands: 2 },
    ])
    expect(report.commands.map(({ name }) => name)).toEqual(['HSET', 'SET', 'GET', 'SCAN'])
  })

  it('adds up what sweeps read, beside the traffic that the provider tells', () => {
    const days = { '2025-11-01': aDay(1, { sweepBytes: 700 }), '2025-11-03': aDay(1, { sweepBytes: 50 }) }
    const storage = { usedBytes: 10, limitBytes: null }
    const provider = { count: null, coversFromMs: 0, running: null, storage, bandwidthBytes: 9_000 }

    const report = compose({ days }, { provider })

    expect(report.bandwidth).toEqual({ sweepBytes: 750, usedBytes: 9_000 })
    expect([report.storage, report.provider, report.difference]).toEqual([storage, null, null])
  })

  it.each([
    ['normal up to 98 % of the limit', 980, false, 'normal'],
    ['saver above', 981, false, 'saver'],
    ['saver where the provider refuses commands', 5, true, 'saver'],
  ])('is %s', (_, spent, isLimitReached, mode) => {
    expect(compose({ days: { '2025-11-01': aDay(spent) } }, { isLimitReached })).toMatchObject({ mode, isLimitReached })
  })
})

describe('What the provider counts', () => {
  const days = { '2025-11-01': aDay(400), '2025-11-03': aDay(200), '2025-11-04': aDay(100) }

  it('decides what is used where it is more, and the rest is spread over the days as that of others', () => {
    const report = compose({ days }, { ...counting(1_400), limit: 10_000 })

    expect([report.used, report.own, report.share]).toEqual([1_400, 700, 0.14])
    expect(report.days.map(({ others }) => others)).toEqual([200, 200, 200, 100])
    expect(report.provider).toEqual({ source: 'info', used: 1_400 })
  })

  it('is not what is used where it is less, for it may lag', () => {
    const report = compose({ days }, counting(650))

    expect([report.used, report.days.every(({ others }) => others === 0)]).toEqual([700, true])
  })

  it('says nothing of the days before it begins, nor of those that Orderly did not count', () => {
    const later = compose({ days }, counting(1_000, '2025-11-03T12:00:00+01:00'))
    const fewer = compose(
      { days: { '2025-11-04': aDay(100) }, countedFromMs: instant('2025-11-04T00:00:00+01:00') },
      counting(800),
    )

    expect(later.days.map(({ others }) => others)).toEqual([0, 0, 150, 150])
    expect([fewer.used, ...fewer.days.map(({ others }) => others)]).toEqual([800, 100])
  })

  it('raises the forecast at the beginning of a month too, when only own days are known', () => {
    const usage = { days: { '2025-11-01': aDay(50) }, prior: [100, 100, 100] }
    const perDay = (used: number) =>
      compose(usage, { ...counting(used), nowMs: instant('2025-11-01T12:00:00+01:00') }).forecast.perDay

    expect([perDay(50), perDay(450)]).toEqual([100, 900])
  })

  it.each([
    ['2025-11-01T06:00:00+01:00', 4_800],
    ['2025-11-01T18:00:00+01:00', 14_400],
    ['2025-11-02T00:00:00+01:00', 19_200],
    ['2025-11-02T12:00:00+01:00', 28_800],
  ])('is taken for as much a day, at whatever time of the day that is: %s', (iso, others) => {
    const quiet = { '2025-11-01': aDay(0), '2025-11-02': aDay(0) }
    const usage = { days: quiet, prior: [960, 960, 960, 960, 960, 960, 960] }

    const { forecast } = compose(usage, { ...counting(others), nowMs: instant(iso), limit: 500_000 })

    expect(forecast.end).toBeGreaterThan(0.95 * 30 * (19_200 + 960))
    expect(forecast.end).toBeLessThan(1.05 * 30 * (19_200 + 960))
  })

  it.each([
    ['firm where nobody else spends', '2025-11-02T12:00:00+01:00', 300, true],
    ['firm where others spend little', '2025-11-02T12:00:00+01:00', 330, true],
    ['not firm while what others spend is known of less than three days', '2025-11-03T23:00:00+01:00', 400, false],
    ['firm after that', '2025-11-04T00:00:00+01:00', 400, true],
  ])('makes the forecast %s', (_, iso, used, isFirm) => {
    const usage = { days: { '2025-11-01': aDay(300) }, prior: [300, 300, 300] }

    expect(compose(usage, { ...counting(used), nowMs: instant(iso) }).forecast.isFirm).toBe(isFirm)
  })

  it.each([
    ['nothing while they differ by 5 %', 10_000, 9_500, null],
    ['nothing of a few commands', 120, 20, null],
    [
      'that a surplus is of others',
      20_000,
      10_000,
      /^The provider counts 20\u202f000 .* 10\u202f000: .* another client/,
    ],
    ['that a small surplus may be uncounted', 1_500, 1_000, /console, short commands of the CLI or a killed process/],
    ['that fewer are late', 9_000, 10_000, /its figures lag behind/],
  ])('is compared with what Orderly counts: %s', (_, used, own, expected) => {
    const { difference } = compose({ days: { '2025-11-01': aDay(own) } }, counting(used))

    expect(difference ?? 'none').toMatch(expected ?? /^none$/)
  })

  it('is more where Orderly began to count later, and that is said', () => {
    const countedFromMs = instant('2025-11-03T12:00:00+01:00')

    const { difference } = compose({ countedFromMs, days: { '2025-11-04': aDay(10_000) } }, counting(50_000))

    expect(difference).toMatch(/Orderly counts only since 3 Nov\.$/)
  })
})

describe('What orders cost', () => {
  const days = {
    '2025-11-01': aDay(0, { commands: { orders: { SET: 400 }, usage: { HSET: 80 } }, orders: 40 }),
    '2025-11-02': aDay(0, { commands: { orders: { SET: 600 }, usage: { HSET: 80 } }, orders: 60 }),
    '2025-11-03': aDay(0, { commands: { orders: { SET: 500 }, usage: { HSET: 80 } }, orders: 50 }),
    '2025-11-04': aDay(0, { commands: { orders: { SET: 100 }, usage: { HSET: 20 } }, orders: 10 }),
  }

  it('is everything by the orders taken in, and tomorrow what as many as on a usual day take beside the rest', () => {
    expect(compose({ days }).orders).toEqual({
      count: 160,
      commandsPerOrder: 1_860 / 160,
      usualPerDay: 50,
      tomorrow: 50 * 10 + 80,
    })
  })

  it('goes by the last seven whole days', () => {
    const busy = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `2025-11-${String(index + 1).padStart(2, '0')}`,
        aDay(100, { orders: index < 4 ? 90 : 10 }),
      ]),
    )

    expect(compose({ days: busy }, { nowMs: instant('2025-11-12T09:00:00+01:00') }).orders.usualPerDay).toBe(10)
  })

  it('is unknown before the first order, and tomorrow before a whole day', () => {
    const first = compose({ days: { '2025-11-01': aDay(5) } }, { nowMs: instant('2025-11-01T12:00:00+01:00') })
    const idle = compose({ days: { '2025-11-01': aDay(30), '2025-11-02': aDay(30), '2025-11-03': aDay(30) } })

    expect(first.orders).toEqual({ count: 0, commandsPerOrder: null, usualPerDay: null, tomorrow: null })
    expect(idle.orders).toEqual({ count: 0, commandsPerOrder: null, usualPerDay: 0, tomorrow: 30 })
  })
})

describe('A report of strange counts', () => {
  it('loses nothing where clocks are off: what is of a later day is of today, what is earlier begins the counting', () => {
    const { days, own, countedFrom } = compose({
      days: { '2025-11-02': aDay(3), '2025-11-09': aDay(70), '2025-10-20': aDay(4) },
      countedFromMs: instant('2025-11-03T12:00:00+01:00'),
    })

    expect(own).toBe(77)
    expect(days.map((day) => day.own)).toEqual([4, 3, 0, 70])
    expect(countedFrom).toBe('2025-11-01T00:00:00.000+01:00')
  })

  it('always adds up, for any month, time, zone and count', () => {
    const anyDays = fc.dictionary(
      fc.integer({ min: 1, max: 28 }).map((day) => `2026-03-${String(day).padStart(2, '0')}`),
      fc.record({
        commands: fc.dictionary(
          fc.constantFrom('orders', 'usage', 'sweep:orders'),
          fc.dictionary(fc.constantFrom('SET', 'XADD', 'GET'), fc.nat(100_000)),
        ),
        orders: fc.nat(100),
        sweepBytes: fc.nat(),
      }),
    )
    const march = { min: instant('2026-03-01T00:00:00Z'), max: instant('2026-03-31T00:00:00Z') }
    const times = fc.tuple(fc.integer(march), fc.integer(march), fc.integer(march))
    const counts = fc.option(fc.nat(3_000_000))
    const anyZone = fc.constantFrom('Europe/Berlin', 'UTC', 'Asia/Kathmandu', 'Pacific/Auckland')
    fc.assert(
      fc.property(anyDays, times, counts, anyZone, (days, [nowMs, countedFromMs, coversFromMs], used, place) => {
        const month = budgetMonthAt(nowMs, { resetDay: 1, zone: place })
        const count = used === null ? null : { source: 'developer-api' as const, used }

        const report = composeReport({
          usage: { month, countedFromMs, days, prior: [], marks: new Map() },
          nowMs,
          zone: place,
          limit: 500_000,
          isEnforced: true,
          isLimitReached: false,
          provider: { count, coversFromMs, running: null, storage: null, bandwidthBytes: null },
        })

        expect(sum(report.days.map(({ own }) => own))).toBe(report.own)
        expect(sum(report.purposes.map(({ commands }) => commands))).toBe(report.own)
        expect(report.used).toBe(Math.max(report.own, used ?? 0))
        const others = report.days.map((day) => day.others)
        expect(others.every((one) => Number.isInteger(one) && one >= 0)).toBe(true)
        expect(sum(others)).toBeLessThanOrEqual(report.used - report.own)
        expect(report.day).toBe(Number(report.days.at(-1)?.date.slice(8)))
        expect(Date.parse(report.countedFrom)).toBeLessThanOrEqual(Math.max(nowMs, countedFromMs))
        expect(JSON.stringify(report)).not.toContain('NaN')
        expect(report.forecast.end).toBeGreaterThanOrEqual(report.used)
      }),
    )
  })
})
