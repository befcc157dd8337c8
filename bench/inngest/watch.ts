import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

/** The longest transaction of the sweep that was seen. */
export interface Longest {
  readonly ms: number
  /** Its first statement that was seen, cut to a line. */
  readonly statement: string
}

export interface TransactionWatch {
  stop(): Promise<Longest>
}

/** Milliseconds between two looks: a transaction may be so much longer than it was seen to be. */
export const LOOK_EVERY_MS = 20

/**
 * Watches the transactions of Orderly's sessions, from a session of its own. VACUUM does not count: it takes no lock that a
 * writer or a reader waits for.
 */
export async function watchTransactions(url: string): Promise<TransactionWatch> {
  const client = new Client({ connectionString: url })
  await client.connect()
  let longest: Longest = { ms: 0, statement: '' }
  const over = new AbortController()
  const look = async () => {
    const { rows } = await client.query<Longest>(OLDEST)
    const [seen] = rows
    if (seen !== undefined && seen.ms > longest.ms) longest = seen
  }
  const watching = (async () => {
    while (!over.signal.aborted) await Promise.all([look(), sleep(LOOK_EVERY_MS)])
  })()
  return {
    stop: async () => {
      over.abort()
      await watching
      await client.end()
      return longest
    },
  }
}

const OLDEST = `
  SELECT 1000 * extract(epoch FROM clock_timestamp() - xact_start)::float8 AS ms,
    regexp_replace(left(query, 120), '\\s+', ' ', 'g') AS statement
  FROM pg_stat_activity
  WHERE application_name = 'orderly' AND state <> 'idle' AND xact_start IS NOT NULL AND query NOT LIKE 'VACUUM%'
  ORDER BY xact_start LIMIT 1`
