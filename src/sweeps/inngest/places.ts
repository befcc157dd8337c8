import { idOf, type InngestDatabase } from './database.ts'
import { idValue, numberIn } from './dialect.ts'
import { neededColumns, runTables, type IdColumn } from './tables.ts'
import { firstRunIdAt } from './ulid.ts'

/** A table whose rows are found by the id of a run or of an event. */
export type PlacedTable = (typeof PLACED_TABLES)[number]

const PLACED_TABLES = [...runTables, 'events'] as const

/** What one step reads: rows of SQLite, which keeps the process from all else meanwhile, or pages of 8 kB of PostgreSQL. */
const ROWS_A_STEP = 20_000
const PAGES_A_STEP = 2_000

/** Tells for tables without an index on their ids where the rows of each id are. */
export interface Places {
  /** SQL: whether a row of a table has an id of parameter `n`. */
  belongs(table: PlacedTable, id: IdColumn, n: number): string
  /** The table to read ids from, which has an index on them. */
  source(table: PlacedTable): string
  /** The name of the temporary table with columns `id` and `place`; undefined where an index serves. */
  of(table: PlacedTable): string | undefined
}

export interface PlacesOptions {
  /** Rows whose ids are older than this, in epoch milliseconds. */
  readonly beforeMs: number
  /** Which tables are of interest. @default all */
  readonly tables?: readonly PlacedTable[]
  /** Called between steps. */
  readonly goOn: () => Promise<void>
}

/**
 * Reads each table that has no index on its ids once, and notes in a temporary table where the rows of each id are, so that
 * a page need not read all of it again. Traces are always noted, for those without a run are found by this as well.
 */
export async function notePlaces(database: InngestDatabase, options: PlacesOptions): Promise<Places> {
  const noted = new Map<PlacedTable, string>()
  for (const table of options.tables ?? PLACED_TABLES) {
    const id = idOf(database, table)
    if (id === undefined || (id.isIndexed && table !== 'traces')) continue
    noted.set(table, await note(database, table, { ...options, id }))
  }
  const { dialect } = database
  return {
    of: (table) => noted.get(table),
    source: (table) => {
      const name = noted.get(table)
      return name === undefined ? table : `(SELECT id AS ${neededColumns[table][0]} FROM ${name}) AS noted`
    },
    belongs: (table, id, n) => {
      const isAmong = dialect.among(neededColumns[table][0], id, n)
      const name = noted.get(table)
      if (name === undefined) return isAmong
      // Asked of the row as well: a place may have been given to another row meanwhile.
      const places = `SELECT place FROM ${name} WHERE ${dialect.among('id', id, n)}`
      return `${dialect.placedIn(places)} AND ${isAmong}`
    },
  }
}

interface NoteOptions extends PlacesOptions {
  readonly id: IdColumn
}

async function note(
  database: InngestDatabase,
  table: PlacedTable,
  { id, beforeMs, goOn }: NoteOptions,
): Promise<string> {
  const { sql, dialect } = database
  const name = `orderly_places_${table}`
  const bound = idValue(firstRunIdAt(beforeMs), id)
  const column = neededColumns[table][0]
  const { place } = dialect
  // The key grows with the rows: an index made in the end would be one long piece of work.
  await sql.query(`CREATE TEMP TABLE ${name} (id ${id.type}, place ${dialect.placeType}, PRIMARY KEY (id, place))`)
  const insert = `INSERT INTO ${name} SELECT ${column}, ${place} FROM ${table} WHERE ${column} < $1 AND ${place} >= $2 AND ${place} < $3`
  for (const step of await stepsThrough(database, table)) {
    await goOn()
    await sql.query(insert, [bound, ...step])
  }
  if (sql.kind === 'postgres') await sql.query(`ANALYZE ${name}`)
  return name
}

/** Ranges of places that cover a table, each from and before a place. */
async function stepsThrough({ sql }: InngestDatabase, table: PlacedTable): Promise<readonly (readonly unknown[])[]> {
  if (sql.kind === 'postgres') {
    const { rows } = await sql.query(PAGES, [table])
    const starts = multiples(PAGES_A_STEP, numberIn(rows, 'pages')).map((page) => `(${page},0)`)
    return starts.map((start, at) => [start, starts[at + 1] ?? AFTER_EVERY_PAGE])
  }
  const { rows } = await sql.query(`SELECT max(rowid) AS last FROM ${table}`)
  return multiples(ROWS_A_STEP, numberIn(rows, 'last') + 1).map((from) => [from, from + ROWS_A_STEP])
}

/** Pages of a table; none before PostgreSQL 14, which would read all of it for each range. */
const PAGES = `
  SELECT CASE WHEN current_setting('server_version_num')::int >= 140000
    THEN pg_relation_size($1::regclass) / current_setting('block_size')::int ELSE 0 END AS pages`

const AFTER_EVERY_PAGE = '(4294967295,0)'

/** 0 and every multiple below an end. */
const multiples = (of: number, end: number) =>
  Array.from({ length: Math.max(1, Math.ceil(end / of)) }, (_, at) => at * of)
