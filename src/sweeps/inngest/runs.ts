import type { InngestDatabase } from './database.ts'
import { idOf } from './database.ts'
import { idValue, numberIn, readId } from './dialect.ts'
import type { Places } from './places.ts'
import { runTables, type IdColumn, type RunTable } from './tables.ts'
import { EARLIEST_MS, firstRunIdAt } from './ulid.ts'

/** How many of the newest runs are looked at for one that is open. */
const NEWEST_RUNS = 20_000

/** Rows of each table that belong to some runs. */
export type RowCounts = Readonly<Partial<Record<RunTable, number>>>

/** A page of run ids of one table, in its order. */
export interface RunPage {
  readonly ids: readonly string[]
  /** What stands where a run's id should be and is none; those rows are left alone. */
  readonly unreadable: number
  /** Where the next page begins; undefined after the last. */
  readonly next: unknown
}

export interface RunPageOptions {
  /** What the previous page told; undefined for the first. */
  readonly after: unknown
  /** Only runs that started before this, in epoch milliseconds. */
  readonly beforeMs: number
  readonly limit: number
}

/** The runs and their rows, as one session with the database sees them. All statements are short. */
export interface Runs {
  /** The next distinct run ids of a table, by its index; placeholders that stand where there is no run come before all. */
  page(table: RunTable, options: RunPageOptions): Promise<RunPage>
  /** When runs finished, in epoch milliseconds; absent: unfinished; undefined: finished, but nobody can tell when. */
  finishTimes(ids: readonly string[]): Promise<ReadonlyMap<string, number | undefined>>
  /** Which of these runs have a row in one of the tables through which runs are found. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>
  /** Whether any run is one of these functions, named by their ids. */
  knowsFunction(ids: readonly string[]): Promise<boolean>
  /** Whether any of the newest runs, by their own rows, has not finished. Bounded, for it looks at 20 000 only. */
  hasUnfinished(): Promise<boolean>
  /** Rows of these runs. */
  count(ids: readonly string[]): Promise<RowCounts>
  /** Deletes these runs in one transaction, a run's own row last. */
  delete(ids: readonly string[]): Promise<RowCounts>
  /** The same, except for those that have a finish row by now; `ids` are those that went. */
  deleteUnfinished(ids: readonly string[]): Promise<{ readonly ids: readonly string[]; readonly rows: RowCounts }>
}

