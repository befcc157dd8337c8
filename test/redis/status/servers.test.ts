import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { createMeter } from '../../../src/redis/meter.ts'
import { createRedisStatus } from '../../../src/redis/status/redis-status.ts'
import type { StoreStatus } from '../../../src/redis/status/status.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import type { Connection } from '../../../src/redis/transport.ts'
import { createUpstashConnection } from '../../../src/redis/upstash.ts'
import { billedIn } from '../../support/billing.ts'
import { startOwnServer } from '../../support/own-server.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { openResp, textReply } from '../../support/resp.ts'
import { startRestServer } from '../../support/rest-server.ts'
import { lineIn } from './rig.ts'

const DEADLINE_MS = 15_000

/** A watch over one server, through a connection that ends with the test. */
function watchOf({ kind, send, close }: Connection) {
  onTestFinished(close)
  const meter = createMeter(send)
  const status = createRedisStatus({
    stores: [{ name: 'orders', kind, meter }],
    clock: systemClock,
    shareMs: 0,
    deadlineMs: 2 * DEADLINE_MS,
    onDefect: (error) => {
      throw error
    },
  })
  const look = async (): Promise<StoreStatus> => {
    const [found] = await status.look()
    if (found === undefined) throw new Error('There is no status.')
    return found
  }
  return { look, meter }
}

const watchAt = (url: string) => watchOf(createTcpConnection({ url, deadlineMs: DEADLINE_MS }))

async function ask(url: string, ...commands: readonly (readonly (string | number)[])[]): Promise<readonly unknown[]> {
  const connection = await openResp(url)
  try {
    return (await connection.call(commands)).map(textReply)
  } finally {
    connection.close()
  }
}

const judged = (status: StoreStatus, ...names: readonly string[]) =>
  names.map((name) => [name, lineIn(status, name).verdict])

/** On a busy machine anything may be slow. */
const NO_SLOW_LOG = ['--slowlog-log-slower-than', '-1']

const PASSWORD = 'passwordSECRET'

