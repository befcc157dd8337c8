import type { Queryable } from '../../postgres/queryable.ts'
import { hourCutoffs } from '../retention.ts'
import { numberIn, type Deletion } from './deletion.ts'
import { isResolved } from './index-advice.ts'
import { storedRetention, type Organization } from './organizations.ts'
import { sqlType, type AlertTables, type Column } from './tables.ts'

/** An organization and the first instant of which its alerts are kept. */
export interface Judged extends Organization {
  /** Undefined where nobody can tell: then all its alerts are kept. */
  readonly cutoffMs: number | undefined
  /** Whether the stored retention does not count in this run. */
  readonly isOverridden: boolean
}

/** Resolved alerts of an organization. */
export interface AlertCounts {
  readonly due: number
  readonly kept: number
}

export interface Judging {
  readonly asOfMs: number
  /** In place of every stored retention. */
  readonly days: number | undefined
  /** Where none is stored. */
  readonly usualDays: number
}

/** What an organization's retention means at an instant. */
export function judge(organization: Organization, { asOfMs, days, usualDays }: Judging): Judged {
  const keeps = days ?? organization.retentionDays ?? usualDays
  return {
    ...organization,
    cutoffMs: keeps === 'refused' ? undefined : hourCutoffs({ days: keeps, factor: 1 }, asOfMs).cutoffMs,
    isOverridden: days !== undefined,
  }
}

/** An instant as PostgreSQL reads it; for a column without a zone the `Z` is dropped, so such times count as UTC. */
export const instantText = (ms: number): string => new Date(ms).toISOString()

/** SQL: whether a row's time is before an instant, made by `instantText`. What was never is no time to judge by. */
export const isBefore = ({ sql, kind }: Column, n: number): string =>
  `t.${sql} < $${n}::${sqlType[kind]} AND t.${sql} > '-infinity'`

/** Counts the resolved alerts of a page of organizations in one statement, in their order. */
export async function countAlerts(
  sql: Queryable,
  { alerts }: AlertTables,
  page: readonly Judged[],
): Promise<readonly AlertCounts[]> {
  const { organization_id: owner, resolved, resolved_at: time } = alerts.columns
  const { rows } = await sql.query(
    `SELECT o.at, count(*) AS found, count(*) FILTER (WHERE t.${time.sql} < o.cutoff AND t.${time.sql} > '-infinity') AS due
    FROM unnest($1::${sqlType[owner.kind]}[], $2::${sqlType[time.kind]}[]) WITH ORDINALITY AS o (id, cutoff, at)
    JOIN ${alerts.sql} t ON t.${owner.sql} = o.id AND ${isResolved(resolved, 't.')}
    GROUP BY o.at`,
    [page.map(({ id }) => id), page.map(({ cutoffMs }) => (cutoffMs === undefined ? null : instantText(cutoffMs)))],
  )
  const counts = new Map(
    rows.map(({ at, found, due }) => [numberIn(at), { found: numberIn(found), due: numberIn(due) }]),
  )
  return page.map((_, at) => {
    const { found, due } = counts.get(at + 1) ?? { found: 0, due: 0 }
    return { due, kept: found - due }
  })
}

/**
 * The alerts of an organization that go: resolved ones from before its cutoff, as long as it exists and has the retention
 * that it was judged by.
 */
export function alertDeletion(
  tables: AlertTables,
  { id, cutoffMs = 0, storedRetention: stored, isOverridden }: Judged,
) {
  const { alerts, organization } = tables
  const { id: key, organization_id: owner, resolved, resolved_at: time } = alerts.columns
  const isOld = `t.${owner.sql} = $1::${sqlType[owner.kind]} AND ${isResolved(resolved, 't.')} AND ${isBefore(time, 2)}`
  const isThere = `o.${organization.columns.id.sql} = $1::${sqlType[owner.kind]}`
  const isSame = isOverridden ? '' : ` AND ${storedRetention(organization)} IS NOT DISTINCT FROM $3::text`
  const values = [id, instantText(cutoffMs), ...(isOverridden ? [] : [stored])]
  return {
    table: alerts,
    key,
    walk: time,
    isDue: `${isOld} AND EXISTS (SELECT 1 FROM ${organization.sql} o WHERE ${isThere}${isSame})`,
    values,
  } satisfies Deletion
}
