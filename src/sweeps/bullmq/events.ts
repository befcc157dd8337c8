import { ask, integerOf, type Transport } from '../../redis/transport.ts'
import { eventsKey, type QueuePlace } from './keys.ts'

export interface TrimOptions {
  readonly place: QueuePlace
  /** Events that stay at least. */
  readonly most: number
  /** Told how many went, after each request. */
  readonly onTrimmed: (count: number) => void
}

/**
 * Trims a queue's events to about the length that its owner has set, the oldest first, a few thousand at a time. Redis drops
 * whole blocks, so up to some hundred more may stay. Costs 1 XTRIM per 10 000 events, and 1.
 *
 * @throws RedisError when a trim failed.
 */
export async function trimEvents(send: Transport, { place, most, onTrimmed }: TrimOptions): Promise<void> {
  for (;;) {
    const count = integerOf(await ask(send, ['XTRIM', eventsKey(place), 'MAXLEN', '~', most]))
    if (count === 0) return
    onTrimmed(count)
  }
}
