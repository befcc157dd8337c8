import { InterruptedError } from '../errors.ts'
import type { Connection } from '../redis/transport.ts'

/** Milliseconds that a request may still take once the person has pressed Ctrl-C. */
const PATIENCE_MS = 2_000

/**
 * A connection that does not keep a person waiting: after the signal every request gets two more seconds and then ends as
 * interrupted, which nobody repeats. It may have been carried out all the same.
 */
export function interruptible(connection: Connection, signal: AbortSignal): Connection {
  return {
    ...connection,
    send: async (commands) => {
      const patience = createPatience(signal)
      try {
        return await Promise.race([connection.send(commands), patience.ended])
      } finally {
        patience.clear()
      }
    },
  }
}

function createPatience(signal: AbortSignal) {
  const settled = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const begin = () => {
      const timer = setTimeout(
        () => reject(new InterruptedError('Interrupted; Redis had not answered yet.')),
        PATIENCE_MS,
      )
      settled.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    }
    if (signal.aborted) begin()
    else signal.addEventListener('abort', begin, { once: true, signal: settled.signal })
  })
  return { ended, clear: () => settled.abort() }
}
