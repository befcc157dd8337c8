import { setTimeout as sleep } from 'node:timers/promises'
import type { TableRow, Value } from '../../test/support/inngest-fixture.ts'
import { openPostgresTables } from '../../test/support/inngest-postgres.ts'
import { aRow } from '../../test/support/inngest-row.ts'
import { ulidAt, ulidBytes } from '../../test/support/inngest-ulid.ts'

/** What a writer beside the sweep met with. */
export interface WriterFigures {
  readonly statements: number
  /** The longest that one of them took. */
  readonly longestMs: number
  /** The table that it was for. */
  readonly table: string
}

export interface Writer {
  stop(): Promise<WriterFigures>
}

const WRITE_EVERY_MS = 50

/** Writes rows of young runs to every table and changes rows of the latest, one statement after another, as a server does. */
export async function startWriter(url: string, asOfMs: number): Promise<Writer> {
  const tables = await openPostgresTables(url)
  let [statements, longestMs, slowest] = [0, 0, '']
  const over = new AbortController()
  const timed = async (table: string, work: Promise<void>) => {
    const startedAtMs = performance.now()
    await work
    const ms = performance.now() - startedAtMs
    statements += 1
    if (ms > longestMs) [longestMs, slowest] = [ms, table]
  }
  const writing = (async () => {
    for (let number = 0; !over.signal.aborted; number++) {
      const id = ulidAt(asOfMs + number)
      for (const row of rowsOf(id)) await timed(row.table, tables.insert([row]))
      for (const table of ['trace_runs', 'spans']) {
        await timed(table, tables.run(`UPDATE ${table} SET status = '300' WHERE run_id = '${id}'`))
      }
      await sleep(WRITE_EVERY_MS)
    }
  })()
  return {
    stop: async () => {
      over.abort()
      await writing
      await tables.close()
      return { statements, longestMs, table: slowest }
    },
  }
}

/** A row of a young run for each table. */
function rowsOf(id: string): TableRow[] {
  const bytes: Value = { hex: ulidBytes(id).toString('hex') }
  const given: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
    function_runs: { run_id: bytes, event_id: bytes },
    trace_runs: { run_id: id },
    history: { id: bytes, run_id: bytes, event_id: bytes },
    spans: { run_id: id, trace_id: id, span_id: id },
    traces: { run_id: id, trace_id: id, timestamp_unix_ms: '4102444800000' },
    events: { internal_id: bytes },
    event_batches: { id, run_id: id, event_ids: { hex: '' } },
    function_finishes: { run_id: bytes, created_at: '2100-01-01T00:00:00.000Z' },
    worker_connections: { id: bytes, app_name: 'writer', last_heartbeat_at: '4102444800000' },
    queue_snapshot_chunks: { snapshot_id: id, chunk_id: '0' },
  }
  return Object.entries(given).map(([table, values]) => aRow(table, values))
}
