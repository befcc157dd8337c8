import { setTimeout as pause } from 'node:timers/promises'
import { CallFailure, tooManyRequests } from './failures.ts'

/**
 * What goes wrong with a call: 429 or 500 or any other refusal; the connection broken before (`reset`) or after the call
 * was carried out (`reset-after`); or no answer at all (`hang`, not carried out). A refusal with 429 names `retryAfter`
 * seconds, 1 when not said otherwise.
 */
export type Fault = 429 | 500 | 'reset' | 'reset-after' | 'hang' | Refusal

export interface Refusal {
  readonly status: number
  readonly description?: string
  readonly retryAfter?: number
}

/** What goes wrong between the bot and Telegram. */
export interface Faults {
  failNext(method: string, fault: Fault): void
  downFor(ms: number): void
  slowBy(ms: number): void
  readonly isDown: boolean
  /** Resolves when an answer may go out. */
  slowness(): Promise<void>
  /** Takes the next fault of a method. */
  take(method: string): Fault | undefined
  stop(): void
}

export function createFaults(): Faults {
  const planned: { readonly method: string; readonly fault: Fault }[] = []
  let downTimer: NodeJS.Timeout | undefined
  let slowMs = 0

  const up = () => {
    clearTimeout(downTimer)
    downTimer = undefined
  }

  return {
    failNext: (method, fault) => void planned.push({ method: method.toLowerCase(), fault }),
    downFor: (ms) => {
      up()
      downTimer = setTimeout(up, ms)
    },
    slowBy: (ms) => {
      slowMs = ms
    },
    get isDown() {
      return downTimer !== undefined
    },
    slowness: async () => {
      if (slowMs > 0) await pause(slowMs)
    },
    take: (method) => {
      const index = planned.findIndex((plan) => plan.method === '*' || plan.method === method.toLowerCase())
      return index < 0 ? undefined : planned.splice(index, 1)[0]?.fault
    },
    stop: up,
  }
}

/** The refusal of a fault that is one. */
export function failureOf(fault: 429 | 500 | Refusal): CallFailure {
  const { status, description, retryAfter = 1 } = typeof fault === 'number' ? { status: fault } : fault
  if (status === 429) return tooManyRequests(retryAfter)
  return new CallFailure(status, description ?? 'Internal Server Error')
}
