import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callOrderly, type Env, envelopeOf, hasStackTrace } from '../support/cli.ts'
import { withInngestTables } from '../support/inngest-database.ts'
import { fixtureTruth } from '../support/inngest-fixture.ts'
import { fillPostgres } from '../support/inngest-postgres.ts'
import { rowCounts } from '../support/inngest-readers.ts'
import { fillRedis, redisContent } from '../support/inngest-redis.ts'
import { fillSqlite } from '../support/inngest-sqlite.ts'
import type { TruthRun } from '../support/inngest-truth.ts'
import { describeWithPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp } from '../support/resp.ts'

const truth = fixtureTruth()
const NOW = ['--as-of', truth.now]
const LOOKS = ['redis-check', 'diagnose', 'verify', 'test'] as const

/** Whether a sweep meets the run: it finds runs through these tables. */
const isMet = ({ rows }: TruthRun) =>
  ['function_runs', 'function_finishes', 'trace_runs', 'spans'].some((table) => (rows[table] ?? 0) > 0)
const met = truth.runs.filter(isMet)
const judged = met.filter(({ startedAt }) => startedAt < truth.cutoff)
const unfinished = met.filter(({ finished }) => !finished)
const alive = unfinished.filter((run) => (run.alive ?? []).length > 0)
const due = judged.filter(({ expected }) => expected.redis === 'delete')

interface Verdicts {
  readonly mode: string
  readonly verdicts: readonly { readonly isDue: boolean; readonly reason: string; readonly runs: number }[]
}

interface Verification extends Verdicts {
  readonly sample: readonly {
    readonly id: string
    readonly started: string
    readonly finished: string | null
    readonly signsOfLife: readonly string[] | null
    readonly verdict: string
    readonly because: string
  }[]
}

interface Diagnosis extends Verdicts {
  readonly database: string
  readonly tables: readonly {
    readonly name: string
    readonly rows: number
    readonly oldest: string | null
    readonly newest: string | null
  }[]
  readonly runs: Readonly<Record<string, number | null>>
  readonly keys: { readonly keys: number } | null
  readonly state: Readonly<Record<string, number>> | null
}

interface Check {
  readonly ok: boolean
  readonly keys: number | null
  readonly hasUnfinishedRuns: boolean | null
  readonly evictionPolicy: string | null
  readonly stateCheck: { readonly ok: boolean; readonly prefix: string | null; readonly because: string | null } | null
}

async function call(env: Env, ...args: string[]) {
  const run = await callOrderly([...args, '--json'], { env })
  expect(run.stderr).toBe('')
  expect(hasStackTrace(run)).toBe(false)
  return { code: run.code, ...envelopeOf(run) }
}

type Called<Data> = Awaited<ReturnType<typeof call>> & { readonly data: Data }

const redisCheck = async (env: Env) => (await call(env, 'inngest', 'redis-check')) as Called<Check>
const diagnose = async (env: Env) => (await call(env, 'inngest', 'diagnose', ...NOW)) as Called<Diagnosis>
const verify = async (env: Env, ...options: string[]) =>
  (await call(env, 'inngest', 'verify', ...options, ...NOW)) as Called<Verification>

/** An address with other parts. */
const changed = (url: string, parts: Partial<Pick<URL, 'username' | 'password' | 'pathname' | 'port'>>) =>
  String(Object.assign(new URL(url), parts))

const dueIn = ({ verdicts }: Verdicts) => verdicts.filter(({ isDue }) => isDue).reduce((sum, { runs }) => sum + runs, 0)

