/** How large a made-up audit database is, and what it is judged from. */
export interface AuditStore {
  readonly organizations: number
  readonly alerts: number
  readonly errors: number
  /** The instant of the sweep, in epoch milliseconds. */
  readonly asOfMs: number
}

/** The same for every extent: it takes less than a minute. */
const ROWS = 1_000_000

/** A made-up audit database of a year before an instant. */
export const auditStore = (asOfMs: number): AuditStore => ({ organizations: 1_000, alerts: ROWS, errors: ROWS, asOfMs })

/** Days that are kept where an organization has no retention of its own, and days of errors. */
export const USUAL_DAYS = 90

export const instantOf = ({ asOfMs }: AuditStore): string => `timestamptz '${new Date(asOfMs).toISOString()}'`

/**
 * SQL: tables and rows of a year. Every tenth organization has no retention of its own, every fiftieth a broken one; four of
 * five alerts are resolved; every row has a text of 200 characters.
 */
export const fillSql = (store: AuditStore): string => `
  CREATE TABLE organization (id text PRIMARY KEY, retention_days integer);
  CREATE TABLE alerts (id uuid PRIMARY KEY, organization_id text, resolved boolean, resolved_at timestamptz, body text);
  CREATE TABLE error_log (id uuid PRIMARY KEY, "timestamp" timestamptz, body text);
  CREATE TABLE error_aggregation (error_hash text PRIMARY KEY, last_occurrence timestamptz);
  INSERT INTO organization SELECT 'org-' || n, CASE WHEN n % 50 = 0 THEN 0 WHEN n % 10 = 1 THEN NULL ELSE 1 + (n * 37) % 365 END
  FROM generate_series(1, ${store.organizations}) n;
  INSERT INTO alerts SELECT md5('alert' || n)::uuid, 'org-' || 1 + n % ${store.organizations}, n % 5 > 0,
    CASE WHEN n % 5 > 0 THEN ${instantOf(store)} - make_interval(secs => (n * 7919::bigint) % 31536000) END, repeat('x', 200)
  FROM generate_series(1, ${store.alerts}) n;
  INSERT INTO error_log SELECT md5('error' || n)::uuid, ${instantOf(store)} - make_interval(secs => (n * 7919::bigint) % 31536000), repeat('x', 200)
  FROM generate_series(1, ${store.errors}) n;
  CREATE INDEX ON alerts (organization_id, resolved_at) WHERE resolved;
  CREATE INDEX ON error_log ("timestamp");
  CREATE INDEX ON error_aggregation (last_occurrence)`

/** SQL: how many rows are due. */
export const dueSql = (store: AuditStore): string => `
  SELECT (
    SELECT count(*) FROM alerts a JOIN organization o ON o.id = a.organization_id
    WHERE a.resolved AND coalesce(o.retention_days, ${USUAL_DAYS}) BETWEEN 1 AND 365
      AND a.resolved_at < ${instantOf(store)} - coalesce(o.retention_days, ${USUAL_DAYS}) * interval '24 hours'
  ) AS alerts, (
    SELECT count(*) FROM error_log WHERE "timestamp" < ${instantOf(store)} - ${USUAL_DAYS} * interval '24 hours'
  ) AS errors`
