import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withInngestTables } from '../../support/inngest-database.ts'
import { anEvent, aRun, aRunlessTrace, aSnapshot, aWorkerConnection, together } from '../../support/inngest-history.ts'
import { eventsIn, rowCounts, runlessTracesIn, runsIn } from '../../support/inngest-readers.ts'
import { redisContent } from '../../support/inngest-redis.ts'
import { emptyDatabase, storeHistory } from '../../support/inngest-store.ts'
import { ulidAt, ulidBytes, ulidText } from '../../support/inngest-ulid.ts'
import { describeWithPostgres, type PostgresServer, startPostgresServer } from '../../support/postgres-server.ts'
import { describeWithRedis, testRedis, type TestRedis } from '../../support/redis-server.ts'

const [first, second] = [anEvent('2026-10-01T08:00:00Z'), anEvent(Date.parse('2026-10-01T08:00:01Z'))]
const finished = aRun({
  startedAt: '2026-10-01T08:00:02Z',
  finishedAt: '2026-10-01T09:00:00Z',
  batch: [first.id, second.id],
})
const open = aRun({
  startedAt: '2026-10-02T08:00:00Z',
  children: 3,
  alive: ['metadata', 'pr', 'idx'],
  state: ['actions', 'stack'],
})
const torn = aRun({ startedAt: '2026-10-03T08:00:00Z', tables: ['spans'], original: open.id })
const history = together([
  first,
  second,
  finished,
  open,
  torn,
  aRunlessTrace('2026-10-01T08:00:00Z'),
  aWorkerConnection({ connectedAt: '2026-10-01T08:00:00Z', heartbeatAt: '2026-10-01T09:00:00Z' }),
  aSnapshot('2026-10-01T08:00:00Z', 3),
])

const compare = (target: () => string) => {
  it('a made-up history is found again by run, table and event', async () => {
    await storeHistory(history, { database: target() })

    expect(Object.fromEntries(await runsIn(target()))).toEqual({
      [finished.id]: {
        function_runs: 1,
        function_finishes: 1,
        event_batches: 1,
        trace_runs: 1,
        history: 2,
        traces: 2,
        spans: 2,
      },
      [open.id]: { function_runs: 1, trace_runs: 1, history: 3, traces: 3, spans: 3 },
      [torn.id]: { spans: 2 },
    })
    expect(await eventsIn(target())).toEqual([first.id, second.id].toSorted())
    expect(await runlessTracesIn(target())).toHaveLength(1)
    expect(await rowCounts(target())).toMatchObject({ worker_connections: 1, queue_snapshot_chunks: 3 })
  })

  it('an emptied database holds no row, and takes a history again', async () => {
    await emptyDatabase(target())
    expect(Object.values(await rowCounts(target())).filter((rows) => rows > 0)).toEqual([])

    await storeHistory(finished, { database: target() })
    expect([...(await runsIn(target())).keys()]).toEqual([finished.id])
  })
}

describeWithPostgres('a made-up history in PostgreSQL', () => {
  let server: PostgresServer
  let database: string
  beforeAll(async () => {
    server = await startPostgresServer({ icuLocale: 'en-US' })
    database = await server.createDatabase()
  })
  afterAll(async () => await server.stop())

  compare(() => database)

  it('sorts as the locale of the server does, not by bytes', async () => {
    const [row] = await withInngestTables(database, async ({ select }) => await select(`SELECT 'a' < 'B' AS yes`))
    expect(row).toEqual({ yes: true })
  })

  it('survives the death of every process of the server', async () => {
    const copy = await server.createDatabase({ from: database })
    await server.kill('SIGKILL')
    await server.restart()

    expect(await rowCounts(copy)).toMatchObject({ function_runs: 1, history: 2 })
  })

  it('gives no answer, old session or new, while the server is stopped, and then goes on', async () => {
    const session = new Client({ connectionString: database, query_timeout: 300 })
    await session.connect()
    await server.kill('SIGSTOP')

    await expect(session.query('SELECT 1')).rejects.toThrow('timeout')
    await expect(new Client({ connectionString: database, connectionTimeoutMillis: 300 }).connect()).rejects.toThrow(
      'timeout',
    )
    await server.kill('SIGCONT')
    await session.end()
    expect(await rowCounts(database)).toMatchObject({ function_runs: 1 })
  })
})

describe('a made-up history in SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-inngest-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  compare(() => join(directory, 'main.db'))
})

describeWithRedis(
  'the keys of a made-up history',
  () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await testRedis()
    })
    afterAll(async () => await redis.stop())

    it('are named as the server names them', async () => {
      await redis.flush()
      await storeHistory(open, { database: ':memory:', redisUrl: redis.url })

      const { keys } = await redisContent(redis.url)
      expect(keys.map((key) => key.replaceAll(open.id, 'RUN').replace(/[\da-f-]{36}/, 'FUNCTION'))).toEqual([
        '{estate:RUN}:actions:FUNCTION:RUN',
        '{estate:RUN}:metadata:RUN',
        '{estate:RUN}:stack:RUN',
        '{estate}:pr:RUN',
        '{queue}:idx:run:RUN',
      ])
    })
  },
  { own: false },
)

it('a ULID begins with its time and is the same after its bytes', () => {
  const id = ulidAt(Date.parse('2026-11-15T12:00:00Z'), Buffer.alloc(10, 255))

  expect(id).toBe('01M7FH87G0ZZZZZZZZZZZZZZZZ')
  expect(ulidText(ulidBytes(id))).toBe(id)
  expect(ulidBytes('0'.repeat(26))).toEqual(Buffer.alloc(16))
})
