import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliRun, envelopeOf, runOrderly } from '../support/cli.ts'
import { formerBotOrders } from '../support/orders.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp, type RespConnection } from '../support/resp.ts'
import { type RestServer, startRestServer } from '../support/rest-server.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/former-bot-orders.jsonl')
const PASSWORD = 'p4ssw0rd-of-redis'
const TOKEN = 't0ken-of-rest'

interface LogLine {
  readonly level: number
  readonly event?: string
  readonly order?: string
  readonly orderTime?: string
}

/** Every line of stderr, each of which must be one JSON object. */
const linesOf = ({ stderr }: CliRun): readonly LogLine[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const deletionsIn = (run: CliRun) => linesOf(run).filter(({ event }) => event === 'order.deleted')

/** What the fixture tells of customers and of what they bought. */
const personal = [
  ...new Set(
    formerBotOrders.flatMap(({ value }) => {
      const { customer, note, total } = JSON.parse(value)
      return [customer?.name, customer?.phone, customer?.address, customer?.email, note, total]
    }),
  ),
].filter((text): text is string => typeof text === 'string' && text.length > 3)

describeWithRedis('the log of a sweep', () => {
  let redis: RedisServer
  let rest: RestServer
  let connection: RespConnection

  beforeAll(async () => {
    redis = await startRedisServer({ password: PASSWORD })
    rest = await startRestServer({ redisUrl: redis.url, token: TOKEN })
    connection = await openResp(redis.url)
  })
  afterAll(async () => {
    connection.close()
    await rest.stop()
    await redis.stop()
  })

  const sweep = (env: Record<string, string>) =>
    runOrderly(['sweep', 'orders', '--days', '2', '--as-of', '2025-12-08T21:00', '--apply', '--json'], {
      env: { REDIS_URL: redis.url, ...env },
    })

  it('has one line per deletion with order id and order time, one summary, and nothing of a customer', async () => {
    expect(personal.length).toBeGreaterThan(100)
    const lines = formerBotOrders.map(({ key, value }) => ['SET', key, value])
    await connection.call([['FLUSHDB'], ...lines])

    const run = await sweep({ LOG_LEVEL: 'info' })

    const log = linesOf(run)
    const deletions = deletionsIn(run)
    const times = new Map(formerBotOrders.map(({ key, value }) => [key, Date.parse(JSON.parse(value).created_at)]))
    expect(deletions).toHaveLength(143)
    expect(new Set(deletions.map(({ order }) => order)).size).toBe(143)
    for (const { order = '', orderTime = '', level } of deletions) {
      expect(level).toBe(30)
      expect(orderTime).toMatch(/^2025-12-0[1-5]T\d\d:\d\d:\d\d\.\d{3}\+01:00$/)
      expect(Date.parse(orderTime)).toBe(times.get(`order:${order}`))
    }
    expect(log.filter(({ event }) => event === 'sweep.finished')).toEqual([
      expect.objectContaining({ sweep: 'orders', trigger: 'cli', dryRun: false, outcome: 'done', deleted: 143 }),
    ])
    expect(log).toHaveLength(144)
    for (const secret of [...personal, PASSWORD]) expect(run.stderr + run.stdout).not.toContain(secret)
  })

  it('has at most 1 000 deletions at info, and all of them at debug', async () => {
    const orders = Array.from({ length: 1_200 }, (_, at) => [
      'SET',
      `order:${at}`,
      JSON.stringify({
        status: 'delivered',
        created_at: '2025-11-01T12:00:00+01:00',
        customer: { name: 'Erika Musterfrau' },
      }),
    ])
    await connection.call([['FLUSHDB'], ...orders])
    const info = await sweep({ LOG_LEVEL: 'info' })
    await connection.call([['FLUSHDB'], ...orders])
    const debug = await sweep({ LOG_LEVEL: 'debug' })

    expect([info, debug].map((run) => envelopeOf<SweepReport>(run).data.deleted)).toEqual([1_200, 1_200])
    expect(deletionsIn(info)).toHaveLength(1_000)
    expect(deletionsIn(debug)).toHaveLength(1_200)
    expect(deletionsIn(debug).filter(({ level }) => level === 20)).toHaveLength(200)
    expect(info.stderr + debug.stderr).not.toMatch('Musterfrau')
  })

  it('at warn holds nothing of a sweep that ended well', async () => {
    await connection.call([['FLUSHDB'], ['SET', 'order:1', '{"created_at":"2025-11-01T12:00:00+01:00"}']])

    const run = await sweep({ LOG_LEVEL: 'warn' })

    expect(run).toMatchObject({ code: 0, stderr: '' })
  })

  describe.concurrent('holds no secret and no order', () => {
    beforeAll(() => {
      rest.faults.onRequest = (commands) => (commands.some(([name]) => name === 'SET') ? 'reset-after' : 'pass')
    })

    it.each([
      ['the password is wrong', () => ({ REDIS_URL: redis.url.replace(PASSWORD, 'wr0ng-password') }), 'wr0ng-password'],
      [
        'the token is wrong',
        () => ({ UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: 'wr0ng-token' }),
        'wr0ng',
      ],
      ['the REST server fails', () => ({ UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: TOKEN }), TOKEN],
      ['nobody listens', () => ({ REDIS_URL: `redis://user:${PASSWORD}@127.0.0.1:1` }), PASSWORD],
    ])('when %s', async (_, env, secret) => {
      const runs = await Promise.all([
        runOrderly(['sweep', 'orders', '--apply'], { env: { LOG_LEVEL: 'trace', ...env() } }),
        runOrderly(['orders', 'import', FIXTURE], { env: { LOG_LEVEL: 'trace', ...env() } }),
      ])

      for (const { code, stdout, stderr } of runs) {
        expect(code).toBe(1)
        for (const text of [secret, PASSWORD, TOKEN, ...personal]) expect(stdout + stderr).not.toContain(text)
      }
    })
  })
})
