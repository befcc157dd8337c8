import { idOf, type InngestDatabase } from './database.ts'
import { idValue, numberIn } from './dialect.ts'
import type { Places } from './places.ts'
import type { Step, StepOptions } from './step.ts'

/** What traces without a run have as the run's id. */
const NO_RUN = '0'.repeat(26)

/** Traces that belong to no run and began before the cutoff, page by page in the order of their places. */
export async function* sweepRunlessTraces(
  database: InngestDatabase,
  { cutoffMs, isDryRun, limit, places }: StepOptions & { readonly places: Places },
): AsyncGenerator<Step> {
  const { sql, dialect } = database
  const id = idOf(database, 'traces')
  const noted = places.of('traces')
  if (id === undefined || noted === undefined) return
  const isDue = `${dialect.placedIn(dialect.placesOf(1))} AND run_id = $2 AND timestamp_unix_ms < $3`
  let after: unknown
  for (;;) {
    const { rows } = await sql.query(
      `SELECT place FROM ${noted} WHERE id = $1 ${after === undefined ? '' : 'AND place > $3'} ORDER BY place LIMIT $2`,
      [idValue(NO_RUN, id), limit, ...(after === undefined ? [] : [after])],
    )
    if (rows.length > 0) {
      const values = [dialect.places(rows.map(({ place }) => place)), idValue(NO_RUN, id), cutoffMs]
      yield { scanned: rows.length, ...(await countOrDelete(database, { table: 'traces', isDue, values, isDryRun })) }
    }
    if (rows.length < limit) return
    after = rows.at(-1)?.['place']
  }
}

/** Connections of workers that ended, or were last heard of, before the cutoff. */
export async function* sweepConnections(
  database: InngestDatabase,
  { cutoffMs, isDryRun, limit }: StepOptions,
): AsyncGenerator<Step> {
  if (idOf(database, 'worker_connections') === undefined) return
  // Go writes a time that it does not have as 0.
  const isOver = 'coalesce(nullif(disconnected_at, 0), nullif(last_heartbeat_at, 0)) < $1'
  yield* inBatches(database, {
    table: 'worker_connections',
    isDue: isOver,
    batch: `(id, app_name) IN (SELECT id, app_name FROM worker_connections WHERE ${isOver} LIMIT ${limit})`,
    values: [cutoffMs],
    isDryRun,
  })
}

/** Snapshots of the queue, all but the newest. No Inngest of today writes any. */
export async function* sweepSnapshots(
  database: InngestDatabase,
  { isDryRun, limit }: Omit<StepOptions, 'cutoffMs'>,
): AsyncGenerator<Step> {
  if (idOf(database, 'queue_snapshot_chunks') === undefined) return
  const isOld = 'snapshot_id < (SELECT max(snapshot_id) FROM queue_snapshot_chunks)'
  yield* inBatches(database, {
    table: 'queue_snapshot_chunks',
    isDue: isOld,
    batch: `(snapshot_id, chunk_id) IN (SELECT snapshot_id, chunk_id FROM queue_snapshot_chunks WHERE ${isOld} LIMIT ${limit})`,
    values: [],
    isDryRun,
  })
}

interface Batches {
  readonly table: 'worker_connections' | 'queue_snapshot_chunks'
  /** SQL: whether a row goes. */
  readonly isDue: string
  /** SQL: whether a row goes with this batch. */
  readonly batch: string
  readonly values: readonly unknown[]
  readonly isDryRun: boolean
}

/** Rows of a small table, counted once and then deleted until none is left. */
async function* inBatches(
  { sql }: InngestDatabase,
  { table, isDue, batch, values, isDryRun }: Batches,
): AsyncGenerator<Step> {
  const { rows } = await sql.query(
    `SELECT count(*) AS scanned, count(CASE WHEN ${isDue} THEN 1 END) AS due FROM ${table}`,
    values,
  )
  yield { scanned: numberIn(rows, 'scanned'), due: numberIn(rows, 'due'), deleted: 0 }
  if (isDryRun) return
  for (;;) {
    const { count } = await sql.query(`DELETE FROM ${table} WHERE ${batch}`, values)
    if (count === 0) return
    yield { scanned: 0, due: 0, deleted: count }
  }
}

interface Rows {
  readonly table: 'traces'
  readonly isDue: string
  readonly values: readonly unknown[]
  readonly isDryRun: boolean
}

async function countOrDelete({ sql }: InngestDatabase, { table, isDue, values, isDryRun }: Rows) {
  if (!isDryRun) {
    const { count } = await sql.query(`DELETE FROM ${table} WHERE ${isDue}`, values)
    return { due: count, deleted: count }
  }
  const { rows } = await sql.query(`SELECT count(*) AS found FROM ${table} WHERE ${isDue}`, values)
  return { due: numberIn(rows, 'found'), deleted: 0 }
}
