import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { RedisError, type RedisErrorCode } from '../../src/errors.ts'
import type { Command, Connection } from '../../src/redis/transport.ts'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type Fault, type RestServer, startRestServer } from '../support/rest-server.ts'

/** A connection that is closed with the test. */
function open(url: string, token: string, deadlineMs = 5_000): Connection {
  const connection = createUpstashConnection({ url, token, deadlineMs })
  onTestFinished(() => connection.close())
  return connection
}

const unreachable = { code: 'REDIS_UNREACHABLE' }
const append: Command = ['APPEND', 'a', 'x']
const one = [append]
const two = [append, append]

describeWithRedis('the upstash transport and a service in trouble', () => {
  let redis: RedisServer
  let rest: RestServer
  beforeAll(async () => {
    redis = await startRedisServer()
    rest = await startRestServer({ redisUrl: redis.url })
  })
  afterAll(async () => {
    await rest.stop()
    await redis.stop()
  })
  beforeEach(async () => {
    delete rest.faults.onRequest
    await redis.kill('SIGCONT')
    await open(rest.url, rest.token).send([['FLUSHDB']])
    await redis.resetStats()
  })

  /** The next request suffers the fault, those after it do not. */
  const failNext = (fault: Fault) => {
    const first = rest.requests
    rest.faults.onRequest = (_, index) => (index === first ? fault : 'pass')
  }

  const faults: readonly (readonly [fault: Fault, code: RedisErrorCode, carriedOut: boolean])[] = [
    ['limit-whole', 'REDIS_LIMIT', false],
    ['html-502', 'REDIS_UNREACHABLE', false],
    ['reset-before', 'REDIS_UNREACHABLE', false],
    ['reset-after', 'REDIS_UNREACHABLE', true],
    ['hang', 'REDIS_UNREACHABLE', false],
    [{ delayMs: 400 }, 'REDIS_UNREACHABLE', true],
  ]

  it.each(faults)('rejects a request that suffers %j by %s, and sends it once', async (fault, code, carriedOut) => {
    for (const commands of [one, two]) {
      const before = rest.requests
      failNext(fault)

      await expect(open(rest.url, rest.token, 200).send(commands)).rejects.toMatchObject({ code })

      expect(rest.requests - before).toBe(1)
    }
    await expect.poll(async () => (await redis.stats())['APPEND'] ?? 0).toBe(carriedOut ? 3 : 0)
  })

  it('answers the next request after each fault', async () => {
    const connection = open(rest.url, rest.token, 200)
    for (const [fault] of faults) {
      failNext(fault)
      await expect(connection.send([['GET', 'a']])).rejects.toBeInstanceOf(RedisError)

      expect(await connection.send([['PING']])).toEqual(['PONG'])
    }
  })

  it('rejects by the monthly limit where a command travels alone, and leaves it in place in a pipeline', async () => {
    rest.faults.onRequest = () => 'limit'
    const connection = open(rest.url, rest.token)

    await expect(connection.send(one)).rejects.toMatchObject({ code: 'REDIS_LIMIT' })
    const limit = expect.objectContaining({ code: 'REDIS_LIMIT' })
    expect(await connection.send(two)).toEqual([limit, limit])
  })

  it('tells a full store from a limit: writes are refused in place, reads and deletions go on', async () => {
    const connection = open(rest.url, rest.token)
    await connection.send([['SET', 'b', '1']])
    rest.faults.onRequest = () => 'full'

    const full = expect.objectContaining({ code: 'REDIS_FULL' })
    expect(await connection.send(one)).toEqual([full])
    expect(await connection.send([append, ['GET', 'b'], ['UNLINK', 'b']])).toEqual([full, '1', 1])
  })

  it.each([['one command', one] as const, ['a pipeline', two] as const])(
    'rejects %s by REDIS_REFUSED where the token is wrong',
    async (_, commands) => {
      await expect(open(rest.url, 'wrong').send(commands)).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    },
  )

  it('refuses a request that is too large', async () => {
    const large: Command = ['SET', 'a', 'x'.repeat(11_000_000)]
    const connection = open(rest.url, rest.token)
    const refused = expect.objectContaining({ code: 'REDIS_REFUSED' })

    expect(await connection.send([large])).toEqual([refused])
    await expect(connection.send([large, append])).rejects.toEqual(refused)
  })

  it('gives up at the deadline when the server stands still, and goes on when it does', async () => {
    const connection = open(rest.url, rest.token, 200)
    await redis.kill('SIGSTOP')
    await expect(connection.send(one)).rejects.toThrow(/no answer within 0.2 s/)
    await redis.kill('SIGCONT')

    await expect.poll(() => connection.send([['STRLEN', 'a']])).toEqual([1])
  })

  it('is unreachable while the server behind the service is down', async () => {
    const connection = open(rest.url, rest.token)
    await redis.kill('SIGKILL')
    await expect(connection.send(one)).rejects.toMatchObject(unreachable)
    await expect(connection.send(two)).rejects.toMatchObject(unreachable)

    await redis.restart()

    expect(await connection.send(one)).toEqual([1])
  })

  it('sends a request once whose answer is cut in the middle', async () => {
    const proxy = await startCutProxy(Number(new URL(rest.url).port))
    onTestFinished(() => proxy.stop())
    const connection = open(`http://127.0.0.1:${proxy.port}`, rest.token)
    for (const bytes of [0, 20, -3]) {
      const cut = proxy.cutAfter(bytes)
      await expect(connection.send(one)).rejects.toMatchObject(unreachable)
      await cut
    }

    expect(await redis.stats()).toMatchObject({ APPEND: 3 })
    expect(await connection.send([['STRLEN', 'a']])).toEqual([3])
  })

  it('ends open requests as unreachable when it is closed', async () => {
    rest.faults.onRequest = () => 'hang'
    const connection = open(rest.url, rest.token)
    const request = connection.send(one)

    await connection.close()

    await expect(request).rejects.toThrow(/its connection was closed/)
  })

  it('makes one HTTP request of any number of commands, and none of no commands', async () => {
    const connection = open(rest.url, rest.token)
    const before = rest.requests

    await connection.send([])
    await connection.send(one)
    await connection.send(Array.from({ length: 100 }, () => append))

    expect(rest.requests - before).toBe(2)
  })

  it('has a test server that the official client takes for the real one', async () => {
    const official = new Redis({ url: rest.url, token: rest.token })

    expect(await official.set('key', { text: 'Grüße 😀' })).toBe('OK')
    expect(await official.get('key')).toEqual({ text: 'Grüße 😀' })
    expect(await official.pipeline().hset('hash', { a: 1 }).hgetall('hash').exec()).toEqual([1, { a: 1 }])
    expect(await official.multi().rpush('list', 'OK').lrange('list', 0, -1).exec()).toEqual([1, ['OK']])
    await expect(official.get('list')).rejects.toThrow(/WRONGTYPE/)
  })
})

