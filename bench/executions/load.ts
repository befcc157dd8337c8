/** What one worker is told to do. */
export interface Load {
  readonly url: string
  readonly prefix: string
  readonly ttlMs: number
  readonly tasks: readonly string[]
  readonly executionsPerSecond: number
  readonly seconds: number
}

/** Of so many executions one is given up after its first task, as if its worker had died. */
export const ABANDONED_EVERY = 10

/** What one worker did. */
export interface LoadResult {
  readonly finished: number
  readonly abandoned: number
  /** What went wrong, in words, each different one once, and how often anything did. */
  readonly errors: { readonly count: number; readonly sample: readonly string[] }
  /** Commands that its client sent. */
  readonly commands: number
  readonly slowestMs: number
}

/** What a worker says. */
export type LoadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'done'; readonly result: LoadResult }
