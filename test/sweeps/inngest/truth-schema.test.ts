import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Copies, postgresCopies, sqliteCopies } from '../../support/inngest-copies.ts'
import { withInngestTables } from '../../support/inngest-database.ts'
import { aSnapshot, aWorkerConnection, together } from '../../support/inngest-history.ts'
import { fixtureTruth } from '../../support/inngest-fixture.ts'
import { rowCounts } from '../../support/inngest-readers.ts'
import { partOf, rowsAfter, rowsIn, sweepInngest } from '../../support/inngest-rig.ts'
import { aRow } from '../../support/inngest-row.ts'
import { storeHistory } from '../../support/inngest-store.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const starts = {
  PostgreSQL: async () => await postgresCopies(),
  SQLite: async () => await sqliteCopies(),
} as const
const kinds = (['PostgreSQL', 'SQLite'] as const).filter((kind) => kind !== 'PostgreSQL' || hasPostgres)

const optional = [
  'spans',
  'traces',
  'history',
  'event_batches',
  'trace_runs',
  'events',
  'worker_connections',
  'queue_snapshot_chunks',
]

const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(rowsAfter('noRedis').tables).filter(([name]) => !names.includes(name)))

describe.each(kinds)('a database in %s that differs', (kind) => {
  let copies: Copies
  let database: string
  beforeAll(async () => {
    copies = await starts[kind]()
  }, 60_000)
  beforeEach(async () => {
    database = await copies.fresh()
  })
  afterAll(async () => await copies.stop())

  const change = async (...statements: string[]) =>
    await withInngestTables(database, async ({ run }) => {
      for (const sql of statements) await run(sql)
    })

  it('by connections of workers and snapshots of the queue loses those that are over', async () => {
    const kept = together([
      aWorkerConnection({ connectedAt: '2026-08-01T00:00:00Z', disconnectedAt: '2026-10-16T12:00:00.000Z' }),
      aWorkerConnection({ connectedAt: '2026-08-01T00:00:00Z', heartbeatAt: '2026-11-15T11:59:00Z' }),
      aWorkerConnection({ connectedAt: '2026-08-01T00:00:00Z' }),
      aSnapshot('2026-09-02T00:00:00Z', 2),
    ])
    const due = together([
      aWorkerConnection({ connectedAt: '2026-08-01T00:00:00Z', disconnectedAt: '2026-10-16T11:59:59.999Z' }),
      aWorkerConnection({
        connectedAt: '2026-08-01T00:00:00Z',
        heartbeatAt: '2026-11-01T00:00:00Z',
        disconnectedAt: '2026-10-01T00:00:00Z',
      }),
      aWorkerConnection({ connectedAt: '2026-08-01T00:00:00Z', heartbeatAt: '2026-10-01T00:00:00Z' }),
      aSnapshot('2026-09-01T00:00:00Z', 3),
      aSnapshot('2026-08-31T00:00:00Z', 40),
    ])
    await storeHistory(together([kept, due]), { database })
    const dry = await sweepInngest({ database, config: { batchSize: 10 } }, { dryRun: true })
    const applied = await sweepInngest({ database, config: { batchSize: 10 } })

    for (const report of [dry, applied]) {
      expect(partOf(report, 'worker connections')).toMatchObject({ scanned: 6, due: 3, kept: 3 })
      expect(partOf(report, 'queue snapshots')).toMatchObject({ scanned: 45, due: 43, kept: 2 })
    }
    expect(partOf(applied, 'queue snapshots').deleted).toBe(43)
    expect(await rowCounts(database)).toEqual({
      ...rowsAfter('noRedis').tables,
      worker_connections: 3,
      queue_snapshot_chunks: 2,
    })
  })

  it.each(kind === 'SQLite' ? optional : ['traces', 'events'])(
    'by the absence of %s is swept as far as it goes',
    async (name) => {
      await change(`DROP TABLE ${name}`)
      const dry = await sweepInngest({ database }, { dryRun: true })
      const applied = await sweepInngest({ database })
      expect(applied).toMatchObject({ outcome: 'done', because: null })
      expect(applied.parts?.map(({ deleted }) => deleted)).toEqual(dry.parts?.map(({ due }) => due))
      expect(await rowCounts(database)).toMatchObject(without(name, 'events'))
    },
  )

  it('by the absence of all that is not needed is swept as far as it goes', async () => {
    await change(...optional.map((name) => `DROP TABLE ${name}`))
    expect(await sweepInngest({ database })).toMatchObject({ outcome: 'done', because: null, deleted: 126 })
    expect(await rowCounts(database)).toMatchObject(without(...optional))
  })

  it.each(['function_runs', 'function_finishes'])('by the absence of %s is refused as unknown', async (name) => {
    await change(`DROP TABLE ${name}`)
    const before = await rowCounts(database)
    const report = await sweepInngest({ database })
    expect(report).toMatchObject({ outcome: 'failed', because: expect.stringContaining(name) })
    expect(report.because).toContain('INNGEST_DATABASE_URL')
    expect(await rowCounts(database)).toEqual(before)
  })

  it('by tables that Orderly does not know keeps them', async () => {
    await change('CREATE TABLE things (run_id text, created_at text)', "INSERT INTO things VALUES ('x', 'y')")
    expect(await sweepInngest({ database })).toMatchObject({ outcome: 'done', because: null, deleted: 126 })
    expect(await withInngestTables(database, async ({ select }) => await select('SELECT * FROM things'))).toEqual([
      { run_id: 'x', created_at: 'y' },
    ])
  })

  it.each([
    ['history', 'run_id'],
    ['traces', 'timestamp_unix_ms'],
    ['events', 'internal_id'],
    ['event_batches', 'event_ids'],
  ])('by a table %s without its column %s leaves that table alone and says so', async (table, column) => {
    await change(`ALTER TABLE ${table} RENAME COLUMN ${column} TO other`)
    const before = await withInngestTables(
      database,
      async ({ select }) => await select(`SELECT count(*) AS n FROM ${table}`),
    )
    const report = await sweepInngest({ database })
    expect(report).toMatchObject({ outcome: 'done', deleted: 126 })
    expect(report.because).toContain(table)
    const after = await withInngestTables(
      database,
      async ({ select }) => await select(`SELECT count(*) AS n FROM ${table}`),
    )
    expect(after).toEqual(before)
  })

  // The types that SQLite declares mean nothing.
  const declared = <Cases>(cases: readonly Cases[]) => (kind === 'SQLite' ? [] : cases)
  it.each(
    declared([
      ['spans', 'run_id', 'uuid', 'gen_random_uuid()'],
      ['history', 'run_id', 'bigint', '1'],
      ['traces', 'timestamp_unix_ms', 'text', "timestamp_unix_ms || ' ms'"],
      ['worker_connections', 'last_heartbeat_at', 'timestamptz', 'now()'],
    ] as const),
  )('by a table %s whose column %s is of the type %s leaves that table alone, and says so', async (...odd) => {
    const [table, column, type, value] = odd
    await change(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type} USING ${value}`)
    const report = await sweepInngest({ database })
    expect(report).toMatchObject({ outcome: 'done', deleted: 126, because: expect.stringContaining(table) })
    expect((await rowCounts(database))[table]).toBe(fixtureTruth().counts.rowsBefore[table])
  })

  it.each(
    declared([
      ['function_finishes', 'created_at', 'text', "'yesterday'"],
      ['function_runs', 'run_id', 'bigint', '1'],
      ['function_runs', 'event_id', 'bigint', '1'],
    ] as const),
  )('by a table %s whose column %s is of the type %s is refused as unknown', async (...odd) => {
    const [table, column, type, value] = odd
    await change(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type} USING ${value}`)
    const report = await sweepInngest({ database })
    expect(report).toMatchObject({ outcome: 'failed', because: expect.stringContaining(table) })
    expect(report.because).toContain('This is no Inngest database that Orderly knows')
    expect(await rowCounts(database)).toEqual(fixtureTruth().counts.rowsBefore)
  })

  it.each(kind === 'SQLite' ? ["'yesterday'", '17'] : [])(
    'by times of finishing such as %s, which nobody can read, keeps those runs, and counts them',
    async (time) => {
      await change(`UPDATE function_finishes SET created_at = ${time}`)
      const report = await sweepInngest({ database })
      expect(report).toMatchObject({ outcome: 'done', deleted: 0, kept: 0, keptOpen: 51, unreadable: { count: 136 } })
    },
  )

  it('by rows that name no run keeps them, and says so', async () => {
    const names = ['01IOU3NDEKTSV4RRFFQ69G5FAV', '0'.repeat(26), '01arz3ndektsv4rrffq69g5fav', 'a word']
    const spans = names.map((run_id) => aRow('spans', { run_id, trace_id: 'made-up', span_id: run_id }))
    await storeHistory({ rows: spans, keys: [] }, { database })
    const before = await rowsIn(database)
    // By age alone, for then nothing else would keep them.
    const report = await sweepInngest({ database, config: { isRedisAware: false } })

    expect(report).toMatchObject({ outcome: 'done', deleted: 187, because: expect.stringContaining('spans') })
    const { runs, runlessTraces } = await rowsIn(database)
    for (const name of names) expect([name, runs[name]]).toEqual([name, before.runs[name]])
    expect(runlessTraces).toEqual(rowsAfter('noRedis').runlessTraces)
  })
})
