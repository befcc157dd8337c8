import type { Verdict } from './orphans-script.ts'

/** What a pass over one queue counted. Only hashes that no list or set knows: `scanned = due + kept + unreadable`. */
export interface OrphanCounts {
  readonly scanned: number
  readonly due: number
  /** 0 in a dry run. */
  readonly deleted: number
  readonly kept: number
  /** Kept, for their times are none. */
  readonly unreadable: number
  readonly because: string | null
}

/** The counts of one queue while a pass goes on. */
export interface OrphanTally {
  add(verdict: Verdict, count?: number): void
  /** That there are more than were counted. */
  noteMore(): void
  counts(): OrphanCounts
}

/** The tally of a pass that begins. In a dry run nothing counts as deleted. */
export function createOrphanTally({ isDryRun }: { readonly isDryRun: boolean }): OrphanTally {
  const found = new Map<Verdict, number>()
  const count = (verdict: Verdict) => found.get(verdict) ?? 0
  let hasMore = false
  return {
    add: (verdict, more = 1) => void found.set(verdict, count(verdict) + more),
    noteMore: () => {
      hasMore = true
    },
    counts: () => {
      const [due, unreadable] = [count('orphan'), count('unreadable')]
      const kept = count('needed') + count('too-much') + count('strange')
      const told = reasons.flatMap(([verdict, text]) => (count(verdict) > 0 ? [`${count(verdict)} ${text}`] : []))
      return {
        scanned: due + kept + unreadable,
        due,
        deleted: isDryRun ? 0 : due,
        kept,
        unreadable,
        because: [...told, ...(hasMore ? ['more are left for the next run'] : [])].join('; ') || null,
      }
    },
  }
}

const reasons: readonly (readonly [verdict: Verdict, text: string])[] = [
  ['needed', 'kept: a live job of their flow, or the next job of their deduplication, needs them'],
  ['too-much', 'kept: they have too many children to look at'],
  ['strange', 'kept: the queue has keys of an unknown kind, which may know them'],
  ['unreadable', 'kept: their times are none'],
  ['stray', 'keys kept, logs or children of jobs that are gone'],
]
