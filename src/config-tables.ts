import { z } from 'zod'
import type { AuditTable, AuditTables } from './config.ts'

/** With its schema before a dot where it needs one. */
const tableName = z.string().regex(/^[^\0]{1,127}$/)
const columnName = z.string().regex(/^[^\0]{1,63}$/)

/**
 * What `AUDIT_TABLES` may say: each table and column that it leaves out has its usual name. No table is taken for two: alerts
 * as an error log would go by age alone.
 */
export const auditTables: z.ZodType<AuditTables> = z
  .strictObject({
    organization: table('organization', ['id', 'retention_days']),
    alerts: table('alerts', ['id', 'organization_id', 'resolved', 'resolved_at']),
    error_log: table('error_log', ['id', 'timestamp']),
    error_aggregation: table('error_aggregation', ['error_hash', 'last_occurrence']),
  })
  .superRefine((tables, context) => {
    const names = Object.entries(tables)
    for (const [at, [name, { table: called }]] of names.entries()) {
      const isTaken = names.slice(0, at).some(([, other]) => other.table === called)
      if (isTaken) context.addIssue({ code: 'custom', message: 'the table of another', path: [name, 'table'] })
    }
  })

function table<Column extends string>(name: string, columns: readonly Column[]) {
  const shape = Object.fromEntries(columns.map((column) => [column, columnName.default(column)]))
  const schema = z.strictObject({ table: tableName.default(name), columns: z.strictObject(shape).prefault({}) })
  return schema.prefault({}) as unknown as z.ZodDefault<z.ZodType<AuditTable<Column>>>
}

/** The same as a text of JSON. */
export const tablesText = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue('broken')
      return z.NEVER
    }
  })
  .pipe(auditTables)
