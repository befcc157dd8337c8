import type { IdempotencyCounts } from './idempotency.ts'

/** What a pass over the state in Redis counted, filled in while it runs. */
export interface OrphanCounts {
  /** Runs with state: `scanned = kept + seenOnce + due`. */
  readonly runs: {
    scanned: number
    kept: number
    /** Orphans that no earlier pass saw: due at the next one. */
    seenOnce: number
    due: number
    /** 0 in a dry run. */
    deleted: number
  }
  /** Keys of due runs. */
  readonly keys: { due: number; deleted: number }
  readonly idempotencyKeys: IdempotencyCounts
  /** False when Redis had no room to remember orphans that were seen first. */
  hasRemembered: boolean
}

/** The counts of a pass that begins. */
export const createOrphanCounts = (): OrphanCounts => ({
  runs: { scanned: 0, kept: 0, seenOnce: 0, due: 0, deleted: 0 },
  keys: { due: 0, deleted: 0 },
  idempotencyKeys: { scanned: 0, due: 0, expired: 0 },
  hasRemembered: true,
})
