import type { InngestConfig } from '../../config.ts'
import type { Database } from '../../postgres/queryable.ts'
import { postgresDialect, sqliteDialect, type Dialect } from './dialect.ts'
import { readSchema, type IdColumn, type Schema, type TableName } from './tables.ts'

/** One session with an Inngest database whose tables are known. */
export interface InngestDatabase {
  readonly sql: Database
  readonly dialect: Dialect
  readonly schema: Schema
}

/**
 * Opens a session and reads the catalogue. Loads only the driver that the address needs.
 *
 * @throws DatabaseError
 */
export async function openInngestDatabase(target: InngestConfig['database']): Promise<InngestDatabase> {
  const sql = await connect(target)
  const dialect = sql.kind === 'postgres' ? postgresDialect : sqliteDialect
  try {
    if (sql.kind === 'postgres') await sql.query(PLANNING)
    return { sql, dialect, schema: readSchema(await dialect.readColumns(sql)) }
  } catch (error) {
    await sql.close()
    throw error
  }
}

async function connect(target: InngestConfig['database']): Promise<Database> {
  if (target.kind === 'postgres') {
    const { connectPostgres } = await import('../../postgres/connect.ts')
    return await connectPostgres(target.url)
  }
  const { connectSqlite } = await import('../../postgres/sqlite.ts')
  return await connectSqlite(target.file)
}

/**
 * The sweep's statements name the rows of a page, and an index leads to each. A planner without statistics, as after a restore,
 * would read a whole table for every page instead. What has no index is read all the same.
 */
const PLANNING = `
  SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
    set_config('jit', 'off', false)`

/** How a table stores its ids; undefined where the table is absent or not as expected. */
export const idOf = ({ schema }: InngestDatabase, table: TableName): IdColumn | undefined => schema.ids.get(table)

/** The number of the advisory lock that keeps two cleaners of one database apart: "orderly" in ASCII. */
const ADVISORY_LOCK = '31369497939176569'

/**
 * Keeps every other cleaner away from this database until the session ends. SQLite has nothing of the kind; there the lease
 * alone does.
 *
 * @returns false when another session holds the lock.
 */
export async function lockOut({ sql }: InngestDatabase): Promise<boolean> {
  if (sql.kind !== 'postgres') return true
  const { rows } = await sql.query('SELECT pg_try_advisory_lock($1::bigint) AS locked', [ADVISORY_LOCK])
  return rows[0]?.['locked'] === true
}
