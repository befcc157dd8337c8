import { auditTables } from './config-tables.ts'
import type { ReadValue } from './config-variables.ts'
import type { AuditConfig } from './config.ts'

/** Every variable is read, so that a wrong one is told although no audit database is configured. */
export function readAudit(value: ReadValue, serviceZone: string): AuditConfig | undefined {
  const databaseUrl = value('AUDIT_DATABASE_URL')
  const scheduleOf = (name: 'ALERT_SCHEDULE' | 'ERROR_SCHEDULE', hour: number) => {
    const { pattern, zone = serviceZone } = value(name) ?? { pattern: `0 ${hour} * * *`, zone: 'Europe/Lisbon' }
    return { pattern, zone }
  }
  const audit = {
    tables: value('AUDIT_TABLES') ?? auditTables.parse({}),
    alertRetentionDays: value('ALERT_RETENTION_DAYS') ?? 90,
    alertSchedule: scheduleOf('ALERT_SCHEDULE', 5),
    deletesOrphans: value('ALERT_ORPHANS') === 'delete',
    errorRetentionDays: value('ERROR_RETENTION_DAYS') ?? 90,
    errorSchedule: scheduleOf('ERROR_SCHEDULE', 4),
  }
  return databaseUrl === undefined ? undefined : { databaseUrl, ...audit }
}
