import { ulidTimeMs } from './ulid.ts'

/** What the sweep may know of unfinished runs: their state in Redis, nothing, or it was told not to ask. */
export type Awareness = 'aware' | 'missing' | 'off'

/** What is known of a run. */
export interface RunFacts {
  readonly id: string
  /** When it finished, in epoch milliseconds; `unfinished`, or `unknown` where its time cannot be read. */
  readonly finished: number | 'unfinished' | 'unknown'
  /** Whether Redis holds a sign of life; undefined where nobody asked. */
  readonly isAlive: boolean | undefined
}

export interface Bounds {
  /** Finished runs go when they finished before this, in epoch milliseconds. */
  readonly cutoffMs: number
  /** Abandoned incomplete runs go when they started before this. */
  readonly extendedCutoffMs: number
  readonly awareness: Awareness
}

/** Why a run goes or stays. */
export type Reason =
  | 'completed'
  | 'abandoned'
  | 'by-age'
  | 'young'
  | 'finished-later'
  | 'alive'
  | 'within-extended-retention'
  | 'not-judged'
  | 'unreadable'

export interface Verdict {
  readonly isDue: boolean
  readonly reason: Reason
}

/**
 * Judges a run that started before the cutoff. Strict: exactly at a cutoff is kept. Without knowledge of Redis no unfinished
 * run goes, unless the sweep was told to go by age alone.
 */
export function judgeRun(
  { id, finished, isAlive }: RunFacts,
  { cutoffMs, extendedCutoffMs, awareness }: Bounds,
): Verdict {
  const startedMs = ulidTimeMs(id)
  if (startedMs >= cutoffMs) return kept('young')
  if (awareness === 'off') return due('by-age')
  if (finished === 'unknown') return kept('unreadable')
  if (finished !== 'unfinished') return finished < cutoffMs ? due('completed') : kept('finished-later')
  if (awareness === 'missing' || isAlive === undefined) return kept('not-judged')
  if (isAlive) return kept('alive')
  return startedMs < extendedCutoffMs ? due('abandoned') : kept('within-extended-retention')
}

const due = (reason: Reason): Verdict => ({ isDue: true, reason })
const kept = (reason: Reason): Verdict => ({ isDue: false, reason })

/** The reasons in words, for people. */
export const reasonTexts = {
  completed: 'finished, and older than the retention',
  abandoned: 'unfinished, no state in Redis, started before the extended cutoff',
  'by-age': 'started before the cutoff, finished or not; Redis is not asked (USE_REDIS_AWARE_CLEANUP=false)',
  young: 'started after the cutoff',
  'finished-later': 'started before the cutoff, but finished after it',
  alive: 'unfinished and alive in Redis',
  'within-extended-retention': 'unfinished, no state in Redis, but started after the extended cutoff',
  'not-judged': 'unfinished, and Redis was not there to tell whether it is alive',
  unreadable: 'finished, but nobody can read when',
} as const satisfies Record<Reason, string>
