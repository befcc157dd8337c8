import { createDeferred } from '../../src/sandbox/bot-api/deferred.ts'

/** Waits for things that become true, without sleeping. */
export interface Waiting {
  /** Asks all that wait. To be called after anything that happens. */
  readonly check: () => void
  /** @throws Error when `timeoutMs` are over, with what `explain` says. */
  waitFor<Found>(find: Finder<Found>, options: WaitOptions): Promise<Found>
  stop(): void
}

/** What is waited for: found as soon as it is neither false nor nullish. */
export type Finder<Found> = () => Found | false | null | undefined

export interface WaitOptions {
  readonly timeoutMs: number
  /** What is worth knowing when it never became true. */
  readonly explain: () => string
}

/** Milliseconds between two looks at what changes outside of the stand-in. */
const LOOK_EVERY_MS = 10

export function createWaiting(): Waiting {
  const waiting = new Set<{ readonly look: () => void; readonly giveUp: (reason: string) => void }>()
  let timer: NodeJS.Timeout | undefined

  const check = () => waiting.forEach(({ look }) => look())

  const waitFor = async <Found>(find: Finder<Found>, { timeoutMs, explain }: WaitOptions): Promise<Found> => {
    const found = find()
    if (isFound(found)) return found
    const { promise, resolve, reject } = createDeferred<Found>()
    const entry = {
      look: () => {
        try {
          const now = find()
          if (isFound(now)) resolve(now)
        } catch (error) {
          reject(error)
        }
      },
      giveUp: (reason: string) => reject(new Error(`${reason}: ${String(find)}\n${explain()}`)),
    }
    waiting.add(entry)
    timer ??= setInterval(check, LOOK_EVERY_MS)
    const limit = setTimeout(() => entry.giveUp(`Not true within ${timeoutMs} ms`), timeoutMs)
    try {
      return await promise
    } finally {
      clearTimeout(limit)
      waiting.delete(entry)
      if (waiting.size === 0) {
        clearInterval(timer)
        timer = undefined
      }
    }
  }

  return {
    check,
    waitFor,
    stop: () => waiting.forEach(({ giveUp }) => giveUp('Stopped while waiting for')),
  }
}

const isFound = <Found>(found: Found | false | null | undefined): found is Found => found !== false && found != null
