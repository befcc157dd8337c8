import type { AuditConfig, InngestConfig } from '../config.ts'
import { openPostgres, type OpenDatabase } from '../sweeps/audit/session.ts'
import { needAlertTables, needErrorTables } from '../sweeps/audit/tables.ts'
import { openInngestDatabase } from '../sweeps/inngest/database.ts'
import { ok, warn, type Finding } from './doctor-check.ts'
import { counted } from './text.ts'

/** Whether the database of the Inngest answers and its tables are those that the sweep knows. Reads the catalogue alone. */
export async function checkInngestDatabase({ database }: InngestConfig): Promise<Finding> {
  const { sql, schema } = await openInngestDatabase(database)
  await sql.close()
  const detail = `answers (${sql.kind}), ${counted(schema.ids.size, 'table')} as expected`
  if (schema.remarks.length === 0) return ok(detail)
  return warn(`${detail}. ${schema.remarks.join(' ')}`, 'orderly inngest diagnose shows what the sweep makes of it.')
}

/** Whether the audit database answers and has the tables and columns that the sweeps need. Reads the catalogue alone. */
export async function checkAuditDatabase(config: AuditConfig, open: OpenDatabase = openPostgres): Promise<Finding> {
  const remarks = await readTables(config, open)
  const detail = 'answers, and its tables are as expected'
  if (remarks.length === 0) return ok(detail)
  return warn(`${detail}, but: ${remarks.join(' ')}`, 'Name the tables that have other names in AUDIT_TABLES.')
}

async function readTables({ databaseUrl, tables }: AuditConfig, open: OpenDatabase): Promise<readonly string[]> {
  const sql = await open(databaseUrl)
  try {
    await needAlertTables(sql, tables)
    return (await needErrorTables(sql, tables)).remarks
  } finally {
    await sql.close()
  }
}
