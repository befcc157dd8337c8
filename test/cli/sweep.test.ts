import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { billedIn, sumOf } from '../support/billing.ts'
import { callOrderly, type Env, envelopeOf, hasStackTrace, runOrderly } from '../support/cli.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'
import { formerBotOrders } from '../support/orders.ts'
import { type RestServer, startRestServer } from '../support/rest-server.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/former-bot-orders.jsonl')

/** The evening of the issue, and the first slot after it. */
const EVENING = '2025-12-08T21:00:00+01:00'
const NEXT_SLOT = '2025-12-11T23:59'

const billed = (stats: Readonly<Record<string, number>>) => sumOf(billedIn(stats))

async function sweep(env: Env, ...options: string[]): Promise<SweepReport> {
  const run = await runOrderly(['sweep', 'orders', ...options, '--json'], { env: { ...env, LOG_LEVEL: 'silent' } })
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return envelopeOf<SweepReport>(run).data
}

describeWithRedis('the cleanup that the former bot promised', () => {
  let redis: RedisServer
  let rest: RestServer
  const drivers: Record<string, () => Env> = {
    TCP: () => ({ REDIS_URL: redis.url }),
    REST: () => ({ UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }),
  }

  beforeAll(async () => {
    redis = await startRedisServer()
    rest = await startRestServer({ redisUrl: redis.url })
  })
  afterAll(async () => {
    await rest.stop()
    await redis.stop()
  })

  const ask = async (...command: string[]) => {
    const connection = await openResp(redis.url)
    const [reply = null] = await connection.call([command])
    connection.close()
    return textReply(reply)
  }
  const orderKeys = async () => new Set((await ask('KEYS', 'order:*')) as string[])
  const importAll = async (env: Env, run = callOrderly) => {
    await ask('FLUSHDB')
    const imported = await run(['orders', 'import', FIXTURE], { env })
    expect(imported).toMatchObject({ code: 0, stdout: 'Imported 225 orders.\n' })
  }

  describe.each(Object.keys(drivers))('over %s', (driver) => {
    const env = () => drivers[driver]?.() ?? {}

    it('2 days on the evening of 8 December delete 143 and leave 82, for a handful of commands', async () => {
      await importAll(env(), runOrderly)
      const planned = await sweep(env(), '--days', '2', '--as-of', EVENING)
      expect(planned).toMatchObject({ outcome: 'planned', scanned: 225, due: 143, deleted: 0, kept: 82 })
      expect((await orderKeys()).size).toBe(225)
      await redis.resetStats()

      const report = await sweep(env(), '--days', '2', '--as-of', EVENING, '--apply')
      const stats = await redis.stats()

      expect(report).toMatchObject({ outcome: 'done', scanned: 225, due: 143, deleted: 143, kept: 82, keptOpen: 0 })
      expect((await orderKeys()).size).toBe(82)
      expect((stats['SCAN'] ?? 0) + (stats['MGET'] ?? 0) + (stats['UNLINK'] ?? 0)).toBeLessThanOrEqual(3)
      expect(billed(stats)).toBeLessThanOrEqual(8)
      expect(report.billedCommands).toBe(billed(stats))
      expect(await ask('EXISTS', 'orderly:lock:orders')).toBe(0)
      expect(await ask('XLEN', 'orderly:sweeps:orders')).toBe(1)
    })

    it('then 0 days delete 61 and keep the 21 of that day', async () => {
      const report = await sweep(env(), '--days', '0', '--as-of', EVENING, '--apply')

      expect(report).toMatchObject({ deleted: 61, kept: 21, keptOpen: 0 })
      const kept = formerBotOrders.filter(({ value }) => JSON.parse(value).created_at.startsWith('2025-12-08'))
      expect(await orderKeys()).toEqual(new Set(kept.map(({ key }) => key)))
    })

    it('and a second run finds nothing to do', async () => {
      const report = await sweep(env(), '--days', '0', '--as-of', EVENING, '--apply')

      expect(report).toMatchObject({ outcome: 'done', due: 0, deleted: 0, kept: 21 })
      expect(report.commands).not.toHaveProperty('UNLINK')
    })

    it('at the slot of 11 December, named without an offset, 215 go and 10 open ones stay', async () => {
      await importAll(env())

      const report = await sweep(env(), '--days', '2', '--as-of', NEXT_SLOT, '--apply')

      expect(report).toMatchObject({ asOf: '2025-12-11T23:59:00.000+01:00', deleted: 215, kept: 0, keptOpen: 10 })
      const left = await orderKeys()
      expect(left.size).toBe(10)
      const statuses = formerBotOrders.filter(({ key }) => left.has(key)).map(({ value }) => JSON.parse(value).status)
      expect(statuses).not.toContain('delivered')
    })
  })

  it('an offset in --as-of is the same instant in any notation', async () => {
    const env = { REDIS_URL: redis.url }
    await importAll(env)
    const notations = [EVENING, '2025-12-08T20:00:00Z', '2025-12-08 21:00', '2025-12-09T09:00:00+13:00']

    for (const asOf of notations) {
      const run = await callOrderly(['sweep', 'orders', '--as-of', asOf, '--json'], { env })
      expect(envelopeOf<SweepReport>(run).data).toMatchObject({ due: 143, asOf: '2025-12-08T21:00:00.000+01:00' })
    }
  })

  it('a rehearsal with --file leaves the configured Redis untouched', async () => {
    await ask('FLUSHDB')
    const before = rest.requests
    await redis.resetStats()

    const report = await sweep({ REDIS_URL: redis.url }, '--file', FIXTURE, '--as-of', EVENING, '--apply')
    const again = await sweep(drivers['REST']?.() ?? {}, '--file', FIXTURE, '--as-of', EVENING, '--apply')

    expect(report).toMatchObject({ outcome: 'done', deleted: 143, kept: 82 })
    expect(again).toMatchObject({ outcome: 'done', deleted: 143, kept: 82 })
    expect(billed(await redis.stats())).toBe(0)
    expect(await redis.stats()).not.toHaveProperty('PING')
    expect(rest.requests).toBe(before)
  })

  it('a cap stops with exit 3, and the next run completes the rest', async () => {
    const env = { REDIS_URL: redis.url, LOG_LEVEL: 'silent' }
    await importAll(env)
    const call = async (...options: string[]) => {
      await redis.resetStats()
      const run = await callOrderly(['sweep', 'orders', '--as-of', EVENING, '--apply', '--json', ...options], { env })
      return { run, spent: billed(await redis.stats()) }
    }

    for (const cap of [1, 2, 3, 4, 5, 6, 7]) {
      const { run, spent } = await call('--max-commands', String(cap))
      expect(run.code).toBe(3)
      expect(envelopeOf<SweepReport>(run)).toMatchObject({
        error: { code: 'CAP_REACHED' },
        data: { outcome: 'stopped' },
      })
      expect(spent).toBeLessThanOrEqual(cap)
    }
    const { run, spent } = await call('--max-commands', '8')

    expect(envelopeOf<SweepReport>(run).data).toMatchObject({ outcome: 'done', deleted: 143 })
    expect(spent).toBeLessThanOrEqual(8)
  })

  it('a person reads how many went, and what it cost', async () => {
    const env = { REDIS_URL: redis.url, LOG_LEVEL: 'silent' }
    await importAll(env)

    const planned = await callOrderly(['sweep', 'orders', '--as-of', EVENING], { env })
    const done = await callOrderly(['sweep', 'orders', '--as-of', EVENING, '--apply'], { env })

    expect(planned.stdout).toMatch(/would delete 143/)
    expect(planned.stdout).toMatch('Nothing was deleted. Add --apply to delete.')
    expect(done.stdout).toMatch(/deleted 143/)
    expect(done.stdout).toMatch(/8 billed/)
    expect(done.stdout).not.toMatch('Nothing was deleted')
    expect([planned, done].some(hasStackTrace)).toBe(false)
  })
})
