import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { createHttpServer } from '../src/http/server.ts'
import { createLog } from '../src/log.ts'
import { newEntryId } from '../src/orders/entries.ts'
import { orderIdOf } from '../src/orders/order.ts'
import { createService } from '../src/service.ts'
import { lastReport } from '../src/sweeps/history.ts'
import { billedIn, sumOf } from './support/billing.ts'
import { fakeClock, instant, type FakeClock } from './support/clock.ts'
import { anIntake, formerBotOrders } from './support/orders.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from './support/redis-server.ts'
import { openResp, type RespConnection } from './support/resp.ts'
import { createInstance } from './support/schedule-instance.ts'

const TOKEN = 'intake-token-of-a-test'
const ORDERS = 50
const MINUTE_MS = 60_000

const log = createLog({ level: 'silent', destination: { write: () => undefined } })

describeWithRedis('by the own count of a Redis server', () => {
  let redis: RedisServer
  let connection: RespConnection
  beforeAll(async () => {
    redis = await startRedisServer()
    connection = await openResp(redis.url)
  })
  afterAll(async () => {
    connection.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await connection.call([['FLUSHALL']])
    await redis.resetStats()
  })

  const commands = async () => billedIn(await redis.stats())
  const billed = async () => sumOf(await commands())

  const startService = async (clock: Clock = systemClock) => {
    const config = readConfig({ REDIS_URL: redis.url, PORT: '0', HOST: '127.0.0.1', INTAKE_TOKEN: TOKEN })
    const service = await createService({ config, log, version: '0.0.0', clock })
    onTestFinished(() => service.stop())
    await service.start()
    // The history is the last thing that a boot reads.
    for (let tries = 0; ((await redis.stats())['XREVRANGE'] ?? 0) === 0 && tries < 200; tries++) await sleep(10)
    return service
  }

  /** What a boot costs besides one load. */
  const bootAt = async (iso: string) => {
    await redis.resetStats()
    const service = await startService(fakeClock(iso))
    const { SCAN: scans = 0, MGET: reads = 0, ...others } = await commands()
    await service.stop()
    expect({ scans, reads }).toEqual({ scans: 1, reads: 1 })
    return others
  }

  it('a boot costs one load and at most three commands, and the first ones of all and of a month one more', async () => {
    await connection.call(formerBotOrders.map(({ key, value }) => ['SET', key, value]))
    // The latest past slot is recorded as done; later boots only read it.
    expect(await bootAt('2025-12-30T12:00:00+01:00')).toEqual({ GET: 1, SET: 1, HGETALL: 1, XREVRANGE: 1 })
    expect(await bootAt('2025-12-31T12:00:00+01:00')).toEqual({ GET: 1, HGETALL: 1, XREVRANGE: 1 })
    // The days of the last month, until one of all instances has written them into the new one.
    expect(await bootAt('2026-01-01T12:00:00+01:00')).toEqual({ GET: 1, HGETALL: 2, XREVRANGE: 1 })
    expect(await bootAt('2026-01-01T13:00:00+01:00')).toEqual({ GET: 1, HGETALL: 1, XREVRANGE: 1 })
  })

  it('10 000 health pings cost no command', { timeout: 60_000 }, async () => {
    const service = await startService()
    await redis.resetStats()
    const answers = new Map<number, number>()
    const agent = new Agent({ keepAlive: true, maxSockets: 20 })
    const ping = (method: string) =>
      new Promise<void>((resolve, reject) => {
        const sent = request(`${service.url()}/healthz`, { method, agent }, (response) => {
          const status = response.statusCode ?? 0
          answers.set(status, (answers.get(status) ?? 0) + 1)
          response.resume().once('end', resolve)
        })
        sent.once('error', reject).end()
      })

    for (let round = 0; round < 100; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, at) => ping(at % 2 === 0 ? 'GET' : 'HEAD')))
    }
    agent.destroy()

    expect([...answers]).toEqual([[200, 10_000]])
    expect(await redis.stats()).not.toHaveProperty('PING')
    expect(await commands()).toEqual({})
  })

  it(`a day of ${ORDERS} orders costs at most 5 commands an order, with pings, lists, three restarts and a slot`, async () => {
    const clock = fakeClock('2025-12-11T10:00:00+01:00')
    await connection.call([['SET', 'orderly:schedule:orders', '2025-12-08T23:59']])
    await redis.resetStats()
    const startMs = clock()
    const stepMs = (instant('2025-12-12T00:10:00+01:00') - startMs) / ORDERS
    let service = await bootedAt(clock)

    for (let number = 0; number < ORDERS; number++) {
      const beganMs = clock()
      // A deploy: the new one boots while the old one still runs, and then takes the orders.
      if (number % 15 === 14) {
        const old = service
        service = await bootedAt(clock)
        await old.list()
        await old.stop()
      }
      const id = await service.takeIn(number)
      await service.list()
      clock.advance(5 * MINUTE_MS)
      await service.deliver(id)
      while (clock() < beganMs + stepMs) {
        clock.advance(MINUTE_MS)
        await service.ping()
      }
      await service.list()
    }
    await service.settled()

    const spent = await commands()
    const cost = await billed()
    expect(service.listed()).toBe(ORDERS)
    expect(service.doneSlots()).toBe(1)
    console.log(`${ORDERS} orders: ${cost} commands, ${cost / ORDERS} an order: ${JSON.stringify(spent)}`)
    expect(spent).toMatchObject({ APPEND: 2 * ORDERS })
    expect(cost / ORDERS).toBeLessThanOrEqual(5)
    await service.stop()
  })

  /** What `createService` starts, but on a clock of the test and with the desk in reach. */
  async function bootedAt(clock: FakeClock) {
    const instance = await createInstance({ clock, env: { REDIS_URL: redis.url } })
    const { app } = instance
    let check = Promise.resolve()
    const server = await createHttpServer({
      log,
      clock,
      onPing: () => void (check = instance.check()),
      readiness: async () => ({ ready: true, because: null }),
      intake: { token: TOKEN, receive: app.desk.receive },
    })
    await Promise.all([app.orders.load(), instance.start(), lastReport(app.meter.open('schedule').send, 'orders')])
    return {
      takeIn: async (number: number) => {
        const created = new Date(clock()).toISOString()
        const response = await server.inject({
          method: 'POST',
          url: '/intake/orders',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          payload: JSON.stringify(anIntake({ source_id: String(number), created_at: created })),
        })
        if (response.statusCode !== 201) throw new Error(`The order was answered ${response.statusCode}.`)
        const id = orderIdOf(`order:${response.json<{ id: string }>().id}`)
        // The id of the card's message is kept in the order.
        const at = created
        await app.orders.change(id, () => ({
          append: [{ id: newEntryId(), at, by: 'bot', card: { chat: -100, message: number } }],
        }))
        return id
      },
      deliver: async (id: ReturnType<typeof orderIdOf>) => {
        const moved = await app.desk.move(id, { to: 'delivered', after: null, by: 7 })
        if (moved.outcome !== 'moved') throw new Error(`The move came to ${moved.outcome}.`)
      },
      list: () => app.orders.freshen(),
      listed: () => app.orders.held().length,
      ping: async () => {
        await server.inject('/healthz')
        await check
      },
      settled: () => check,
      doneSlots: () => instance.announced.filter(({ outcome }) => outcome === 'done').length,
      stop: async () => {
        await server.close()
        await instance.stop()
      },
    }
  }
})
