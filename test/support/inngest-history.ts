import { randomBytes, randomUUID } from 'node:crypto'
import { type RedisKey, type TableRow, type Value } from './inngest-fixture.ts'
import { aRow } from './inngest-row.ts'
import type { SignOfLife } from './inngest-truth.ts'
import { ulidAt, ulidBytes } from './inngest-ulid.ts'

/** Milliseconds since 1970 or ISO. */
export type Instant = number | string

/** What a server wrote: to be stored, alone or with more, by `storeHistory`. */
export interface History {
  readonly rows: readonly TableRow[]
  readonly keys: readonly RedisKey[]
}

const runTables = ['function_runs', 'function_finishes', 'history', 'trace_runs', 'traces', 'spans'] as const
export type RunTable = (typeof runTables)[number]

const stateKinds = ['actions', 'bulk-events', 'stack', 'inputs', 'pending'] as const
export type StateKind = (typeof stateKinds)[number]

export interface RunOptions {
  /** A ULID. @default one of `startedAt` */
  readonly id?: string
  readonly startedAt: Instant
  /** Makes the row in `function_finishes`. */
  readonly finishedAt?: Instant
  /** @default 'Completed' */
  readonly finishStatus?: 'Completed' | 'Failed' | 'Cancelled'
  /** The tables that hold rows of the run, `function_finishes` where it has finished. @default all */
  readonly tables?: readonly RunTable[]
  /** Rows in each of `history`, `traces` and `spans`. @default 2 */
  readonly children?: number
  /** The status in `trace_runs`. @default 300 where the run has finished, else 200 */
  readonly traceStatus?: number
  /** The ULID of the event that started it. @default one of a second before `startedAt` */
  readonly event?: string
  /** The ULIDs of its batch of events, `event` the first of them. @default none */
  readonly batch?: readonly string[]
  /** The run of which it is a repetition. @default none */
  readonly original?: string
  /** Its signs of life in Redis. @default none */
  readonly alive?: readonly SignOfLife[]
  /** What else of its state is in Redis. @default none */
  readonly state?: readonly StateKind[]
  /** Of its keys in Redis. @default 'estate' */
  readonly prefix?: string
}

const FUNCTION = 'a12c06a1-a1f5-5dd1-bca0-97619b212b38'
/** The Go zero time in milliseconds: what a queued run has for its end. */
const NEVER = '-62135596800000'
const NOBODY = '0'.repeat(26)

/** A run with its rows and keys, without the rows of its events. */
export function aRun(options: RunOptions): History & { readonly id: string; readonly event: string } {
  const startedMs = msOf(options.startedAt)
  const { id = ulidAt(startedMs), event = options.batch?.[0] ?? ulidAt(startedMs - 1_000) } = options
  return { id, event, rows: rowsOf(options, { id, event }), keys: keysOf(options, id) }
}

interface Ids {
  readonly id: string
  readonly event: string
}

function rowsOf(options: RunOptions, { id, event }: Ids): TableRow[] {
  const { startedAt, finishedAt, finishStatus = 'Completed', children = 2, batch, original = NOBODY } = options
  const run = bytes(id)
  const started = isoOf(startedAt)
  const times = Array.from({ length: children }, (_, at) => msOf(startedAt) + at)
  const rows: Readonly<Record<RunTable, readonly TableRow[]>> = {
    function_runs: [
      aRow('function_runs', {
        run_id: run,
        run_started_at: started,
        function_id: FUNCTION,
        event_id: bytes(event),
        batch_id: bytes(NOBODY),
        original_run_id: bytes(original),
      }),
    ],
    function_finishes:
      finishedAt === undefined
        ? []
        : [aRow('function_finishes', { run_id: run, status: finishStatus, created_at: isoOf(finishedAt) })],
    history: times.map((time) =>
      aRow('history', {
        id: bytes(ulidAt(time)),
        run_id: run,
        event_id: bytes(event),
        created_at: isoOf(time),
        run_started_at: started,
        type: 'StepCompleted',
      }),
    ),
    trace_runs: [aRow('trace_runs', traceRunOf(options, { id, event }))],
    traces: times.map((time) => aTrace(id, time)),
    spans: times.map((time) =>
      aRow('spans', { run_id: id, ...span(), start_time: isoOf(time), end_time: isoOf(time) }),
    ),
  }
  const own = (options.tables ?? runTables).flatMap((table) => rows[table])
  return batch === undefined ? own : [...own, batchOf(id, { batch, started })]
}

