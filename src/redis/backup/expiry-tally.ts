import type { Entry } from './entries.ts'

/** How many keys of each database expire when, by the minute: so much is known of millions of keys in little room. */
export interface ExpiryTally {
  /** Counts a key, if it expires. */
  add(entry: Pick<Entry, 'database' | 'expiresAtMs'>): void
  /** Keys of a database that expire after an instant, those of its very minute left out. */
  after(database: number, atMs: number): number
}

const MINUTE_MS = 60_000

/** Makes an empty one. */
export function createExpiryTally(): ExpiryTally {
  const databases = new Map<number, Map<number, number>>()
  return {
    add: ({ database, expiresAtMs }) => {
      if (expiresAtMs === undefined) return
      const minutes = databases.get(database) ?? new Map<number, number>()
      const minute = minuteOf(expiresAtMs)
      databases.set(database, minutes.set(minute, (minutes.get(minute) ?? 0) + 1))
    },
    after: (database, atMs) =>
      [...(databases.get(database) ?? [])]
        .filter(([minute]) => minute > minuteOf(atMs))
        .reduce((sum, [, keys]) => sum + keys, 0),
  }
}

const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS)
