/** Something that is started with the service and stopped with it. */
export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** The parts of a service as one. */
export interface Lifecycle {
  /** Starts the parts in order. When one fails, it and those before it are stopped again and its failure is thrown. */
  start(): Promise<void>
  /**
   * Stops the started parts in reverse order. Every part is reached, even when one fails or hangs.
   *
   * @throws AggregateError of the parts that failed or did not stop in time.
   */
  stop(): Promise<void>
}

export interface LifecycleOptions {
  /** Milliseconds that stopping may take in all. */
  readonly stopWithinMs: number
  /** Told of each part that failed to stop or did not stop in time. */
  readonly onFailure?: (part: string, error: unknown) => void
}

/** Puts parts together. Starts nothing yet. */
export function createLifecycle(parts: readonly Part[], { stopWithinMs, onFailure }: LifecycleOptions): Lifecycle {
  const running: Part[] = []

  const stop = async () => {
    const deadline = createDeadline(stopWithinMs)
    const failures: unknown[] = []
    for (const part of running.splice(0).toReversed()) {
      await Promise.race([stopped(part), deadline.passed(part.name)]).catch((error: unknown) => {
        failures.push(error)
        onFailure?.(part.name, error)
      })
    }
    deadline.clear()
    if (failures.length > 0) throw new AggregateError(failures, 'Some parts did not stop cleanly.')
  }

  const start = async () => {
    for (const part of parts) {
      running.push(part)
      try {
        await part.start()
      } catch (error) {
        await stop().catch(() => undefined)
        throw error
      }
    }
  }

  return { start, stop }
}

/** A part that throws before it returns a promise fails like any other. */
const stopped = async (part: Part) => await part.stop()

/** One deadline for all parts: a part that is reached after it gets no time to hang. */
function createDeadline(ms: number) {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return {
    passed: async (name: string): Promise<never> => {
      await expired
      throw new Error(`${name} did not stop in time.`)
    },
    clear: () => clearTimeout(timer),
  }
}
