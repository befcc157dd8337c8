import { Buffer } from 'node:buffer'
import { listOf, optionalTextOf, ask, type Transport } from './transport.ts'

/** Keys of the first MGET, while nobody knows how large the values are. */
const FIRST_KEYS = 500

/** Keys of any MGET. */
const MOST_KEYS = 2_000

/** Bytes an MGET should bring at most: well below the 10 MB that Upstash allows. */
const MOST_BYTES = 3_000_000

/** Reads many values with few commands and bounded memory. */
export interface ValueReader {
  /** How many keys the next read should have: 2 000, or what makes about 3 MB by the values seen so far. */
  batchSize(): number
  /** Values in the order of the keys; null for a missing key and for one of another type. Costs 1 MGET, 0 for no key. */
  read(keys: readonly string[]): Promise<readonly (string | null)[]>
  /** Bytes of values read so far. */
  bytesRead(): number
}

export function createValueReader(send: Transport): ValueReader {
  let bytes = 0
  let values = 0
  return {
    batchSize: () => (values === 0 ? FIRST_KEYS : clamp(Math.floor((MOST_BYTES * values) / Math.max(bytes, 1)))),
    read: async (keys) => {
      if (keys.length === 0) return []
      const replies = listOf(await ask(send, ['MGET', ...keys]))
      const texts = replies.map((reply) => optionalTextOf(reply) ?? null)
      bytes += texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0)
      values += texts.length
      return texts
    },
    bytesRead: () => bytes,
  }
}

const clamp = (keys: number) => Math.min(Math.max(keys, 1), MOST_KEYS)
