import type { Queryable, Row } from '../../postgres/queryable.ts'
import { neededColumns, tableNames, type FoundColumn, type IdColumn } from './tables.ts'
import { bytesOfRunId, isRunId, runIdOfBytes } from './ulid.ts'

/** What the two kinds of SQL say differently. */
export interface Dialect {
  /** The name of a row's place in its table, which stays while the sweep is at work. */
  readonly place: 'ctid' | 'rowid'
  /** The column type of such a place. */
  readonly placeType: 'tid' | 'integer'
  /** The most rows that one statement should touch. */
  readonly mostBatch: number
  /** Milliseconds after which a transaction holds others up for too long. */
  readonly longMs: number
  /** SQL: the newest rows' ids of a table of runs. */
  newest(table: 'function_runs' | 'function_finishes', limit: number): string
  /** The tables and columns there are. */
  readColumns(database: Queryable): Promise<readonly FoundColumn[]>
  /** SQL: whether a column's id is among those of parameter `n`, made by `ids`. */
  among(column: string, id: IdColumn, n: number): string
  /** SQL: whether a row's place is among those that a query selects. */
  placedIn(query: string): string
  /** SQL: a query of the places of parameter `n`, made by `places`. */
  placesOf(n: number): string
  /** A parameter that holds ids, in the encoding of a column. */
  ids(ids: readonly string[], id: IdColumn): unknown
  /** A parameter that holds places as they were read. */
  places(places: readonly unknown[]): unknown
  /** SQL: a query of one column `id` with the ids of parameter `n`. */
  listed(id: IdColumn, n: number): string
  /** SQL: a column's time in epoch milliseconds, or something that `readTime` understands. */
  time(column: string): string
  /** What `time` selected, in epoch milliseconds; undefined where nobody can tell. */
  readTime(value: unknown): number | undefined
}

/** One id as a parameter, to be compared with a column. */
export const idValue = (runId: string, { encoding }: IdColumn): unknown =>
  encoding === 'bytes' ? bytesOfRunId(runId) : runId

/** An id as it was read; undefined where it is none. */
export function readId(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return value.byteLength === 16 ? validId(runIdOfBytes(value)) : undefined
  return typeof value === 'string' ? validId(value.trimEnd()) : undefined
}

const validId = (text: string) => (isRunId(text) ? text : undefined)

/** The whole number of the first row. */
export const numberIn = (rows: readonly Row[], name: string): number => Number(rows[0]?.[name] ?? 0)

const hexOf = (runId: string) => bytesOfRunId(runId).toString('hex')

export const postgresDialect: Dialect = {
  place: 'ctid',
  placeType: 'tid',
  mostBatch: 10_000,
  longMs: 250,
  newest: (table, limit) =>
    `SELECT run_id FROM (SELECT run_id FROM ${table} ORDER BY run_id DESC LIMIT ${limit}) AS newest`,
  readColumns: async (database) => {
    const { rows } = await database.query(POSTGRES_COLUMNS)
    return rows.map(({ table, kind, column, type, isIndexed }) => ({
      table: String(table),
      column: String(column),
      type: String(type),
      id: kind === 'r' ? postgresId(String(type), isIndexed === true) : undefined,
    }))
  },
  among: (column, { type }, n) => `${column} = ANY($${n}::${type}[])`,
  placedIn: (query) => `ctid = ANY (ARRAY(${query}))`,
  placesOf: (n) => `SELECT unnest($${n}::tid[])`,
  ids: (ids, { encoding }) => (encoding === 'bytes' ? ids.map(bytesOfRunId) : ids),
  places: (places) => places,
  listed: ({ type }, n) => `SELECT unnest($${n}::${type}[]) AS id`,
  // Of a time without a zone this counts as if it were UTC, whatever zone process and session are in.
  time: (column) => `extract(epoch FROM ${column}) * 1000`,
  readTime: (value) => (value === null || value === undefined ? undefined : Number(value)),
}

