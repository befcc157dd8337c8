import { idOf, type InngestDatabase } from './database.ts'
import { numberIn } from './dialect.ts'
import { DUE_RUNS } from './due-runs.ts'
import type { IdColumn } from './tables.ts'

/** Rows of SQLite that one step reads. */
const ROWS_A_STEP = 20_000

/** SQL: a query of those events, of parameter `n`, that started a run which remains. */
export type StartedAmong = (id: IdColumn, n: number) => string

/**
 * Asks the runs themselves, so that a run that was started anew from an old event a moment ago is seen. SQLite has no index
 * that leads from an event to its runs: there, what began before is noted once, and only later rows are asked.
 *
 * @param goOn called between steps.
 */
export async function noteStartedEvents(database: InngestDatabase, goOn: () => Promise<void>): Promise<StartedAmong> {
  const { sql, dialect } = database
  const remaining = `NOT EXISTS (SELECT 1 FROM ${DUE_RUNS} d WHERE d.run_id = r.run_id)`
  const among = (id: IdColumn, n: number) => dialect.among('event_id', id, n)
  if (sql.kind === 'postgres') {
    return (id, n) => `SELECT event_id FROM function_runs r WHERE ${among(id, n)} AND ${remaining}`
  }
  const type = idOf(database, 'function_runs')?.type ?? 'blob'
  const last = numberIn((await sql.query('SELECT max(rowid) AS last FROM function_runs')).rows, 'last')
  await sql.query(`CREATE TEMP TABLE orderly_started (event_id ${type} PRIMARY KEY)`)
  for (let from = 0; from <= last; from += ROWS_A_STEP) {
    await goOn()
    await sql.query(
      `INSERT OR IGNORE INTO orderly_started SELECT event_id FROM function_runs r
        WHERE rowid >= $1 AND rowid < $2 AND event_id IS NOT NULL AND ${remaining}`,
      [from, from + ROWS_A_STEP],
    )
  }
  return (id, n) =>
    `SELECT event_id FROM orderly_started WHERE ${among(id, n)}
      UNION ALL SELECT event_id FROM function_runs WHERE rowid > ${last} AND ${among(id, n)}`
}
