/** Work that goes on after its update was answered, so that Telegram does not wait for it. */
export interface Background {
  /** Starts a piece of work. Its failure is reported, never thrown. */
  run(work: (signal: AbortSignal) => Promise<void>): void
  /** Lets work finish for a while, then asks what is left to stop, and waits until it has. */
  stop(): Promise<void>
}

/** Milliseconds that work may go on after it was asked to stop. */
const GRACE_MS = 5_000

export function createBackground(onError: (error: unknown) => void): Background {
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  return {
    run: (work) => {
      const done = Promise.resolve()
        .then(() => work(stopping.signal))
        .catch(onError)
        .finally(() => running.delete(done))
      running.add(done)
    },
    stop: async () => {
      const grace = setTimeout(() => stopping.abort(), GRACE_MS)
      while (running.size > 0) await Promise.all(running)
      clearTimeout(grace)
    },
  }
}
