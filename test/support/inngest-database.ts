import type { TableRow } from './inngest-fixture.ts'
import { openPostgresTables } from './inngest-postgres.ts'
import { openSqliteTables, type SqliteEncoding } from './inngest-sqlite.ts'

/** A row as its driver reads it. */
export type StoredRow = Readonly<Record<string, unknown>>

/** The tables of an Inngest server in a database of a test. */
export interface InngestTables {
  /** Creates every table that is not there, with its indexes. */
  create(): Promise<void>
  /** The tables that are there. */
  names(): Promise<readonly string[]>
  insert(rows: readonly TableRow[]): Promise<void>
  /** Asks without parameters. */
  select(sql: string): Promise<readonly StoredRow[]>
  /** Runs a statement for its effect: a damage, a lock, another schema. */
  run(sql: string): Promise<void>
  close(): Promise<void>
}

/** Opens the database at a `postgresql://` URL or, with anything else, in an SQLite file. */
export async function openInngestTables(target: string, encoding: SqliteEncoding = {}): Promise<InngestTables> {
  return isPostgres(target) ? await openPostgresTables(target) : openSqliteTables(target, encoding)
}

/** Opens the tables for one use. */
export async function withInngestTables<Result>(
  target: string,
  use: (tables: InngestTables) => Promise<Result>,
): Promise<Result> {
  const tables = await openInngestTables(target)
  try {
    return await use(tables)
  } finally {
    await tables.close()
  }
}

const isPostgres = (target: string) => /^postgres(ql)?:/.test(target)
