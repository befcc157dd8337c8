/** How many things the first transaction deletes, and the fewest that any does. */
const FIRST = 50
const LEAST = 10

/** Finds how many things one transaction may delete so that nobody waits long for its locks. */
export interface Pacer {
  /** The most there may ever be: the configured batch size. */
  readonly most: number
  /** How many the next transaction may delete. */
  size(): number
  /** How long one took, in milliseconds. */
  took(ms: number): void
}

/** Begins small and doubles while transactions are short; halves after one that took longer than `longMs`. */
export function createPacer(most: number, longMs = 250): Pacer {
  let size = Math.min(most, FIRST)
  return {
    most,
    size: () => size,
    took: (ms) => {
      if (ms > longMs) size = Math.max(Math.floor(size / 2), Math.min(LEAST, most))
      else if (ms < longMs / 2.5) size = Math.min(size * 2, most)
    },
  }
}
