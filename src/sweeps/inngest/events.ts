import { Buffer } from 'node:buffer'
import { idOf, type InngestDatabase } from './database.ts'
import { idValue, numberIn, readId } from './dialect.ts'
import type { DueRuns } from './due-runs.ts'
import type { Places } from './places.ts'
import { noteStartedEvents } from './started-events.ts'
import type { Step, StepOptions } from './step.ts'
import { EARLIEST_MS, firstRunIdAt, isRunId } from './ulid.ts'

export interface EventOptions extends StepOptions {
  readonly dueRuns: DueRuns
  readonly places: Places
  /** Called between pieces of work. */
  readonly goOn: () => Promise<void>
}

/**
 * The events received before the cutoff, page by page in the order of their ids: one goes when no remaining run was started
 * by it and no remaining batch holds it.
 */
export async function* sweepEvents(
  database: InngestDatabase,
  { cutoffMs, isDryRun, limit, dueRuns, places, goOn }: EventOptions,
): AsyncGenerator<Step> {
  const { sql, dialect } = database
  const id = idOf(database, 'events')
  const starts = idOf(database, 'function_runs')
  if (id === undefined || starts === undefined) return
  const bound = idValue(firstRunIdAt(cutoffMs), id)
  const batched = await batchedEvents(database, { cutoffMs, dueRuns, limit })
  const startedAmong = await noteStartedEvents(database, goOn)
  // Asked in the same statement: a run may be started anew from an old event at any moment.
  const isFree = `${places.belongs('events', id, 1)} AND internal_id NOT IN (${startedAmong(starts, 2)})`
  let after: unknown = idValue(firstRunIdAt(EARLIEST_MS), id)
  for (;;) {
    const { rows } = await sql.query(
      `SELECT DISTINCT internal_id FROM ${places.source('events')} WHERE internal_id > $1 AND internal_id < $2 ORDER BY internal_id LIMIT $3`,
      [after, bound, limit],
    )
    const free = rows.flatMap((row) => readId(row['internal_id']) ?? []).filter((event) => !batched.has(event))
    const values = [dialect.ids(free, id), dialect.ids(free, starts)]
    const due = isDryRun
      ? numberIn((await sql.query(`SELECT count(*) AS found FROM events WHERE ${isFree}`, values)).rows, 'found')
      : (await sql.query(`DELETE FROM events WHERE ${isFree}`, values)).count
    yield { scanned: rows.length, due, deleted: isDryRun ? 0 : due }
    if (rows.length < limit) return
    after = rows.at(-1)?.['internal_id']
  }
}

interface BatchOptions {
  readonly cutoffMs: number
  readonly dueRuns: DueRuns
  readonly limit: number
}

/** Ids of old events in remaining batches. Few: a batch that remains is seldom much older than the cutoff. */
async function batchedEvents(database: InngestDatabase, { cutoffMs, dueRuns, limit }: BatchOptions) {
  const { sql } = database
  const events = new Set<string>()
  const id = idOf(database, 'event_batches')
  if (id === undefined) return events
  const bound = firstRunIdAt(cutoffMs)
  let after: unknown
  for (;;) {
    const { rows } = await sql.query(
      `SELECT id, run_id, event_ids FROM event_batches ${after === undefined ? '' : 'WHERE id > $2'} ORDER BY id LIMIT $1`,
      after === undefined ? [limit] : [limit, after],
    )
    const gone = await dueRuns.among(rows.flatMap((row) => readId(row['run_id']) ?? []))
    for (const row of rows) {
      if (gone.has(readId(row['run_id']) ?? '')) continue
      for (const event of eventsOf(row['event_ids'])) if (event < bound) events.add(event)
    }
    if (rows.length < limit) return events
    after = rows.at(-1)?.['id']
  }
}

/** The ids of a batch: texts with commas between them. */
const eventsOf = (value: unknown): readonly string[] => {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
  return text.split(',').filter(isRunId)
}
