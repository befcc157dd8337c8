import type { AuditTable, AuditTables } from '../../config.ts'
import { DatabaseError } from '../../errors.ts'
import { findTable, type FoundIndex } from '../../postgres/catalogue.ts'
import { quotedName } from '../../postgres/identifiers.ts'
import type { Queryable } from '../../postgres/queryable.ts'

/** What a column holds, as far as a sweep must know it. */
export type Kind = 'boolean' | 'integer' | 'numeric' | 'text' | 'timestamp' | 'timestamptz' | 'uuid'

/** PostgreSQL's internal names of the types that are understood. */
const KINDS: Readonly<Record<string, Kind>> = {
  bool: 'boolean',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  numeric: 'numeric',
  text: 'text',
  varchar: 'text',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  uuid: 'uuid',
}

/** The SQL type in which values of a kind are compared; of integers the widest. */
export const sqlType: Readonly<Record<Kind, string>> = {
  boolean: 'boolean',
  integer: 'bigint',
  numeric: 'numeric',
  text: 'text',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  uuid: 'uuid',
}

export interface Column {
  /** As the catalogue has it. */
  readonly name: string
  /** Quoted. */
  readonly sql: string
  readonly kind: Kind
  /** Whether it is never NULL. */
  readonly isRequired: boolean
}

/** A table that was found in the catalogue and holds what is expected. */
export interface Table<Name extends string = string> {
  /** As it is configured. */
  readonly name: string
  /** Quoted, with its schema. */
  readonly sql: string
  readonly columns: Readonly<Record<Name, Column>>
  readonly indexes: readonly FoundIndex[]
  readonly mayLock: boolean
  /** Tables, named like `sql`, whose rows go with rows of this one. */
  readonly cascades: ReadonlySet<string>
}

type ColumnOf<Name extends keyof AuditTables> = keyof AuditTables[Name]['columns'] & string
type Schema = { readonly [Name in keyof AuditTables]: Readonly<Record<ColumnOf<Name>, readonly Kind[]>> }

const ID: readonly Kind[] = ['text', 'uuid', 'integer']
const TIME: readonly Kind[] = ['timestamptz', 'timestamp']

/** The kinds that a column may have. */
const expected: Schema = {
  organization: { id: ID, retention_days: ['integer', 'numeric', 'text'] },
  alerts: { id: ID, organization_id: ID, resolved: ['boolean', 'text'], resolved_at: TIME },
  error_log: { id: ID, timestamp: TIME },
  error_aggregation: { error_hash: ID, last_occurrence: TIME },
}

/**
 * Finds a configured table in the catalogue.
 *
 * @returns undefined where there is no such table.
 * @throws DatabaseError `DATABASE_UNKNOWN` for a table that is not as expected.
 */
async function findAuditTable<Name extends keyof AuditTables>(
  sql: Queryable,
  name: Name,
  tables: AuditTables,
): Promise<Table<ColumnOf<Name>> | undefined> {
  const given: AuditTable<string> = tables[name]
  const found = await findTable(sql, given.table)
  if (found === undefined) return undefined
  if (found === 'several') throw unknown(name, given, SEVERAL)
  if (found.isDivided) throw unknown(name, given, DIVIDED)
  if (!found.isOrdinary) throw unknown(name, given, 'is a view or a foreign table')
  const columns = Object.entries<readonly Kind[]>(expected[name]).map(([usual, kinds]) => {
    const called = given.columns[usual] ?? usual
    const column = found.columns.get(called)
    if (column === undefined) throw unknown(name, given, `has no column ${called}`)
    const { type, isRequired, isExact } = column
    const kind = KINDS[type]
    if (kind === undefined || !kinds.includes(kind)) {
      throw unknown(name, given, `has a column ${called} of the type ${type}, which is none of ${kinds.join(', ')}`)
    }
    if (!isExact) {
      throw unknown(name, given, `has a column ${called} whose collation takes different texts for equal`)
    }
    return [usual, { name: called, sql: quotedName(called), kind, isRequired }] as const
  })
  return {
    name: given.table,
    sql: found.sql,
    // Made of exactly the names that `expected` has for this table.
    columns: Object.fromEntries(columns) as Record<ColumnOf<Name>, Column>,
    indexes: found.indexes,
    mayLock: found.mayLock,
    cascades: found.cascades,
  }
}

/**
 * The same for a table that must be there.
 *
 * @throws DatabaseError `DATABASE_UNKNOWN`
 */
