import { EventEmitter, once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkNames, type Check, type CheckName } from '../../src/cli/doctor-check.ts'
import { doctorCommand, type DoctorParts } from '../../src/cli/doctor.ts'
import type { CommandResult } from '../../src/cli/result.ts'
import { startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { callOrderly, envelopeOf, hasStackTrace, startOrderly, steeringIn, type Env } from '../support/cli.ts'
import { fakeClock } from '../support/clock.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { codeIn, documentText, tableRows } from '../support/markdown.ts'
import { billedIn, sumOf } from '../support/billing.ts'
import { openResp, textReply } from '../support/resp.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts'

interface Data {
  readonly checks: readonly Check[]
}

const doctor = async (env: Env) => {
  const run = await callOrderly(['doctor', '--json'], { env })
  return { run, ...envelopeOf<Data>(run) }
}

/** A Redis about which there is nothing to say. Its slow log is off, for on a busy machine anything may be slow. */
const WELL = '--maxmemory 100mb --maxmemory-policy noeviction --save 900 1 --slowlog-log-slower-than -1'.split(' ')

const verdictsOf = ({ checks }: Data) => Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]))
const checkIn = ({ checks }: Data, name: CheckName) => checks.find((check) => check.name === name)

/** The same with a clock of the test's own. */
async function doctorAt(
  iso: string,
  env: Env,
  parts: DoctorParts = {},
): Promise<Omit<CommandResult, 'data'> & { data: Data }> {
  const { signal } = new AbortController()
  const io = {
    env: { LOG_LEVEL: 'silent', ...env },
    stdout: () => undefined,
    stderr: () => undefined,
    isTerminal: false,
    signal,
  }
  const result = await doctorCommand(io, { clock: fakeClock(iso), ...parts })
  return { ...result, data: result.data as Data }
}

