import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { budgetMonthAt, daysBetween, localDay } from '../../../src/redis/budget/month.ts'
import { instant } from '../../support/clock.ts'

const anyZone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
const anyInstant = fc.integer({ min: instant('2005-01-01T00:00:00Z'), max: instant('2045-01-01T00:00:00Z') })
const anyRule = fc.record({ resetDay: fc.integer({ min: 1, max: 28 }), zone: anyZone })

describe('the month of a budget', () => {
  it.each([
    ['on an ordinary day', '2025-12-08T12:00:00+01:00', 1, ['2025-12', '2025-12-01', '2025-12-31', '2026-01-01', 31]],
    ['at its first instant', '2026-03-01T00:00:00+01:00', 1, ['2026-03', '2026-03-01', '2026-03-31', '2026-04-01', 31]],
    ['just before it', '2026-02-28T23:59:59+01:00', 1, ['2026-02', '2026-02-01', '2026-02-28', '2026-03-01', 28]],
    ['of a leap year', '2028-02-29T12:00:00+01:00', 1, ['2028-02', '2028-02-01', '2028-02-29', '2028-03-01', 29]],
    [
      'before a later reset',
      '2025-12-14T23:59:00+01:00',
      15,
      ['2025-11', '2025-11-15', '2025-12-14', '2025-12-15', 30],
    ],
    ['on a later reset', '2025-12-15T00:00:00+01:00', 15, ['2025-12', '2025-12-15', '2026-01-14', '2026-01-15', 31]],
    ['across a new year', '2026-01-03T12:00:00+01:00', 28, ['2025-12', '2025-12-28', '2026-01-27', '2026-01-28', 31]],
    ['around February', '2026-03-01T12:00:00+01:00', 28, ['2026-02', '2026-02-28', '2026-03-27', '2026-03-28', 28]],
  ] as const)('%s, %s, with a reset on day %i', (_, iso, resetDay, expected) => {
    const month = budgetMonthAt(instant(iso), { resetDay, zone: 'Europe/Berlin' })

    expect([month.name, month.firstDay, month.lastDay, month.resetsOn, month.length]).toEqual(expected)
  })

  it('begins and ends at local midnight, also where daylight saving lies between', () => {
    const month = budgetMonthAt(instant('2026-03-29T12:00:00+02:00'), { resetDay: 1, zone: 'Europe/Berlin' })

    expect(month.startMs).toBe(instant('2026-03-01T00:00:00+01:00'))
    expect(month.endMs).toBe(instant('2026-04-01T00:00:00+02:00'))
  })

  it.each([
    ['a midnight that is skipped', 'America/Santiago', '2025-09-07T01:00:00-03:00', 7, '2025-09-07'],
    ['a day that is skipped', 'Pacific/Apia', '2011-12-31T00:00:00+14:00', 28, '2011-12-28'],
    ['a midnight that comes twice', 'America/Havana', '2026-11-01T00:30:00-05:00', 1, '2026-11-01'],
    ['a last hour that comes again', 'America/St_Johns', '2010-11-06T23:30:00-03:30', 7, '2010-11-07'],
  ])('holds the instant beside %s in %s', (_, zone, iso, resetDay, firstDay) => {
    const nowMs = instant(iso)
    const month = budgetMonthAt(nowMs, { resetDay, zone })

    expect(month.firstDay).toBe(firstDay)
    expect(month.startMs).toBeLessThanOrEqual(nowMs)
    expect(month.endMs).toBeGreaterThan(nowMs)
  })

  it('holds the instant, is as long as it has days, and adjoins the next one, in every zone', () => {
    fc.assert(
      fc.property(anyInstant, anyRule, (nowMs, rule) => {
        const month = budgetMonthAt(nowMs, rule)
        const next = budgetMonthAt(month.endMs, rule)

        expect(month.startMs).toBeLessThanOrEqual(nowMs)
        expect(month.endMs).toBeGreaterThan(nowMs)
        expect(budgetMonthAt(month.endMs - 1, rule)).toEqual(month)
        expect([next.firstDay, next.startMs]).toEqual([month.resetsOn, month.endMs])
        expect(daysBetween(month.firstDay, month.lastDay)).toHaveLength(month.length)
        expect(Number(month.firstDay.slice(8))).toBe(rule.resetDay)
        expect(month.firstDay.slice(0, 7)).toBe(month.name)
      }),
      { numRuns: 500 },
    )
  })
})

describe('local days', () => {
  it.each([
    ['Europe/Berlin', '2025-12-07T23:30:00Z', '2025-12-08'],
    ['America/New_York', '2025-12-08T04:59:59Z', '2025-12-07'],
    ['Pacific/Kiritimati', '2025-12-31T10:00:00Z', '2026-01-01'],
  ])('in %s it is at %s already or still %s', (zone, iso, date) => {
    expect(localDay(instant(iso), zone)).toBe(date)
  })

  it.each([
    ['2025-12-30', '2026-01-02', ['2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02']],
    ['2028-02-28', '2028-03-01', ['2028-02-28', '2028-02-29', '2028-03-01']],
    ['2026-03-29', '2026-03-29', ['2026-03-29']],
    ['2026-03-29', '2026-03-28', []],
  ])('from %s to %s are listed with both', (first, last, days) => {
    expect(daysBetween(first, last)).toEqual(days)
  })
})
