import type { Clock } from '../clock.ts'

/** Milliseconds for which a copy of the store needs no reload, whoever may write beside us. */
const FRESH_MS = 30_000

/** Milliseconds after the first load in which an older instance may still be at work: a deploy runs both. */
const DEPLOY_MS = 2 * 60_000

/** Milliseconds for which a sign of another writer counts. */
const OTHERS_MS = 10 * 60_000

/** Decides when the copy in memory should be loaded again before it is shown. */
export interface Freshness {
  /** A load that began at this time is complete. */
  noteLoad(begunMs: number): void
  /** Another instance has written, or may have. */
  noteOthers(): void
  /** `mayPay`: whether a reload that nothing depends on may cost something. The first load is no such one. */
  isReloadDue(mayPay: () => boolean): boolean
}

export function createFreshness(clock: Clock): Freshness {
  let firstMs: number | undefined
  let loadedMs = -Infinity
  let othersMs = -Infinity
  return {
    noteLoad: (begunMs) => {
      firstMs ??= begunMs
      loadedMs = begunMs
    },
    noteOthers: () => {
      othersMs = clock()
    },
    isReloadDue: (mayPay) => {
      if (firstMs === undefined) return true
      if (clock() - loadedMs < FRESH_MS) return false
      return (loadedMs - firstMs < DEPLOY_MS || clock() - othersMs < OTHERS_MS) && mayPay()
    },
  }
}