describeWithRedis('the status of a real server', () => {
  let plain: RedisServer
  let guarded: RedisServer
  let small: RedisServer
  let lasting: RedisServer
  let node: RedisServer
  let replica: RedisServer

  beforeAll(async () => {
    plain = await startRedisServer({ args: NO_SLOW_LOG })
    ;[guarded, small, lasting, node, replica] = await Promise.all([
      startRedisServer({ password: PASSWORD }),
      startRedisServer({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru'] }),
      startRedisServer({ appendOnly: true, args: ['--save', '900', '1', ...NO_SLOW_LOG] }),
      startRedisServer({ args: ['--cluster-enabled', 'yes'] }),
      startRedisServer({ args: ['--replicaof', '127.0.0.1', String(plain.port)] }),
    ])
  }, 60_000)
  afterAll(async () => {
    await Promise.all([plain, guarded, small, lasting, node, replica].map((server) => server.stop()))
  })

  it('of one as it comes calls for a limit and for something on disk', async () => {
    const status = await watchAt(plain.url).look()

    expect(status).toMatchObject({ ok: true, verdict: 'bad', figures: { role: 'primary', maxMemoryBytes: 0 } })
    expect(judged(status, 'version', 'memory', 'maxmemory-policy', 'AOF', 'clients', 'slow log')).toEqual([
      ['version', 'ok'],
      ['memory', 'look'],
      ['maxmemory-policy', 'ok'],
      ['AOF', 'bad'],
      ['clients', 'ok'],
      ['slow log', 'ok'],
    ])
    expect(status.lines.filter(({ verdict }) => verdict === 'unknown')).toEqual([])
  })

  it('of one that keeps its data on disk is well but for the limit', async () => {
    await ask(lasting.url, ['SET', 'order:1', 'x'])

    const status = await watchAt(lasting.url).look()

    expect(status.lines.filter(({ verdict }) => verdict !== 'ok').map(({ name }) => name)).toEqual(['memory'])
    expect(status.figures).toMatchObject({ aofEnabled: true, aofLastWriteOk: true, rdbIsScheduled: true, keys: 1 })
    expect(status.figures.aofSizeBytes).toBeGreaterThan(0)
  })

  it('of one that drops keys says what vanished and what to set', async () => {
    const fill = Array.from({ length: 3_000 }, (_, at) => ['SET', `order:${at}`, 'x'.repeat(1_000)])
    await ask(small.url, ...fill)

    const status = await watchAt(small.url).look()

    expect(judged(status, 'maxmemory-policy', 'evicted keys')).toEqual([
      ['maxmemory-policy', 'bad'],
      ['evicted keys', 'bad'],
    ])
    expect(lineIn(status, 'maxmemory-policy').cure).toContain('order state can vanish; set noeviction')
    expect(status.figures.evictedKeys).toBeGreaterThan(0)
  })

  it('of a replica says that it refuses writes', async () => {
    const status = await watchAt(replica.url).look()

    expect(lineIn(status, 'role')).toMatchObject({ value: 'replica', verdict: 'bad' })
  })

  it('of a node of a cluster says so', async () => {
    const status = await watchAt(node.url).look()

    expect(lineIn(status, 'cluster')).toMatchObject({ verdict: 'bad' })
    expect(status.ok).toBe(true)
  })

  it('tells which command was slow, and never on what it was run', async () => {
    await ask(
      plain.url,
      ['CONFIG', 'SET', 'slowlog-log-slower-than', 0],
      ['SET', 'order:customerSECRET', 'valueSECRET'],
    )
    await ask(plain.url, ['GET', 'order:customerSECRET'], ['CONFIG', 'SET', 'slowlog-log-slower-than', -1])

    const status = await watchAt(plain.url).look()

    expect(status.slowLog.map(({ command }) => command)).toEqual(expect.arrayContaining(['GET', 'SET', 'CONFIG']))
    expect(JSON.stringify(status)).not.toContain('SECRET')
    await ask(plain.url, ['SLOWLOG', 'RESET'])
  })

  it('weighs each family of keys as the server itself does', async () => {
    const keys = ['cart:1', 'cart:2', 'session:1', 'nothing']
    await ask(lasting.url, ['FLUSHDB'], ...keys.map((key, at) => ['SET', key, 'x'.repeat(1_000 * (at + 1))]))
    const bytes = (await ask(lasting.url, ...keys.map((key) => ['MEMORY', 'USAGE', key]))).map(Number)
    const [first = 0, second = 0, third = 0, fourth = 0] = bytes

    const { families } = await watchAt(lasting.url).look()

    const wanted = [
      { name: 'cart', keys: 2, bytes: first + second },
      { name: 'session', keys: 1, bytes: third },
      { name: '(no colon)', keys: 1, bytes: fourth },
    ]
    expect(families).toEqual({
      largest: wanted.toSorted((a, b) => b.bytes - a.bytes),
      others: 0,
      isEstimate: false,
    })
  })

  it('with the right password is told; with a wrong one or none it says so, without any', async () => {
    const { host } = new URL(guarded.url)

    expect(await watchAt(guarded.url).look()).toMatchObject({ ok: true })
    for (const url of [`redis://:wrongSECRET@${host}`, `redis://${host}`]) {
      const status = await watchAt(url).look()

      expect(status).toMatchObject({ ok: false, error: { code: 'REDIS_REFUSED' } })
      expect(status.error?.message).toContain('refused the credentials')
      expect(JSON.stringify(status)).not.toContain('SECRET')
    }
  })

  it.each([
    ['+@all -slowlog -config -memory', ['RDB', 'slow log', 'key families'], true],
    ['+info +ping', ['RDB', 'slow log', 'key families'], false],
    ['+@all -@dangerous -@admin', ['INFO'], true],
    ['+get', ['INFO', 'key families'], false],
  ])('as a user with %s says what it may not ask, and is never an error', async (rights, unknown, hasFamilies) => {
    await ask(
      guarded.url,
      ['SET', 'order:1', 'x'],
      ['ACL', 'SETUSER', 'looker', 'reset', 'on', '>looking', '~*', ...rights.split(' ')],
    )
    const { host } = new URL(guarded.url)

    const status = await watchAt(`redis://looker:looking@${host}`).look()

    expect(status.ok).toBe(true)
    const found = status.lines.filter(({ verdict }) => verdict === 'unknown').map(({ name }) => name)
    expect(found).toEqual(unknown)
    expect(status.families !== null).toBe(hasFamilies)
  })

  it('that infra/redis sets up is well in every line, also for the application, which may not ask everything', async () => {
    const server = await startOwnServer({ args: NO_SLOW_LOG })
    onTestFinished(async () => server.stop())

    for (const user of ['orderly', 'default'] as const) {
      const status = await watchAt(server.url(user)).look()

      expect(status.lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([])
      expect(status.verdict).toBe('ok')
    }
  })

  it('that goes away and comes back says both', async () => {
    const server = await startRedisServer()
    onTestFinished(async () => server.stop())
    const { look } = watchAt(server.url)
    expect((await look()).ok).toBe(true)

    await server.kill('SIGKILL')
    expect(await look()).toMatchObject({ ok: false, error: { code: 'REDIS_UNREACHABLE' } })
    await server.restart()

    expect((await look()).ok).toBe(true)
  })

  it('over REST, where commands are billed, costs one SCAN and at most 50 MEMORY, an hour long', async () => {
    await ask(
      lasting.url,
      ['FLUSHDB'],
      ['MSET', ...Array.from({ length: 4_000 }, (_, at) => [`order:${at}`, 'x']).flat()],
    )
    const rest = await startRestServer({ redisUrl: lasting.url })
    onTestFinished(async () => rest.stop())
    await lasting.resetStats()
    const { look, meter } = watchOf(
      createUpstashConnection({ url: rest.url, token: rest.token, deadlineMs: DEADLINE_MS }),
    )

    const [first] = [await look(), await look(), await look()]

    expect(billedIn(await lasting.stats())).toEqual({ SCAN: 1, MEMORY: 50 })
    expect(meter.cost().billed).toBe(51)
    expect(first?.families).toMatchObject({ isEstimate: true, largest: [{ name: 'order' }] })
    expect(first?.families?.largest[0]?.keys).toBe(4_000)
  })
})
