import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { describeWithRedis, startRedisServer } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'
import {
  anOrderOfNow,
  askFor,
  atTheEnd,
  handIn,
  intakeEnv,
  startService,
  untilReady,
} from '../support/service-process.ts'

async function aRedis() {
  const redis = await startRedisServer()
  atTheEnd(redis.stop)
  return redis
}

/** A provider over a real Redis, and the variables that name it. */
async function aProvider() {
  const redis = await aRedis()
  const rest = await startRestServer({ redisUrl: redis.url })
  atTheEnd(rest.stop)
  return {
    redis,
    rest,
    env: { ...intakeEnv, UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token },
  }
}

describeWithRedis('a service whose Redis is not there', () => {
  it.concurrent('listens, says why it is not ready, refuses orders, and does all of it once Redis comes', async () => {
    const redis = await aRedis()
    await redis.kill('SIGKILL')
    const service = startService({ ...intakeEnv, REDIS_URL: redis.url })

    expect((await askFor(service, '/healthz')).status).toBe(200)
    expect(await askFor(service, '/readyz')).toMatchObject({
      status: 503,
      body: { status: 'not ready', because: 'Redis is unreachable: the connection failed (ECONNREFUSED).' },
    })
    const refused = await handIn(service, anOrderOfNow('same'))
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'REDIS_UNREACHABLE' } } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)

    await redis.restart()
    await untilReady(service)

    expect((await handIn(service, anOrderOfNow('same'))).status).toBe(201)
    expect((await service.stop()).code).toBe(0)
  })

  it.concurrent('answers a health ping while Redis holds every answer back', async () => {
    const redis = await aRedis()
    await redis.kill('SIGSTOP')
    const service = startService({ REDIS_URL: redis.url })
    await service.url

    const startedAt = performance.now()
    expect((await askFor(service, '/healthz')).status).toBe(200)
    expect(await askFor(service, '/readyz')).toMatchObject({ status: 503, body: { because: 'Redis does not answer.' } })
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })

  it.concurrent('ends at once when it is asked to', async () => {
    const redis = await aRedis()
    await redis.kill('SIGKILL')
    const service = startService({ REDIS_URL: redis.url })
    await service.url

    const startedAt = performance.now()
    expect((await service.stop()).code).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })
})

describeWithRedis('a service at the limit of its provider', () => {
  it.concurrent.each(['limit', 'limit-whole'] as const)(
    'refuses orders and asks no more than it must (%s)',
    async (fault) => {
      const { rest, env } = await aProvider()
      rest.faults.onRequest = () => fault
      const service = startService(env)
      await service.url

      expect(await askFor(service, '/readyz')).toMatchObject({
        status: 503,
        body: { because: expect.stringContaining('monthly command limit is reached') },
      })
      const before = rest.requests
      for (let count = 1; count <= 5; count++) {
        const refused = await handIn(service, anOrderOfNow())
        expect(refused).toMatchObject({ status: 503, body: { error: { code: 'REDIS_LIMIT' } } })
        expect(refused.headers.get('retry-after')).toBe('3600')
      }
      await pause(3_500)
      for (let count = 1; count <= 100; count++) await askFor(service, '/healthz')

      // One each for the orders, and the further tries to load after 1 and 2 s.
      expect(rest.requests - before).toBeLessThanOrEqual(5 + 3)
      expect((await service.stop()).code).toBe(0)
    },
  )

  it.concurrent('goes on by itself when the limit is lifted', async () => {
    const { rest, env } = await aProvider()
    rest.faults.onRequest = () => 'limit'
    const service = startService(env)
    await service.url
    expect((await handIn(service, anOrderOfNow())).status).toBe(503)

    delete rest.faults.onRequest
    await untilReady(service)

    expect((await handIn(service, anOrderOfNow())).status).toBe(201)
  })
})
