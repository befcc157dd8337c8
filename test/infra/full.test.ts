import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { RedisError } from '../../src/errors.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import { ask, type Command, type Transport } from '../../src/redis/transport.ts'
import { callOrderly, envelopeOf } from '../support/cli.ts'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { textReply } from '../support/resp.ts'

const LARGE = 'x'.repeat(20_000)
/** Old enough for every cutoff, so that a sweep takes it. */
const OLD_ORDER = 'order:01JD6Y7Z8ABCDEFGHJKMNPQRST'
const ORDER = '{"created_at":"2024-11-20T12:00:00+01:00","status":"delivered"}'
const ENTRY = '\u001e{"id":"a"}\n'

/** Writes until the server refuses, for a little room may come and go with the buffers of connections. */
async function writeUntilRefused(send: Transport, commandOf: (n: number) => Command): Promise<number> {
  for (let n = 0; ; n++) {
    const [reply] = await send([commandOf(n)])
    if (!(reply instanceof RedisError)) continue
    expect(reply.code).toBe('REDIS_FULL')
    return n
  }
}

describeWithRedis('a server of one’s own that is full', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await startOwnServer({ args: ['--maxmemory', '8mb'] })
  })
  afterAll(() => server.stop())

  /** Orderly's own driver as the application's user, closed with the test. */
  const open = (): Transport => {
    const connection = createTcpConnection({ url: server.url(), deadlineMs: 10_000 })
    onTestFinished(() => connection.close())
    return connection.send
  }

  it('refuses writes as REDIS_FULL, keeps all that it has, and goes on reading and deleting', async () => {
    const send = open()
    await send([['SET', OLD_ORDER, ORDER]])

    const fillers = await writeUntilRefused(send, (n) => ['SET', `filler:${n}`, `${n} ${LARGE}`])
    const entries = await writeUntilRefused(send, () => ['APPEND', OLD_ORDER, ENTRY])

    const keys = Array.from({ length: fillers }, (_, n) => `filler:${n}`)
    const isAllThere = async () => {
      expect(await ask(open(), ['GET', OLD_ORDER])).toBe(ORDER + ENTRY.repeat(entries))
      expect(await ask(open(), ['MGET', ...keys])).toEqual(keys.map((_, n) => `${n} ${LARGE}`))
    }
    expect(fillers).toBeGreaterThan(100)
    await isAllThere()
    const [stats = null] = await (await server.open('default')).call([['INFO', 'stats']])
    expect(textReply(stats)).toContain('evicted_keys:0')

    await server.kill()
    await server.restart()
    await isAllThere()
    await writeUntilRefused(open(), (n) => ['SET', `one more:${n}`, LARGE])
    expect(await ask(open(), ['UNLINK', ...keys.slice(0, 50)])).toBe(50)
    expect(await ask(open(), ['SET', 'one more', 'x'])).toBe('OK')
  })

  it('is swept by Orderly all the same', async () => {
    const send = open()
    expect(await ask(send, ['SET', OLD_ORDER, ORDER])).toBe('OK')
    await writeUntilRefused(send, (n) => ['SET', `another:${n}`, LARGE])

    const run = await callOrderly(['sweep', 'orders', '--apply', '--json'], { env: { REDIS_URL: server.url() } })

    expect(envelopeOf<{ deleted: number }>(run).data.deleted).toBe(1)
    expect(await ask(send, ['EXISTS', OLD_ORDER])).toBe(0)
  })
})
