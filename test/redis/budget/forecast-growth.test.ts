import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forecastMonth, type Spending } from '../../../src/redis/budget/forecast.ts'
import { budgetMonthAt, daysBetween, localDay } from '../../../src/redis/budget/month.ts'
import { instant } from '../../support/clock.ts'

const count = fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(200_000))

const anyZone = fc.constantFrom('Europe/Berlin', 'America/Santiago', 'Africa/Cairo', 'Pacific/Apia', 'UTC')

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

/** Any time of any month with any reset day, counted from any time in it. */
const anySpending = fc
  .record({
    nowMs: fc.integer({ min: instant('2011-01-01T00:00:00Z'), max: instant('2030-01-01T00:00:00Z') }),
    zone: anyZone,
    resetDay: fc.integer({ min: 1, max: 28 }),
    from: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    counts: fc.array(count, { minLength: 31, maxLength: 31 }),
    before: fc.oneof(fc.constant(0), fc.nat(600_000)),
    prior: fc.oneof(fc.constant([]), fc.array(count, { maxLength: 14 })),
    limit: fc.constantFrom(1, 10_000, 500_000, 10_000_000),
  })
  .map(({ nowMs, zone, resetDay, from, counts, before, prior, limit }): Spending => {
    const month = budgetMonthAt(nowMs, { resetDay, zone })
    const countedFromMs = Math.floor(month.startMs + from * (nowMs - month.startMs))
    const days = counts.slice(0, daysBetween(localDay(countedFromMs, zone), localDay(nowMs, zone)).length)
    return { month, nowMs, zone, limit, used: before + sum(days), countedFromMs, days, prior }
  })

describe('The forecast of any month', () => {
  it('never falls when usage rises, on whatever day it was, and the limit is then never reached later', () => {
    fc.assert(
      fc.property(anySpending, fc.nat(), fc.nat(300_000), fc.boolean(), (spending, which, more, isUsed) => {
        const { days, prior, used } = spending
        const at = which % (prior.length + days.length + 1)
        const raised: Spending = {
          ...spending,
          prior: prior.map((billed, index) => (index === at ? billed + more : billed)),
          days: days.map((billed, index) => (index + prior.length === at ? billed + more : billed)),
          used: at >= prior.length || isUsed ? used + more : used,
        }

        const [before, after] = [forecastMonth(spending), forecastMonth(raised)]

        expect(after.end).toBeGreaterThanOrEqual(before.end)
        expect(after.perDay).toBeGreaterThanOrEqual(before.perDay)
        expect(after.costUsd).toBeGreaterThanOrEqual(before.costUsd)
        expect(after.limitAtMs ?? Infinity).toBeLessThanOrEqual(before.limitAtMs ?? Infinity)
      }),
      { numRuns: 500 },
    )
  })

  it('lies in its range, above what is used, and reaches the limit within the month where it ends beyond it', () => {
    fc.assert(
      fc.property(anySpending, (spending) => {
        const { month, used, limit, zone, nowMs } = spending
        const { low, end, high, perDay, limitAtMs, limitOn, costUsd } = forecastMonth(spending)

        expect([low, end, high, perDay, costUsd].every((number) => Number.isFinite(number) && number >= 0)).toBe(true)
        expect([used, low, end, high].toSorted((a, b) => a - b)).toEqual([used, low, end, high])
        expect(limitAtMs !== null).toBe(used >= limit || end > limit)
        expect(limitOn).toBe(limitAtMs === null ? null : localDay(limitAtMs, zone))
        if (limitAtMs === null) return
        expect(limitAtMs).toBeGreaterThanOrEqual(used >= limit ? month.startMs : nowMs)
        expect(limitAtMs).toBeLessThan(used >= limit ? nowMs + 1 : month.endMs)
      }),
      { numRuns: 300 },
    )
  })

  it('falls within a day by no more than what it thought the time would take, while nothing is spent', () => {
    const [morning, evening] = ['2025-11-20T08:00:00+01:00', '2025-11-20T20:00:00+01:00'].map(instant)
    fc.assert(
      fc.property(fc.array(count, { minLength: 20, maxLength: 20 }), (days) => {
        const month = budgetMonthAt(morning ?? 0, { resetDay: 1, zone: 'Europe/Berlin' })
        const known = { month, zone: 'Europe/Berlin', limit: 500_000, used: sum(days), prior: [], days }
        const forecastAt = (nowMs = 0) => forecastMonth({ ...known, nowMs, countedFromMs: month.startMs })

        const fallen = forecastAt(morning).end - forecastAt(evening).end

        expect(fallen).toBeGreaterThanOrEqual(0)
        expect(fallen).toBeLessThanOrEqual(forecastAt(morning).perDay / 2 + 1.5)
      }),
    )
  })
})
