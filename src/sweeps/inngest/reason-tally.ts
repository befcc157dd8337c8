import type { Awareness, Reason, Verdict } from './verdict.ts'

/** How many runs there are of one verdict. */
export interface ReasonCount extends Verdict {
  readonly runs: number
}

/** Counts runs by their verdict. */
export interface ReasonTally {
  add(verdict: Verdict): void
  /** Those that go first, and the most frequent first. */
  counts(awareness: Awareness): readonly ReasonCount[]
}

/**
 * A verdict as it stands at the end: where Redis failed on the way, the sweep deletes no unfinished run.
 *
 * @param awareness what is known of Redis at the end.
 */
export const settled = ({ isDue, reason }: Verdict, awareness: Awareness): Verdict =>
  reason === 'abandoned' && awareness !== 'aware' ? { isDue: false, reason: 'not-judged' } : { isDue, reason }

/** Begins with nothing. */
export function createReasonTally(): ReasonTally {
  const found = new Map<Reason, ReasonCount>()
  return {
    add: (verdict) => merge(found, { ...verdict, runs: 1 }),
    counts: (awareness) => {
      const final = new Map<Reason, ReasonCount>()
      for (const { runs, ...verdict } of found.values()) merge(final, { ...settled(verdict, awareness), runs })
      return [...final.values()].toSorted((a, b) => Number(b.isDue) - Number(a.isDue) || b.runs - a.runs)
    },
  }
}

function merge(counts: Map<Reason, ReasonCount>, { isDue, reason, runs }: ReasonCount): void {
  counts.set(reason, { isDue, reason, runs: runs + (counts.get(reason)?.runs ?? 0) })
}
