import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Copies, fixtureKinds } from '../../support/inngest-copies.ts'
import { withInngestTables } from '../../support/inngest-database.ts'
import { fixtureTruth } from '../../support/inngest-fixture.ts'
import { fillRedis, redisContent } from '../../support/inngest-redis.ts'
import {
  createInngestRig,
  keysAfter,
  rowsAfter,
  rowsIn,
  sweepInngest,
  type InngestRigOptions,
  type Rows,
} from '../../support/inngest-rig.ts'
import { ulidAt, ulidText } from '../../support/inngest-ulid.ts'
import { startFakeServer } from '../../support/fake-server.ts'
import { freePort } from '../../support/free-port.ts'
import { hasPostgres } from '../../support/postgres-server.ts'
import { hasRedisServer, testRedis, type TestRedis } from '../../support/redis-server.ts'
import type { SweepReport } from '../../../src/sweeps/report.ts'

const truth = fixtureTruth()
const DAY_MS = 86_400_000

const kinds = Object.entries(fixtureKinds).filter(([name]) => name !== 'PostgreSQL' || hasPostgres)

describe.skipIf(!hasRedisServer).each(kinds)('the frozen server state in %s', (kind, start) => {
  let copies: Copies
  let redis: TestRedis
  let database: string
  beforeAll(async () => {
    redis = await testRedis()
    copies = await start()
  }, 60_000)
  beforeEach(async () => {
    await redis.flush()
    await fillRedis(redis.url)
    database = await copies.fresh()
  })
  afterAll(async () => {
    await copies.stop()
    await redis.stop()
  })

  it('a dry run changes nothing, and counts what a real one then deletes', async () => {
    const before = { rows: await rowsIn(database), redis: await redisContent(redis.url) }
    const dry = await sweepInngest({ database, redisUrl: redis.url }, { dryRun: true })
    const after = { rows: await rowsIn(database), redis: await redisContent(redis.url) }

    expect(dry).toMatchObject({ outcome: 'planned', due: 148, deleted: 0, kept: 10, keptOpen: 29 })
    expect(dry.summary).toBe('Would delete 126 completed runs and 22 abandoned incomplete runs.')
    expect(after.rows).toEqual(before.rows)
    expect(after.redis).toEqual({ ...before.redis, idempotency: expect.anything() })
    expect(endless(after.redis.idempotency)).toEqual(endless(before.redis.idempotency))

    const applied = await sweepInngest({ database, redisUrl: redis.url })
    expect(applied.parts?.map((part) => ({ ...part, deleted: 0 }))).toEqual(dry.parts)
    expect(applied.parts?.map(({ deleted }) => deleted)).toEqual(dry.parts?.map(({ due }) => due))
  })

  it('two passes leave exactly the rows, keys and expiries of the truth, and a third finds nothing', async () => {
    const before = await redisContent(redis.url)
    const rig = createInngestRig({ database, redisUrl: redis.url })
    const { report: first } = await rig.sweep()

    expect(first).toMatchObject({ outcome: 'done', mode: 'aware of Redis (key prefix estate)', because: null })
    expect(first).toMatchObject({ deleted: 148, kept: 10, keptOpen: 29 })
    expect(first.summary).toBe('Deleted 126 completed runs and 22 abandoned incomplete runs.')
    expect(await rowsIn(database)).toEqual(rowsAfter('redis'))
    expect((await redisContent(redis.url)).keys).toEqual(before.keys)

    await rig.sweep()
    const after = await redisContent(redis.url)
    expect(await rowsIn(database)).toEqual(rowsAfter('redis'))
    expect(after.keys).toEqual(keysAfter())
    expect(changedExpiries(before.idempotency, after.idempotency)).toEqual(
      truth.otherRedisKeys
        .filter(({ expected }) => expected === 'set-ttl-24h')
        .map(({ key }) => key)
        .toSorted(),
    )

    const { report: third } = await rig.sweep()
    expect(third.parts?.filter(({ due, deleted }) => due + deleted !== 0)).toEqual([])
    expect(await rowsIn(database)).toEqual(rowsAfter('redis'))
    expect((await redisContent(redis.url)).keys).toEqual(keysAfter())
    await rig.close()
  })

  it('without an address of Redis every unfinished run and all state is kept', async () => {
    expectWithoutRedis(await sweepInngest({ database }), 'INNGEST_REDIS_URL is not set')
    expect(await rowsIn(database)).toEqual(rowsAfter('noRedis'))
  })

  // What a failing Redis does is the same for every database; the slow ways to fail are tried with one.
  const slow = [
    ['refuses connections', async () => await nobody()],
    ['answers nothing but errors', async () => await loading()],
  ] as const
  it.each([
    ['refuses the password', async (): Promise<Unreadable> => ({ url: redis.url.replace('//', '//nobody:wrong@') })],
    ...(kind === 'PostgreSQL' ? slow : []),
  ] as const)('with a Redis that %s every unfinished run and all state is kept', async (_, make) => {
    const before = await redisContent(redis.url)
    const { url, stop = async () => {} } = await make()
    const options: InngestRigOptions = { database, redisUrl: url, deadlineMs: 1_500 }
    const dry = await sweepInngest(options, { dryRun: true })
    const applied = await sweepInngest(options)
    await stop()

    expect(dry).toMatchObject({ outcome: 'planned', due: 126, keptOpen: 51 })
    expectWithoutRedis(applied, 'Redis')
    expect(JSON.stringify(applied)).not.toContain('wrong')
    expect(await rowsIn(database)).toEqual(rowsAfter('noRedis'))
    expect((await redisContent(redis.url)).keys).toEqual(before.keys)
  })

  it('with the awareness of Redis switched off exactly the rows of older runs go, finished or not', async () => {
    const before = { rows: await rowsIn(database), redis: await redisContent(redis.url) }
    const expected = await byAgeAlone(database, before.rows)
    const options: InngestRigOptions = { database, redisUrl: redis.url, config: { isRedisAware: false } }
    const dry = await sweepInngest(options, { dryRun: true })
    const report = await sweepInngest(options)

    expect(report).toMatchObject({ outcome: 'done', mode: expect.stringMatching(/^Redis awareness switched off/) })
    expect(report).toMatchObject({ scanned: 187, due: 187, deleted: 187 })
    expect(dry).toMatchObject({
      outcome: 'planned',
      due: 187,
      summary: report.summary?.replace('Deleted', 'Would delete'),
    })
    expect(report.parts?.map(({ name }) => name)).not.toContain('abandoned incomplete runs')
    expect(dry.parts?.map(({ name, due }) => [name, due])).toEqual(
      report.parts?.map(({ name, deleted }) => [name, deleted]),
    )
    expect(await rowsIn(database)).toMatchObject({ ...expected, runlessTraces: rowsAfter('redis').runlessTraces })
    expect((await redisContent(redis.url)).keys).toEqual(before.redis.keys)
  })
})