const http = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`

describe('the upstash transport and what is no REST server', () => {
  it.each([
    ['a page', '200 OK', '<html>'],
    ['nothing', '200 OK', ''],
    ['another shape', '200 OK', '{"data":1}'],
    ['null', '200 OK', 'null'],
    ['a list too short', '200 OK', '[{"result":1}]'],
    ['a list without results', '200 OK', '[{"a":1},{"b":2}]'],
    ['a result that is no reply', '200 OK', '[{"result":{"a":1}},{"result":true}]'],
    ['a page and an error', '503 Service Unavailable', '<html>'],
    ['a JSON text and an error', '500 Internal Server Error', '{"message":"no"}'],
    ['null and an error', '500 Internal Server Error', 'null'],
    ["a gateway's own words", '504 Gateway Timeout', '{"error":"upstream timed out"}'],
  ])('is unreachable by a server that answers with %s', async (_, status, body) => {
    const server = await startFakeServer(() => http(status, body))
    onTestFinished(() => server.stop())
    const connection = open(`http://127.0.0.1:${server.port}`, 'token')

    for (const commands of [one, two]) await expect(connection.send(commands)).rejects.toMatchObject(unreachable)
  })

  it('is unreachable where nothing listens, and says why', async () => {
    await expect(open('http://127.0.0.1:1', 'token').send(one)).rejects.toThrow(/ECONNREFUSED|connection failed/)
  })

  it('is unreachable by a Redis server that does not speak HTTP', async () => {
    const server = await startFakeServer(() => '-ERR unknown command\r\n')
    onTestFinished(() => server.stop())

    await expect(open(`http://127.0.0.1:${server.port}`, 'token').send(one)).rejects.toMatchObject(unreachable)
  })

  it.each(['', 'example.org', 'redis://example.org', 'https://'])('takes %j for no address', (url) => {
    expect(() => createUpstashConnection({ url, token: 'token', deadlineMs: 100 })).toThrow(
      expect.objectContaining(unreachable),
    )
  })
})