async function needAuditTable<Name extends keyof AuditTables>(
  sql: Queryable,
  name: Name,
  tables: AuditTables,
): Promise<Table<ColumnOf<Name>>> {
  const table = await findAuditTable(sql, name, tables)
  if (table === undefined) throw unknown(name, tables[name], 'does not exist')
  return table
}

const unknown = (name: string, { table }: AuditTable<string>, what: string) =>
  new DatabaseError('DATABASE_UNKNOWN', `The table ${table} (${name} in AUDIT_TABLES) ${what}. Nothing was deleted.`)

const SEVERAL = 'is in more than one schema: name it with its own, before a dot'
const DIVIDED = 'has partitions or inherits, which these sweeps do not support'

/** The tables of alerts and of the organizations that they belong to. */
export interface AlertTables {
  readonly organization: Table<ColumnOf<'organization'>>
  readonly alerts: Table<ColumnOf<'alerts'>>
}

/** @throws DatabaseError `DATABASE_UNKNOWN` */
export async function needAlertTables(sql: Queryable, tables: AuditTables): Promise<AlertTables> {
  const organization = await needAuditTable(sql, 'organization', tables)
  const alerts = await needAuditTable(sql, 'alerts', tables)
  const [id, reference] = [organization.columns.id, alerts.columns.organization_id]
  if (id.kind !== reference.kind) {
    const what = `has a column ${reference.name} of another type than ${id.name} of ${organization.name}`
    throw unknown('alerts', tables.alerts, what)
  }
  // With two rows of one id nobody could tell which retention counts.
  const isUnique = organization.indexes.some(
    ({ isUnique: unique, columns, condition }) =>
      unique && condition === null && columns.length === 1 && columns[0] === id.name,
  )
  if (!isUnique) throw unknown('organization', tables.organization, `has no unique index on ${id.name}`)
  for (const kept of [alerts, organization]) checkCascades('alerts', { tables, swept: alerts, kept })
  return { organization, alerts }
}

/** The tables of errors. */
export interface ErrorTables {
  readonly log: Table<ColumnOf<'error_log'>>
  /** Undefined where there is none, or one that is not as expected. */
  readonly sums: Table<ColumnOf<'error_aggregation'>> | undefined
  readonly remarks: readonly string[]
}

/**
 * Only the error log itself must be there.
 *
 * @throws DatabaseError `DATABASE_UNKNOWN`
 */
export async function needErrorTables(sql: Queryable, tables: AuditTables): Promise<ErrorTables> {
  const log = await needAuditTable(sql, 'error_log', tables)
  await checkApart(sql, 'error_log', { tables, swept: log })
  try {
    const sums = await findAuditTable(sql, 'error_aggregation', tables)
    if (sums === undefined) {
      const remark = `There is no table ${tables.error_aggregation.table}, so it was left out.`
      return { log, sums, remarks: [remark] }
    }
    await checkApart(sql, 'error_aggregation', { tables, swept: sums })
    return { log, sums, remarks: [] }
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'DATABASE_UNKNOWN') throw error
    return { log, sums: undefined, remarks: [error.message] }
  }
}

interface Swept {
  readonly tables: AuditTables
  readonly swept: Table
}

/** Errors go by their time alone, so their table must be no other, nor take rows of alerts along. */
async function checkApart(sql: Queryable, name: keyof AuditTables, { tables, swept }: Swept): Promise<void> {
  checkCascades(name, { tables, swept, kept: swept })
  for (const other of ['alerts', 'organization'] as const) {
    const kept = await findTable(sql, tables[other].table)
    if (kept === undefined) continue
    if (kept === 'several') throw unknown(other, tables[other], SEVERAL)
    // A foreign key may be one of a single partition.
    if (kept.isDivided && swept.cascades.size > 0) throw unknown(other, tables[other], DIVIDED)
    if (kept.sql === swept.sql) throw unknown(name, tables[name], `is the table of ${other} too`)
    checkCascades(name, { tables, swept, kept })
  }
}

/** Rows that go because another one goes are asked for nothing: not whether they are old, nor whether they are resolved. */
function checkCascades(
  name: keyof AuditTables,
  { tables, swept, kept }: Swept & { readonly kept: { readonly sql: string } },
): void {
  if (!swept.cascades.has(kept.sql)) return
  throw unknown(name, tables[name], `takes rows of ${kept.sql} along, for a foreign key says ON DELETE CASCADE`)
}