describe('orderly doctor', () => {
  it('without any configuration finds nothing wrong but the embedded store, and costs nobody anything', async () => {
    const { run, ok, command, data, error } = await doctor({})

    expect({ code: run.code, ok, command, error }).toEqual({ code: 0, ok: true, command: 'doctor', error: null })
    expect(data.checks.map(({ name }) => name)).toEqual(checkNames)
    expect(data.checks.filter(({ verdict }) => verdict === 'fail')).toEqual([])
    expect(checkIn(data, 'orders redis')).toMatchObject({ verdict: 'warn', fix: expect.stringContaining('REDIS_URL') })
    expect(checkIn(data, 'bot')).toMatchObject({ verdict: 'off', fix: null })
  })

  it('shows people a line for each check, below it what puts it right, and a sum', async () => {
    const { code, stdout, stderr } = await callOrderly(['doctor'])

    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    const starts = lines.filter((line) => /^[✓!✗–] /.test(line)).map((line) => line.slice(2, 19).trimEnd())
    expect(starts).toEqual(checkNames)
    expect(stdout).toMatch(/\n! orders redis {6,}.*embedded.*\n {10,}→ .*REDIS_URL/)
    expect(lines.at(-1)).toMatch(/^0 failures, \d warnings?\. Each is explained in docs\/doctor\.md\.$/)
    expect(hasStackTrace({ stdout, stderr })).toBe(false)
  })

  it('names every problem of a configuration without its value, and makes the checks that need none', async () => {
    const env = { REDIS_URL: 'gEheim', API_TOKEN: 'gEheim', TIME_ZONE: 'Mars/gEheim', BUDGET_RESET_DAY: '31' }

    const { run, data, error } = await doctor(env)

    expect(run.code).toBe(1)
    expect(error).toEqual({ code: 'DOCTOR', message: 'These checks failed: configuration.' })
    const problems = data.checks.filter(({ name }) => name === 'configuration')
    expect(problems.map(({ detail }) => detail.split(' ')[0])).toEqual(expect.arrayContaining(Object.keys(env)))
    expect(verdictsOf(data)).toMatchObject({
      versions: 'ok',
      'zone data': 'ok',
      'orders redis': 'off',
      API_TOKEN: 'off',
    })
    expect(run.stdout).not.toMatch(/gEheim|Mars/)
  })

  it('tells one cause once: what needs a Redis that does not answer is not looked at', async () => {
    const { run, data } = await doctor({ REDIS_URL: 'redis://:gEheim@127.0.0.1:1' })

    expect(run.code).toBe(1)
    expect(verdictsOf(data)).toMatchObject({ 'orders redis': 'fail', budget: 'off', storage: 'off', schedule: 'off' })
    expect(checkIn(data, 'orders redis')?.fix).toContain('REDIS_URL')
    expect(run.stdout).not.toMatch(/gEheim|127\.0\.0\.1/)
  })

  it('looks on where one thing after the other does not answer', async () => {
    const { data, error } = await doctor({
      REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
      TELEGRAM_BOT_TOKEN: '1234567:gEheimgEheim',
      TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
      PUBLIC_URL: 'http://127.0.0.1:1',
      BULLMQ_REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
      BULLMQ_QUEUES: 'mails',
      INNGEST_DATABASE_URL: 'sqlite:/nowhere/gEheim.db',
      INNGEST_REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
      AUDIT_DATABASE_URL: 'postgres://u:gEheim@127.0.0.1:1/audit',
      EXECUTIONS_REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
      EXECUTIONS_PREFIX: 'workflow:',
    })

    const failed = data.checks.filter(({ verdict }) => verdict === 'fail')
    expect(failed.map(({ name }) => name)).toEqual([
      'orders redis',
      'inngest redis',
      'bullmq redis',
      'executions redis',
      'inngest database',
      'audit database',
      'bot',
      'public address',
    ])
    expect(failed.every(({ fix }) => (fix ?? '') !== '')).toBe(true)
    expect(JSON.stringify({ data, error })).not.toMatch(/gEheim|127\.0\.0\.1|nowhere/)
  })

  it('asks the developer API of the provider where its credentials are set, and goes on without it', async () => {
    const account = { UPSTASH_EMAIL: 'owner@shop.test', UPSTASH_API_KEY: 'gEheimgEheim', UPSTASH_DATABASE_ID: 'b1-c2' }

    const { data } = await doctorAt('2025-11-20T12:00:00+01:00', account, { developerApi: 'http://127.0.0.1:1' })

    expect(checkIn(data, 'developer api')).toMatchObject({
      verdict: 'warn',
      detail: expect.stringMatching(/^it tells nothing: the connection failed/),
    })
    expect(JSON.stringify(data)).not.toMatch(/gEheim|owner/)
  })

  it('tells in its document what each check means', () => {
    const rows = tableRows(documentText('docs/doctor.md'), 'check')

    expect(rows.map(([name]) => codeIn(name))).toEqual(checkNames)
    for (const cells of rows) expect(cells.every((cell) => cell !== '')).toBe(true)
  })
})