describeWithPostgres('orderly inngest', () => {
  describeWithRedis('on the frozen server state', () => {
    let postgres: PostgresServer
    let redis: RedisServer
    let filled: string
    const folder = mkdtempSync(join(tmpdir(), 'orderly-inngest-'))
    const file = join(folder, 'main.db')

    beforeAll(async () => {
      postgres = await startPostgresServer()
      redis = await startRedisServer({ password: 'gEheim-redis' })
      filled = await postgres.createDatabase()
      await Promise.all([fillPostgres(filled), fillSqlite(file), fillRedis(redis.url)])
    }, 60_000)
    afterAll(async () => {
      await Promise.all([postgres.stop(), redis.stop()])
      rmSync(folder, { recursive: true, force: true })
    })

    const envOf = (database: string): Env => ({
      INNGEST_DATABASE_URL: database.startsWith('postgres') ? database : `sqlite:${database}`,
      INNGEST_REDIS_URL: redis.url,
    })
    const env = () => envOf(filled)
    const configure = async (name: string, value: string) => {
      const connection = await openResp(redis.url)
      await connection.call([['CONFIG', 'SET', name, value]])
      connection.close()
    }
    const contents = async (database = filled) => ({
      rows: await rowCounts(database),
      redis: (await redisContent(redis.url)).keys,
      own: (await redisContent(redis.url)).own,
    })

    it('a look at it changes nothing, and costs what it says', async () => {
      const before = await contents()

      for (const look of LOOKS) {
        const args = look === 'redis-check' ? [] : NOW
        await redis.resetStats()
        const { code, cost } = await call(env(), 'inngest', look, ...args)
        const { INFO: _, AUTH: __, PING: ___, CONFIG: ____, HELLO: _____, ...stats } = await redis.stats()

        const billed = Object.values(stats).reduce((sum, count) => sum + count, 0)
        expect({ look, code, spent: cost.redisCommands }).toEqual({ look, code: 0, spent: billed })
        expect(Object.keys(stats).filter((name) => !['SCAN', 'EXISTS', 'TTL', 'ZSCORE'].includes(name))).toEqual([])
      }

      expect(await contents()).toEqual(before)
    })

    it('redis-check tells what is in Redis, and that the sweep may believe it', async () => {
      const { code, command, data } = await redisCheck(env())

      expect({ code, command }).toEqual({ code: 0, command: 'inngest redis-check' })
      expect(data).toMatchObject({
        ok: true,
        server: 'redis',
        evictionPolicy: 'noeviction',
        keys: truth.counts.redisKeysBefore,
        hasUnfinishedRuns: true,
        stateCheck: { ok: true, prefix: 'estate', because: null },
      })
      const { stdout } = await callOrderly(['inngest', 'redis-check'], { env: env() })
      expect(stdout).toMatch(/^Redis answers\./)
      expect(stdout).toMatch(/eviction policy +noeviction \(good/)
      expect(stdout).toMatch(/state check +passes, prefix estate/)
      expect(stdout).toContain('{queue}:idx:run:')
    })

    it('orderly redis-check looks at this Redis, too, and fails when one of them does not answer', async () => {
      const both = await callOrderly(['redis-check', '--json'], { env: env() })
      const text = await callOrderly(['redis-check'], { env: env() })
      const away = { ...env(), INNGEST_REDIS_URL: 'redis://127.0.0.1:1' }
      const one = await callOrderly(['redis-check', '--json'], { env: away })

      const keys = truth.counts.redisKeysBefore
      expect(both.code).toBe(0)
      expect(envelopeOf(both).data).toMatchObject({
        stores: [
          { name: 'orders', ok: true, server: 'embedded' },
          { name: 'inngest', ok: true, server: 'redis', keys },
        ],
      })
      expect(text.stdout).toMatch(/^Redis of orders: [^]*\n\nRedis of inngest: Redis answers\.\n/)
      expect(one.code).toBe(1)
      expect(envelopeOf(one)).toMatchObject({
        error: { code: 'REDIS_UNREACHABLE' },
        data: {
          stores: [
            { name: 'orders', ok: true },
            { name: 'inngest', ok: false, latencyMs: null },
          ],
        },
      })
    })

    describe.each(['PostgreSQL', 'SQLite'])('in %s', (kind) => {
      const own = () => envOf(kind === 'SQLite' ? file : filled)

      it('diagnose counts every table and run, and what a sweep would delete', async () => {
        const { code, data } = await diagnose(own())

        expect(code).toBe(0)
        const { apps: _, functions: __, ...rows } = truth.counts.rowsBefore
        expect(Object.fromEntries(data.tables.map(({ name, rows: count }) => [name, count]))).toEqual(rows)
        expect(data.runs).toEqual({
          finished: met.length - unfinished.length,
          unfinished: unfinished.length,
          withSignOfLife: alive.length,
          withoutSignOfLife: unfinished.length - alive.length,
        })
        expect(dueIn(data)).toBe(due.length)
        expect(data.verdicts.reduce((sum, { runs }) => sum + runs, 0)).toBe(met.length)
        expect(data.keys?.keys).toBe(truth.counts.redisKeysBefore)
        const groups = truth.redisGroups.filter(({ database }) => database === 'finished')
        expect(data.state?.['finished']).toBe(groups.length)
      })

      it('diagnose tells the oldest and the newest time of each table', async () => {
        const { data } = await diagnose({ ...own(), TIME_ZONE: 'UTC' })

        const starts = truth.runs.filter(({ rows }) => (rows['function_runs'] ?? 0) > 0).map((run) => run.startedAt)
        const runs = data.tables.find(({ name }) => name === 'function_runs')
        expect({ oldest: runs?.oldest, newest: runs?.newest }).toEqual({
          oldest: starts.toSorted()[0],
          newest: starts.toSorted().at(-1),
        })
        expect(data.tables.find(({ name }) => name === 'worker_connections')).toMatchObject({ rows: 0, oldest: null })
      })

      it('verify of every run gives the verdict of the truth, with the signs of life that there are', async () => {
        const { code, data } = await verify(own(), '--sample', '1000')

        expect(code).toBe(0)
        const verdicts = Object.fromEntries(data.sample.map(({ id, verdict }) => [id, verdict]))
        expect(verdicts).toEqual(Object.fromEntries(judged.map(({ run, expected }) => [run, expected.redis])))
        const names: Readonly<Record<string, string>> = { metadata: 'metadata', pr: 'pauses', idx: 'jobs' }
        for (const { run, startedAt, finished, alive: signs } of judged) {
          const shown = data.sample.find(({ id }) => id === run)
          expect(Date.parse(shown?.started ?? '')).toBe(Date.parse(startedAt))
          expect(shown?.finished === null).toBe(!finished)
          expect(shown?.signsOfLife).toEqual(finished ? shown?.signsOfLife : (signs ?? []).map((sign) => names[sign]))
        }
      })

      it('verify without Redis keeps every unfinished run', async () => {
        const { data } = await verify({ ...own(), INNGEST_REDIS_URL: '' }, '--sample', '1000')

        expect(data.mode).toMatch(/^without Redis/)
        const verdicts = Object.fromEntries(data.sample.map(({ id, verdict }) => [id, verdict]))
        expect(verdicts).toEqual(Object.fromEntries(judged.map(({ run, expected }) => [run, expected.noRedis])))
        expect(data.sample.every(({ signsOfLife }) => signsOfLife === null)).toBe(true)
      })

      it('test counts what would go, and once deletes it', async () => {
        const copy = kind === 'SQLite' ? file : await postgres.createDatabase({ from: filled })
        const cleaned = envOf(kind === 'SQLite' ? join(folder, 'copy.db') : copy)
        if (kind === 'SQLite') await fillSqlite(join(folder, 'copy.db'))

        const planned = await call(cleaned, 'inngest', 'test', ...NOW)
        const done = await call({ ...cleaned, INNGEST_REDIS_URL: '' }, 'inngest', 'once', ...NOW)

        expect(planned).toMatchObject({ code: 0, command: 'inngest test', data: { due: due.length, deleted: 0 } })
        const gone = judged.filter(({ expected }) => expected.noRedis === 'delete').length
        expect(done).toMatchObject({ code: 0, command: 'inngest once', data: { outcome: 'done', deleted: gone } })
        expect(await rowCounts(kind === 'SQLite' ? join(folder, 'copy.db') : copy)).toEqual(
          truth.counts.rowsAfter.noRedis,
        )
      })
    })

    it('a sample shows each reason, however rare', async () => {
      const { data } = await verify(env())

      expect(data.sample).toHaveLength(20)
      expect(new Set(data.sample.map(({ because }) => because)).size).toBe(data.verdicts.length)
    })

    it.each(['verify', 'diagnose'])('%s works without an index for a user who may only read', async (look) => {
      const copy = await postgres.createDatabase({ from: filled })
      const { pathname } = new URL(copy)
      await withInngestTables(copy, async (tables) => {
        await tables.run(`REVOKE TEMPORARY ON DATABASE ${pathname.slice(1)} FROM PUBLIC`)
        const indexes = await tables.select("SELECT indexname FROM pg_indexes WHERE tablename = 'function_runs'")
        for (const { indexname } of indexes) await tables.run(`DROP INDEX ${String(indexname)}`)
        await tables.run(`CREATE ROLE reader_${look} LOGIN PASSWORD 'gEheim-reader'`)
        await tables.run(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_${look}`)
      })
      const url = changed(copy, { username: `reader_${look}`, password: 'gEheim-reader' })

      const { code, data } = await (look === 'verify' ? verify : diagnose)(envOf(url))

      expect({ code, due: dueIn(data) }).toEqual({ code: 0, due: due.length })
    })

    it('other days are judged by other cutoffs', async () => {
      const [few, many] = [await verify(env(), '--days', '1'), await verify(env(), '--days', '100')]

      expect(dueIn(few.data)).toBeGreaterThan(due.length)
      expect(dueIn(many.data)).toBeLessThan(due.length)
    })

    it('INNGEST_DRY_RUN=true wins over once and --apply, and says so', async () => {
      const before = await contents()
      const dry = { ...env(), INNGEST_DRY_RUN: 'true' }

      const once = await callOrderly(['inngest', 'once', ...NOW], { env: dry })
      const applied = await callOrderly(['sweep', 'inngest', '--apply', ...NOW], { env: dry })

      for (const run of [once, applied]) {
        expect(run.code).toBe(0)
        expect(run.stdout).toMatch(/^Would delete \d+ completed runs/)
        expect(run.stdout).toMatch(/\n\nNothing was deleted: INNGEST_DRY_RUN=true\.\n$/)
      }
      expect(await contents()).toEqual(before)
    })

    it.each([
      [['sweep', 'inngest'], 'Nothing was deleted. Add --apply to delete.'],
      [['inngest', 'test'], 'Nothing was deleted. orderly inngest once deletes.'],
    ])('after %j a person reads what is due, in which mode, and how to delete it', async (args, end) => {
      const { code, stdout } = await callOrderly([...args, ...NOW], { env: env() })

      expect(code).toBe(0)
      expect(stdout).toMatch(/^Would delete \d+ completed runs and \d+ abandoned incomplete runs\.\n\n {2}mode +aware/)
      expect(stdout).toContain('(30 x 24 hours before)')
      expect(stdout).not.toMatch(/\d orders?\b|today/)
      expect(stdout.trimEnd().split('\n').at(-1)).toBe(end)
    })

    it('a sweep that deletes in the future, or of less than a day, is refused', async () => {
      const ahead = ['--as-of', '2999-01-01T00:00:00Z']

      expect(await call(env(), 'sweep', 'inngest', '--apply', ...ahead)).toMatchObject({ code: 2 })
      expect(await call(env(), 'inngest', 'once', ...ahead)).toMatchObject({ code: 2, error: { code: 'WRONG_USE' } })
      expect(await call(env(), 'sweep', 'inngest', '--days', '0')).toMatchObject({ code: 1 })
      expect(await call(env(), 'inngest', 'verify', '--as-of', 'noon')).toMatchObject({ code: 2 })
    })

    describe('where something is wrong', () => {
      const notSqlite = join(folder, 'text.db')
      writeFileSync(notSqlite, 'This is no database, but it is long enough to look at. '.repeat(100))

      it.each<[string, string, () => string]>([
        ['a wrong password', 'DATABASE_REFUSED', () => changed(filled, { password: 'gEheim-wrong' })],
        ['a wrong name', 'DATABASE_REFUSED', () => changed(filled, { pathname: '/nowhere' })],
        ['another database', 'DATABASE_UNKNOWN', () => postgres.url],
        ['nobody there', 'DATABASE_UNREACHABLE', () => changed(filled, { port: '1' })],
        ['no file', 'DATABASE_UNREACHABLE', () => join(folder, 'missing.db')],
        ['another file', 'DATABASE_UNKNOWN', () => notSqlite],
      ])('with %s all looks fail with %s, and redis-check still tells of Redis', async (_, errorCode, database) => {
        for (const look of LOOKS) {
          const run = await call(envOf(database()), 'inngest', look)

          expect({ look, code: run.code, error: run.error?.code }).toEqual({ look, code: 1, error: errorCode })
          expect(JSON.stringify(run)).not.toMatch(/gEheim/)
        }
        expect((await redisCheck(envOf(database()))).data).toMatchObject({ ok: true, stateCheck: null })
      })

      it.each<[string, Env]>([
        ['Redis is away', { INNGEST_REDIS_URL: 'redis://:gEheim-redis@127.0.0.1:1' }],
        ['its password is wrong', { INNGEST_REDIS_URL: 'redis://:gEheim-wrong@127.0.0.1' }],
        ['Redis is not configured', { INNGEST_REDIS_URL: '' }],
        ['the prefix is another', { INNGEST_REDIS_KEY_PREFIX: 'inngest' }],
      ])('where %s each look tells what the database knows', async (_, given) => {
        const url = given['INNGEST_REDIS_URL']?.replace(/127\.0\.0\.1$/, `127.0.0.1:${redis.port}`)
        const wrong = { ...env(), ...given, ...(url !== undefined && { INNGEST_REDIS_URL: url }) }

        const check = await redisCheck(wrong)
        const diagnosis = await diagnose(wrong)
        const verification = await verify(wrong)

        const gone = judged.filter(({ expected }) => expected.noRedis === 'delete').length
        expect(check).toMatchObject({ code: 1, data: { hasUnfinishedRuns: true } })
        expect(check.data.stateCheck?.ok ?? false).toBe(false)
        for (const { code, data } of [diagnosis, verification]) {
          expect({ code, due: dueIn(data) }).toEqual({ code: 0, due: gone })
          expect(data.mode).toMatch(/^without Redis/)
        }
        expect(diagnosis.data.runs).toMatchObject({ unfinished: unfinished.length, withSignOfLife: null })
        expect(JSON.stringify([check, diagnosis, verification])).not.toMatch(/gEheim/)
      })

      it('redis-check says what is wrong with a policy that drops state, and what to do', async () => {
        await configure('maxmemory-policy', 'allkeys-lru')
        try {
          const { code, stdout, stderr } = await callOrderly(['inngest', 'redis-check'], { env: env() })

          expect(code).toBe(1)
          expect(stdout).toMatch(/eviction policy +allkeys-lru \(bad/)
          expect(stderr).toMatch(/allkeys-lru.*noeviction/)
        } finally {
          await configure('maxmemory-policy', 'noeviction')
        }
      })

      it('the sweep that does not ask Redis is told of wherever Redis is looked at', async () => {
        const off = { ...env(), USE_REDIS_AWARE_CLEANUP: 'false' }

        const check = await redisCheck(off)
        const { data } = await verify(off)

        expect(check.warnings.join()).toContain('USE_REDIS_AWARE_CLEANUP=false')
        expect(data.mode).toContain('switched off')
        expect(dueIn(data)).toBe(judged.length)
      })
    })

    describe('Ctrl-C', () => {
      it.each(LOOKS)('before it begins ends %s with 130', async (look) => {
        const { code, stdout } = await callOrderly(['inngest', look, '--json'], {
          env: env(),
          signal: AbortSignal.abort(),
        })

        expect({ code, error: envelopeOf({ stdout, stderr: '' }).error?.code }).toEqual({
          code: 130,
          error: 'INTERRUPTED',
        })
      })

      it.each(['diagnose', 'verify', 'redis-check'])(
        'ends %s with 130 although the database is silent',
        async (look) => {
          const interruption = new AbortController()
          await postgres.kill('SIGSTOP')
          const timer = setTimeout(() => interruption.abort(), 500)
          try {
            const run = await callOrderly(['inngest', look, '--json'], { env: env(), signal: interruption.signal })

            expect({ code: run.code, error: envelopeOf(run).error?.code }).toEqual({ code: 130, error: 'INTERRUPTED' })
          } finally {
            clearTimeout(timer)
            await postgres.kill('SIGCONT')
          }
        },
      )
    })
  })
})
