import { createTally } from './tally.ts'

/** What was spent on one local day. */
export interface DayCounts {
  /** Billed commands by purpose and upper-case name. */
  readonly commands: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Orders taken in. */
  readonly orders: number
  /** Values that sweeps read, in bytes. */
  readonly sweepBytes: number
}

/** Counts by local date, `yyyy-mm-dd`; a day on which nothing was counted may be missing. */
export type Counts = Readonly<Record<string, DayCounts>>

/** Counts of several boots or months as one; in any order the same. */
export function sumCounts(all: Iterable<Counts>): Counts {
  const sum = createTally()
  for (const counts of all) {
    for (const [date, day] of Object.entries(counts)) sum.day(date).add(day)
  }
  return sum.counts()
}

/** The billed commands of a day, of all purposes. */
export const billedOf = ({ commands }: DayCounts): number =>
  Object.values(commands)
    .flatMap((byName) => Object.values(byName))
    .reduce((sum, count) => sum + count, 0)
