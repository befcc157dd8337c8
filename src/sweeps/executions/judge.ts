import type { Look } from './look.ts'

/** What an earlier run saw of an execution. */
export interface Sighting {
  /** When it was first seen in this state, in milliseconds of observed time. */
  readonly sinceMs: number
  /** As a look tells it. */
  readonly state: string
}

export interface JudgeOptions {
  /** The sighting of an applied run before this one; undefined for none. */
  readonly sighting: Sighting | undefined
  /** In observed time, like the cutoff. */
  readonly nowMs: number
  /** The first instant since when an unchanged execution is kept. */
  readonly cutoffMs: number
}

/**
 * What becomes of an execution that exists:
 *
 * - `due`: unchanged since before the cutoff;
 * - `waiting`: unchanged, but not for long enough;
 * - `changed`: it has made a step since it was seen, so it goes on;
 * - `first-seen`: no earlier run saw it;
 * - `expiring`: it has an expiry, which will end it;
 * - `unreadable`: its keys are not what a store makes of them.
 */
export type Verdict = 'due' | 'waiting' | 'changed' | 'first-seen' | 'expiring' | 'unreadable'

/** Judges an execution; undefined for one that does not exist. */
export function judge(look: Look, { sighting, nowMs, cutoffMs }: JudgeOptions): Verdict | undefined {
  if (look.kind === 'gone') return undefined
  if (look.kind !== 'lasting') return look.kind === 'odd' ? 'unreadable' : 'expiring'
  // Only a clock that ran ahead during an earlier pass explains a sighting of the future; it proves nothing.
  if (sighting === undefined || sighting.sinceMs > nowMs) return 'first-seen'
  if (sighting.state !== look.state) return 'changed'
  return sighting.sinceMs < cutoffMs ? 'due' : 'waiting'
}
