import { DateTime } from 'luxon'
import { describe, expect, it } from 'vitest'
import { forecastMonth, type Spending } from '../../../src/redis/budget/forecast.ts'
import { budgetMonthAt, daysBetween } from '../../../src/redis/budget/month.ts'
import { instant } from '../../support/clock.ts'

const zone = 'Europe/Berlin'
const HOUR_MS = 3_600_000

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
const days = (count: number, billed: number) => Array.from({ length: count }, () => billed)

/** What is known at a time of a month, all of which was counted unless it is said. */
function spendingAt(at: string, given: Partial<Spending> & Pick<Spending, 'days'>): Spending {
  const nowMs = instant(at)
  const month = budgetMonthAt(nowMs, { resetDay: 1, zone })
  const used = sum(given.days)
  return { month, nowMs, zone, limit: 500_000, used, countedFromMs: month.startMs, prior: [], ...given }
}

const forecastAt = (at: string, given: Partial<Spending> & Pick<Spending, 'days'>) =>
  forecastMonth(spendingAt(at, given))

/** The same number of commands every day, evenly over each day, at every full hour of a month. */
function everyHour(perDay: number, at: string): readonly Spending[] {
  const { firstDay, lastDay } = budgetMonthAt(instant(at), { resetDay: 1, zone })
  return daysBetween(firstDay, lastDay).flatMap((date, index) => {
    const midnight = DateTime.fromISO(date, { zone })
    const lengthMs = midnight.plus({ days: 1 }).toMillis() - midnight.toMillis()
    return Array.from({ length: lengthMs / HOUR_MS }, (_, hour) =>
      spendingAt(midnight.toUTC().plus({ hours: hour }).toISO() ?? '', {
        days: [...days(index, perDay), Math.round((perDay * hour * HOUR_MS) / lengthMs)],
      }),
    )
  })
}

describe('The forecast of a steady month', () => {
  it.each([
    ['a month of 30 days', '2025-11-01T00:00:00+01:00'],
    ['a month with a day of 23 hours', '2026-03-01T00:00:00+01:00'],
  ])('names the day on which 70 000 a day reach the limit, a day off at most, from day 3 on: %s', (_, at) => {
    const spendings = everyHour(70_000, at).filter((spending) => spending.days.length >= 3)

    const named = new Set(spendings.map((spending) => forecastMonth(spending).limitOn?.slice(8)))

    expect(spendings.length).toBeGreaterThan(600)
    expect(['07', '08', '09']).toEqual(expect.arrayContaining([...named]))
  })

  it('says that 3 000 a day end below 20 % of the limit, in every hour from day 2 on', () => {
    const spendings = everyHour(3_000, '2025-10-01T00:00:00+02:00').filter((spending) => spending.days.length >= 2)

    const forecasts = spendings.map(forecastMonth)

    expect(Math.max(...forecasts.map(({ end }) => end))).toBeLessThan(100_000)
    expect(Math.min(...forecasts.map(({ end }) => end))).toBeGreaterThan(90_000)
    expect(forecasts.every(({ limitOn, limitAtMs, costUsd }) => limitOn ?? limitAtMs ?? costUsd === 0)).toBe(true)
  })

  it('takes a day of 23 hours for a whole one', () => {
    const evening = forecastAt('2026-03-29T14:30:00+02:00', { days: [...days(28, 3_000), 1_700] })

    // 13.5 of its 23 hours are over.
    expect(evening.end).toBe(Math.round(28 * 3_000 + 1_700 + 3_000 * (2 + 9.5 / 23)))
  })
})

describe('The forecast of an uneven month', () => {
  it('counts an outlier as spent, but not as what a day takes', () => {
    const calm = forecastAt('2025-11-11T00:00:00+01:00', { days: [...days(10, 1_000), 0] })

    const odd = forecastAt('2025-11-11T00:00:00+01:00', { days: [...days(6, 1_000), 20_000, ...days(3, 1_000), 0] })

    expect(calm.end).toBe(30_000)
    expect(odd.perDay).toBeLessThan(1_300)
    expect(odd.end - calm.end).toBeGreaterThanOrEqual(19_000)
    expect(odd.end - calm.end).toBeLessThan(19_000 + 6_000)
  })

  it('bears in its range that an odd day comes once more', () => {
    const { end, high } = forecastAt('2025-11-11T00:00:00+01:00', { days: [...days(9, 0), 20_000, 0] })

    expect([end, high]).toEqual([20_000, 40_000])
  })

  it('knows a busy weekday for what it is after two weeks', () => {
    const month = Array.from({ length: 30 }, (_, index) => (index % 7 === 3 ? 9_000 : 100))

    const { end, perDay } = forecastAt('2025-11-17T00:00:00+01:00', { days: [...month.slice(0, 16), 0] })

    expect(perDay).toBe(Math.round((9_000 + 6 * 100) / 7))
    expect(Math.abs(end - sum(month)) / sum(month)).toBeLessThan(0.1)
  })

  it('takes for usual what happens twice in two weeks', () => {
    const { perDay } = forecastAt('2025-11-11T00:00:00+01:00', { days: [...days(8, 1_000), 70_000, 70_000, 0] })

    expect(perDay).toBe(Math.round((5 * 1_000 + 2 * 70_000) / 7))
  })

  it.each([
    ['Thursday', '2025-11-20'],
    ['Friday', '2025-11-21'],
    ['Saturday', '2025-11-22'],
    ['Sunday', '2025-11-23'],
    ['Monday', '2025-11-24'],
  ])('is not led astray by a quiet weekend on a %s', (_, date) => {
    const month = Array.from({ length: 30 }, (__, index) => ([0, 1].includes(index % 7) ? 200 : 1_000))
    const seen = month.slice(0, Number(date.slice(8)) - 1)

    const { end } = forecastAt(`${date}T00:00:00+01:00`, { days: [...seen, 0] })

    expect(Math.abs(end - sum(month)) / sum(month)).toBeLessThan(0.07)
  })

  it('forgets within a week what a change has ended', () => {
    const { end } = forecastAt('2025-11-15T00:00:00+01:00', { days: [...days(7, 70_000), ...days(7, 100), 0] })

    expect(end).toBe(7 * 70_000 + 7 * 100 + 16 * 100)
  })
})

