import { type InngestTables, withInngestTables } from './inngest-database.ts'
import { inngestTables } from './inngest-fixture.ts'
import type { Counts } from './inngest-truth.ts'
import { ulidText } from './inngest-ulid.ts'

const NO_RUN = '0'.repeat(26)

/** The rows of every run that has any, by run and table, the run-less traces aside. */
export async function runsIn(target: string): Promise<ReadonlyMap<string, Counts>> {
  return await withInngestTables(target, async (tables) => {
    const runs = new Map<string, Record<string, number>>()
    for (const name of await runTables(tables)) {
      for (const { run_id, rows } of await tables.select(
        `SELECT run_id, count(*) AS rows FROM ${name} GROUP BY run_id`,
      )) {
        const run = asUlid(run_id)
        if (run !== NO_RUN) runs.set(run, { ...runs.get(run), [name]: Number(rows) })
      }
    }
    return runs
  })
}

/** The number of rows of each table of an Inngest server that is there. */
export async function rowCounts(target: string): Promise<Counts> {
  return await withInngestTables(target, async (tables) => {
    const counts: Record<string, number> = {}
    for (const name of await tablesIn(tables)) {
      const [row] = await tables.select(`SELECT count(*) AS rows FROM ${name}`)
      counts[name] = Number(row?.['rows'])
    }
    return counts
  })
}

/** The `internal_id` of each event as a ULID, in order. */
export async function eventsIn(target: string): Promise<readonly string[]> {
  return await withInngestTables(target, async (tables) => {
    const rows = await tables.select('SELECT internal_id FROM events')
    return rows.map(({ internal_id }) => asUlid(internal_id)).toSorted()
  })
}

/** `<trace id>/<span id>` of each trace without a run, in order. */
export async function runlessTracesIn(target: string): Promise<readonly string[]> {
  return await withInngestTables(target, async (tables) => {
    const rows = await tables.select('SELECT trace_id, span_id, run_id FROM traces')
    return rows
      .filter(({ run_id }) => asUlid(run_id) === NO_RUN)
      .map(({ trace_id, span_id }) => `${String(trace_id)}/${String(span_id)}`)
      .toSorted()
  })
}

/** `libsql` reads bytes as an ArrayBuffer. */
function asUlid(value: unknown): string {
  if (value instanceof ArrayBuffer) return ulidText(new Uint8Array(value))
  return value instanceof Uint8Array ? ulidText(value) : String(value)
}

async function runTables(tables: InngestTables): Promise<string[]> {
  const names = await tablesIn(tables)
  return names.filter((name) => inngestTables()[name]?.columns.some((column) => column.name === 'run_id'))
}

async function tablesIn(tables: InngestTables): Promise<string[]> {
  const found = new Set(await tables.names())
  return Object.keys(inngestTables()).filter((name) => found.has(name))
}
