import { DatabaseError } from '../../errors.ts'
import type { SweepJob } from '../sweep.ts'
import type { InngestDatabase } from './database.ts'
import type { TableName } from './tables.ts'

/**
 * Gives the room of deleted rows back to their tables, in a way that no writer waits for. Not for SQLite, where a live server
 * would have to wait. What cannot be vacuumed is a remark.
 */
export async function vacuum({ sql }: InngestDatabase, tables: readonly TableName[], job: SweepJob): Promise<void> {
  if (job.dryRun || sql.kind !== 'postgres') return
  const refused: string[] = []
  for (const table of tables) {
    await job.goOn()
    try {
      const { rows } = await sql.query(MAY_VACUUM, [table])
      if (rows[0]?.['may'] !== true) refused.push(table)
      else await job.during(sql.query(`VACUUM (ANALYZE, TRUNCATE false) ${table}`))
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      job.findings.remarks.push(`Table ${table} was not vacuumed: ${error.message}`)
    }
  }
  if (refused.length > 0) job.findings.remarks.push(`Not vacuumed, for only their owner may: ${refused.join(', ')}.`)
}

/** Asked first, because the server answers an attempt with no more than a warning. */
const MAY_VACUUM = `
  SELECT pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE') AS may
  FROM pg_class c, pg_database d
  WHERE c.oid = $1::regclass AND d.datname = current_database()`
