import type { Clock } from '../clock.ts'
import type { Io } from './io.ts'

/** How long a command may take before it says how far it is, and how often it does. */
const FIRST_AFTER_MS = 1_000
const EVERY_MS = 200

/** A line on stderr that is overwritten as work goes on; silent where stderr is no terminal. */
export interface Progress {
  show(text: string): void
  /** Removes the line. */
  clear(): void
}

export function createProgress({ stderr, isTerminal }: Pick<Io, 'stderr' | 'isTerminal'>, clock: Clock): Progress {
  const startedAtMs = clock()
  let shownAtMs = -Infinity
  return {
    show: (text) => {
      const nowMs = clock()
      if (!isTerminal || nowMs - startedAtMs < FIRST_AFTER_MS || nowMs - shownAtMs < EVERY_MS) return
      shownAtMs = nowMs
      stderr(`\r\u001b[K${text}`)
    },
    clear: () => {
      if (shownAtMs > 0) stderr('\r\u001b[K')
    },
  }
}
