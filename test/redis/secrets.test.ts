import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RedisError } from '../../src/errors.ts'
import { broken, refusal, unreachable, withoutValues } from '../../src/redis/failures.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Command, Connection } from '../../src/redis/transport.ts'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type Fault, type RestServer, startRestServer } from '../support/rest-server.ts'

const secrets = {
  token: 'tokenSECRET1',
  password: 'passwordSECRET2',
  user: 'userSECRET3',
  key: 'order:keySECRET4',
  value: 'valueSECRET5\n    at customerSECRET6 (street.ts:1:1), command was: unauthorized max requests limit exceeded',
}

const commands: readonly Command[] = [
  ['SET', secrets.key, secrets.value, 'SOON'],
  ['NOSUCHCOMMAND', secrets.key, secrets.value],
  ['HSET', secrets.key, secrets.value],
  ['EXPIRE', secrets.key, secrets.value],
  ['EVAL', `return redis.call('${secrets.key}')`, 1, secrets.key, secrets.value],
  ['XADD', secrets.key, secrets.value, 'f', 'v'],
  ['RPUSH', secrets.key, secrets.value],
  ['APPEND', secrets.key, secrets.value],
  ['SCAN', 0, 'COUNT', secrets.value],
]

/** Everything about an error that a log could ever print. */
const everything = (error: unknown): string => {
  const parts = [inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error)]
  for (let one = error; one instanceof Error; one = one.cause) parts.push(one.message, one.stack ?? '', String(one))
  return parts.join('\n')
}

/** The errors that sending the commands brings about: alone, together, as rejections and as replies. */
async function provoke({ send, close }: Connection): Promise<readonly RedisError[]> {
  const requests = [...commands.map((command) => [command]), commands]
  const outcomes: unknown[] = []
  for (const request of requests) outcomes.push(...(await send(request).catch((error: unknown) => [error])))
  await close()
  return outcomes.filter((outcome) => outcome instanceof RedisError)
}

/** The errors that tell a secret, and a complaint where there is no error at all. */
const leaksIn = (errors: readonly unknown[]) =>
  errors.length === 0 ? ['no error to look at'] : errors.map(everything).filter((text) => text.includes('SECRET'))

