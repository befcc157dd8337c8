export interface SurplusOptions {
  /** Since when it was spent, and the time of now: places on the month's line of days. */
  readonly since: number
  readonly now: number
  /** The first of the days that are asked for, from 0, and how many they are, today being the last. */
  readonly firstDay: number
  readonly length: number
}

/**
 * By day what others spent, in whole commands. Nobody knows when they spent what the provider counts beyond Orderly's own
 * commands, so it is spread evenly over the time; what falls on other days than those asked for is left out.
 */
export function spreadSurplus(surplus: number, options: SurplusOptions): readonly number[] {
  const { since, now, firstDay, length } = options
  const spentBy = (place: number) => {
    if (place <= since) return 0
    return place >= now ? surplus : Math.round((surplus * (place - since)) / (now - since))
  }
  const begins = Array.from({ length }, (_, index) => firstDay + index)
  return begins.map((begin, index) => spentBy(begins[index + 1] ?? Infinity) - spentBy(begin))
}
