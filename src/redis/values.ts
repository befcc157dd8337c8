import { Buffer } from 'node:buffer'
import { listOf, optionalTextOf, ask, type Transport } from './transport.ts'

/** Keys of the first MGET, while nobody knows how large the values are. */
const FIRST_KEYS = 250

/** Keys of any MGET. */
const MOST_KEYS = 2_000

/** Bytes an MGET should bring at most: well below the 10 MB that Upstash allows. */
const MOST_BYTES = 3_000_000

/** Reads many values with few commands and bounded memory. */
export interface ValueReader {
  /**
   * How many keys the next read should have: 250 at first, then at most twice as many as before, at most 2 000, and what makes
   * about 3 MB if the values are as large as those of the last read.
   */
  batchSize(): number
  /** Values in the order of the keys; null for a missing key and for one of another type. Costs 1 MGET, 0 for no key. */
  read(keys: readonly string[]): Promise<readonly (string | null)[]>
  /** Bytes of values read so far. */
  bytesRead(): number
}

export function createValueReader(send: Transport): ValueReader {
  let allBytes = 0
  let next = FIRST_KEYS
  return {
    batchSize: () => next,
    read: async (keys) => {
      if (keys.length === 0) return []
      const texts = listOf(await ask(send, ['MGET', ...keys])).map((reply) => optionalTextOf(reply) ?? null)
      const bytes = texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0)
      const fitting = Math.floor((MOST_BYTES * keys.length) / Math.max(bytes, 1))
      next = Math.max(Math.min(fitting, 2 * next, MOST_KEYS), 1)
      allBytes += bytes
      return texts
    },
    bytesRead: () => allBytes,
  }
}