function expectWithoutRedis(report: SweepReport, because: string): void {
  expect(report).toMatchObject({ outcome: 'done', deleted: 126, kept: 10, keptOpen: 51 })
  expect(report.mode).toMatch(/^without Redis: finished runs go by age, every unfinished run and all state is kept\./)
  expect(report.mode).toContain(because)
}

const endless = (times: Readonly<Record<string, number>>) => Object.keys(times).filter((key) => times[key] === -1)

/** Keys that live shorter than before by more than the time that went by: each of them must now live a day. */
function changedExpiries(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string[] {
  const changed = Object.keys(after).filter((key) => Math.abs((before[key] ?? 0) - (after[key] ?? 0)) > 120_000)
  return changed.filter((key) => Math.abs((after[key] ?? 0) - DAY_MS) <= 120_000)
}

const isVisited = (rows: object) =>
  ['function_runs', 'function_finishes', 'trace_runs', 'spans'].some((name) => name in rows)

/** By queries that know nothing of the sweep: which rows are younger than the cutoff, or events that those still need. */
async function byAgeAlone(database: string, before: Rows): Promise<Omit<Rows, 'tables' | 'runlessTraces'>> {
  const least = ulidAt(Date.parse(truth.cutoff), Buffer.alloc(10))
  const [starts, batches] = await withInngestTables(database, async ({ select }) => [
    await select('SELECT run_id, event_id FROM function_runs'),
    await select('SELECT run_id, event_ids FROM event_batches'),
  ])
  const isYoung = ({ run_id }: Readonly<Record<string, unknown>>) => textOf(run_id) >= least
  const needed = new Set([
    ...(starts ?? []).filter(isYoung).map(({ event_id }) => textOf(event_id)),
    ...(batches ?? []).filter(isYoung).flatMap(({ event_ids }) => asciiOf(event_ids).split(',')),
  ])
  return {
    runs: Object.fromEntries(Object.entries(before.runs).filter(([id, rows]) => id >= least || !isVisited(rows))),
    events: before.events.filter((event) => event >= least || needed.has(event)),
  }
}

const bytesOf = (value: unknown) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value)

function textOf(value: unknown): string {
  const bytes = bytesOf(value)
  return bytes instanceof Uint8Array ? ulidText(bytes) : String(bytes)
}

function asciiOf(value: unknown): string {
  const bytes = bytesOf(value)
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('latin1') : String(bytes)
}

interface Unreadable {
  readonly url: string
  readonly stop?: () => Promise<void>
}

const nobody = async (): Promise<Unreadable> => ({ url: `redis://127.0.0.1:${await freePort()}` })

async function loading(): Promise<Unreadable> {
  const { port, stop } = await startFakeServer(() => '-LOADING Redis is loading the dataset in memory\r\n'.repeat(8))
  return { url: `redis://127.0.0.1:${port}`, stop }
}
