import type { AuditConfig } from '../../config.ts'
import type { Queryable, Row } from '../../postgres/queryable.ts'
import { usualLimits } from './limits.ts'
import { createSession, openPostgres, type OpenDatabase, type Session } from './session.ts'
import { readRetention, type StoredRetention } from './stored-retention.ts'
import { needAlertTables, sqlType, type AlertTables, type Kind } from './tables.ts'

/** Organizations that one page holds. */
export const PAGE_SIZE = 250

export interface Organization {
  /** As text, whatever its type. */
  readonly id: string
  /** As it is stored, so that a change of it is noticed. */
  readonly storedRetention: string | null
  readonly retentionDays: StoredRetention
}

/**
 * Every organization with its retention, in pages of at most 250 in the order of ids.
 *
 * @throws DatabaseError
 */
export async function* listOrganizations(
  config: AuditConfig,
  open: OpenDatabase = openPostgres,
): AsyncGenerator<readonly { readonly id: string; readonly retentionDays: StoredRetention }[]> {
  const session = createSession({
    url: config.databaseUrl,
    open,
    isReadOnly: true,
    statementMs: usualLimits.deadlineMs,
    pausesMs: usualLimits.pausesMs,
    goOn: async () => undefined,
  })
  try {
    const tables = await session.attempt((sql) => needAlertTables(sql, config.tables))
    for await (const page of organizationPages(session, tables)) {
      yield page.map(({ id, retentionDays }) => ({ id, retentionDays }))
    }
  } finally {
    await session.close()
  }
}

/** The same over a session that is there. Each page is asked for when it is needed. */
export async function* organizationPages(
  session: Session,
  tables: AlertTables,
): AsyncGenerator<readonly Organization[]> {
  const { id } = tables.organization.columns
  const page = selected(tables)
  let after: string | undefined
  for (;;) {
    const bound = after === undefined ? '' : `WHERE o.${id.sql} > $1::${sqlType[id.kind]}`
    const { rows } = await session.attempt((sql) =>
      sql.query(`${page} ${bound} ORDER BY o.${id.sql} LIMIT ${PAGE_SIZE}`, after === undefined ? [] : [after]),
    )
    const found = rows.flatMap(organizationIn)
    if (found.length > 0) yield found
    after = found.at(-1)?.id
    if (rows.length < PAGE_SIZE || after === undefined) return
  }
}

/** One organization by the text of its id; undefined where there is none. */
export async function findOrganization(
  sql: Queryable,
  tables: AlertTables,
  wanted: string,
): Promise<Organization | undefined> {
  const { id } = tables.organization.columns
  if (!isIdOf(id.kind, wanted)) return undefined
  const { rows } = await sql.query(`${selected(tables)} WHERE o.${id.sql} = $1::${sqlType[id.kind]} LIMIT 1`, [wanted])
  return rows.flatMap(organizationIn)[0]
}

const selected = ({ organization }: AlertTables): string =>
  `SELECT o.${organization.columns.id.sql}::text AS id, ${storedRetention(organization)} AS retention FROM ${organization.sql} o`

/** SQL: the text of an organization's retention. A decimal without a fraction is a whole number. */
export function storedRetention({ columns }: AlertTables['organization']): string {
  const { sql, kind } = columns.retention_days
  return kind === 'numeric' ? `trim_scale(o.${sql})::text` : `o.${sql}::text`
}

function organizationIn({ id, retention }: Row): readonly Organization[] {
  if (typeof id !== 'string') return []
  const stored = typeof retention === 'string' ? retention : null
  return [{ id, storedRetention: stored, retentionDays: readRetention(stored) }]
}

const MOST_INTEGER = 9_223_372_036_854_775_807n

/** Whether a text can be a value of an id column at all: PostgreSQL refuses to compare with any other. */
function isIdOf(kind: Kind, text: string): boolean {
  if (kind === 'uuid') return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
  if (kind === 'integer')
    return /^-?\d{1,19}$/.test(text) && BigInt(text) <= MOST_INTEGER && BigInt(text) >= -MOST_INTEGER
  return !text.includes('\0')
}
