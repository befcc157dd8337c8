import type { Clock } from '../../clock.ts'
import { DatabaseError } from '../../errors.ts'
import type { Queryable } from '../../postgres/queryable.ts'
import type { Pacer } from '../pacer.ts'
import { isLost } from './session.ts'
import { sqlType, type Column, type Table } from './tables.ts'

/** Rows that one statement deletes at most. */
export const MOST_ROWS = 1_000

/** The first turn passes over rows of the same value as one that stayed, so that these have two more. */
const MOST_TURNS = 3

/** Which rows of a table go. */
export interface Deletion {
  readonly table: Table
  readonly key: Column
  /** The column in whose order the rows are walked. */
  readonly walk: Column
  /** SQL: whether a row of the table, called `t`, goes. */
  readonly isDue: string
  /** The parameters of `isDue`. */
  readonly values: readonly unknown[]
}

/** How far the walk has come, so that it goes on from there on another connection. */
export interface Walk {
  /** Undefined at the beginning. */
  from: Bound | undefined
  deleted: number
  /** Whether rows that were found in this turn stayed: somebody changed or kept them. */
  hasPassed: boolean
  /** 1, and one more for each walk from the beginning for rows that stayed; these pass each row once, those of one value too. */
  turn: number
  /** Whether a statement had no answer: what it deleted is not in `deleted`. */
  isUncounted: boolean
}

/** Where a page begins. */
interface Bound {
  readonly operator: '>=' | '>'
  readonly value: string
  /** After the first turn: the place of the last row that was looked at. */
  readonly place: string | undefined
}

export const newWalk = (): Walk => ({
  from: undefined,
  deleted: 0,
  hasPassed: false,
  turn: 1,
  isUncounted: false,
})

/** What to tell people of such a statement. */
export const UNCOUNTED = 'What a statement without an answer deleted is not counted.'

export interface DeletionOptions {
  readonly pacer: Pacer
  readonly clock: Clock
  /** Asked before each statement; throws when the run must not go on. */
  readonly goOn: () => Promise<void>
  readonly onDeleted: (count: number) => void
}

/**
 * Deletes every row that goes in statements of a bounded number of rows, each of them a transaction. Rows that somebody else
 * holds are passed over where our user may lock rows, and waited for otherwise. Rows that were changed before their turn have
 * further ones.
 *
 * @throws DatabaseError `DATABASE_BUSY` when a wait for somebody else took too long.
 */
export async function deleteDue(
  sql: Queryable,
  deletion: Deletion,
  options: DeletionOptions & { readonly walk: Walk },
): Promise<void> {
  const { walk, pacer, clock, goOn, onDeleted } = options
  for (;;) {
    await goOn()
    const limit = pacer.size()
    const startedAtMs = clock()
    const { found, deleted, value, place } = await deletePage(sql, deletion, { walk, limit })
    pacer.took(clock() - startedAtMs)
    walk.deleted += deleted
    onDeleted(deleted)
    const isWhole = deleted === found
    if (!isWhole) walk.hasPassed = true
    if (found === limit) {
      // Of rows that are gone none is found twice, and no order among those of one value has to be made.
      if (walk.turn > 1) walk.from = { operator: '>', value, place }
      else walk.from = { operator: isWhole ? '>=' : '>', value, place: undefined }
    } else if (walk.hasPassed && walk.turn < MOST_TURNS) {
      walk.turn += 1
      walk.hasPassed = false
      walk.from = undefined
    } else return
  }
}

interface Page {
  readonly walk: Walk
  readonly limit: number
}

async function deletePage(sql: Queryable, deletion: Deletion, { walk, limit }: Page) {
  const { from } = walk
  const bound = from === undefined ? [] : [from.value, ...(from.place === undefined ? [] : [from.place])]
  try {
    const { rows } = await sql.query(pageSql(deletion, walk), [...deletion.values, limit, ...bound])
    const [row = {}] = rows
    return {
      found: numberIn(row['found']),
      deleted: numberIn(row['deleted']),
      value: String(row['lastValue']),
      place: String(row['lastPlace']),
    }
  } catch (error) {
    if (isLost(error)) walk.isUncounted = true
    throw error
  }
}

/** How many rows still go. Asked when fewer went than were counted. */
export async function countLeft(sql: Queryable, { table, isDue, values }: Deletion): Promise<number> {
  const { rows } = await sql.query(`SELECT count(*) AS left FROM ${table.sql} t WHERE ${isDue}`, values)
  return numberIn(rows[0]?.['left'])
}

/** The failure of rows that stayed. */
export const stayed = (left: number, what: string): DatabaseError =>
  new DatabaseError(
    'DATABASE_BUSY',
    `${left} ${what} stayed: somebody else holds them, or the database does not let them go. The next run tries again.`,
  )

/** A count, which PostgreSQL gives as text. */
export const numberIn = (value: unknown): number => Number(value ?? 0)

/**
 * One page: finds the next rows in the order of the walk, deletes them under the same conditions, and tells how many were
 * found and deleted and which was the last. A row's place (`ctid`) finds it again fast, its key makes sure that it is the
 * same. Parameters: those of `isDue`, the limit, value and place to go on from.
 */
function pageSql({ table, key, walk, isDue, values }: Deletion, { from, turn }: Walk): string {
  const limit = values.length + 1
  const by = `t.${walk.sql}`
  const value = `$${limit + 1}::${sqlType[walk.kind]}`
  const bound =
    from?.place === undefined ? `${by} ${from?.operator} ${value}` : `(${by}, t.ctid) > (${value}, $${limit + 2}::tid)`
  return `
    WITH page AS MATERIALIZED (
      SELECT t.ctid AS place, ${by} AS value, t.${key.sql} AS key FROM ${table.sql} t
      WHERE ${isDue}${from === undefined ? '' : ` AND ${bound}`}
      ORDER BY ${by}${turn > 1 ? ', t.ctid' : ''} LIMIT $${limit}::int${table.mayLock ? ' FOR UPDATE OF t SKIP LOCKED' : ''}
    ), gone AS (
      DELETE FROM ${table.sql} t USING page
      WHERE t.ctid = page.place AND t.${key.sql} IS NOT DISTINCT FROM page.key AND ${isDue} RETURNING 1
    )
    SELECT (SELECT count(*) FROM page) AS found, (SELECT count(*) FROM gone) AS deleted,
      l.value::text AS "lastValue", l.place::text AS "lastPlace"
    FROM (SELECT) one LEFT JOIN (SELECT * FROM page ORDER BY page.value DESC, page.place DESC LIMIT 1) l ON true`
}
