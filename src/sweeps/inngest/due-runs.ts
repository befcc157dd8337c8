import { idOf, type InngestDatabase } from './database.ts'
import { readId } from './dialect.ts'

/** What a dry run would have deleted, kept in a temporary table so that what comes after counts as if it had. */
export interface DueRuns {
  add(ids: readonly string[]): Promise<void>
  /** Which of these would have gone. */
  among(ids: readonly string[]): Promise<ReadonlySet<string>>
}

/** The name of the temporary table; its one column is `run_id`, as the runs' own table stores it. */
export const DUE_RUNS = 'orderly_due_runs'

/** An empty memory. In a real run it stays empty, for there the rows themselves are gone. */
export async function createDueRuns(database: InngestDatabase): Promise<DueRuns> {
  const { sql, dialect } = database
  const id = idOf(database, 'function_runs') ?? { encoding: 'bytes', type: 'bytea', isIndexed: true }
  await sql.query(`CREATE TEMP TABLE ${DUE_RUNS} (run_id ${id.type} PRIMARY KEY)`)
  return {
    add: async (ids) => {
      if (ids.length === 0) return
      // WHERE: SQLite would otherwise take ON for a part of the query.
      const insert = `INSERT INTO ${DUE_RUNS} SELECT id FROM (${dialect.listed(id, 1)}) AS due WHERE true ON CONFLICT DO NOTHING`
      await sql.query(insert, [dialect.ids(ids, id)])
    },
    among: async (ids) => {
      if (ids.length === 0) return new Set()
      const isAmong = dialect.among('run_id', id, 1)
      const { rows } = await sql.query(`SELECT run_id FROM ${DUE_RUNS} WHERE ${isAmong}`, [dialect.ids(ids, id)])
      return new Set(rows.flatMap((row) => readId(row['run_id']) ?? []))
    },
  }
}
