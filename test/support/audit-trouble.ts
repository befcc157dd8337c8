import type { Answer, Database } from '../../src/postgres/queryable.ts'
import { AUDIT_NOW, createAuditRig, type AuditRigOptions } from './audit-rig.ts'
import type { OpenAuditStore } from './audit-store.ts'

/** Asks a database. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<Answer>

/** Each organization of `fill` has so many alerts that are due, and one that is not resolved. */
export const ALERTS = 450

/** SQL: a time that is before every cutoff. */
export const OLD = `timestamptz '${AUDIT_NOW}' - interval '400 days'`

/** Whether a statement deletes a page, of the given organization if one is given. */
export const isPage = (sql: string, values: readonly unknown[], id?: string): boolean =>
  sql.includes('DELETE') && (id === undefined || values[0] === id)

/** Makes organizations that keep their alerts for 30 days. */
export async function fill({ query }: OpenAuditStore, ids: readonly string[]): Promise<void> {
  for (const [at, id] of ids.entries()) {
    const from = at * 1_000
    await query(`INSERT INTO organization VALUES ('${id}', 30);
      INSERT INTO alerts SELECT n, '${id}', true, ${OLD} FROM generate_series(${from}, ${from + ALERTS - 1}) n;
      INSERT INTO alerts VALUES (${from + 999}, '${id}', false, ${OLD})`)
  }
}

/** The alerts that each organization has. */
export async function countAlerts({ query }: OpenAuditStore): Promise<Readonly<Record<string, number>>> {
  const { rows } = await query('SELECT organization_id AS id, count(*) AS alerts FROM alerts GROUP BY 1')
  return Object.fromEntries(rows.map(({ id, alerts }) => [String(id), Number(alerts)]))
}

/** A rig whose sessions ask through `around`. */
export const rigAround = (
  store: OpenAuditStore,
  around: (query: Query, sql: Database) => Query,
  more: Partial<AuditRigOptions> = {},
) =>
  createAuditRig({
    store: {
      url: store.url,
      open: async (url) => {
        const sql = await store.open(url)
        return { ...sql, query: around(sql.query, sql) }
      },
    },
    ...more,
  })

/** Ends the session that asks, from the outside. */
export async function endSession(store: OpenAuditStore, query: Query): Promise<void> {
  const { rows } = await query('SELECT pg_backend_pid() AS pid')
  await store.query('SELECT pg_terminate_backend($1::int, 5000)', [rows[0]?.['pid']])
}
