import { setTimeout as sleep } from 'node:timers/promises'
import { GrammyError, type Transformer } from 'grammy'

/** Calls of Telegram's API that can be broken off when the service stops. */
export interface BreakableCalls {
  readonly transformer: Transformer
  /** Ends the calls under way, and the pauses of those that are being repeated, with an error. */
  breakOff(): void
}

export function createBreakableCalls(): BreakableCalls {
  const underWay = new Set<AbortController>()
  let isBroken = false
  return {
    transformer: async (call, method, payload, signal) => {
      if (signal !== undefined) return await call(method, payload, signal)
      // One for each call: grammY leaves its listener on the signal.
      const controller = new AbortController()
      underWay.add(controller)
      // After that, what is still said has a short time: nobody may be waited for.
      const late = isBroken ? setTimeout(() => controller.abort(), LATE_MS) : undefined
      return await call(method, payload, controller.signal as Parameters<typeof call>[2]).finally(() => {
        clearTimeout(late)
        underWay.delete(controller)
      })
    },
    breakOff: () => {
      isBroken = true
      underWay.forEach((controller) => controller.abort())
    },
  }
}

/** Milliseconds for a call that begins after calls were broken off. */
const LATE_MS = 1_500

/** Milliseconds before each further try of a call that Telegram did not answer. */
const PAUSES_MS = [1_000, 5_000, 15_000, 30_000, 60_000]

/**
 * Repeats a call while Telegram is away or busy. It may be carried out twice, when an answer was lost.
 *
 * @throws what the call throws when Telegram refuses it, when the signal is aborted, and after two minutes of trying.
 */
export async function untilAnswered<Result>(call: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await call()
    } catch (error) {
      if (isRefusal(error) || signal.aborted) throw error
      await sleep(pauseAfter(error, pauseMs), undefined, { signal }).catch(() => undefined)
    }
  }
  return await call()
}

/** Whether Telegram said no, so that another try is of no use. */
export const isRefusal = (error: unknown): error is GrammyError =>
  error instanceof GrammyError && error.error_code < 429

/** Telegram refuses an edit that changes nothing; that is what was wanted. */
export function ignoreUnchanged(error: unknown): void {
  if (!(error instanceof GrammyError && error.description.includes('message is not modified'))) throw error
}

/** Milliseconds to wait after a failure: what Telegram asked for, or the given ones where that is less. */
export function pauseAfter(error: unknown, leastMs: number): number {
  const toldSeconds = error instanceof GrammyError ? (error.parameters.retry_after ?? 0) : 0
  return Math.max(leastMs, toldSeconds * 1_000)
}