describeWithRedis('orderly doctor and a Redis', () => {
  let redis: RedisServer
  let telegram: TelegramStandIn

  const ask = async (...words: readonly string[]) => {
    const connection = await openResp(redis.url)
    const [reply = null] = await connection.call([words])
    connection.close()
    return textReply(reply)
  }

  beforeAll(async () => {
    redis = await startRedisServer({ args: WELL, appendOnly: true })
    telegram = await startTelegram({
      people: [{ id: 11, firstName: 'Ada' }],
      chats: [{ id: -4400, title: 'Orders', members: [11] }],
    })
  })
  afterAll(async () => {
    await Promise.all([redis.stop(), telegram.stop()])
  })
  beforeEach(async () => {
    await ask('FLUSHALL')
  })

  const env = (): Env => ({
    REDIS_URL: redis.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    ADMIN_IDS: '11',
    ORDERS_CHAT_ID: '-4400',
    API_TOKEN: 'f3Zq81kLw0PbV72xYt',
    INTAKE_TOKEN: 'm4Kd72sPq9ZbX10wRe',
  })

  it.each([
    ['', '2025-11-20T12:00:00+01:00', {}, {}],
    [' in the first days of a month', '2025-11-05T12:00:00+01:00', {}, { HGETALL: 2 }],
    [' without a bot', '2025-11-20T12:00:00+01:00', { TELEGRAM_BOT_TOKEN: '' }, { TIME: 1 }],
  ])('costs what it says%s, and leaves nothing behind', async (_, now, given, more) => {
    await redis.resetStats()

    const { cost } = await doctorAt(now, { ...env(), ...given })

    const billed = billedIn(await redis.stats())
    expect(billed).toEqual({ SET: 1, GET: 1, HGETALL: 1, SLOWLOG: 1, DBSIZE: 1, ...more })
    expect(cost?.billed).toBe(sumOf(billed))
    const left = String(await ask('KEYS', '*')).split(',')
    expect(left.filter((key) => key !== '' && key !== 'orderly:lock:doctor')).toEqual([])
    expect(Number(await ask('PTTL', 'orderly:lock:doctor'))).toBeLessThanOrEqual(1_000)
  })

  it('tells once that the provider refuses commands since its limit is reached, and what ends it', async () => {
    const rest = await startRestServer({ redisUrl: redis.url })
    rest.faults.onRequest = () => 'limit-whole'
    try {
      const { data, run } = await doctor({ UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token })

      expect(run.code).toBe(1)
      expect(checkIn(data, 'orders redis')).toMatchObject({ verdict: 'fail', detail: expect.stringContaining('limit') })
      for (const name of ['orders redis', 'budget'] as const) {
        expect(checkIn(data, name)?.fix).toMatch(/^A paid plan ends this at once; else it ends /)
      }
      for (const name of ['schedule', 'clock'] as const) {
        expect(checkIn(data, name)).toMatchObject({
          verdict: 'off',
          detail: 'the provider refuses commands: see budget',
        })
      }
      expect(run.stdout).not.toContain(rest.token)
    } finally {
      await rest.stop()
    }
  })

  it.each([
    ['an hour after its time', '2025-12-09T00:58:00+01:00', 'ok'],
    ['some hours after its time', '2025-12-09T06:00:00+01:00', 'warn'],
    ['more than a day after its time', '2025-12-10T06:00:00+01:00', 'fail'],
  ])('takes a slot that is not done %s for %s', async (_, now, verdict) => {
    await ask('SET', 'orderly:schedule:orders', '2025-12-05T23:59')

    const { data } = await doctorAt(now, { REDIS_URL: redis.url })

    const check = checkIn(data, 'schedule')
    expect(check).toMatchObject({
      verdict,
      detail: expect.stringContaining('next: orders 2025-12-11T23:59:00.000+01:00'),
    })
    expect(check?.fix ?? 'orderly sweep orders --apply').toContain('orderly sweep orders --apply')
    expect(check?.detail.startsWith('overdue: orders since 2025-12-08T23:59:00.000+01:00')).toBe(verdict !== 'ok')
  })

  it('takes a schedule for dead since its first slot that was missed, however many came after it', async () => {
    await ask('SET', 'orderly:schedule:orders', '2025-12-11T23:59')
    await ask('SET', 'orderly:schedule:bullmq', '2025-12-18T20:17')
    await ask('SET', 'orderly:schedule:inngest', '2025-12-18T02:00')

    const { data } = await doctorAt('2025-12-19T00:13:00+01:00', {
      REDIS_URL: redis.url,
      BULLMQ_REDIS_URL: redis.url,
      BULLMQ_QUEUES: 'mails',
      BULLMQ_SWEEP_SCHEDULE: 'TZ=Europe/Berlin 17 * * * *',
      INNGEST_DATABASE_URL: 'sqlite:/nowhere/main.db',
    })

    expect(checkIn(data, 'schedule')).toMatchObject({
      verdict: 'fail',
      detail: expect.stringMatching(
        /^overdue: orders since 2025-12-14T23:59:00\.000\+01:00, bullmq since 2025-12-18T21:17:00\.000\+01:00; next: /,
      ),
      fix: expect.stringContaining('orderly sweep orders --apply && orderly sweep bullmq --apply'),
    })
  })

  it('takes an hourly schedule that missed its last slot for well', async () => {
    await ask('SET', 'orderly:schedule:orders', '2025-12-17T23:59')
    await ask('SET', 'orderly:schedule:bullmq', '2025-12-18T22:17')
    const bullmq = {
      BULLMQ_REDIS_URL: redis.url,
      BULLMQ_QUEUES: 'mails',
      BULLMQ_SWEEP_SCHEDULE: 'TZ=Europe/Berlin 17 * * * *',
    }

    const { data } = await doctorAt('2025-12-19T00:13:00+01:00', { REDIS_URL: redis.url, ...bullmq })

    expect(checkIn(data, 'schedule')?.verdict).toBe('ok')
  })

  it('names the key that holds what it should not, and how to go on', async () => {
    await ask('SET', 'orderly:usage:2025-11', 'hello')

    const { data } = await doctorAt('2025-11-20T12:00:00+01:00', { REDIS_URL: redis.url })

    for (const name of ['budget', 'storage'] as const) {
      expect(checkIn(data, name)).toMatchObject({
        verdict: 'fail',
        fix: expect.stringContaining('orderly:usage:<yyyy-mm>'),
      })
    }
  })

  it('asks for the rights that a user lacks, not for another address', async () => {
    await ask('ACL', 'SETUSER', 'shop', 'on', '>gEheim', '~order:*', '+@all')
    const url = new URL(redis.url)
    url.username = 'shop'
    url.password = 'gEheim'

    const { data } = await doctorAt('2025-11-20T12:00:00+01:00', { REDIS_URL: url.href })

    for (const name of ['orders redis', 'budget', 'schedule'] as const) {
      expect(checkIn(data, name)).toMatchObject({
        verdict: 'fail',
        fix: 'Let its user do that, on keys that begin with order: and orderly:, or name another user.',
      })
    }
  })

  it('holds the clock against that of Redis where there is no bot', async () => {
    const { data } = await doctorAt('2025-12-09T06:00:00+01:00', { REDIS_URL: redis.url })

    expect(checkIn(data, 'clock')).toMatchObject({ verdict: 'fail', detail: expect.stringContaining('behind Redis') })
  })

  it.each([
    ['a read-only replica', ['--replicaof', '127.0.0.1', '1'], /^Redis (refused|is not ready)/, /./],
    [
      'a policy that drops orders',
      ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'],
      /maxmemory-policy: allkeys-lru/,
      /noeviction/,
    ],
    ['no room', ['--maxmemory', '1kb', '--maxmemory-policy', 'noeviction'], /^Redis has no room left/, /makes room/],
  ])('fails for a Redis with %s', async (_, args, detail, fix) => {
    const server = await startRedisServer({ args: [...args] })
    try {
      const { data } = await doctor({ REDIS_URL: server.url })

      expect(checkIn(data, 'orders redis')).toMatchObject({
        verdict: 'fail',
        detail: expect.stringMatching(detail),
        fix: expect.stringMatching(fix),
      })
    } finally {
      await server.stop()
    }
  })
})

