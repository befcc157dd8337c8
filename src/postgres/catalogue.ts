import { quotedName } from './identifiers.ts'
import type { Queryable, Row } from './queryable.ts'

/** A table as the catalogue of PostgreSQL tells of it. */
export interface FoundTable {
  /** Its name with its schema, quoted. */
  readonly sql: string
  /** Whether it keeps rows of its own: no view, and nothing of another server. */
  readonly isOrdinary: boolean
  /** Whether it has partitions or tables that inherit from it, or is one of these itself. */
  readonly isDivided: boolean
  /** Whether our user may lock rows of it, which needs more than to delete them. */
  readonly mayLock: boolean
  readonly columns: ReadonlyMap<string, FoundColumn>
  /** Those in which values are in order. */
  readonly indexes: readonly FoundIndex[]
  /** The tables, named like this one, from which rows go too when rows of this one go: foreign keys say ON DELETE CASCADE. */
  readonly cascades: ReadonlySet<string>
}

export interface FoundColumn {
  /** The internal name of its type, such as `int4` or `timestamptz`. */
  readonly type: string
  /** Whether it is never NULL. */
  readonly isRequired: boolean
  /** Whether two texts are equal only when they are the same. */
  readonly isExact: boolean
}

export interface FoundIndex {
  /** Names of the columns that it is in order of; empty for an expression. */
  readonly columns: readonly string[]
  readonly isUnique: boolean
  /** SQL of the condition of a partial index, as PostgreSQL writes it. */
  readonly condition: string | null
}

/**
 * Looks a table up: one in a schema of the search path that has exactly this name, or else `schema.table`. Views are found
 * too.
 *
 * @returns undefined where there is none, `several` where more than one could be meant.
 * @throws DatabaseError
 */
export async function findTable(sql: Queryable, name: string): Promise<FoundTable | 'several' | undefined> {
  const { rows } = await sql.query(TABLES, [name])
  const [table, other] = rows
  if (table === undefined) return undefined
  if (other !== undefined && other['isOnPath'] === table['isOnPath']) return 'several'
  const columns = await sql.query(COLUMNS, [table['oid']])
  const indexes = await sql.query(INDEXES, [table['oid']])
  const cascades = await sql.query(CASCADES, [table['oid']])
  return {
    sql: nameIn(table),
    cascades: new Set(cascades.rows.map(nameIn)),
    isOrdinary: table['isOrdinary'] === true,
    isDivided: table['isDivided'] === true,
    mayLock: table['mayLock'] === true,
    columns: new Map(columns.rows.map((row) => [String(row['column']), columnIn(row)])),
    indexes: indexes.rows.map((row) => ({
      columns: namesIn(row['columns']),
      isUnique: row['isUnique'] === true,
      condition: textIn(row['condition']),
    })),
  }
}

const columnIn = ({ type, isRequired, isExact }: Row): FoundColumn => ({
  type: String(type),
  isRequired: isRequired === true,
  isExact: isExact === true,
})

const nameIn = ({ schema, name }: Row) => `${quotedName(String(schema))}.${quotedName(String(name))}`
const namesIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** $1 the name. Locking rows needs the right to UPDATE some column. */
const TABLES = `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, p.has AS "isOnPath",
    c.relkind IN ('r', 'p') AS "isOrdinary", has_any_column_privilege(c.oid, 'UPDATE') AS "mayLock",
    c.relkind = 'p' OR EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid)) AS "isDivided"
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT c.relname = $1::text AND n.nspname = ANY (current_schemas(false)) AS has) p
  WHERE (p.has OR n.nspname || '.' || c.relname = $1::text)
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY p.has DESC LIMIT 2`

const COLUMNS = `
  SELECT a.attname::text AS column, t.typname::text AS type, a.attnotnull AS "isRequired",
    coalesce(l.collisdeterministic, true) AS "isExact"
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped`

const INDEXES = `
  SELECT pg_get_expr(i.indpred, i.indrelid) AS condition, i.indisunique AS "isUnique", ARRAY(
    SELECT coalesce(a.attname::text, '')
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, at)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.at <= i.indnkeyatts ORDER BY k.at
  ) AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
  WHERE i.indrelid = $1::oid AND i.indisvalid AND m.amname = 'btree'`

/** The table itself counts only where it is reached again. */
const CASCADES = `
  WITH RECURSIVE reached AS (
    SELECT f.conrelid AS oid FROM pg_constraint f WHERE f.contype = 'f' AND f.confdeltype = 'c' AND f.confrelid = $1::oid
    UNION
    SELECT f.conrelid FROM reached r JOIN pg_constraint f ON f.confrelid = r.oid
    WHERE f.contype = 'f' AND f.confdeltype = 'c'
  )
  SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM reached r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace`
