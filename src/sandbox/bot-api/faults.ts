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

/** What goes wrong just now. */
export interface FaultState {
  /** Faults that wait for the next calls. */
  readonly planned: number
  readonly isDown: boolean
  /** Milliseconds by which each answer is late; 0 for none. */
  readonly slowMs: number
}

/** What goes wrong between the bot and Telegram. */
export interface Faults {
  failNext(method: string, fault: Fault): void
  downFor(ms: number): void
  slowBy(ms: number): void
  state(): FaultState
  /** Resolves when an answer may go out. */
  slowness(): Promise<void>
  /** Takes the next fault of a method. */
  take(method: string): Fault | undefined
  /** Ends all of it: nothing is planned any more, connections last, and answers that wait go out. */
  calm(): void
}

/** `onChange` is told when a fault is planned, begins, is taken, or ends. */
export function createFaults({ onChange }: { onChange(): void }): Faults {
  const planned: { readonly method: string; readonly fault: Fault }[] = []
  let downTimer: NodeJS.Timeout | undefined
  let slowMs = 0
  let haste = new AbortController()

  const rise = () => {
    clearTimeout(downTimer)
    downTimer = undefined
    onChange()
  }

  return {
    failNext: (method, fault) => {
      planned.push({ method: method.toLowerCase(), fault })
      onChange()
    },
    downFor: (ms) => {
      clearTimeout(downTimer)
      downTimer = setTimeout(rise, ms)
      onChange()
    },
    slowBy: (ms) => {
      slowMs = ms
      onChange()
    },
    state: () => ({ planned: planned.length, isDown: downTimer !== undefined, slowMs }),
    slowness: async () => {
      if (slowMs > 0) await pause(slowMs, undefined, { signal: haste.signal }).catch(() => undefined)
    },
    take: (method) => {
      const index = planned.findIndex((plan) => plan.method === '*' || plan.method === method.toLowerCase())
      const [taken] = index < 0 ? [] : planned.splice(index, 1)
      if (taken !== undefined) onChange()
      return taken?.fault
    },
    calm: () => {
      planned.length = 0
      slowMs = 0
      haste.abort()
      haste = new AbortController()
      rise()
    },
  }
}

/** The refusal of a fault that is one. */
export function failureOf(fault: 429 | 500 | Refusal): CallFailure {
  const { status, description, retryAfter = 1 } = typeof fault === 'number' ? { status: fault } : fault
  if (status === 429) return tooManyRequests(retryAfter)
  return new CallFailure(status, description ?? 'Internal Server Error')
}
