/** The current instant in milliseconds since the epoch. Everything that needs the time is handed one. */
export type Clock = () => number

/** The real clock, and the only place that reads it. */
export const systemClock: Clock = () => Date.now()

/** Remembers what follows from the time for as long as the clock shows the same minute; no day begins within one. */
export function eachMinute<Result>(clock: Clock, compute: (nowMs: number) => Result): () => Result {
  let known: { readonly minute: number; readonly result: Result } | undefined
  return () => {
    const nowMs = clock()
    const minute = Math.floor(nowMs / 60_000)
    if (known?.minute !== minute) known = { minute, result: compute(nowMs) }
    return known.result
  }
}
