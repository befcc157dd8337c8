import { InterruptedError } from '../errors.ts'

/** Milliseconds that a request may still take once the person has pressed Ctrl-C. */
const PATIENCE_MS = 2_000

/**
 * Waits for work, but after the signal not more than two seconds; it may be carried out all the same.
 *
 * @throws InterruptedError, and whatever the work throws.
 */
export async function withPatience<Result>(
  work: Promise<Result>,
  { signal, message }: { readonly signal: AbortSignal; readonly message: string },
): Promise<Result> {
  const patience = createPatience(signal, message)
  try {
    return await Promise.race([work, patience.ended])
  } finally {
    patience.clear()
  }
}

function createPatience(signal: AbortSignal, message: string) {
  const settled = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const begin = () => {
      const timer = setTimeout(() => reject(new InterruptedError(message)), PATIENCE_MS)
      settled.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    }
    if (signal.aborted) begin()
    else signal.addEventListener('abort', begin, { once: true, signal: settled.signal })
  })
  return { ended, clear: () => settled.abort() }
}
