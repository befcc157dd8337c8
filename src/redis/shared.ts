import type { Clock } from '../clock.ts'

/** Work whose result several callers share. */
export interface Shared<Result> {
  /**
   * The result of what is under way, or of what began less than `ms` ago; else it begins anew. A failure stands for at most
   * 15 s, so that whoever asks often loads a server in trouble no more than one that is well.
   */
  within(ms: number): Promise<Result>
  /** The latest success that began less than `ms` ago. */
  latest(ms: number): Result | undefined
}

const FAILURE_STANDS_MS = 15_000

export function createShared<Result>(work: () => Promise<Result>, clock: Clock): Shared<Result> {
  let asked: { readonly atMs: number; readonly result: Promise<Result> } | undefined
  let [isRunning, hasFailed] = [false, false]
  let success: { readonly atMs: number; readonly result: Result } | undefined
  // A clock that was put back must not make a result last for ever.
  const isYoung = (atMs: number, ms: number) => Math.abs(clock() - atMs) < ms

  const begin = async (atMs: number) => {
    isRunning = true
    try {
      const result = await work()
      success = { atMs, result }
      hasFailed = false
      return result
    } catch (error) {
      hasFailed = true
      throw error
    } finally {
      isRunning = false
    }
  }

  return {
    within: async (ms) => {
      const standsMs = hasFailed ? Math.min(ms, FAILURE_STANDS_MS) : ms
      if (asked === undefined || !(isRunning || isYoung(asked.atMs, standsMs))) {
        const atMs = clock()
        asked = { atMs, result: begin(atMs) }
      }
      return await asked.result
    },
    latest: (ms) => (success !== undefined && isYoung(success.atMs, ms) ? success.result : undefined),
  }
}