function traceRunOf(options: RunOptions, { id, event }: Ids): Readonly<Record<string, Value>> {
  const { startedAt, finishedAt, traceStatus = finishedAt === undefined ? 200 : 300 } = options
  const started = String(msOf(startedAt))
  const endedOf = () => (finishedAt === undefined ? started : String(msOf(finishedAt)))
  return {
    run_id: id,
    queued_at: started,
    started_at: traceStatus === 100 ? NEVER : started,
    ended_at: traceStatus === 100 ? NEVER : endedOf(),
    status: traceStatus,
    trigger_ids: textBytes(event),
  }
}

function batchOf(run: string, { batch, started }: { readonly batch: readonly string[]; readonly started: string }) {
  const times = { started_at: started, executed_at: started }
  return aRow('event_batches', {
    id: ulidAt(msOf(started)),
    run_id: run,
    ...times,
    event_ids: textBytes(batch.join(',')),
  })
}

function keysOf({ alive = [], state = [], prefix = 'estate' }: RunOptions, id: string): RedisKey[] {
  const own = `{${prefix}:${id}}`
  const signs: Readonly<Record<SignOfLife, RedisKey>> = {
    metadata: { key: `${own}:metadata:${id}`, type: 'hash', pttl: -1, value: { status: '0', sat: '0' } },
    pr: { key: `{${prefix}}:pr:${id}`, type: 'set', pttl: -1, value: [randomUUID()] },
    idx: { key: `{queue}:idx:run:${id}`, type: 'zset', pttl: -1, value: [['17mjel771ldhf', 1_810_296_001_530]] },
  }
  const further = state.map((kind): RedisKey => {
    const key = kind === 'stack' ? `${own}:stack:${id}` : `${own}:${kind}:${FUNCTION}:${id}`
    if (kind === 'stack') return { key, type: 'list', pttl: -1, value: ['step'] }
    if (kind === 'bulk-events') return { key, type: 'string', pttl: -1, value: '[]' }
    return { key, type: 'hash', pttl: -1, value: { step: '{}' } }
  })
  return [...alive.map((sign) => signs[sign]), ...further]
}

/** The row of an event that came at that time. */
export function anEvent(at: Instant, id: string = ulidAt(msOf(at))): History & { readonly id: string } {
  const times = { received_at: isoOf(at), event_ts: isoOf(at) }
  return {
    id,
    rows: [aRow('events', { internal_id: bytes(id), event_id: id, event_name: 'made/up', ...times })],
    keys: [],
  }
}

/** A trace that belongs to no run. */
export const aRunlessTrace = (at: Instant): History => ({ rows: [aTrace(NOBODY, msOf(at))], keys: [] })

export interface ConnectionOptions {
  readonly connectedAt: Instant
  /** @default never */
  readonly heartbeatAt?: Instant
  /** @default still connected */
  readonly disconnectedAt?: Instant
}

/** The connection of a worker. */
export function aWorkerConnection({ connectedAt, heartbeatAt, disconnectedAt }: ConnectionOptions): History {
  const row = aRow('worker_connections', {
    id: bytes(ulidAt(msOf(connectedAt))),
    gateway_id: bytes(ulidAt(msOf(connectedAt))),
    app_name: 'shop',
    connected_at: String(msOf(connectedAt)),
    last_heartbeat_at: heartbeatAt === undefined ? null : String(msOf(heartbeatAt)),
    disconnected_at: disconnectedAt === undefined ? null : String(msOf(disconnectedAt)),
  })
  return { rows: [row], keys: [] }
}

/** A snapshot of the queue in chunks. */
export function aSnapshot(at: Instant, chunks = 2): History & { readonly id: string } {
  const id = ulidAt(msOf(at))
  const rows = Array.from({ length: chunks }, (_, chunk) =>
    aRow('queue_snapshot_chunks', { snapshot_id: id, chunk_id: chunk, data: textBytes('{}') }),
  )
  return { id, rows, keys: [] }
}

/** Several histories as one. */
export const together = (histories: readonly History[]): History => ({
  rows: histories.flatMap(({ rows }) => rows),
  keys: histories.flatMap(({ keys }) => keys),
})

const aTrace = (run: string, time: number) =>
  aRow('traces', { run_id: run, ...span(), timestamp: isoOf(time), timestamp_unix_ms: String(time) })

const span = () => ({ trace_id: randomBytes(16).toString('hex'), span_id: randomBytes(8).toString('hex') })

const msOf = (instant: Instant) => new Date(instant).getTime()

const isoOf = (instant: Instant) => new Date(instant).toISOString()

const bytes = (ulid: string) => ({ hex: ulidBytes(ulid).toString('hex') })

const textBytes = (text: string) => ({ hex: Buffer.from(text).toString('hex') })
