import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withInngestTables } from '../../support/inngest-database.ts'
import { fixtureKeys, fixtureRows, fixtureTruth } from '../../support/inngest-fixture.ts'
import { fillPostgres } from '../../support/inngest-postgres.ts'
import { eventsIn, rowCounts, runlessTracesIn, runsIn } from '../../support/inngest-readers.ts'
import { fillRedis, redisContent } from '../../support/inngest-redis.ts'
import { fillSqlite, goTime } from '../../support/inngest-sqlite.ts'
import { describeWithPostgres, type PostgresServer, startPostgresServer } from '../../support/postgres-server.ts'
import { describeWithRedis, testRedis, type TestRedis } from '../../support/redis-server.ts'

const truth = fixtureTruth()
const compare = (target: () => string) => {
  it('holds as many rows of each table as the truth says', async () => {
    expect(await rowCounts(target())).toEqual(truth.counts.rowsBefore)
  })

  it('holds the rows of each run that the truth names', async () => {
    const runs = await runsIn(target())
    expect(Object.fromEntries(runs)).toEqual(Object.fromEntries(truth.runs.map(({ run, rows }) => [run, rows])))
  })

  it('holds every event and every trace without a run', async () => {
    expect(await eventsIn(target())).toEqual(truth.events.map(({ event }) => event).toSorted())
    expect(await runlessTracesIn(target())).toEqual(
      truth.runlessTraces.map(({ traceId, spanId }) => `${traceId}/${spanId}`).toSorted(),
    )
  })
}

describeWithPostgres('the frozen server state in PostgreSQL', () => {
  let server: PostgresServer
  let filled: string
  beforeAll(async () => {
    server = await startPostgresServer()
    filled = await server.createDatabase()
    await fillPostgres(filled)
  })
  afterAll(async () => await server.stop())

  compare(() => filled)

  it('holds each value as it was read out', async () => {
    const copy = await server.createDatabase({ from: filled })
    const [row] = await withInngestTables(copy, async (tables) => {
      await tables.run(`SET TIME ZONE 'America/New_York'`)
      return await tables.select(`SELECT s.start_time AT TIME ZONE 'UTC' = timestamp '2026-07-19T12:00:00.330902' AS instant,
        f.created_at = timestamp '2026-07-19T17:45:09.224803' AS wall, s.attributes ->> '_inngest.queued_at' AS json
        FROM spans s, function_finishes f WHERE s.span_id = '1b7cc76f6b4d8d9a'
        AND f.run_id = '\\x019f7b7b58fd7f4b905a9e4c41aef22d'`)
    })
    expect(row).toEqual({ instant: true, wall: true, json: '1784462400252' })
  })
})

describe('the frozen server state in SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-inngest-'))
  const file = join(directory, 'main.db')
  beforeAll(async () => await fillSqlite(file, { zone: '+0200 CEST' }))
  afterAll(() => rmSync(directory, { recursive: true }))

  compare(() => file)

  it('holds ids as bytes, but those of spans, and times as Go prints them', async () => {
    const [row] = await withInngestTables(file, async (tables) =>
      tables.select(`SELECT (SELECT group_concat(DISTINCT typeof(run_id) || length(run_id)) FROM trace_runs) AS traces,
        (SELECT group_concat(DISTINCT typeof(run_id) || length(run_id)) FROM spans) AS spans,
        (SELECT group_concat(DISTINCT typeof(internal_id) || length(internal_id)) FROM events) AS events,
        (SELECT group_concat(DISTINCT typeof(ended_at)) FROM trace_runs) AS ended,
        (SELECT created_at FROM function_finishes WHERE hex(run_id) = '019F7F65B77A5677F3A911BE1B340AE4') AS finished`),
    )
    expect(row).toEqual({
      traces: 'blob16',
      spans: 'text26',
      events: 'blob16',
      ended: 'integer',
      finished: '2026-07-20 14:00:00.532606 +0200 CEST',
    })
  })

  it.each([
    ['2026-11-20T18:15:03.250Z', {}, '2026-11-20 18:15:03.25 +0000 UTC'],
    ['2026-11-20T18:15:03.000Z', {}, '2026-11-20 18:15:03 +0000 UTC'],
    ['2026-12-31T23:15:03.5Z', { zone: '+0530 IST' }, '2027-01-01 04:45:03.5 +0530 IST'],
    [
      '2026-11-20T03:15:03Z',
      { zone: '-0500 EST', hasMonotonic: true },
      '2026-11-19 22:15:03 -0500 EST m=+12.345678901',
    ],
  ])('%s %o is the time %s', (iso, encoding, text) => {
    expect(goTime(iso, encoding)).toBe(text)
  })
})

describeWithRedis(
  'the frozen server state in Redis',
  () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await testRedis()
      await fillRedis(redis.url)
    })
    afterAll(async () => await redis.stop())

    it('holds every key that the truth names, and nothing else', async () => {
      const { keys, own } = await redisContent(redis.url)
      const named = truth.redisGroups.flatMap((group) => [...group.keys, ...group.indexKeys])
      expect(keys).toEqual([...named, ...truth.otherRedisKeys.map(({ key }) => key)].toSorted())
      expect(keys).toHaveLength(truth.counts.redisKeysBefore)
      expect(own).toEqual([])
    })

    it('lets exactly those idempotency keys live on that the truth gives an expiry', async () => {
      const { idempotency } = await redisContent(redis.url)
      const endless = Object.keys(idempotency).filter((key) => idempotency[key] === -1)
      const expected = truth.otherRedisKeys.filter(({ expected: what }) => what === 'set-ttl-24h').map(({ key }) => key)
      expect(endless).toEqual(expected.toSorted())
    })
  },
  { own: false },
)

it('every row belongs to a table and every key has a type that the fixture describes', () => {
  expect(fixtureRows()).toHaveLength(Object.values(truth.counts.rowsBefore).reduce((sum, rows) => sum + rows, 0))
  expect(fixtureKeys()).toHaveLength(truth.counts.redisKeysBefore)
})
