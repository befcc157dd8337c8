/** What the latest pass left in the memory. */
export interface PassClock {
  /** When it began, by the real clock. */
  readonly latestMs: number
  /** How much time all passes up to it have left out; negative where the clock was set back. */
  readonly leftOutMs: number
  /** Whether more time had passed before it than counts. */
  readonly isAfterGap: boolean
}

/** The time of a pass as executions are judged by it. */
export interface ObservedTime extends Omit<PassClock, 'latestMs'> {
  /** When the pass began in observed time: by the real clock, less what is left out. */
  readonly observedMs: number
  /** False at the first pass after a gap: workers that were down as well have had no time to take a step. */
  readonly mayRemove: boolean
}

export interface ObserveOptions {
  /** By the real clock. */
  readonly nowMs: number
  /** What counts at most of the time since the latest pass. */
  readonly mostMs: number
}

/**
 * How far observed time has come. Of the time since the latest pass no more than `mostMs` counts, for in the rest the
 * executions' workers may have been down as well; a clock that was set back makes it stand still.
 */
export function observe(earlier: PassClock | undefined, { nowMs, mostMs }: ObserveOptions): ObservedTime {
  if (earlier === undefined) return { leftOutMs: 0, isAfterGap: false, observedMs: nowMs, mayRemove: true }
  const gapMs = nowMs - earlier.latestMs
  const countedMs = Math.max(0, Math.min(gapMs, mostMs))
  const leftOutMs = earlier.leftOutMs + gapMs - countedMs
  const isAfterGap = gapMs > mostMs
  // Where each pass comes after a gap, such is the schedule.
  return { leftOutMs, isAfterGap, observedMs: nowMs - leftOutMs, mayRemove: !isAfterGap || earlier.isAfterGap }
}
