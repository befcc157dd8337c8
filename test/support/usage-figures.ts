import * as fc from 'fast-check'
import type { DayFigures, UsageFigures } from '../../src/charts/usage-chart.ts'

/** Milliseconds of a day; the made-up months are in UTC. */
const DAY_MS = 86_400_000

/** What of a month matters to a test. */
export interface MonthWish {
  readonly firstDay?: string
  readonly length?: number
  /** Days since the month's start. */
  readonly now: number
  /** By Orderly on each day, from `knownFrom` (counted from 0). */
  readonly own: readonly number[]
  readonly others?: readonly number[]
  /** Days of the month, from 1, on which a cleanup ran. */
  readonly cleanups?: readonly number[]
  readonly knownFrom?: number
  readonly used?: number
  readonly limit?: number
  readonly forecast?: Partial<UsageFigures['forecast']>
}

/** Figures of a month, in November 2026 unless told otherwise, with a forecast that goes on as before. */
export function usageFigures(wish: MonthWish): UsageFigures {
  const { firstDay = '2026-11-01', length = 30, now, knownFrom = 0, limit = 500_000 } = wish
  const startMs = Date.parse(`${firstDay}T00:00:00Z`)
  const at = (day: number) => startMs + day * DAY_MS
  const days = wish.own.map((own, index): DayFigures => {
    const date = new Date(at(knownFrom + index)).toISOString().slice(0, 10)
    const cleanups = wish.cleanups?.includes(knownFrom + index + 1) === true ? 1 : 0
    return { date, own, others: wish.others?.[index] ?? 0, cleanups }
  })
  const used = wish.used ?? days.reduce((sum, { own, others }) => sum + own + others, 0)
  const end = wish.forecast?.end ?? (now === 0 ? 0 : (used / now) * length)
  const limitAt = now + ((limit - used) / (end - used)) * (length - now)
  return {
    month: { firstDay, length, startMs, endMs: at(length) },
    atMs: at(now),
    limit,
    used,
    days,
    forecast: {
      end,
      low: end * 0.95,
      high: end * 1.06,
      limitAtMs: end > limit ? at(limitAt) : null,
      isEarly: false,
      ...wish.forecast,
    },
  }
}

/** Where the counter is reset, with the days of the month that begins there. */
const months = [
  ['2026-11-01', 30],
  ['2026-02-01', 28],
  ['2028-02-01', 29],
  ['2026-12-01', 31],
  ['2026-12-15', 31],
  ['2026-01-28', 31],
  ['2026-02-28', 28],
  ['2026-04-26', 30],
] as const

/** Counts of every size, 0 among them, up to 10^12. */
const count = fc.double({ min: 0, max: 12, noNaN: true }).map((power) => Math.floor(10 ** power) - 1)

/** Any month that can be: every length, reset day, size, time and beginning of counting. */
export const anyFigures: fc.Arbitrary<UsageFigures> = fc
  .record({
    month: fc.constantFrom(...months),
    now: fc.double({ min: 0, max: 1, noNaN: true }),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    size: count,
    limit: count.map((value) => value + 1),
    shares: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 31, maxLength: 31 }),
    othersShare: fc.constantFrom(0, 0, 0.1, 3),
    before: fc.constantFrom(0, 0.5, 20),
    growth: fc.double({ min: 1, max: 40, noNaN: true }),
    spread: fc.constantFrom(0, 0.01, 0.2, 5, 1_000),
    cleanups: fc.array(fc.integer({ min: 1, max: 31 }), { maxLength: 31 }),
  })
  .map(
    ({
      month: [firstDay, length],
      now: share,
      from,
      size,
      limit,
      shares,
      othersShare,
      before,
      growth,
      spread,
      cleanups,
    }) => {
      const now = share * length
      const today = Math.min(length - 1, Math.floor(now))
      const knownFrom = Math.floor(from * (today + 1) * 0.999)
      const own = shares.slice(0, today - knownFrom + 1).map((one) => Math.round(one * size))
      const others = own.map((one) => Math.round(one * othersShare))
      const known = [...own, ...others].reduce((sum, one) => sum + one, 0)
      const used = known + (knownFrom === 0 ? 0 : Math.round(before * size))
      const end = Math.round(used + (used / Math.max(0.01, share)) * (1 - share) * growth)
      const forecast = { end, low: end - (end - used) * Math.min(1, spread), high: end + (end - used) * spread }
      return usageFigures({ firstDay, length, now, knownFrom, own, others, used, limit, cleanups, forecast })
    },
  )
