import { createDeferred } from './deferred.ts'
import { conflict } from './failures.ts'
import type { JsonObject } from './fields.ts'
import type { UpdateQueue } from './update-queue.ts'

export interface PollOptions {
  /** The first id that is wanted; what is before it counts as taken. Negative: the latest so many. */
  readonly offset: number
  readonly limit: number
  readonly timeoutMs: number
  /** Aborted when the bot does not wait any more. */
  readonly signal: AbortSignal
}

/** Hands updates to a bot that asks for them. */
export interface Poller {
  /**
   * Resolves with updates as soon as there are any, or with none after the timeout.
   *
   * @throws CallFailure 409 when another poll or a webhook takes over.
   */
  poll(options: PollOptions): Promise<readonly JsonObject[]>
  /** There is something new to hand out. */
  wake(): void
  /** Ends the poll that waits, if one does. */
  end(reason: string): void
}

const OTHER_POLL = 'terminated by other getUpdates request; make sure that only one bot instance is running'

export function createPoller(queue: UpdateQueue): Poller {
  let held: { readonly look: () => void; readonly fail: (error: Error) => void } | undefined

  const ready = (offset: number, limit: number) =>
    queue
      .list()
      .filter(({ id }) => id >= offset)
      .slice(0, limit)
      .map(({ body }) => body)

  const confirm = (offset: number) => {
    const all = [...queue.list()]
    const taken = offset < 0 ? all.slice(0, offset) : all.filter(({ id }) => id < offset)
    taken.forEach((update) => queue.settle(update, 'delivered'))
  }

  const end = (reason: string) => held?.fail(conflict(reason))

  const poll = async ({ offset, limit, timeoutMs, signal }: PollOptions) => {
    confirm(offset)
    const now = ready(offset, limit)
    if (now.length > 0 || timeoutMs === 0) return now
    end(OTHER_POLL)
    const { promise, resolve, reject } = createDeferred<readonly JsonObject[]>()
    const look = () => {
      const found = ready(offset, limit)
      if (found.length > 0) resolve(found)
    }
    const mine = { look, fail: reject }
    held = mine
    const timer = setTimeout(resolve, timeoutMs, [])
    signal.addEventListener('abort', () => resolve([]), { once: true })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      if (held === mine) held = undefined
    }
  }

  return { poll, wake: () => held?.look(), end }
}
