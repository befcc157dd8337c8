import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillPostgres } from './inngest-postgres.ts'
import { fillSqlite, type SqliteEncoding } from './inngest-sqlite.ts'
import { type PostgresServerOptions, startPostgresServer } from './postgres-server.ts'

/** Copies of one database, for tests that each begin with the same rows. */
export interface Copies {
  /** A new copy: a `postgresql://` URL or an SQLite file. */
  fresh(): Promise<string>
  stop(): Promise<void>
}

/** The databases in which the frozen server state is kept, by name. */
export const fixtureKinds = {
  PostgreSQL: async () => await postgresCopies(),
  'SQLite, batches of bytes': async () => await sqliteCopies({ zone: '+0200 CEST' }),
  'SQLite, batches of text': async () =>
    await sqliteCopies({ zone: '-0700 MST', hasMonotonic: true, batchIds: 'text' }),
} as const satisfies Record<string, () => Promise<Copies>>

/** Of the frozen server state in a PostgreSQL server of its own; `change` may add to it first. */
export async function postgresCopies(
  options: PostgresServerOptions = {},
  change?: (database: string) => Promise<void>,
): Promise<Copies> {
  const server = await startPostgresServer(options)
  const original = await server.createDatabase()
  await fillPostgres(original)
  await change?.(original)
  return { fresh: async () => await server.createDatabase({ from: original }), stop: async () => await server.stop() }
}

/** Of the frozen server state in an SQLite file; `change` may add to it first. */
export async function sqliteCopies(
  encoding: SqliteEncoding = {},
  change?: (database: string) => Promise<void>,
): Promise<Copies> {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-inngest-'))
  const original = join(directory, 'main.db')
  await fillSqlite(original, encoding)
  await change?.(original)
  let count = 0
  return {
    fresh: async () => {
      count += 1
      const copy = join(directory, `copy-${count}.db`)
      copyFileSync(original, copy)
      return copy
    },
    stop: async () => rmSync(directory, { recursive: true, force: true }),
  }
}