describe('The forecast of the first hours', () => {
  it('goes by the days before the month where they are known', () => {
    const { end, perDay, isFirm } = forecastAt('2025-11-01T01:00:00+01:00', { days: [2], prior: days(14, 3_000) })

    expect(perDay).toBe(3_000)
    expect(end).toBe(Math.round(2 + 3_000 * (30 - 1 / 24)))
    expect(isFirm).toBe(true)
  })

  it('is vague without them: no rate is told by a few minutes, and nothing is ruled out', () => {
    const { end, low, high, isFirm } = forecastAt('2025-11-01T00:01:00+01:00', { days: [20] })

    expect(end).toBeLessThan(2_500)
    expect([low, high, isFirm]).toEqual([20, 500_000, false])
  })

  it('is nothing where nothing is spent', () => {
    const first = forecastAt('2025-11-01T00:00:00+01:00', { days: [0] })
    const later = forecastAt('2025-11-11T12:00:00+01:00', { days: days(11, 0) })

    expect([first.end, first.limitOn, first.isFirm]).toEqual([0, null, false])
    expect([later.end, later.low, later.high, later.limitOn, later.isFirm]).toEqual([0, 0, 0, null, true])
  })

  it.each([
    [3, false],
    [4, true],
  ])('on day %i after a beginning from nothing, whether it is firm is %s', (day, isFirm) => {
    const at = `2025-11-0${day}T12:00:00+01:00`

    expect(forecastAt(at, { days: days(day, 500) }).isFirm).toBe(isFirm)
  })
})

describe('The forecast where counting began within the month', () => {
  const countedFromMs = instant('2025-11-15T18:00:00+01:00')

  it('goes by the time since then, and by whole days as soon as there is one', () => {
    const first = forecastAt('2025-11-16T06:00:00+01:00', { countedFromMs, days: [300, 200] })
    const second = forecastAt('2025-11-17T06:00:00+01:00', { countedFromMs, days: [300, 2_000, 100] })

    expect([first.perDay, first.end]).toEqual([1_000, 500 + 14_750])
    expect([second.perDay, second.end]).toEqual([2_000, 2_400 + 2_000 * 13.75])
  })

  it('takes the first day for a whole one where next to nothing of it is missing', () => {
    const early = instant('2025-11-15T01:00:00+01:00')

    const { perDay } = forecastAt('2025-11-16T06:00:00+01:00', { countedFromMs: early, days: [1_800, 10] })

    expect(perDay).toBe(1_800)
  })

  it('knows what the provider counted before as used, and not as a rate', () => {
    const { end } = forecastAt('2025-11-17T00:00:00+01:00', { countedFromMs, days: [300, 2_000, 0], used: 400_000 })

    expect(end).toBe(400_000 + 14 * 2_000)
  })

  it.each([
    ['a clock that was set back before it', '2025-11-15T12:00:00+01:00', [40]],
    ['the very instant', '2025-11-15T18:00:00+01:00', [0]],
  ])('bears %s', (_, at, seen) => {
    const { end, low, high } = forecastAt(at, { countedFromMs, days: seen })

    expect([end, low, high].every(Number.isFinite)).toBe(true)
    expect(end).toBeLessThan(3_000)
  })
})

describe('The day of the limit', () => {
  it.each([
    ['was reached on a whole day', [200_000, 200_000, 200_000, 0], '2025-11-03'],
    ['was reached today', [200_000, 200_000, 99_000, 2_000], '2025-11-04'],
    ['is a day to come', [120_000, 120_000, 120_000, 60_000], '2025-11-05'],
  ])('is told where it %s', (_, seen, limitOn) => {
    expect(forecastAt('2025-11-04T12:00:00+01:00', { days: seen }).limitOn).toBe(limitOn)
  })

  it('is an instant of that day, by what a day takes', () => {
    const past = forecastAt('2025-11-04T12:00:00+01:00', { days: days(4, 200_000) })
    const coming = forecastAt('2025-11-04T00:00:00+01:00', { days: [...days(3, 100_000), 0] })

    expect(past.limitAtMs).toBe(instant('2025-11-03T12:00:00+01:00'))
    expect(coming.limitAtMs).toBe(instant('2025-11-06T00:00:00+01:00'))
  })

  it('is the first that was counted where it was reached before', () => {
    const countedFromMs = instant('2025-11-15T18:00:00+01:00')

    const { limitAtMs } = forecastAt('2025-11-17T00:00:00+01:00', { countedFromMs, days: [1, 1, 0], used: 600_000 })

    expect(limitAtMs).toBe(countedFromMs)
  })

  it('is none where the month ends before', () => {
    const { end, limitOn, limitAtMs } = forecastAt('2025-11-30T12:00:00+01:00', { days: days(30, 16_000) })

    expect([end <= 500_000, limitOn, limitAtMs]).toEqual([true, null, null])
  })

  it.each([
    [600_000, 0.2],
    [539_000, 0.078],
    [500_001, 0.000_002],
    [500_000, 0],
  ])('what ends at %i costs %f dollars beyond it', (used, costUsd) => {
    expect(forecastAt('2025-11-30T23:59:59.999+01:00', { days: days(30, 0), used }).costUsd).toBe(costUsd)
  })
})
