import { sum } from './sum.ts'

/** What a whole day usually takes. */
export interface UsualDay {
  readonly perDay: number
  /** By how much a single day differs from that: a standard deviation. */
  readonly spread: number
  /** What the oddest of the days took beyond what it counts for. */
  readonly oddity: number
  /** How many whole days are behind it, from 0 to 7. */
  readonly seen: number
}

/** A week, so that quiet weekends are averaged out. */
const MOST_DAYS = 7

/** Two weeks, so that a busy weekday is known for what it is. */
const COMPARED_DAYS = 14

/** What a day may count for, as a multiple of the usual one. */
const MOST_TIMES = 3

/**
 * The mean of the last 7 whole days, oldest first, an outlier cut to what it may count for: it was spent but is not what a day
 * takes. What happens twice in two weeks is no outlier. Both steps only grow when a day grows.
 */
export function usualDay(wholeDays: readonly number[]): UsualDay {
  const last = wholeDays.slice(-MOST_DAYS)
  const seen = last.length
  if (seen === 0) return { perDay: 0, spread: 0, oddity: 0, seen }
  const compared = wholeDays.slice(-COMPARED_DAYS)
  const [, second = 0] = compared.toSorted((a, b) => b - a)
  const most = Math.max(MOST_TIMES * medianOf(last), second)
  const counted = last.map((billed) => Math.min(billed, most))
  const perDay = sum(counted) / seen
  // A quiet week says little of the next one where the one before it was busy.
  const deviation = Math.max(
    deviationOf(counted, perDay),
    deviationOf(
      compared.map((billed) => Math.min(billed, most)),
      perDay,
    ),
  )
  return {
    perDay,
    spread: Math.max(deviation, leastSpread(seen) * perDay),
    oddity: Math.max(0, ...last.map((billed) => billed - most)),
    seen,
  }
}

/** From what a usual day takes. */
const deviationOf = (days: readonly number[], perDay: number) =>
  Math.sqrt(sum(days.map((billed) => (billed - perDay) ** 2)) / Math.max(1, days.length - 1))

/** Of two in the middle the lower, for the higher may be the outlier. */
function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

/** Few days look more alike than they are. In shares of a usual day; found by the simulation that the forecast is tested with. */
const leastSpread = (seen: number) => 0.1 + 1.2 / seen
