import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection } from '../../src/redis/transport.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'

/** A connection that is closed with the test. */
function open(url: string, deadlineMs = 5_000): Connection {
  const connection = createTcpConnection({ url, deadlineMs })
  onTestFinished(() => connection.close())
  return connection
}

const unreachable = { code: 'REDIS_UNREACHABLE' }

describeWithRedis('the tcp transport and a server in trouble', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer({ appendOnly: true })
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    await server.kill('SIGCONT')
    await open(server.url).send([['FLUSHDB']])
    await server.resetStats()
  })

  const openThroughProxy = async () => {
    const proxy = await startCutProxy(server.port)
    onTestFinished(() => proxy.stop())
    return { proxy, connection: open(`redis://127.0.0.1:${proxy.port}`) }
  }

  it('connects at the first request, not before', async () => {
    const { proxy, connection } = await openThroughProxy()
    expect(proxy.connections).toBe(0)

    await connection.send([['PING']])
    await connection.send([['PING']])

    expect(proxy.connections).toBe(1)
  })

  it.each([
    ['wholly lost', 0],
    ['cut in the middle', 3],
  ])('sends a request once whose reply is %s', async (_, bytes) => {
    const { proxy, connection } = await openThroughProxy()
    await connection.send([['PING']])
    const cut = proxy.cutAfter(bytes)

    const lost = connection.send([
      ['APPEND', 'a', 'x'],
      ['APPEND', 'a', 'x'],
    ])

    await expect(lost).rejects.toMatchObject(unreachable)
    await cut
    expect(await connection.send([['GET', 'a']])).toEqual(['xx'])
    expect(await server.stats()).toMatchObject({ APPEND: 2, GET: 1 })
  })

  it('sends no request later that missed its deadline while there was no connection', async () => {
    await server.kill('SIGSTOP')
    const connection = open(server.url, 200)

    await expect(connection.send([['APPEND', 'a', 'x']])).rejects.toThrow(/no connection within 0.2 s/)
    await server.kill('SIGCONT')

    expect(await open(server.url).send([['GET', 'a']])).toEqual([null])
    expect(await connection.send([['PING']])).toEqual(['PONG'])
    expect(await server.stats()).not.toHaveProperty('APPEND')
  })

  it('gives up at the deadline when the server stands still, and goes on when it does', async () => {
    const connection = open(server.url, 300)
    await connection.send([['PING']])
    await server.kill('SIGSTOP')

    const requests = [connection.send([['APPEND', 'a', 'x']]), connection.send([['GET', 'a']])]
    await expect(requests[0]).rejects.toThrow(/no answer within 0.3 s/)
    await expect(requests[1]).rejects.toMatchObject(unreachable)
    await server.kill('SIGCONT')

    expect(await connection.send([['STRLEN', 'a']])).toEqual([1])
    expect(await server.stats()).toMatchObject({ APPEND: 1 })
  })

  it('does not wait for the deadline when a server is down, and reaches it by itself when it is back', async () => {
    const connection = open(server.url)
    await connection.send([['SET', 'a', '1']])

    await server.kill('SIGKILL')
    await expect(connection.send([['GET', 'a']])).rejects.toMatchObject(unreachable)
    await expect(connection.send([['GET', 'a']])).rejects.toThrow(/ECONNREFUSED/)
    await server.restart()

    expect(await connection.send([['GET', 'a']])).toEqual(['1'])
  })

  it('ends open requests as unreachable when it is closed', async () => {
    const connection = open(server.url)
    await connection.send([['PING']])
    await server.kill('SIGSTOP')
    const request = connection.send([['GET', 'a']])

    await connection.close()

    await expect(request).rejects.toThrow(/its connection was closed/)
  })

  it('uses the database that the path names, and refuses one that does not exist', async () => {
    await open(`${server.url}/3`).send([['SET', 'a', '1']])

    expect(await open(server.url).send([['GET', 'a']])).toEqual([null])
    expect(await open(`${server.url}/3`).send([['GET', 'a']])).toEqual(['1'])
    await expect(open(`${server.url}/99`).send([['GET', 'a']])).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
  })
})

