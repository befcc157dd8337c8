import { describe, expect, it } from 'vitest'
import { figuresOf } from '../../src/redis/status/figures.ts'
import type { Figures, StoreStatus } from '../../src/redis/status/status.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { parseScrape, type Scrape } from './metrics-text.ts'
import { SECRET, startRig, type HttpRig } from './rig.ts'

const TOKEN = `api-${SECRET}-3`

const nothing = figuresOf({ info: new Map(), nowMs: 0, settings: new Map() })

const told: Figures = {
  ...nothing,
  uptimeSeconds: 100,
  usedMemoryBytes: 2_000,
  maxMemoryBytes: 0,
  fragmentationRatio: 1.25,
  connectedClients: 3,
  opsPerSecond: 17,
  hitRatio: 0.75,
  keys: 42,
  evictedKeys: 1,
  expiredKeys: 2,
  aofEnabled: true,
  aofSizeBytes: 5_000,
  aofLastWriteOk: false,
  rdbLastSaveAgeSeconds: 60,
  rdbLastSaveOk: true,
}

const aStatus = (given: Partial<StoreStatus> = {}): StoreStatus => ({
  name: 'orders',
  ok: true,
  verdict: 'ok',
  error: null,
  lines: [],
  figures: told,
  families: null,
  queues: [],
  areQueuesComplete: null,
  slowLog: [],
  billedCommands: 7,
  ...given,
})

const silent = aStatus({
  name: 'bullmq',
  ok: false,
  verdict: 'bad',
  error: { code: 'REDIS_UNREACHABLE', message: 'Redis is unreachable.' },
  figures: nothing,
})

const aServer = (stores: () => Promise<readonly StoreStatus[]>) =>
  startRig({ metrics: { token: TOKEN, stores, budget: async () => aBudgetReport() } })

const scrape = (
  { server }: HttpRig,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
) => server.inject({ url: '/metrics', headers })

/** The samples of a metric as `store: value`, with further labels behind the store. */
const valuesOf = ({ samples }: Scrape, name: string) =>
  Object.fromEntries(
    samples
      .filter((sample) => sample.name === `orderly_redis_${name}`)
      .map(({ labels: { store, ...others }, value }) => [[store, ...Object.values(others)].join('/'), value]),
  )

/** What metrics are about: the second word of their names. */
const namesIn = ({ samples }: Scrape) => [...new Set(samples.map(({ name }) => name.split('_')[1]))]