describeWithRedis('no error of a transport holds a secret or a stored value', () => {
  let server: RedisServer
  let rest: RestServer
  let deadlineMs: number
  const tcp = (address: string) => createTcpConnection({ url: `redis://${address}`, deadlineMs })
  const upstash = (url: string, token = secrets.token) => createUpstashConnection({ url, token, deadlineMs })
  beforeAll(async () => {
    server = await startRedisServer({ password: secrets.password })
    rest = await startRestServer({ redisUrl: server.url, token: secrets.token })
  })
  afterAll(async () => {
    await rest.stop()
    await server.stop()
  })
  beforeEach(() => {
    deadlineMs = 5_000
    delete rest.faults.onRequest
  })

  it('when Redis refuses commands over TCP', async () => {
    expect(leaksIn(await provoke(tcp(`:${secrets.password}@127.0.0.1:${server.port}`)))).toEqual([])
  })

  it('when Redis refuses commands over REST', async () => {
    expect(leaksIn(await provoke(upstash(rest.url)))).toEqual([])
  })

  it('when a refusal is judged, for a value may read like the provider’s own words', async () => {
    const errors = await provoke(upstash(rest.url))

    expect(errors.filter(({ code }) => code === 'REDIS_LIMIT' || code === 'REDIS_UNREACHABLE')).toEqual([])
  })

  it.each([`${secrets.user}:${secrets.password}@`, `:wrong${secrets.password}@`])(
    'when a server refuses the credentials %#',
    async (credentials) => {
      expect(leaksIn(await provoke(tcp(`${credentials}127.0.0.1:${server.port}`)))).toEqual([])
    },
  )

  it('when the service refuses the token', async () => {
    expect(leaksIn(await provoke(upstash(rest.url, `wrong${secrets.token}`)))).toEqual([])
  })

  it.each<Fault>(['limit', 'limit-whole', 'full', 'html-502', 'reset-before', 'reset-after'])(
    'when the service answers with %j',
    async (fault) => {
      rest.faults.onRequest = () => fault

      expect(leaksIn(await provoke(upstash(rest.url)))).toEqual([])
    },
  )

  it('when no answer comes in time', async () => {
    deadlineMs = 50
    rest.faults.onRequest = () => 'hang'

    expect(leaksIn(await provoke(upstash(rest.url)))).toEqual([])
  })

  it('when nothing listens', async () => {
    deadlineMs = 50
    expect(leaksIn(await provoke(tcp(`${secrets.user}:${secrets.password}@127.0.0.1:1`)))).toEqual([])
    expect(leaksIn(await provoke(upstash(`http://127.0.0.1:1/${secrets.key}`)))).toEqual([])
    expect(leaksIn(await provoke(upstash(`http://${secrets.user}:${secrets.password}@127.0.0.1:1`)))).toEqual([])
    expect(leaksIn(await provoke(upstash(rest.url, `${secrets.token}€`)))).toEqual([])
  })

  it('when a server repeats what it was sent', async () => {
    deadlineMs = 200
    const echo = await startFakeServer((piece) => `-ERR '${piece.replaceAll(/\r?\n/g, ' ')}'\r\n${piece}`)
    const page = await startFakeServer((piece) => {
      const body = `<html>${piece}</html>`
      return `HTTP/1.1 502 Bad\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
    })

    expect(leaksIn(await provoke(tcp(`:${secrets.password}@127.0.0.1:${echo.port}`)))).toEqual([])
    expect(leaksIn(await provoke(upstash(`http://127.0.0.1:${page.port}`)))).toEqual([])
    await Promise.all([echo.stop(), page.stop()])
  })
})

describe('no failure holds what was not meant for it', () => {
  const foreign = Object.assign(new Error(`no route to ${secrets.value}`), {
    code: 'EHOSTUNREACH',
    command: { args: [secrets.value] },
    cause: new Error(secrets.token),
  })

  it('keeps of a foreign error its class, its code and its frames', () => {
    const bare = withoutValues(foreign)

    expect(leaksIn([bare])).toEqual([])
    expect(bare?.message).toBe('Error EHOSTUNREACH')
    expect(bare?.stack).toMatch(/secrets\.test\.ts/)
  })

  it('keeps nothing of a code that is more than a word', () => {
    expect(leaksIn([broken(Object.assign(new Error('x'), { code: secrets.value }))])).toEqual([])
    expect(leaksIn([unreachable('no answer', secrets.value), broken(foreign), broken(undefined)])).toEqual([])
  })

  it.each([
    `ERR unknown command 'x', with args beginning with: '${secrets.value}'`,
    `WRONGTYPE ${secrets.value.slice(0, 0)}: ${secrets.value}`,
    `ERR syntax error, command was: ["SET","${secrets.key}"]`,
    `'${secrets.value}'`,
  ])('keeps of a server’s text the words before the first quote or mark: %#', (text) => {
    expect(leaksIn([refusal('SET', text)])).toEqual([])
  })

  it.each(['127.0.0.1', 'bad host', '127.0.0.1/database'])('says nothing of an address it cannot use: %s', (host) => {
    const attempts = [
      () => createTcpConnection({ url: `redis://:${secrets.password}@${host}/x`, deadlineMs: 100 }),
      () =>
        createUpstashConnection({ url: `ftp://${secrets.password}@${host}`, token: secrets.token, deadlineMs: 100 }),
    ]

    expect(leaksIn(attempts.map(errorOf))).toEqual([])
  })
})

function errorOf(attempt: () => unknown): unknown {
  try {
    return attempt()
  } catch (error) {
    return error
  }
}
