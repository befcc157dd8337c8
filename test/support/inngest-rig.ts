import { isDeepStrictEqual } from 'node:util'
import type { InngestConfig } from '../../src/config.ts'
import type { Database } from '../../src/postgres/queryable.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Command, Reply, Transport } from '../../src/redis/transport.ts'
import { openInngestDatabase } from '../../src/sweeps/inngest/database.ts'
import { createInngestSweep } from '../../src/sweeps/inngest/inngest-sweep.ts'
import type { SweepPart, SweepReport } from '../../src/sweeps/report.ts'
import { createSweepRunner } from '../../src/sweeps/runner.ts'
import type { SweepRequest, SweepRun } from '../../src/sweeps/sweep.ts'
import { fakeClock } from './clock.ts'
import { fixtureTruth } from './inngest-fixture.ts'
import { eventsIn, rowCounts, runlessTracesIn, runsIn } from './inngest-readers.ts'
import { redisContent } from './inngest-redis.ts'
import type { Counts } from './inngest-truth.ts'

export interface InngestRigOptions {
  /** A `postgresql://` URL or an SQLite file. */
  readonly database: string
  readonly redisUrl?: string
  readonly config?: Partial<InngestConfig>
  /** Put around the session with the database. */
  readonly aroundSql?: (sql: Database) => Database
  /** Put around the transport to Inngest's Redis. */
  readonly aroundRedis?: (send: Transport) => Transport
  /** Milliseconds that a request to Redis may take. @default 5000 */
  readonly deadlineMs?: number
  /** @default that of the frozen server state */
  readonly now?: string
}

/** The sweep over an Inngest with the real runner, whose clock stands at the time of the frozen server state. */
export interface InngestRig {
  /** Applies unless told otherwise; each run begins a second after the one before, and judges from the same instant. */
  sweep(request?: Partial<SweepRequest>): Promise<SweepRun>
  close(): Promise<void>
}

export function createInngestRig(options: InngestRigOptions): InngestRig {
  const { database, redisUrl, aroundSql = same, aroundRedis = same, now = fixtureTruth().now } = options
  const { deadlineMs = 5_000 } = options
  const clock = fakeClock(now)
  const asOfMs = clock()
  const connection = redisUrl === undefined ? undefined : createTcpConnection({ url: redisUrl, deadlineMs })
  const defects: unknown[] = []
  const runner = createSweepRunner({
    meter: createMeter(createMemoryConnection({ clock }).send),
    clock,
    zone: 'Europe/Berlin',
    emit: () => undefined,
    onDefect: (error) => void defects.push(error),
  })
  const run = runner(
    createInngestSweep({
      settleMs: 0,
      config: { ...usualConfig, database: targetOf(database), redisUrl, ...options.config },
      clock,
      meter: connection && createMeter(aroundRedis(connection.send)),
      open: async (target) => {
        const opened = await openInngestDatabase(target)
        return { ...opened, sql: aroundSql(opened.sql) }
      },
    }),
  )
  return {
    sweep: async (request = {}) => {
      clock.advance(1_000)
      const result = await run({ trigger: 'cli', dryRun: false, asOfMs, ...request })
      if (defects.length > 0) throw new Error('The sweep met a defect.', { cause: defects[0] })
      return result
    },
    close: async () => await connection?.close(),
  }
}

/** One run of the sweep. */
export async function sweepInngest(options: InngestRigOptions, request?: Partial<SweepRequest>): Promise<SweepReport> {
  const rig = createInngestRig(options)
  try {
    return (await rig.sweep(request)).report
  } finally {
    await rig.close()
  }
}

const same = <Thing>(thing: Thing): Thing => thing

export const targetOf = (database: string): InngestConfig['database'] =>
  /^postgres(ql)?:/.test(database) ? { kind: 'postgres', url: database } : { kind: 'sqlite', file: database }

const usualConfig: Omit<InngestConfig, 'database' | 'redisUrl'> = {
  keyPrefix: undefined,
  retentionDays: 30,
  doubleRetention: 2,
  batchSize: 1_000,
  isDryRun: false,
  isRedisAware: true,
  schedule: { pattern: '0 2 * * *', zone: 'Europe/Berlin' },
}

/** What a database holds, as far as the truth names it. */
export interface Rows {
  readonly tables: Counts
  readonly runs: Readonly<Record<string, Counts>>
  readonly events: readonly string[]
  readonly runlessTraces: readonly string[]
}

export const rowsIn = async (database: string): Promise<Rows> => ({
  tables: await rowCounts(database),
  runs: Object.fromEntries(await runsIn(database)),
  events: await eventsIn(database),
  runlessTraces: await runlessTracesIn(database),
})

/** What the truth leaves of the rows of the frozen server state, by whether Redis can be read. */
export function rowsAfter(mode: 'redis' | 'noRedis'): Rows {
  const truth = fixtureTruth()
  const runs = truth.runs.filter(({ expected }) => expected[mode] === 'keep')
  return {
    tables: truth.counts.rowsAfter[mode],
    runs: Object.fromEntries(runs.map(({ run, rows }) => [run, rows])),
    events: truth.events
      .filter(({ expected }) => expected[mode] === 'keep')
      .map(({ event }) => event)
      .toSorted(),
    runlessTraces: truth.runlessTraces
      .filter(({ expected }) => expected === 'keep')
      .map(({ traceId, spanId }) => `${traceId}/${spanId}`)
      .toSorted(),
  }
}

/** The keys that the truth leaves after two passes, Orderly's own apart. */
export function keysAfter(): readonly string[] {
  const truth = fixtureTruth()
  const kept = truth.redisGroups.flatMap(({ expected, keys, indexKeys }) => [
    ...(expected === 'keep' ? keys : []),
    ...indexKeys,
  ])
  return [...kept, ...truth.otherRedisKeys.map(({ key }) => key)].toSorted()
}

/** Names of keys, and whether idempotency keys will expire, and within a day; times themselves go by. */
export async function keysIn(redisUrl: string) {
  const { keys, idempotency } = await redisContent(redisUrl)
  const endless = Object.keys(idempotency).filter((key) => idempotency[key] === -1)
  return { keys, endless, longest: Math.max(0, ...Object.values(idempotency)) }
}

/** A part of a report by its name. */
export function partOf({ parts }: SweepReport, name: string): SweepPart {
  const part = parts?.find((one) => one.name === name)
  if (part === undefined) throw new Error(`The report has no part "${name}".`)
  return part
}

/** Sends one command past everything. */
export async function askRedis(redisUrl: string, command: Command): Promise<Reply> {
  const connection = createTcpConnection({ url: redisUrl, deadlineMs: 5_000 })
  try {
    const [reply = null] = await connection.send([command])
    return reply
  } finally {
    await connection.close()
  }
}

/** Calls `then` after the nth statement that deletes. */
export const afterDeletion =
  (nth: number, then: () => Promise<void>) =>
  (sql: Database): Database => {
    let deletions = 0
    return {
      ...sql,
      query: async (text, values) => {
        const answer = await sql.query(text, values)
        if (text.startsWith('DELETE') && ++deletions === nth) await then()
        return answer
      },
    }
  }

/** The runs that have other rows than before, with those; a run that is gone altogether is none of them. */
export async function brokenRuns(database: string, before: ReadonlyMap<string, Counts>) {
  const isWhole = (id: string, rows: Counts) => isDeepStrictEqual(rows, before.get(id))
  return [...(await runsIn(database))].filter(([id, rows]) => !isWhole(id, rows))
}