describe('GET /metrics', () => {
  it('tells the figures of each Redis in the text format of Prometheus', async () => {
    const rig = await aServer(async () => [aStatus(), silent])

    const answer = await scrape(rig)

    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    const found = parseScrape(answer.body)
    expect(valuesOf(found, 'up')).toEqual({ orders: 1, bullmq: 0 })
    expect(valuesOf(found, 'commands_billed')).toEqual({ orders: 7, bullmq: 7 })
    expect(found.types['orderly_redis_commands_billed']).toBe('counter')
    const figures = {
      uptime_seconds: 100,
      used_memory_bytes: 2_000,
      max_memory_bytes: 0,
      fragmentation_ratio: 1.25,
      connected_clients: 3,
      ops_per_second: 17,
      hit_ratio: 0.75,
      keys: 42,
      evicted_keys: 1,
      expired_keys: 2,
      aof_enabled: 1,
      aof_size_bytes: 5_000,
      aof_last_write_ok: 0,
      rdb_last_save_age_seconds: 60,
      rdb_last_save_ok: 1,
    }
    for (const [name, value] of Object.entries(figures)) {
      expect([name, valuesOf(found, name)]).toEqual([name, { orders: value }])
      expect(found.types[`orderly_redis_${name}`]).toBe('gauge')
    }
  })

  it('tells families of keys and the depth of queues where they were read, whatever they are called', async () => {
    const name = 'a"b\\c\nd'
    const families = {
      largest: [
        { name, keys: 3, bytes: 90 },
        { name: 'x', keys: 1, bytes: null },
      ],
      others: 0,
      isEstimate: true,
    }
    const judged = { verdict: 'ok', cure: null } as const
    const queues = [
      { name, states: { wait: 3, failed: 0, delayed: null }, ...judged },
      { name: 'q?', states: { wait: 1 }, ...judged },
      { name: 'q?', states: { wait: 2 }, ...judged },
    ]
    const rig = await aServer(async () => [aStatus({ families, queues })])

    const found = parseScrape((await scrape(rig)).body)

    expect(valuesOf(found, 'family_keys')).toEqual({ [`orders/${name}`]: 3, 'orders/x': 1 })
    expect(valuesOf(found, 'family_bytes')).toEqual({ [`orders/${name}`]: 90 })
    expect(valuesOf(found, 'queue_jobs')).toEqual({
      [`orders/${name}/wait`]: 3,
      [`orders/${name}/failed`]: 0,
      'orders/q?/wait': 3,
    })
  })

  it('tells of each Redis with queues whether every one of them is told', async () => {
    const rig = await aServer(async () => [
      aStatus(),
      aStatus({ name: 'bullmq', areQueuesComplete: true }),
      aStatus({ name: 'other', areQueuesComplete: false }),
    ])

    expect(valuesOf(parseScrape((await scrape(rig)).body), 'queues_complete')).toEqual({ bullmq: 1, other: 0 })
  })

  it('forgets what is gone by the next scrape, and shares nothing with another server', async () => {
    const answers = [[aStatus(), aStatus({ name: 'inngest' })], [aStatus({ billedCommands: 9 })]]
    const rig = await aServer(async () => answers.shift() ?? [])
    const other = await aServer(async () => [])

    expect(valuesOf(parseScrape((await scrape(rig)).body), 'up')).toEqual({ orders: 1, inngest: 1 })
    const next = parseScrape((await scrape(rig)).body)

    expect(valuesOf(next, 'up')).toEqual({ orders: 1 })
    expect(valuesOf(next, 'commands_billed')).toEqual({ orders: 9 })
    expect(namesIn(parseScrape((await scrape(other)).body))).not.toContain('redis')
  })

  it.each([
    ['nothing', {}],
    ['another token', { authorization: 'Bearer wrong' }],
    ['the token without its scheme', { authorization: TOKEN }],
    ['the token in another scheme', { authorization: `Basic ${TOKEN}` }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('is refused with %s, and asks no Redis', async (_, headers) => {
    let asked = 0
    const rig = await aServer(async () => {
      asked += 1
      return []
    })

    const answer = await scrape(rig, headers)

    expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'UNAUTHORIZED'])
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(asked).toBe(0)
    expect(`${answer.body}${rig.log()}`).not.toContain(SECRET)
  })

  it('is answered 429 from the 21st failure of its address on, which keeps out nobody with the token', async () => {
    const rig = await aServer(async () => [aStatus()])
    const from = { 'x-forwarded-for': '192.0.2.1' }
    for (let time = 0; time < 20; time += 1) expect((await scrape(rig, from)).statusCode).toBe(401)

    expect((await scrape(rig, from)).json().error.code).toBe('TOO_MANY_FAILURES')
    expect((await scrape(rig, { ...from, authorization: `Bearer ${TOKEN}` })).statusCode).toBe(200)
  })

  it('answers 404 without API_TOKEN and says what to set', async () => {
    const rig = await startRig()

    const answer = await scrape(rig)

    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'METRICS_OFF'])
    expect(answer.json().error.message).toContain('API_TOKEN')
  })

  it('is a scrape all the same when the figures of the stores fail, and the log says so', async () => {
    const rig = await aServer(() => Promise.reject(new TypeError(SECRET)))

    const answer = await scrape(rig)

    expect([answer.statusCode, namesIn(parseScrape(answer.body))]).toEqual([200, ['budget']])
    expect(rig.lines('metrics.failed')).toHaveLength(1)
    expect(rig.log()).not.toContain(SECRET)
  })
})

describe('the reader of scrapes', () => {
  it.each([
    'a 1',
    '# TYPE a gauge\na 1\na 2\n',
    '# TYPE a gauge\nb 1\n',
    '# TYPE a gauge\na{x="y} 1\n',
    '# TYPE a gauge\na one\n',
    '# TYPE a kind\n',
    '# TYPE a gauge\n# TYPE a gauge\n',
  ])('takes no %j', (text) => {
    expect(() => parseScrape(text)).toThrow(Error)
  })
})
