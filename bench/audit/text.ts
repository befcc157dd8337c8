import { alignTable, threeDigits, whole } from '../table.ts'
import type { AuditMeasured, AuditWay } from './run.ts'

const TITLES: Readonly<Record<AuditWay, string>> = {
  orderly: 'Orderly: bounded batches, four sessions for alerts',
  naive: 'naive: one DELETE for each organization, one for all errors',
}

/** What was measured of the sweeps over an audit database, as the text that is printed. */
export function auditText({ store, rows, problems }: AuditMeasured): string {
  return [
    `Sweeping an audit database: ${whole(store.alerts)} alerts of ${whole(store.organizations)} organizations and ${whole(store.errors)} errors of a year,`,
    'with the indexes that Orderly asks for. Statements and their times by pg_stat_statements; each is a transaction of its',
    'own, so the slowest that deletes is the longest that a row was locked. Orderly also counts what is kept, and looks for',
    'alerts of organizations that are gone.',
    '',
    ...alignTable(
      ['of', 'way', 'deleted', 'seconds', 'statements', 'longest lock ms', 'slowest read ms'],
      rows.map(({ subject, way, deleted, seconds, statements, longestLockMs, slowestReadMs }) => [
        subject,
        TITLES[way],
        whole(deleted),
        threeDigits(seconds),
        whole(statements),
        whole(longestLockMs),
        whole(slowestReadMs),
      ]),
    ),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}
