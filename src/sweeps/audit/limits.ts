import { PAUSES_MS } from './session.ts'

/** How patient a sweep over the audit database is. */
export interface Limits {
  /** Milliseconds that one organization may take, and any single statement. */
  readonly deadlineMs: number
  /** Milliseconds before each further attempt after a connection failed. */
  readonly pausesMs: readonly number[]
}

export const usualLimits: Limits = { deadlineMs: 5 * 60_000, pausesMs: PAUSES_MS }