describeWithRedis('orderly doctor at a service that runs', () => {
  let rig: ServiceRig

  beforeAll(async () => {
    rig = await startServiceRig({ redis: { args: WELL, appendOnly: true }, env: { API_TOKEN: 'f3Zq81kLw0PbV72xYt' } })
  }, 30_000)
  afterAll(() => rig.stop())

  it('finds nothing wrong but a secret that is easy to guess', async () => {
    const { data, error } = await doctorAt('2025-12-08T21:05:00+01:00', { ...rig.env, PUBLIC_URL: rig.url() })

    expect(checkIn(data, 'clock')?.detail).toContain('behind Telegram')
    expect(error?.message).toBe('These checks failed: clock.')
    expect(verdictsOf(data)).toMatchObject({
      configuration: 'ok',
      'orders redis': 'ok',
      budget: 'ok',
      storage: 'off',
      schedule: 'ok',
      bot: 'ok',
      webhook: 'ok',
      'orders chat': 'ok',
      admins: 'ok',
      'public address': 'ok',
      API_TOKEN: 'ok',
      INTAKE_TOKEN: 'warn',
      DASHBOARD_SECRET: 'off',
    })
    expect(checkIn(data, 'orders redis')?.detail).toMatch(/^answers in \d+ ms and takes writes/)
    expect(checkIn(data, 'webhook')?.detail).toBe('ours, nothing is waiting')
  })

  it('sees that the service at the public address is gone', async () => {
    await rig.services[0]?.stop()

    const { data } = await doctorAt('2025-12-08T21:05:00+01:00', { ...rig.env, PUBLIC_URL: rig.url() })

    expect(checkIn(data, 'public address')).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('Start the service'),
    })
  })
})

