import type { Spending } from '../../src/redis/budget/forecast.ts'
import type { BudgetMonth } from '../../src/redis/budget/budget-report.ts'
import { daysBetween } from '../../src/redis/budget/month.ts'

/** A source of numbers from 0 to 1, always the same ones for a seed (an additive generator with a mixing step). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

/** What is truly spent in a month and in the 14 days before it. */
export interface SimulatedMonth {
  readonly month: BudgetMonth
  readonly prior: readonly number[]
  readonly days: readonly number[]
}

const PRIOR_DAYS = 14

/** How often a day is an outlier: about one month of seven has one. */
const OUTLIERS = 1 / 200

/**
 * A month as a small business may have it: 50 to 50 000 commands a day, a factor for each weekday with quieter weekends, noise,
 * a day that takes 5 to 20 times as much now and then, and growth of up to 1 % a day up or down; begun on any weekday.
 */
export function simulatedMonth(random: () => number): SimulatedMonth {
  const between = (low: number, high: number) => low + (high - low) * random()
  const length = Math.floor(between(28, 32))
  const rate = 50 * 1_000 ** random()
  const weekdays = Array.from({ length: 7 }, (_, at) => (at < 5 ? between(0.8, 1.2) : between(0.2, 0.9)))
  const [noise, growth, firstWeekday] = [between(0.05, 0.3), between(-0.01, 0.01), Math.floor(between(0, 7))]
  const all = Array.from({ length: PRIOR_DAYS + length }, (_, at) => {
    const odd = random() < OUTLIERS ? between(5, 20) : 1
    const weekday = weekdays[(firstWeekday + at) % 7] ?? 1
    return Math.round(rate * weekday * (1 + growth) ** at * Math.exp(noise * normal(random)) * odd)
  })
  return { month: monthOf(length), prior: all.slice(0, PRIOR_DAYS), days: all.slice(PRIOR_DAYS) }
}

export interface LookOptions {
  /** When, in days from the month's beginning. */
  readonly at: number
  /** Since when Orderly counts, in days from the month's beginning. */
  readonly from: number
  readonly hasPrior: boolean
}

/** What is known of a month at a time, and where it will truly end. */
export function lookAt({ month, prior, days }: SimulatedMonth, { at, from, hasPrior }: LookOptions) {
  const spentOn = (day: number, [begin, end]: readonly [number, number]) =>
    Math.round((days[day] ?? 0) * (shareOfDay(end - day) - shareOfDay(begin - day)))
  const seen = Array.from({ length: Math.floor(at) - Math.floor(from) + 1 }, (_, index) =>
    spentOn(Math.floor(from) + index, [from, at]),
  )
  const left = days.map((_, day) => spentOn(day, [at, month.length]))
  const used = sum(seen)
  const instantOf = (place: number) => month.startMs + place * DAY_MS
  const spending: Spending = {
    month,
    nowMs: instantOf(at),
    zone: 'UTC',
    limit: 500_000,
    used,
    countedFromMs: instantOf(from),
    days: seen,
    prior: hasPrior ? prior : [],
  }
  return { spending, trueEnd: used + sum(left) }
}

/** What each hour of a day takes: next to nothing at night, most at noon and in the evening. */
const HOURS = [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 8, 8, 7, 6, 6, 7, 8, 9, 8, 6, 4, 2, 1]

/** The share of a day's commands that is spent by a part of the day; 0 before it and 1 after it. */
function shareOfDay(part: number): number {
  const hours = Math.min(Math.max(part, 0), 1) * HOURS.length
  const whole = HOURS.slice(0, Math.floor(hours))
  return (sum(whole) + (hours % 1) * (HOURS[whole.length] ?? 0)) / sum(HOURS)
}

/** Of the standard normal distribution (Box and Muller). */
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** A month of UTC days: the forecast knows weekdays only by what is spent on them, so any month does. */
export function monthOf(length: number): BudgetMonth {
  const startMs = Date.UTC(2026, 0, 1)
  const endMs = startMs + length * DAY_MS
  const [firstDay, lastDay, resetsOn] = [startMs, endMs - DAY_MS, endMs].map((ms) =>
    new Date(ms).toISOString().slice(0, 10),
  ) as [string, string, string]
  return { name: '2026-01', firstDay, lastDay, resetsOn, length: daysBetween(firstDay, lastDay).length, startMs, endMs }
}

const DAY_MS = 86_400_000

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
