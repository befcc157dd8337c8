import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openInngestTables } from './inngest-database.ts'
import { inngestTables } from './inngest-fixture.ts'
import type { History } from './inngest-history.ts'
import { startPostgresServer } from './postgres-server.ts'

/** One database whose rows a test replaces again and again. */
export interface Scratch {
  /** A `postgresql://` URL or an SQLite file. */
  readonly database: string
  put(rows: History['rows']): Promise<void>
  stop(): Promise<void>
}

/** Where Linux keeps files in memory: a busy disk makes each of many small transactions slow. */
const MEMORY = '/dev/shm'

export const scratchKinds = {
  PostgreSQL: async () => {
    const server = await startPostgresServer()
    return await openScratch(await server.createDatabase(), async () => await server.stop())
  },
  SQLite: async () => {
    const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'orderly-inngest-'))
    return await openScratch(join(directory, 'main.db'), async () =>
      rmSync(directory, { recursive: true, force: true }),
    )
  },
} as const satisfies Record<string, () => Promise<Scratch>>

async function openScratch(database: string, remove: () => Promise<void>): Promise<Scratch> {
  const tables = await openInngestTables(database)
  await tables.create()
  const empty = Object.keys(inngestTables()).map((name) => `DELETE FROM ${name}`)
  return {
    database,
    put: async (rows) => {
      await tables.run(empty.join(';\n'))
      await tables.insert(rows)
    },
    stop: async () => {
      await tables.close()
      await remove()
    },
  }
}
