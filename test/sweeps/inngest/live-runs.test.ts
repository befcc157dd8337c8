import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  anEvent,
  aRun,
  together,
  type RunOptions,
  type RunTable,
  type StateKind,
} from '../../support/inngest-history.ts'
import { redisContent, storeKeys } from '../../support/inngest-redis.ts'
import { askRedis, createInngestRig, rowsIn } from '../../support/inngest-rig.ts'
import { type Scratch, scratchKinds } from '../../support/inngest-scratch.ts'
import type { Counts, SignOfLife } from '../../support/inngest-truth.ts'
import { ulidAt } from '../../support/inngest-ulid.ts'
import { hasPostgres } from '../../support/postgres-server.ts'
import { hasRedisServer, testRedis, type TestRedis } from '../../support/redis-server.ts'

const kinds = (['PostgreSQL', 'SQLite'] as const).filter((kind) => kind !== 'PostgreSQL' || hasPostgres)

const now = '2026-11-15T12:00:00Z'
const nowMs = Date.parse(now)
const DAY_MS = 86_400_000

/** What became of a run, and what it has in Redis by that. */
const fates = {
  Completed: [],
  Failed: [],
  Cancelled: [],
  queued: ['metadata', 'idx'],
  running: ['metadata', 'idx'],
  sleeping: ['metadata', 'idx'],
  waiting: ['metadata', 'pr'],
  waitingWithTimeout: ['metadata', 'pr', 'idx'],
  zombie: ['metadata'],
  abandoned: [],
} as const satisfies Record<string, readonly SignOfLife[]>

type Fate = keyof typeof fates

const isOver = (fate: Fate): fate is 'Completed' | 'Failed' | 'Cancelled' =>
  fate === 'Completed' || fate === 'Failed' || fate === 'Cancelled'

const runTables: readonly RunTable[] = [
  'function_runs',
  'function_finishes',
  'history',
  'trace_runs',
  'traces',
  'spans',
]
/** Those through which a sweep finds runs. */
const sources: ReadonlySet<string> = new Set(['function_runs', 'function_finishes', 'trace_runs', 'spans'])
const stateKinds: readonly StateKind[] = ['actions', 'bulk-events', 'stack', 'inputs', 'pending']

/** A policy, and runs of ages all around its cutoffs with every kind of damage. */
const histories = fc
  .record({
    days: fc.integer({ min: 1, max: 40 }),
    factor: fc.constantFrom(1, 1.5, 2, 3.3),
    batchSize: fc.integer({ min: 1, max: 12 }),
    passes: fc.integer({ min: 1, max: 3 }),
  })
  .chain((policy) => fc.record({ policy: fc.constant(policy), runs: fc.array(runsAround(policy), { maxLength: 10 }) }))

interface Policy {
  readonly days: number
  readonly factor: number
}

function runsAround({ days, factor }: Policy) {
  const near = fc.constantFrom(-DAY_MS, -1, 0, 1, DAY_MS)
  const ageMs = fc.oneof(
    near.map((ms) => Math.max(0, days * DAY_MS + ms)),
    near.map((ms) => Math.max(0, Math.ceil(days * factor * DAY_MS) + ms)),
    fc.integer({ min: 0, max: 200 * DAY_MS }),
  )
  return fc.record({
    fate: fc.constantFrom(...(Object.keys(fates) as Fate[])),
    startedAgo: ageMs,
    finishedAgo: ageMs,
    eventAgo: fc.oneof(fc.constant(0), ageMs),
    isBatched: fc.boolean(),
    isRepetition: fc.boolean(),
    traceStatus: fc.constantFrom(0, 50, 100, 200, 300, 400, 500, 600),
    /** Mostly nothing: most runs of a server are whole. */
    lost: fc.oneof({ weight: 2, arbitrary: fc.constant<RunTable[]>([]) }, fc.subarray([...runTables])),
    lostSigns: fc.oneof(
      { weight: 2, arbitrary: fc.constant<SignOfLife[]>([]) },
      fc.subarray(['metadata', 'pr', 'idx']),
    ),
    state: fc.oneof(fc.constant<StateKind[]>([]), fc.subarray([...stateKinds])),
  })
}

type Draft = ReturnType<typeof runsAround> extends fc.Arbitrary<infer Value> ? Value : never

/** A run as it is stored, with what is known of it beside the stores. */
function build(draft: Draft, other: string) {
  const { fate, lost, lostSigns, traceStatus, state } = draft
  const startedAt = nowMs - draft.startedAgo
  const events = Array.from({ length: draft.isBatched ? 2 : 1 }, () => anEvent(startedAt - draft.eventAgo))
  const finishedAt = Math.max(startedAt, nowMs - draft.finishedAgo)
  const alive = fates[fate].filter((sign) => !lostSigns.includes(sign))
  const options: RunOptions = {
    id: ulidAt(startedAt),
    startedAt,
    ...(isOver(fate) && { finishedAt, finishStatus: fate }),
    tables: runTables.filter((table) => !lost.includes(table)),
    traceStatus,
    event: events[0]?.id ?? '',
    ...(draft.isBatched && { batch: events.map(({ id }) => id) }),
    ...(draft.isRepetition && { original: other }),
    alive,
    state,
  }
  const run = aRun(options)
  const rows: Record<string, number> = {}
  for (const { table } of run.rows) rows[table] = (rows[table] ?? 0) + 1
  const finishedMs = 'function_finishes' in rows ? finishedAt : undefined
  return { run, events, rows, alive, startedAt, finishedMs, event: options.event, draft }
}