/** @param places where the rows of tables without an index are; without it such tables are read in full each time. */
export function createRuns(database: InngestDatabase, places?: Places): Runs {
  const { sql, dialect } = database
  const tables = runTables.flatMap((table) => {
    const id = idOf(database, table)
    return id === undefined ? [] : [{ table, id }]
  })
  const belongs = (table: RunTable, id: IdColumn) => places?.belongs(table, id, 1) ?? dialect.among('run_id', id, 1)
  const among = (id: IdColumn) => dialect.among('run_id', id, 1)

  const present = async (table: RunTable, ids: readonly string[]): Promise<readonly string[]> => {
    const id = idOf(database, table)
    if (id === undefined || ids.length === 0) return []
    const { rows } = await sql.query(`SELECT DISTINCT run_id FROM ${table} WHERE ${among(id)}`, [dialect.ids(ids, id)])
    return rows.flatMap((row) => readId(row['run_id']) ?? [])
  }

  return {
    page: async (table, { after, beforeMs, limit }) => {
      const id = idOf(database, table)
      if (id === undefined) return { ids: [], unreadable: 0, next: undefined }
      const from = places?.source(table) ?? table
      const { rows } = await sql.query(
        `SELECT DISTINCT run_id FROM ${from} WHERE run_id > $1 AND run_id < $2 ORDER BY run_id LIMIT $3`,
        [after ?? idValue(firstRunIdAt(EARLIEST_MS), id), idValue(firstRunIdAt(beforeMs), id), limit],
      )
      const ids = rows.flatMap((row) => readId(row['run_id']) ?? [])
      const next = rows.length < limit ? undefined : rows.at(-1)?.['run_id']
      return { ids, unreadable: rows.length - ids.length, next }
    },

    finishTimes: async (ids) => {
      const times = new Map<string, number | undefined>()
      const id = idOf(database, 'function_finishes')
      if (id === undefined || ids.length === 0) return times
      const time = `${dialect.time('created_at')} AS time`
      const { rows } = await sql.query(
        `SELECT run_id, ${time} FROM function_finishes WHERE ${belongs('function_finishes', id)}`,
        [dialect.ids(ids, id)],
      )
      for (const row of rows) {
        const runId = readId(row['run_id'])
        if (runId !== undefined) times.set(runId, latest(times, runId, dialect.readTime(row['time'])))
      }
      return times
    },

    known: async (ids) => {
      const found = new Set<string>()
      for (const table of ['function_runs', 'trace_runs', 'spans', 'function_finishes'] as const) {
        const missing = ids.filter((id) => !found.has(id))
        for (const id of await present(table, missing)) found.add(id)
      }
      return found
    },

    knowsFunction: async (ids) => {
      const text: IdColumn = { encoding: 'text', type: 'text', isIndexed: false }
      const newest = `SELECT function_id FROM function_runs ORDER BY run_id DESC LIMIT ${NEWEST_RUNS}`
      const { rows } = await sql.query(
        `SELECT count(*) AS found FROM (${newest}) AS newest WHERE ${dialect.among('CAST(function_id AS text)', text, 1)}`,
        [dialect.ids(ids, text)],
      )
      return numberIn(rows, 'found') > 0
    },

    hasUnfinished: async () => {
      const started = dialect.newest('function_runs', NEWEST_RUNS)
      const finished = dialect.newest('function_finishes', 2 * NEWEST_RUNS)
      const { count } = await sql.query(`${started} EXCEPT ${finished} LIMIT 1`)
      return count > 0
    },

    count: async (ids) => {
      const counts: Partial<Record<RunTable, number>> = {}
      for (const { table, id } of tables) {
        const { rows } = await sql.query(`SELECT count(*) AS found FROM ${table} WHERE ${belongs(table, id)}`, [
          dialect.ids(ids, id),
        ])
        counts[table] = numberIn(rows, 'found')
      }
      return counts
    },

    delete: (ids) => sql.transaction(() => deleteRows(ids)),

    deleteUnfinished: (ids) =>
      sql
        .transaction(async () => {
          const finished = new Set(await present('function_finishes', ids))
          const unfinished = ids.filter((id) => !finished.has(id))
          const rows = await deleteRows(unfinished)
          // One came in between: none of them goes, and the next sweep sees it.
          if ((rows.function_finishes ?? 0) > 0) throw new FinishedMeanwhile()
          return { ids: unfinished, rows }
        })
        .catch((error: unknown) => {
          if (error instanceof FinishedMeanwhile) return { ids: [], rows: {} }
          throw error
        }),
  }

  async function deleteRows(ids: readonly string[]): Promise<RowCounts> {
    const counts: Partial<Record<RunTable, number>> = {}
    for (const { table, id } of tables) {
      const { count } = await sql.query(`DELETE FROM ${table} WHERE ${belongs(table, id)}`, [dialect.ids(ids, id)])
      counts[table] = count
    }
    return counts
  }
}

/** Rolls a transaction back. */
class FinishedMeanwhile extends Error {
  override readonly name = 'FinishedMeanwhile'
}

/** A run may have several finish rows: it finished when the last of them says, and at no known time if one is unreadable. */
function latest(times: ReadonlyMap<string, number | undefined>, id: string, time: number | undefined) {
  const known = times.get(id)
  if (!times.has(id)) return time
  return known === undefined || time === undefined ? undefined : Math.max(known, time)
}