describeWithRedis('the tcp transport and a password', () => {
  const password = 'p@ss/w%rd:ü '
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer({ password })
  })
  afterAll(() => server.stop())

  it('logs in with any password, percent-encoded', async () => {
    expect(await open(server.url).send([['PING']])).toEqual(['PONG'])
    const withUser = server.url.replace('//:', '//default:')
    expect(await open(withUser).send([['PING']])).toEqual(['PONG'])
  })

  it.each([
    ['a wrong password', ':wrong@'],
    ['no password', ''],
    ['an unknown user', 'nobody:wrong@'],
  ])('is refused with %s, and tries again at the next request only', async (_, credentials) => {
    const proxy = await startCutProxy(server.port)
    onTestFinished(() => proxy.stop())
    const connection = open(`redis://${credentials}127.0.0.1:${proxy.port}`)

    await expect(connection.send([['GET', 'a']])).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    await pause(150)
    expect(proxy.connections).toBe(1)

    await expect(connection.send([['GET', 'a']])).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    expect(proxy.connections).toBe(2)
  })
})

/** A fake server that ends with the test. */
async function fake(...how: Parameters<typeof startFakeServer>) {
  const server = await startFakeServer(...how)
  onTestFinished(() => server.stop())
  return server
}

describe('the tcp transport and what is no Redis', () => {
  it.each([
    ['says nothing', () => undefined],
    ['speaks HTTP', () => 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
    ['answers nonsense', () => '\u0000\u0001\u0002\r\n'],
    ['answers text without an end', () => '$100\r\nnot enough'],
  ])('is unreachable within the deadline by a server that %s', async (_, answer) => {
    const { port } = await fake(answer)

    await expect(open(`redis://127.0.0.1:${port}`, 300).send([['GET', 'a']])).rejects.toMatchObject(unreachable)
    await expect(open(`rediss://127.0.0.1:${port}`, 300).send([['GET', 'a']])).rejects.toMatchObject(unreachable)
  })

  it('is unreachable by a server that speaks TLS where none is expected', async () => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 0x46])
    const { port } = await fake(() => undefined, alert)

    await expect(open(`redis://127.0.0.1:${port}`, 300).send([['GET', 'a']])).rejects.toThrow(/no Redis reply/)
  })

  it('trusts no reply of a connection any more that has brought nonsense', async () => {
    let answers = 0
    const { port } = await fake((piece) => {
      if (piece.includes('info')) return '$9\r\nloading:0\r\n'
      return ++answers === 1 ? '+one\r\nnonsense\r\n' : '+two\r\n'
    })
    const connection = open(`redis://127.0.0.1:${port}`)

    await expect(
      connection.send([
        ['GET', 'a'],
        ['GET', 'b'],
      ]),
    ).rejects.toMatchObject(unreachable)
    expect(await connection.send([['GET', 'c']])).toEqual(['two'])
  })

  it('trusts no reply of a connection any more that has brought one too many', async () => {
    let answers = 0
    const { port } = await fake((piece) => {
      if (piece.includes('info')) return '$9\r\nloading:0\r\n'
      return ++answers === 1 ? '+one\r\n+nobody asked\r\n' : '+two\r\n'
    })
    const connection = open(`redis://127.0.0.1:${port}`)

    expect(await connection.send([['GET', 'a']])).toEqual(['one'])
    expect(await connection.send([['GET', 'b']])).toEqual(['two'])
  })

  it.each(['', 'localhost', 'https://example.org', 'redis://:secret@bad host', 'redis://127.0.0.1/first'])(
    'takes %j for no address',
    (url) => {
      expect(() => createTcpConnection({ url, deadlineMs: 100 })).toThrow(expect.objectContaining(unreachable))
    },
  )
})
