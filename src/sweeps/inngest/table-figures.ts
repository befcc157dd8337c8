import { idOf, type InngestDatabase } from './database.ts'
import { idValue, numberIn, readId } from './dialect.ts'
import { neededColumns, tableNames, type IdColumn, type TableName } from './tables.ts'
import { EARLIEST_MS, firstRunIdAt, ulidTimeMs } from './ulid.ts'

/** What one table holds. Times are epoch milliseconds; undefined where no row tells one. */
export interface TableFigures {
  readonly name: TableName
  readonly rows: number
  readonly oldestMs: number | undefined
  readonly newestMs: number | undefined
}

/**
 * Counts the rows of each table that is there, without loading any, and reads its oldest and newest time: of the ids, which
 * are ULIDs; of traces, whose ids are those of runs or of nothing, the time of the trace.
 *
 * @throws DatabaseError
 */
export async function* tableFigures(database: InngestDatabase, nowMs: number): AsyncGenerator<TableFigures> {
  for (const name of tableNames) {
    const id = idOf(database, name)
    if (id !== undefined)
      yield name === 'traces' ? await traceFigures(database) : await figuresOf(database, name, { id, nowMs })
  }
}

async function traceFigures({ sql }: InngestDatabase): Promise<TableFigures> {
  const { rows } = await sql.query(
    'SELECT count(*) AS found, min(timestamp_unix_ms) AS oldest, max(timestamp_unix_ms) AS newest FROM traces',
  )
  const found = numberIn(rows, 'found')
  const timeOf = (column: string) => (found === 0 ? undefined : numberIn(rows, column))
  return { name: 'traces', rows: found, oldestMs: timeOf('oldest'), newestMs: timeOf('newest') }
}

const DAY_MS = 86_400_000

interface Asked {
  readonly id: IdColumn
  readonly nowMs: number
}

/** Sorted instead of `min`: not every PostgreSQL knows the least of several bytes. */
async function figuresOf({ sql }: InngestDatabase, name: TableName, { id, nowMs }: Asked): Promise<TableFigures> {
  const column = neededColumns[name][0]
  const bounds = [EARLIEST_MS, nowMs + DAY_MS].map((ms) => idValue(firstRunIdAt(ms), id))
  const first = async (order: 'ASC' | 'DESC') => {
    const { rows } = await sql.query(
      `SELECT ${column} AS id FROM ${name} WHERE ${column} >= $1 AND ${column} < $2 ORDER BY ${column} ${order} LIMIT 1`,
      bounds,
    )
    const found = readId(rows[0]?.['id'])
    return found === undefined ? undefined : ulidTimeMs(found)
  }
  const { rows } = await sql.query(`SELECT count(*) AS found FROM ${name}`)
  return { name, rows: numberIn(rows, 'found'), oldestMs: await first('ASC'), newestMs: await first('DESC') }
}