type Built = ReturnType<typeof build>

/** Whether the rows of a run stay: what people are promised, said once more. */
function staysInDatabase({ rows, alive, startedAt, finishedMs }: Built, { days, factor }: Policy): boolean {
  const isFound = Object.keys(rows).some((table) => sources.has(table))
  if (!isFound) return true
  if (finishedMs !== undefined) return finishedMs >= nowMs - days * DAY_MS
  return (
    alive.length > 0 || startedAt >= nowMs - Math.ceil(days * factor * DAY_MS) || startedAt >= nowMs - days * DAY_MS
  )
}

/** Whether the state of a run stays after so many passes. */
function staysInRedis(built: Built, policy: Policy, passes: number): boolean {
  const { rows, alive, startedAt, finishedMs } = built
  if (alive.includes('idx') || alive.includes('pr')) return true
  if (startedAt >= nowMs - DAY_MS) return true
  const isFound = Object.keys(rows).some((table) => sources.has(table))
  const isOpen = isFound && finishedMs === undefined && staysInDatabase(built, policy)
  return isOpen || passes < 2
}

describe.skipIf(!hasRedisServer).each(kinds)('whatever happened to a server with %s', (kind) => {
  let scratch: Scratch
  let redis: TestRedis
  beforeAll(async () => {
    redis = await testRedis()
    scratch = await scratchKinds[kind]()
  }, 60_000)
  afterAll(async () => {
    await scratch.stop()
    await redis.stop()
  })

  it('nothing of a live or a young run goes, and what is due goes', async () => {
    const seen = { live: 0, due: 0 }
    await fc.assert(
      fc.asyncProperty(histories, async ({ policy, runs: drafts }) => {
        // It shows that this Redis is the right one.
        const anchor = aRun({ startedAt: nowMs - 3 * DAY_MS, alive: ['metadata', 'pr', 'idx'], state: ['stack'] })
        const runs = drafts.map((draft) => build(draft, anchor.id))
        const history = together([anchor, ...runs.flatMap(({ run, events }) => [run, ...events])])
        await askRedis(redis.url, ['FLUSHALL'])
        await storeKeys(redis.url, history.keys)
        await scratch.put(history.rows)

        const { days: retentionDays, factor: doubleRetention, batchSize, passes } = policy
        const rig = createInngestRig({
          database: scratch.database,
          redisUrl: redis.url,
          now,
          config: { retentionDays, doubleRetention, batchSize },
        })
        for (let pass = 0; pass < passes; pass++) {
          expect((await rig.sweep()).report).toMatchObject({
            outcome: 'done',
            mode: 'aware of Redis (key prefix estate)',
          })
        }
        await rig.close()

        const after = { rows: await rowsIn(scratch.database), keys: (await redisContent(redis.url)).keys }
        const keptRows = runs.filter((one) => staysInDatabase(one, policy) && Object.keys(one.rows).length > 0)
        const keptState = runs.filter((one) => staysInRedis(one, policy, passes))
        seen.live += runs.filter(({ alive, finishedMs }) => alive.length > 0 && finishedMs === undefined).length
        seen.due += runs.length - keptRows.length
        expect(after.rows.runs).toEqual({
          [anchor.id]: countRows(anchor.rows),
          ...Object.fromEntries(keptRows.map(({ run, rows }) => [run.id, rows])),
        })
        const expectedKeys = [...anchor.keys, ...keptState.flatMap(({ run }) => run.keys)].map(({ key }) => key)
        const signs = runs
          .flatMap(({ run }) => run.keys.map(({ key }) => key))
          .filter((key) => /:pr:|^\{queue\}/.test(key))
        expect(after.keys).toEqual([...new Set([...expectedKeys, ...signs])].toSorted())
        expect(after.rows.events).toEqual(eventsAfter(runs, keptRows, nowMs - retentionDays * DAY_MS))
      }),
      { numRuns: 40, interruptAfterTimeLimit: 50_000 },
    )
    expect(seen.live).toBeGreaterThan(10)
    expect(seen.due).toBeGreaterThan(10)
  }, 60_000)
})

function countRows(rows: Built['run']['rows']): Counts {
  const counts: Record<string, number> = {}
  for (const { table } of rows) counts[table] = (counts[table] ?? 0) + 1
  return counts
}

/** Young ones, and those of which a run or a batch that stays was made. */
function eventsAfter(runs: readonly Built[], kept: readonly Built[], cutoffMs: number): readonly string[] {
  const needed = new Set([
    ...kept.filter(({ rows }) => 'function_runs' in rows).map(({ event }) => event),
    ...kept.filter(({ rows }) => 'event_batches' in rows).flatMap(({ events }) => events.map(({ id }) => id)),
  ])
  const isYoung = ({ draft }: Built) => nowMs - draft.startedAgo - draft.eventAgo >= cutoffMs
  return runs
    .flatMap((one) => one.events.map(({ id }) => ({ id, stays: isYoung(one) || needed.has(id) })))
    .filter(({ stays }) => stays)
    .map(({ id }) => id)
    .toSorted()
}
