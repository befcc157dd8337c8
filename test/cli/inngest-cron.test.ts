import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliRun, type Env, envelopeOf, runOrderly, startOrderly } from '../support/cli.ts'
import { fillPostgres } from '../support/inngest-postgres.ts'
import { rowCounts } from '../support/inngest-readers.ts'
import { describeWithPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'

type Line = Readonly<Record<string, unknown>>

const linesOf = (stdout: string): readonly Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

interface Cron {
  readonly lines: readonly Line[]
  readonly run: CliRun
  /** From the signal to the end, in milliseconds. */
  readonly tookMs: number
}

/** Runs the schedule until it has logged an event, and sends a signal then. */
async function runCron(env: Env, until: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<Cron> {
  const { child, ended } = startOrderly(['inngest', 'cron'], { env })
  let said = ''
  child.stdout?.on('data', (text: string) => (said += text))
  while (!said.includes(`"event":"${until}"`) && child.exitCode === null) {
    await Promise.race([once(child.stdout ?? child, 'data'), ended])
  }
  const sentAtMs = performance.now()
  child.kill(signal)
  const run = await ended
  return { lines: linesOf(run.stdout), run, tookMs: performance.now() - sentAtMs }
}

const checkOf = ({ lines }: Cron) => lines.find(({ event }) => event === 'cron.checked')

describeWithPostgres('orderly inngest cron', () => {
  describeWithRedis('as a process', () => {
    let postgres: PostgresServer
    let redis: RedisServer
    let database: string

    beforeAll(async () => {
      postgres = await startPostgresServer()
      redis = await startRedisServer({ password: 'gEheim-redis' })
      database = await postgres.createDatabase()
      await fillPostgres(database)
    }, 60_000)
    afterAll(async () => {
      await Promise.all([postgres.stop(), redis.stop()])
    })

    const env = (given: Env = {}): Env => ({ INNGEST_DATABASE_URL: database, INNGEST_REDIS_URL: redis.url, ...given })

    it.each(['SIGTERM', 'SIGINT'] as const)(
      'says when it sweeps, in JSON lines only, and ends with 0 on %s',
      async (signal) => {
        const schedule = { CLEANUP_SCHEDULE: 'TZ=Europe/Lisbon 30 4 * * *' }
        const before = await rowCounts(database)

        const { lines, run, tookMs } = await runCron(env(schedule), 'cron.checked', signal)

        expect(run).toMatchObject({ code: 0, signal: null, stderr: '' })
        expect(tookMs).toBeLessThan(10_000)
        expect(lines[0]).toMatchObject({
          level: 30,
          event: 'cron.started',
          schedule: '30 4 * * *',
          zone: 'Europe/Lisbon',
          nextSlot: expect.stringMatching(/T04:30:00\.000(Z|\+0[01]:00)$/),
          isDryRun: false,
        })
        expect(lines[0]?.['msg']).toContain('30 4 * * * (Europe/Lisbon)')
        expect(lines[0]?.['msg']).toContain(String(lines[0]?.['nextSlot']))
        expect(lines.slice(-2).map(({ event }) => event)).toEqual(['cron.stopping', 'cron.stopped'])
        expect(await rowCounts(database)).toEqual(before)
        expect(run.stdout).not.toMatch(/gEheim/)
      },
    )

    it('tells at the start whether database and Redis answer', async () => {
      const well = await runCron(env(), 'cron.checked')
      const away = await runCron(env({ INNGEST_REDIS_URL: 'redis://:gEheim-x@127.0.0.1:1' }), 'cron.checked')

      // The database has unfinished runs, and this Redis is empty.
      expect(checkOf(well)).toMatchObject({ level: 30, mode: expect.stringContaining('INNGEST_REDIS_URL') })
      expect(checkOf(away)).toMatchObject({ level: 30, mode: expect.stringContaining('unreachable') })
      expect(away.run.stdout).not.toMatch(/gEheim/)
    })

    it('goes on where the database refuses, says so without a secret, and still ends with 0', async () => {
      const url = new URL(database)
      url.password = 'gEheim-wrong'

      const { lines, run } = await runCron(env({ INNGEST_DATABASE_URL: String(url) }), 'cron.checked')

      expect(run).toMatchObject({ code: 0, stderr: '' })
      expect(lines.find(({ event }) => event === 'cron.checked')).toMatchObject({
        level: 50,
        err: { code: 'DATABASE_REFUSED' },
      })
      expect(run.stdout).not.toMatch(/gEheim/)
    })

    it('says that only dry runs are made, and that missed slots are forgotten without a Redis of its own', async () => {
      const { lines } = await runCron(env({ INNGEST_DRY_RUN: 'true' }), 'cron.checked')

      expect(lines[0]).toMatchObject({ isDryRun: true, msg: expect.stringContaining('dry runs only') })
      expect(lines[1]).toMatchObject({ event: 'cron.forgetful' })
    })

    it('remembers in a Redis of its own which slot was the last', async () => {
      const connection = await openResp(redis.url)
      const { lines } = await runCron(env({ REDIS_URL: redis.url }), 'cron.checked')

      const [slot = null] = await connection.call([['GET', 'orderly:schedule:inngest']])
      connection.close()
      expect(textReply(slot)).toMatch(/^\d{4}-\d{2}-\d{2}T02:00$/)
      expect(lines.map(({ event }) => event)).not.toContain('cron.forgetful')
    })

    it('makes up at once for the slots that it slept through, and logs what went in one sentence', async () => {
      const copy = await postgres.createDatabase({ from: database })
      const connection = await openResp(redis.url)
      await connection.call([['SET', 'orderly:schedule:inngest', '2026-01-01T02:00']])
      connection.close()
      const before = await rowCounts(copy)

      const given = { REDIS_URL: redis.url, INNGEST_DATABASE_URL: copy }
      const { lines, run } = await runCron(env(given), 'schedule.caught-up')

      const finished = lines.find(({ event }) => event === 'sweep.finished')
      expect(run.code).toBe(0)
      expect(finished).toMatchObject({ sweep: 'inngest', trigger: 'catch-up', outcome: 'done', dryRun: false })
      expect(finished?.['summary']).toMatch(/^Deleted \d+ completed runs and 0 abandoned incomplete runs\.$/)
      const after = await rowCounts(copy)
      const gone = (before['function_finishes'] ?? 0) - (after['function_finishes'] ?? 0)
      expect(gone).toBeGreaterThan(0)
      expect(finished?.['deleted']).toBe(gone)
    })

    it('ends within seconds although neither database nor Redis answers any more', async () => {
      const { child, ended } = startOrderly(['inngest', 'cron'], { env: env({ REDIS_URL: redis.url }) })
      await Promise.race([once(child.stdout ?? child, 'data'), ended])
      await postgres.kill('SIGSTOP')
      await redis.kill('SIGSTOP')
      try {
        const sentAtMs = performance.now()
        child.kill('SIGTERM')

        expect(await ended).toMatchObject({ code: 0, signal: null })
        expect(performance.now() - sentAtMs).toBeLessThan(25_000)
      } finally {
        await redis.kill('SIGCONT')
        await postgres.kill('SIGCONT')
      }
    }, 60_000)
  })
})

describe('orderly inngest cron', () => {
  it('needs a database, and says so before anything else', async () => {
    const { code, stdout, stderr } = await runOrderly(['inngest', 'cron'])

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('INNGEST_DATABASE_URL is required')
  })

  it('names every wrong variable and no value', async () => {
    const env = { INNGEST_DATABASE_URL: 'mysql://gEheim', CLEANUP_SCHEDULE: 'daily' }
    const { code, stderr } = await runOrderly(['inngest', 'cron'], { env })

    expect(code).toBe(1)
    expect(stderr).toMatch(/INNGEST_DATABASE_URL must be[^]*CLEANUP_SCHEDULE must be/)
    expect(stderr).not.toMatch(/gEheim|daily/)
  })

  it.each([
    ['after', ['inngest', 'cron', '--json']],
    ['before', ['--json', 'inngest', 'cron']],
  ])('has no --json %s it', async (_, args) => {
    const run = await runOrderly(args, { env: { INNGEST_DATABASE_URL: 'sqlite:none.db' } })

    expect(run.code).toBe(2)
    expect(envelopeOf(run)).toMatchObject({ command: 'inngest cron', error: { code: 'WRONG_USE' } })
  })
})
