import type { BullmqConfig, JobRetention } from '../../config.ts'
import type { SweepJob } from '../sweep.ts'
import type { FinishedState } from './keys.ts'

/** What finished jobs of one state stay: the newest `keep`, as long as they finished at `cutoffMs` or later. */
export interface Bounds {
  readonly keep: number
  /** Epoch milliseconds, from 0 on. */
  readonly cutoffMs: number
}

/** The finished jobs of one state as a queue's sorted set counts them. */
export interface FinishedCounts {
  readonly total: number
  /** Those that finished before the cutoff. */
  readonly older: number
}

/** The bounds of a run in words, for its report. */
export function boundsText({ completed, failed }: BullmqConfig, days: number | undefined): string {
  const age = ({ ageSeconds }: JobRetention) => ageText(days === undefined ? ageSeconds : days * 86_400)
  return `each queue keeps at most ${completed.keep} completed jobs for ${age(completed)} and ${failed.keep} failed ones for ${age(failed)}`
}

const UNITS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const

/** In the largest unit that needs no fraction. */
function ageText(seconds: number): string {
  const [unit, name] = UNITS.find(([one]) => seconds % one === 0) ?? [1, 'second']
  return `${seconds / unit} ${name}${seconds === unit ? '' : 's'}`
}

/** The bounds of a run: asked-for days stand for both configured ages, never for the numbers. */
export function boundsOf(config: BullmqConfig, { asOfMs, days, cutoffMs }: SweepJob): Record<FinishedState, Bounds> {
  const bounds = ({ keep, ageSeconds }: JobRetention): Bounds => ({
    keep,
    cutoffMs: Math.max(days === undefined ? asOfMs - ageSeconds * 1_000 : cutoffMs, 0),
  })
  return { completed: bounds(config.completed), failed: bounds(config.failed) }
}

/**
 * How many of the oldest jobs go: a job goes when it finished before the cutoff, or when at least `keep` newer ones are
 * there. Both make the same set in order of time, the oldest first, so the longer one counts.
 */
export const countDue = ({ total, older }: FinishedCounts, keep: number): number => Math.max(total - keep, older, 0)