/** What is on the search path, with the types of its columns and whether an index begins with each. */
const POSTGRES_COLUMNS = `
  SELECT c.relname AS "table", c.relkind::text AS "kind", a.attname AS "column", t.typname AS "type",
    EXISTS (
      SELECT 1 FROM pg_index i
      WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
    ) AS "isIndexed"
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND pg_table_is_visible(c.oid)
    AND c.relnamespace <> 'pg_catalog'::regnamespace`

function postgresId(type: string, isIndexed: boolean): IdColumn | undefined {
  if (type === 'bytea') return { encoding: 'bytes', type, isIndexed }
  return ['bpchar', 'text', 'varchar'].includes(type) ? { encoding: 'text', type, isIndexed } : undefined
}

export const sqliteDialect: Dialect = {
  place: 'rowid',
  placeType: 'integer',
  mostBatch: 500,
  // The server's own writes fail at once where the file is locked.
  longMs: 50,
  newest: (table, limit) => `SELECT run_id FROM (SELECT run_id FROM ${table} ORDER BY rowid DESC LIMIT ${limit})`,
  readColumns: async (database) => {
    const { rows } = await database.query(SQLITE_COLUMNS)
    const found: FoundColumn[] = []
    for (const row of rows) {
      const [table, column] = [String(row['table']), String(row['column'])]
      const isId = tableNames.some((name) => name === table && neededColumns[name][0] === column)
      const id = isId ? await sqliteId(database, { table, column, isIndexed: row['isIndexed'] === 1 }) : undefined
      found.push({ table, column, type: undefined, id })
    }
    return found
  },
  among: (column, { encoding }, n) =>
    `${column} IN (SELECT ${encoding === 'bytes' ? 'unhex(value)' : 'value'} FROM json_each($${n}))`,
  placedIn: (query) => `rowid IN (${query})`,
  placesOf: (n) => `SELECT value FROM json_each($${n})`,
  ids: (ids, { encoding }) => JSON.stringify(encoding === 'bytes' ? ids.map(hexOf) : ids),
  places: (places) => JSON.stringify(places),
  listed: ({ encoding }, n) => `SELECT ${encoding === 'bytes' ? 'unhex(value)' : 'value'} AS id FROM json_each($${n})`,
  time: (column) => column,
  readTime: (value) => (typeof value === 'string' ? goTimeMs(value) : undefined),
}

const SQLITE_COLUMNS = `
  SELECT m.name AS "table", p.name AS "column", EXISTS (
    SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i
    WHERE l.partial = 0 AND i.seqno = 0 AND i.name = p.name
  ) AS "isIndexed"
  FROM sqlite_master m, pragma_table_info(m.name) p
  WHERE m.type = 'table'`

/** What a column holds says more than its declared type: Inngest declares CHAR(26) and stores bytes. */
async function sqliteId(
  database: Queryable,
  { table, column, isIndexed }: { table: string; column: string; isIndexed: boolean },
): Promise<IdColumn | undefined> {
  const [name, from] = [quoted(column), quoted(table)]
  const { rows } = await database.query(`SELECT typeof(${name}) AS type FROM ${from} WHERE ${name} IS NOT NULL LIMIT 1`)
  const type = rows[0]?.['type'] ?? 'blob'
  if (type !== 'blob' && type !== 'text') return undefined
  return { encoding: type === 'blob' ? 'bytes' : 'text', type, isIndexed }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** Go's `Time.String()` ("2026-11-20 18:15:03.25 +0200 CEST m=+0.1") or ISO 8601; without an offset it is UTC. */
function goTimeMs(text: string): number | undefined {
  const [, date, time, fraction = '', sign, hours, minutes] =
    /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(?:Z| ?([+-])(\d{2}):?(\d{2})(?: .*)?| UTC)?$/.exec(text) ??
    []
  if (date === undefined) return undefined
  const wholeMs = Date.parse(`${date}T${time}Z`)
  const offsetMinutes = hours === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const ms = wholeMs + Number(`0${fraction}`) * 1_000 - offsetMinutes * 60_000
  return Number.isNaN(ms) ? undefined : ms
}
