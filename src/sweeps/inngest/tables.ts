import { DatabaseError } from '../../errors.ts'

/** The tables that hold rows of runs, in the order of deletion: a run's own row is the last to go. */
export const runTables = [
  'spans',
  'traces',
  'history',
  'event_batches',
  'trace_runs',
  'function_finishes',
  'function_runs',
] as const

export type RunTable = (typeof runTables)[number]

/** The tables through which runs are found. History and traces name runs too, but have no index that leads to them. */
export const runSources = ['function_runs', 'function_finishes', 'trace_runs', 'spans'] as const satisfies RunTable[]

/** The other tables that grow. */
export type OtherTable = 'events' | 'worker_connections' | 'queue_snapshot_chunks'

export type TableName = RunTable | OtherTable

/** The columns that the sweep needs of each table; the first names the run or the row. */
export const neededColumns = {
  spans: ['run_id'],
  traces: ['run_id', 'timestamp_unix_ms'],
  history: ['run_id'],
  event_batches: ['run_id', 'id', 'event_ids'],
  trace_runs: ['run_id'],
  function_finishes: ['run_id', 'created_at'],
  function_runs: ['run_id', 'event_id', 'function_id'],
  events: ['internal_id'],
  worker_connections: ['id', 'app_name', 'last_heartbeat_at', 'disconnected_at'],
  queue_snapshot_chunks: ['snapshot_id', 'chunk_id'],
} as const satisfies Record<TableName, readonly string[]>

export const tableNames = Object.keys(neededColumns) as TableName[]

/** How a table stores ids: as 16 bytes or as 26 characters; `type` is the SQL type of an array of them. */
export interface IdColumn {
  readonly encoding: 'bytes' | 'text'
  readonly type: string
  /** Whether an index leads to a row by this id. */
  readonly isIndexed: boolean
}

/** A column as the catalogue tells of it; `id` is told of the columns that hold ids, undefined where nobody knows the type. */
export interface FoundColumn {
  readonly table: string
  readonly column: string
  /** As PostgreSQL names it; undefined for SQLite, where each value has its own. */
  readonly type: string | undefined
  readonly id: IdColumn | undefined
}

/** The tables there are and how they store ids. */
export interface Schema {
  readonly ids: ReadonlyMap<TableName, IdColumn>
  /** What people should know of tables that are not as expected; those are left alone. */
  readonly remarks: readonly string[]
}

/**
 * What a catalogue says, held against what the sweep needs. An optional table that is absent is simply skipped; one that is
 * not as expected is left alone and reported.
 *
 * @throws DatabaseError `DATABASE_UNKNOWN` when a table is missing without which no run can be judged.
 */
export function readSchema(found: readonly FoundColumn[]): Schema {
  const ids = new Map<TableName, IdColumn>()
  const remarks: string[] = []
  for (const table of tableNames) {
    const columns = new Map(found.filter((one) => one.table === table).map((one) => [one.column, one]))
    const [idName, ...others] = neededColumns[table]
    const id = columns.get(idName)?.id
    if (id !== undefined && others.every((name) => isFit(columns.get(name), id))) ids.set(table, id)
    else if (columns.size > 0) remarks.push(`Table ${table} is not as expected and was left alone.`)
  }
  const missing = required.filter((table) => !ids.has(table))
  if (missing.length > 0) {
    throw new DatabaseError(
      'DATABASE_UNKNOWN',
      `This is no Inngest database that Orderly knows: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing or not as expected. Check INNGEST_DATABASE_URL.`,
    )
  }
  return { ids, remarks }
}

/** The types that columns must have where they are compared with values of our own. */
const comparable: Readonly<Record<string, RegExp>> = {
  created_at: /^timestamp(tz)?$/,
  timestamp_unix_ms: /^int[48]$/,
  last_heartbeat_at: /^int[48]$/,
  disconnected_at: /^int[48]$/,
}

/** An event's id must be stored as a run's is, for both are asked for in the same way. */
function isFit(found: FoundColumn | undefined, id: IdColumn): boolean {
  if (found?.type === undefined) return found !== undefined
  return found.column === 'event_id' ? found.type === id.type : (comparable[found.column]?.test(found.type) ?? true)
}

const required = ['function_runs', 'function_finishes'] as const satisfies RunTable[]
