import { openInngestTables } from './inngest-database.ts'
import { inngestTables } from './inngest-fixture.ts'
import type { History } from './inngest-history.ts'
import { storeKeys } from './inngest-redis.ts'
import type { SqliteEncoding } from './inngest-sqlite.ts'

export interface Stores {
  /** A `postgresql://` URL or an SQLite file. */
  readonly database: string
  /** Where absent, keys are not stored. */
  readonly redisUrl?: string
  readonly encoding?: SqliteEncoding
}

/** Adds a history to what the stores hold; creates tables that are not there. */
export async function storeHistory({ rows, keys }: History, { database, redisUrl, encoding }: Stores): Promise<void> {
  const tables = await openInngestTables(database, encoding)
  try {
    await tables.create()
    await tables.insert(rows)
  } finally {
    await tables.close()
  }
  if (redisUrl !== undefined) await storeKeys(redisUrl, keys)
}

/** Deletes every row of a database whose tables are there. */
export async function emptyDatabase(database: string): Promise<void> {
  const tables = await openInngestTables(database)
  try {
    for (const name of Object.keys(inngestTables())) await tables.run(`DELETE FROM ${name}`)
  } finally {
    await tables.close()
  }
}
