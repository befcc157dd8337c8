/** One key as it goes from server to server. */
export interface Entry {
  readonly database: number
  readonly key: Buffer
  /** What DUMP answered. */
  readonly payload: Buffer
  /** Epoch milliseconds; undefined for a key that stays. */
  readonly expiresAtMs: number | undefined
}

/** Bytes that one request carries at most, one larger value aside. */
export const BATCH_BYTES = 1_000_000

/** Keys that one request carries at most. */
export const BATCH_KEYS = 500

/** Groups items so that each group stays within bytes and number; an item above the bytes is a group of its own. */
export async function* batchesOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  bytesIn: (item: Item) => number,
): AsyncGenerator<readonly Item[]> {
  let batch: Item[] = []
  let bytes = 0
  for await (const item of items) {
    const more = bytesIn(item)
    if (batch.length > 0 && (bytes + more > BATCH_BYTES || batch.length === BATCH_KEYS)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += more
  }
  if (batch.length > 0) yield batch
}
