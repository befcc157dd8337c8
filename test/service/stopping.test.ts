import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createOrderId } from '../../src/orders/order.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'
import {
  anOrderOfNow,
  askFor,
  atTheEnd,
  handIn,
  intakeEnv,
  intakeToken,
  type ServiceProcess,
  startService,
  untilReady,
  waitFor,
} from '../support/service-process.ts'
import { startRedisServerToAsk } from '../support/service-redis.ts'

/** Stops a service and measures it. */
async function stopped(service: ServiceProcess) {
  const startedAtMs = performance.now()
  const end = await service.stop()
  return { ...end, tookMs: performance.now() - startedAtMs }
}

/** Hands orders in over connections that are kept, as fast as it goes, until the service takes no more. */
function load(url: string, clients: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const taken: string[] = []
  const refused = new Set<number>()
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${intakeToken}` }
  const send = () =>
    new Promise<boolean>((resolve) => {
      const call = request(`${url}/intake/orders`, { method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => {
          if (response.statusCode === 201) taken.push(String(JSON.parse(text).id))
          else refused.add(response.statusCode ?? 0)
          resolve(response.statusCode === 201)
        })
      })
      call.on('error', () => resolve(false))
      call.end(JSON.stringify(anOrderOfNow()))
    })
  const client = async () => {
    while (await send());
  }
  const done = Promise.all(Array.from({ length: clients }, client)).then(() => agent.destroy())
  return { taken, refused, done }
}

/** So many finished orders of a month ago, written at once. */
async function fill({ connection }: Awaited<ReturnType<typeof startRedisServerToAsk>>, count: number) {
  const createdAtMs = Date.now() - 30 * 86_400_000
  const created_at = new Date(createdAtMs).toISOString()
  const value = JSON.stringify({ status: 'delivered', created_at })
  const ids = Array.from({ length: count }, (_, at) =>
    createOrderId({ source: 'old', sourceId: String(at), createdAtMs }, createdAtMs),
  )
  await connection.call(ids.map((id) => ['SET', `order:${id}`, value]))
}

describeWithRedis('SIGTERM', () => {
  it.concurrent('under the load of clients that keep their connections loses no order that was answered', async () => {
    const redis = await startRedisServerToAsk()
    const service = startService({ ...intakeEnv, REDIS_URL: redis.url })
    await untilReady(service)
    const clients = load(await service.url, 40)
    await waitFor(() => clients.taken.length > 200)

    const { code, tookMs } = await stopped(service)
    await clients.done

    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(5_000)
    expect([...clients.refused].filter((status) => status !== 503)).toEqual([])
    const keys = (await redis.ask('KEYS', 'order:*')) as readonly string[]
    expect(new Set(clients.taken).size).toBe(clients.taken.length)
    expect(clients.taken.filter((id) => !keys.includes(`order:${id}`))).toEqual([])
  })

  it.concurrent(
    'ends a sweep between two batches; the next start completes its slot',
    { timeout: 40_000 },
    async () => {
      const redis = await startRedisServerToAsk()
      await fill(redis, 30_000)
      await redis.ask('SET', 'orderly:schedule:orders', '2026-01-01T23:59')
      const rest = await startRestServer({ redisUrl: redis.url, latencyMs: 400 })
      atTheEnd(rest.stop)
      const env = { SWEEP_AT: '00:00', UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }
      const service = startService(env)
      await waitFor(async () => (await redis.ask('EXISTS', 'orderly:lock:orders')) === 1)
      await pause(1_000)

      const { code, tookMs } = await stopped(service)

      expect(code).toBe(0)
      expect(tookMs).toBeLessThan(25_000)
      const finished = service.log().filter(({ event }) => event === 'sweep.finished')
      expect(finished).toMatchObject([{ outcome: 'stopped', because: expect.stringContaining('Interrupted') }])
      const left = Number(await redis.ask('EVAL', "return #redis.call('keys', 'order:*')", 0))
      expect(left).toBe(30_000 - Number(finished[0]?.['deleted']))
      expect(left).toBeGreaterThan(0)
      expect(await redis.ask('EXISTS', 'orderly:lock:orders')).toBe(0)
      expect(await redis.ask('GET', 'orderly:schedule:orders')).toBe('2026-01-01T23:59')

      const next = startService({ SWEEP_AT: '00:00', REDIS_URL: redis.url })
      await waitFor(() => next.log().find(({ event, outcome }) => event === 'sweep.finished' && outcome === 'done'))

      expect(await redis.ask('EVAL', "return #redis.call('keys', 'order:*')", 0)).toBe(0)
      expect(await redis.ask('GET', 'orderly:schedule:orders')).not.toBe('2026-01-01T23:59')
    },
  )

  it.concurrent('ends the process though Redis answers nothing any more', { timeout: 40_000 }, async () => {
    const redis = await startRedisServerToAsk()
    const service = startService({ ...intakeEnv, REDIS_URL: redis.url })
    await untilReady(service)
    await redis.kill('SIGSTOP')
    const order = handIn(service, anOrderOfNow()).catch(() => undefined)
    await pause(300)

    const { code, tookMs } = await stopped(service)

    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(25_000)
    expect((await order)?.status).not.toBe(201)
  })

  // On a busy machine the second signal may be sent so late that it meets a process which has stopped and is just ending.
  it.concurrent('sent twice at once counts once', { retry: 3 }, async () => {
    const service = startService()
    await untilReady(service)

    service.child.kill('SIGTERM')
    service.child.kill('SIGINT')

    expect(await service.stop()).toMatchObject({ code: 0, signal: null })
    expect(service.log().at(-1)).toMatchObject({ event: 'service.stopped' })
  })

  it.concurrent('sent again later ends the process at once', { timeout: 40_000 }, async () => {
    const redis = await startRedisServerToAsk()
    const service = startService({ ...intakeEnv, REDIS_URL: redis.url })
    await untilReady(service)
    await redis.kill('SIGSTOP')
    const order = handIn(service, anOrderOfNow()).catch(() => undefined)
    await pause(200)
    service.child.kill('SIGTERM')
    await pause(1_500)

    expect(await stopped(service)).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(await order).toBeUndefined()
  })

  it.concurrent('while the service still starts ends it well', async () => {
    const service = startService({ REDIS_URL: 'redis://127.0.0.1:1' })
    await service.url

    expect(await service.stop()).toMatchObject({ code: 0 })
  })

  it.concurrent('is answered 503 by what is asked meanwhile, never by silence', async () => {
    const redis = await startRedisServerToAsk()
    const rest = await startRestServer({ redisUrl: redis.url })
    atTheEnd(rest.stop)
    const service = startService({
      ...intakeEnv,
      UPSTASH_REDIS_REST_URL: rest.url,
      UPSTASH_REDIS_REST_TOKEN: rest.token,
    })
    await untilReady(service)
    rest.faults.latencyMs = 800
    const order = handIn(service, anOrderOfNow())
    await pause(300)

    const end = service.stop()
    expect((await order).status).toBe(201)
    expect((await end).code).toBe(0)
    await expect(askFor(service, '/healthz')).rejects.toThrow('fetch failed')
  })
})
