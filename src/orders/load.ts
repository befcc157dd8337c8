import type { Clock } from '../clock.ts'
import { ORDER_PATTERN } from '../redis/keys.ts'
import { withRepeats } from '../redis/repeat.ts'
import { scanPages } from '../redis/scan.ts'
import type { Transport } from '../redis/transport.ts'
import { createValueReader } from '../redis/values.ts'
import { copyOf, type OrderCopies } from './copies.ts'
import { orderIdOf, timeOfId } from './order.ts'

/** What a load saw. */
export interface Loaded {
  /** Order keys met. A key may be met twice. */
  readonly keys: number
  /** Orders adopted, whether or not they were young enough to be held. */
  readonly read: number
}

export interface LoadOptions {
  readonly send: Transport
  readonly copies: OrderCopies
  readonly clock: Clock
  /** Keys whose id carries an earlier time are not read. */
  readonly earliestMs: number
}

/**
 * Reads the live orders of the whole store into the copies, page by page, while changes go on beside it.
 *
 * @throws RedisError when a page failed; what was adopted so far stays, and nothing is dropped.
 */
export async function loadOrders({ send, copies, clock, earliestMs }: LoadOptions): Promise<Loaded> {
  const reading = copies.beginReading('the whole store')
  const reader = createValueReader(withRepeats(send))
  let waiting: string[] = []
  let [keys, read] = [0, 0]

  const adoptNext = async () => {
    const batch = waiting.splice(0, reader.batchSize())
    const texts = await reader.read(batch)
    for (const [at, key] of batch.entries()) {
      const text = texts[at]
      if (text == null) continue
      const id = orderIdOf(key)
      reading.adopt(id, copyOf(id, text))
      read += 1
    }
  }

  try {
    for await (const page of scanPages(send, { match: ORDER_PATTERN })) {
      keys += page.length
      waiting = waiting.concat(page.filter((key) => (timeOfId(orderIdOf(key), clock()) ?? earliestMs) >= earliestMs))
      while (waiting.length >= reader.batchSize()) await adoptNext()
    }
    while (waiting.length > 0) await adoptNext()
    reading.dropMissing()
    return { keys, read }
  } finally {
    reading.end()
  }
}