describe('orderly doctor and an interrupt', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  it('ends at Ctrl-C with 130 and what is known by then', { timeout: 30_000 }, async () => {
    // It takes a connection and never says a word.
    const said = new EventEmitter()
    const isReached = once(said, 'piece')
    const silent = await startFakeServer(() => void said.emit('piece'))
    stops.push(() => silent.stop())
    const { child, ended } = startOrderly(['doctor', '--json'], {
      env: { REDIS_URL: `redis://127.0.0.1:${silent.port}`, LOG_LEVEL: 'silent' },
    })

    await isReached
    child.kill('SIGINT')
    const run = await ended

    expect(run.code).toBe(130)
    const { data, error } = envelopeOf<Data>(run)
    expect(error).toEqual({ code: 'INTERRUPTED', message: 'Interrupted.' })
    expect(verdictsOf(data)).toMatchObject({ configuration: 'ok', 'orders redis': 'off' })
  })
})

describe('what orderly doctor prints', () => {
  it('holds no secret and nothing that steers a terminal, whatever servers and values say', async () => {
    const body = JSON.stringify({ ok: false, description: 'gEheimgEheim \u001b[31m' })
    const page = `HTTP/1.1 400 No\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const refusal = '-ERR gEheimgEheim \u001b[31m\r\n'
    const hostile = await startFakeServer((piece) => (piece.startsWith('GET /') ? page : refusal))
    const at = `127.0.0.1:${hostile.port}`
    const env = {
      REDIS_URL: `redis://:gEheimgEheim@${at}`,
      TELEGRAM_BOT_TOKEN: '1234567:gEheimgEheim',
      TELEGRAM_API_ROOT: `http://${at}`,
      PUBLIC_URL: `http://${at}`,
      WEBHOOK_SECRET: 'gEheim-webhook',
      API_TOKEN: 'gEheim-0123456789',
      INTAKE_TOKEN: 'gEheim-0123456789',
      DASHBOARD_SECRET: 'gEheim-9876543210',
    }
    try {
      const run = await callOrderly(['doctor'], { env })
      const inJson = await callOrderly(['doctor', '--json'], { env })

      expect(run.code).toBe(1)
      for (const { stdout, stderr } of [run, inJson]) {
        expect(`${stdout}${stderr}`).not.toMatch(/gEheim|1234567|127\.0\.0\.1/)
        expect(steeringIn(`${stdout}${stderr}`)).toEqual([])
      }
    } finally {
      await hostile.stop()
    }
  })
})
