import { Cron } from 'croner'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cadenceTimetable } from '../../src/schedule/cadence.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { callOrderly, envelopeOf, hasStackTrace, runOrderly, steeringIn, type Env } from '../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp } from '../support/resp.ts'

interface ScheduleData {
  readonly next: readonly string[]
  readonly lastRun: SweepReport | null
  readonly inngest: Pick<ScheduleData, 'next' | 'lastRun'> | null
  readonly alerts: ScheduleData['inngest']
  readonly errors: ScheduleData['inngest']
}

const schedule = async (args: readonly string[], env: Env = {}) => {
  const run = await callOrderly(['schedule', ...args, '--json'], { env })
  return { code: run.code, ...envelopeOf<ScheduleData>(run) }
}

describe('orderly schedule', () => {
  it('tells the next five slots as ISO times of the business zone, and that there was no run', async () => {
    const { code, ok, command, data, error } = await schedule([])

    expect({ code, ok, command, error }).toEqual({ code: 0, ok: true, command: 'schedule', error: null })
    expect(data.lastRun).toBeNull()
    expect(data.next).toHaveLength(5)
    for (const time of data.next) expect(time).toMatch(/^\d{4}-\d{2}-\d{2}T23:59:00\.000\+0[12]:00$/)
    const days = data.next.map((time) => Date.parse(`${time.slice(0, 10)}T00:00:00Z`) / 86_400_000)
    expect(days.slice(1).map((day, at) => day - (days[at] ?? 0))).toEqual([3, 3, 3, 3])
    expect((days[0] ?? 0) % 3).toBe((Date.UTC(2025, 11, 8) / 86_400_000) % 3)
  })

  it.each([1, 12, 1_000])('tells as many as are asked for: %i', async (count) => {
    const { data } = await schedule(['--count', String(count)])

    expect(data.next).toHaveLength(count)
    expect(data.next.toSorted()).toEqual(data.next)
  })

  it('follows the configured rhythm, time, anchor and zone', async () => {
    const env = {
      SWEEP_EVERY_DAYS: '7',
      SWEEP_AT: '02:30',
      SWEEP_ANCHOR: '2126-03-30',
      TIME_ZONE: 'America/Santiago',
      ORDER_TTL_DAYS: '7',
    }
    const { data } = await schedule(['--count', '2'], env)

    const cadence = { everyDays: 7, at: '02:30', anchor: '2126-03-30', zone: 'America/Santiago' }
    expect(data.next.map((time) => Date.parse(time))).toEqual(
      cadenceTimetable(cadence)
        .nextSlots(0, 2)
        .map(({ atMs }) => atMs),
    )
    expect(data.next[0]).toMatch(/^2126-03-30T02:30:00\.000-0[34]:00$/)
  })

  it('tells people the same, one slot a line', async () => {
    const { code, stdout } = await callOrderly(['schedule', '--count', '2'])

    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Next cleanups \(every 3 days at 23:59, Europe\/Berlin\):\n( {2}\d{4}-\S+T23:59:00\.000\+0[12]:00\n){2}Last run: none recorded\n$/,
    )
  })

  it('says every day, not every 1 days', async () => {
    const { stdout } = await callOrderly(['schedule', '--count', '1'], { env: { SWEEP_EVERY_DAYS: '1' } })

    expect(stdout).toContain('(every day at 23:59, Europe/Berlin)')
  })

  it('has no next slot when it is switched off, and says why', async () => {
    const env = { SWEEP_ENABLED: 'false' }
    const { code, data, warnings } = await schedule([], env)

    expect({ code, data }).toEqual({
      code: 0,
      data: { next: [], lastRun: null, inngest: null, alerts: null, errors: null, bullmq: null, executions: null },
    })
    expect(warnings).toContain('The schedule is switched off by SWEEP_ENABLED=false.')
    const { stdout } = await callOrderly(['schedule'], { env })
    expect(stdout).toBe('Next cleanups: none\nLast run: none recorded\n')
  })

  it('tells of inngest nothing but null where no database is configured', async () => {
    const { data } = await schedule([], { CLEANUP_SCHEDULE: '0 3 * * *' })

    expect(data.inngest).toBeNull()
  })

  it('tells the slots of inngest after those of orders, in their own zone', async () => {
    const env = { INNGEST_DATABASE_URL: 'sqlite:./none.db', CLEANUP_SCHEDULE: 'TZ=Asia/Kolkata 30 3 * * MON' }
    const { code, data } = await schedule(['--count', '3'], env)

    expect(code).toBe(0)
    expect(data.next).toHaveLength(3)
    expect(data.inngest?.lastRun).toBeNull()
    expect(data.inngest?.next).toHaveLength(3)
    for (const time of data.inngest?.next ?? []) {
      expect(time).toMatch(/T03:30:00\.000\+05:30$/)
      expect(new Date(`${time.slice(0, 10)}T00:00:00Z`).getUTCDay()).toBe(1)
    }
  })

  it.each([
    ['false', ''],
    ['true', ', dry runs only'],
  ])('tells people of inngest in a section of its own, INNGEST_DRY_RUN=%s', async (INNGEST_DRY_RUN, remark) => {
    const env = { INNGEST_DATABASE_URL: 'sqlite:./none.db', SWEEP_ENABLED: 'false', INNGEST_DRY_RUN }
    const { stdout } = await callOrderly(['schedule', '--count', '1'], { env })

    const [orders, inngest = ''] = stdout.split('\n\n')
    expect(orders).toBe('Next cleanups: none\nLast run: none recorded')
    expect(inngest.split('\n')).toEqual([
      `Next cleanups of inngest (0 2 * * *, Europe/Berlin${remark}):`,
      expect.stringMatching(/^ {2}\S+T02:00:00\.000\+0[12]:00$/),
      'Last run: none recorded',
      '',
    ])
  })

  const audit = { AUDIT_DATABASE_URL: 'postgres://127.0.0.1:1/audit' }

  it.each(['UTC', 'America/New_York', 'Asia/Kolkata'])(
    'tells alerts and errors at Lisbon time across daylight saving, in a process of %s',
    async (TZ) => {
      const env = { ...audit, TZ, LOG_LEVEL: 'silent' }
      const { alerts, errors } = envelopeOf<ScheduleData>(
        await runOrderly(['schedule', '--count', '400', '--json'], { env }),
      ).data

      for (const [next = [], hour] of [
        [alerts?.next, 5],
        [errors?.next, 4],
      ] as const) {
        expect(next).toHaveLength(400)
        for (const time of next) expect(time).toMatch(new RegExp(`T0${hour}:00:00\\.000(Z|\\+0[01]:00)$`))
        expect(new Set(next.map((time) => time.slice(23))).size).toBe(2)
        // croner wakes at the same times.
        const cron = new Cron(`0 ${hour} * * *`, { timezone: 'Europe/Lisbon' })
        const rings = cron.nextRuns(399, new Date(next[0] ?? ''))
        expect(next.slice(1).map((time) => Date.parse(time))).toEqual(rings.map((date) => date.getTime()))
      }
    },
  )

  it('tells people of alerts and errors in sections of their own', async () => {
    const env = { ...audit, SWEEP_ENABLED: 'false', ERROR_SCHEDULE: '30 1 * * *' }
    const { stdout } = await callOrderly(['schedule', '--count', '1'], { env })

    expect(stdout.split('\n\n').map((section) => section.split('\n')[0])).toEqual([
      'Next cleanups: none',
      'Next cleanups of alerts (0 5 * * *, Europe/Lisbon):',
      'Next cleanups of errors (30 1 * * *, Europe/Berlin):',
    ])
  })

  it.each([
    [{ INNGEST_APP_ID: 'orderly' }, 'An Inngest wakes the sweeps over alerts and errors (INNGEST_APP_ID).'],
    [{ INNGEST_APP_ID: 'orderly', SCHEDULER: 'inngest' }, 'An Inngest wakes the sweeps (SCHEDULER=inngest).'],
  ])('says who wakes them with %j', async (env, note) => {
    const { warnings, data } = await schedule([], { ...audit, INNGEST_DEV: '1', ...env })

    expect(warnings).toContain(note)
    expect(data.alerts?.next).toHaveLength(5)
  })

  it.each([['0'], ['-1'], ['1001'], ['1.5'], ['1e3'], ['many'], [''], [' 5'], ['٣']])(
    'refuses a count of %j as wrong use, with the rule',
    async (count) => {
      const { code, command, data, error } = await schedule([`--count=${count}`])

      expect({ code, command, data }).toEqual({ code: 2, command: 'schedule', data: null })
      expect(error).toMatchObject({ code: 'WRONG_USE' })
      expect(error?.message).toContain('whole number from 1 to 1000')
    },
  )

  it.each([
    ['a missing count', ['--count']],
    ['an unknown option', ['--days', '2']],
    ['a word too much', ['orders']],
  ])('refuses %s', async (_, args) => {
    const run = await callOrderly(['schedule', ...args])

    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('Add --help for the options and an example.')
  })

  it('names wrong variables and exits with 1', async () => {
    const { code, error } = await schedule([], { SWEEP_AT: '24:00', SWEEP_ANCHOR: '2025-02-30' })

    expect(code).toBe(1)
    expect(error).toMatchObject({ code: 'BAD_CONFIGURATION' })
    expect(error?.message).toContain('SWEEP_AT')
    expect(error?.message).toContain('SWEEP_ANCHOR')
    expect(error?.message).not.toContain('24:00')
  })

  it('with Redis unreachable tells the slots all the same, but exits with 1', async () => {
    const env = { REDIS_URL: 'redis://127.0.0.1:1' }
    const [json, text] = await Promise.all([
      schedule(['--count', '2'], { ...env, SWEEP_EVERY_DAYS: '1', INNGEST_DATABASE_URL: 'sqlite:./none.db' }),
      callOrderly(['schedule', '--count', '2'], { env }),
    ])

    expect(json).toMatchObject({ code: 1, ok: false, error: { code: 'REDIS_UNREACHABLE' }, data: { lastRun: null } })
    expect(json.data.next).toHaveLength(2)
    expect(json.data.inngest).toMatchObject({ lastRun: null, next: { length: 2 } })
    expect(text.code).toBe(1)
    expect(text.stdout.split('\n')).toHaveLength(4)
    expect(text.stderr).toContain('Redis is unreachable')
    expect(hasStackTrace(text)).toBe(false)
  })
})

describeWithRedis('orderly schedule on a real Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedisServer()
  })
  afterAll(() => redis.stop())
  beforeEach(async () => {
    await send('FLUSHALL')
  })

  const send = async (...command: string[]) => {
    const connection = await openResp(redis.url)
    await connection.call([command])
    connection.close()
  }

  it('tells the last run, for one command', async () => {
    const env = { REDIS_URL: redis.url }
    await send('SET', 'order:old', '{"created_at":"2025-01-01T00:00:00Z"}')
    await callOrderly(['sweep', 'orders', '--apply'], { env })
    await redis.resetStats()

    const { data, cost } = await schedule([], env)

    expect(data.lastRun).toMatchObject({ sweep: 'orders', outcome: 'done', deleted: 1, trigger: 'cli' })
    expect(cost).toEqual({ redisCommands: 1, requests: 1 })
    expect((await redis.stats())['XREVRANGE']).toBe(1)
    const { stdout } = await callOrderly(['schedule'], { env })
    expect(stdout).toMatch(/Last run: \S+, done, 1 deleted\n$/)
  })

  it('tells the last run of inngest too, for one command more', async () => {
    const env = { REDIS_URL: redis.url, INNGEST_DATABASE_URL: 'sqlite:./none.db' }
    const report = { sweep: 'inngest', startedAt: '2026-01-05T02:00:00.000+01:00', outcome: 'done', deleted: 107 }
    await send('XADD', 'orderly:sweeps:inngest', '*', 'report', JSON.stringify(report))

    const { data, cost } = await schedule([], env)

    expect([data.lastRun, data.inngest?.lastRun]).toEqual([null, report])
    expect(cost).toEqual({ redisCommands: 2, requests: 2 })
    const { stdout } = await callOrderly(['schedule'], { env })
    expect(stdout).toMatch(/Last run: 2026-01-05T02:00:00\.000\+01:00, done, 107 deleted\n$/)
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['another shape', '{"outcome":"done"}'],
    ['null', 'null'],
  ])('takes a stored report that is %s for none', async (_, report) => {
    await send('XADD', 'orderly:sweeps:orders', '*', 'report', report)

    expect(await schedule([], { REDIS_URL: redis.url })).toMatchObject({ code: 0, data: { lastRun: null } })
  })

  it('shows a stored report so that it cannot steer a terminal', async () => {
    const report = { startedAt: '\u001b[2J2025', outcome: 'done\nLast run: none', deleted: 1 }
    await send('XADD', 'orderly:sweeps:orders', '*', 'report', JSON.stringify(report))

    const { stdout } = await callOrderly(['schedule', '--count', '1'], { env: { REDIS_URL: redis.url } })

    expect(steeringIn(stdout)).toEqual([])
    expect(stdout.split('\n')).toHaveLength(4)
  })

  it('says that the history is of another type, and exits with 1', async () => {
    await send('SET', 'orderly:sweeps:orders', 'x')

    expect(await schedule([], { REDIS_URL: redis.url })).toMatchObject({ code: 1, error: { code: 'REDIS_WRONG_TYPE' } })
  })

  it('works as a process of its own', async () => {
    const run = await runOrderly(['schedule', '--count', '3', '--json'], {
      env: { REDIS_URL: redis.url, LOG_LEVEL: 'silent' },
    })

    expect(run).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(envelopeOf<ScheduleData>(run).data.next).toHaveLength(3)
  })
})
