import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisStatusCommand } from '../../src/cli/redis-status.ts'
import type { Io } from '../../src/cli/io.ts'
import { callOrderly, envelopeOf, hasStackTrace, startOrderly, steeringIn } from '../support/cli.ts'
import { freePort } from '../support/free-port.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp } from '../support/resp.ts'
import { startRestServer } from '../support/rest-server.ts'
import { createWaiting } from '../support/waiting.ts'

/** What `--json` shows of a store, as far as it is looked at here. */
interface StoreData {
  readonly name: string
  readonly ok: boolean
  readonly verdict: string
  readonly because: string | null
  readonly lines: readonly { readonly name: string; readonly verdict: string; readonly cure: string | null }[]
  readonly figures: Readonly<Record<string, unknown>>
  readonly families: readonly { readonly name: string; readonly keys: number }[]
  readonly queues: readonly { readonly name: string; readonly states: Readonly<Record<string, number>> }[]
  readonly slowLog: readonly { readonly at: string; readonly command: string }[]
}

interface Data {
  readonly stores: readonly StoreData[]
}

/** A Redis about which there is nothing to say. Its slow log is off, for on a busy machine anything may be slow. */
const WELL = '--maxmemory 100mb --maxmemory-policy noeviction --save 900 1 --slowlog-log-slower-than -1'.split(' ')

async function put(url: string, ...commands: readonly (readonly (string | number)[])[]): Promise<void> {
  const connection = await openResp(url)
  await connection.call(commands)
  connection.close()
}

const status = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  callOrderly(['redis', 'status', ...args], { env })

const outSize = () => ({ rows: 12, columns: 80 })

async function drawn(url: string, isOutTerminal: boolean, env: Io['env'] = {}): Promise<string> {
  const { signal } = new AbortController()
  const io = { env, stdout: () => undefined, stderr: () => undefined, isTerminal: false, isOutTerminal, signal }
  return (await redisStatusCommand({ url }, io)).text
}

describeWithRedis('orderly redis status', () => {
  let redis: RedisServer
  let broken: RedisServer

  beforeAll(async () => {
    ;[redis, broken] = await Promise.all([
      startRedisServer({ appendOnly: true, password: 'passwordSECRET', args: WELL }),
      startRedisServer({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] }),
    ])
  })
  beforeEach(async () => {
    await Promise.all([put(redis.url, ['FLUSHALL']), put(broken.url, ['FLUSHALL'])])
  })
  afterAll(async () => {
    await Promise.all([redis.stop(), broken.stop()])
  })

  it('of a Redis that is well shows a block of lines and ends with 0', async () => {
    await put(redis.url, ['MSET', ...Array.from({ length: 20 }, (_, at) => [`order:${at}`, 'x']).flat()])

    const run = await status({ REDIS_URL: redis.url })

    expect(run.code).toBe(0)
    expect(run.stdout).toMatch(/\n✓ Redis of orders: well\n\n {2}✓ {2}version {12}\d/)
    expect(run.stdout).toMatch(/\n {2}order {2}20 keys {2}about \d+\.\d KiB\n/)
    expect(run.stdout).not.toContain('What to do')
    expect(`${run.stdout}${run.stderr}`).not.toMatch(/SECRET|127\.0\.0\.1/)
  })

  it('of one that is bad names what to do and ends with 1', async () => {
    const run = await status({ REDIS_URL: broken.url })

    expect(run.code).toBe(1)
    expect(run.stdout).toContain('✗ Redis of orders: bad')
    expect(run.stdout).toContain('maxmemory-policy is allkeys-lru: order state can vanish; set noeviction.')
    expect(run.stderr).toContain('Redis needs help.')
  })

  it('as JSON holds the same fields of every store, whether it answers or not', async () => {
    await put(broken.url, ['HSET', 'bull:mails:meta', 'x', 1], ['RPUSH', 'bull:mails:wait', 1, 2])
    const env = {
      REDIS_URL: redis.url,
      BULLMQ_REDIS_URL: broken.url,
      BULLMQ_QUEUES: '*',
      EXECUTIONS_REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      EXECUTIONS_PREFIX: 'exec:',
    }

    const run = await status(env, '--json')

    const { ok, command, data, error, cost } = envelopeOf<Data>(run)
    expect([run.code, ok, command, error?.code]).toEqual([1, false, 'redis status', 'REDIS_UNREACHABLE'])
    expect(data.stores.map(({ name, ok: isOk, verdict }) => [name, isOk, verdict])).toEqual([
      ['orders', true, 'ok'],
      ['bullmq', true, 'bad'],
      ['executions', false, 'bad'],
    ])
    const [orders, bullmq, executions] = data.stores
    expect(Object.keys(executions ?? {})).toEqual(Object.keys(orders ?? {}))
    expect(Object.keys(executions?.figures ?? {})).toEqual(Object.keys(orders?.figures ?? {}))
    expect(executions?.because).toContain('unreachable')
    expect(bullmq?.queues).toMatchObject([{ name: 'mails', states: { wait: 2, active: 0 } }])
    expect(bullmq?.families).toMatchObject([{ name: 'bull:mails', keys: 2 }])
    expect(cost.redisCommands).toBeGreaterThan(0)
    expect(run.stdout).not.toMatch(/SECRET|127\.0\.0\.1/)
  })

  it('judges finished jobs by what the sweep is told to keep', async () => {
    const members = Array.from({ length: 10_500 }, (_, at) => [at, at]).flat()
    await put(redis.url, ['HSET', 'bull:mails:meta', 'x', 1], ['ZADD', 'bull:mails:failed', ...members])
    const env = { REDIS_URL: redis.url, BULLMQ_REDIS_URL: redis.url, BULLMQ_QUEUES: 'mails' }

    expect((await status(env)).stdout).toContain('Finished jobs pile up')
    expect((await status({ ...env, BULLMQ_FAILED_KEEP: '50000' })).stdout).not.toContain('Finished jobs pile up')
  })

  it('at a URL looks at that one only, finds its queues, and needs no configuration', async () => {
    await put(redis.url, ['HSET', 'bull:mails:meta', 'x', 1])
    const env = { REDIS_URL: broken.url, RETENTION_DAYS: 'nonsense' }

    const run = await status(env, '--url', redis.url, '--json')

    expect(run.code).toBe(0)
    const { data } = envelopeOf<Data>(run)
    expect(data.stores.map(({ name, queues }) => [name, queues.map((queue) => queue.name)])).toEqual([
      ['url', ['mails']],
    ])
  })

  it('takes the password of a URL from REDISCLI_AUTH where it has none', async () => {
    const { host } = new URL(redis.url)

    expect((await status({ REDISCLI_AUTH: 'passwordSECRET' }, '--url', `redis://${host}`)).code).toBe(0)
    const run = await status({}, '--url', `redis://${host}`)
    expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('refused the credentials')])
  })

  it.each([
    ['http://127.0.0.1:6379/passwordSECRET', 2],
    ['passwordSECRET', 2],
    ['redis://:passwordSECRET@127.0.0.1:6379/x', 2],
  ])('refuses what is no address of a Redis, and never repeats it: %s', async (url, code) => {
    const run = await status({}, '--url', url)

    expect([run.code, run.stdout]).toEqual([code, ''])
    expect(run.stderr).not.toContain('SECRET')
    expect(hasStackTrace(run)).toBe(false)
  })

  it('never shows what a key, a queue or a slow command holds', async () => {
    const steering = '\u001b[2J\u202e'
    await put(
      redis.url,
      ['CONFIG', 'SET', 'slowlog-log-slower-than', 0],
      ['SET', `customerSECRET@example.com${steering}:cart`, `valueSECRET${steering}`],
      ['HSET', `bull:q${steering}:meta`, 'x', 1],
      ['CONFIG', 'SET', 'slowlog-log-slower-than', -1],
    )

    const run = await status({}, '--url', redis.url)

    expect(run.stdout).toContain('queue q?[2J?')
    expect(steeringIn(run.stdout)).toEqual([])
    expect(run.stdout).not.toContain('SECRET')
    expect(run.stdout).toMatch(/Slow commands:\n {2}\d{4}-\d\d-\d\dT.* {2}(SET|HSET|CONFIG) /)
  })

  it('through a REST server, where commands are billed, tells what it cost', async () => {
    await put(redis.url, ['MSET', ...Array.from({ length: 200 }, (_, at) => [`order:${at}`, 'x']).flat()])
    const rest = await startRestServer({ redisUrl: redis.url })

    const run = await status({ UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }, '--json')

    await rest.stop()
    expect([run.code, envelopeOf(run).cost.redisCommands]).toEqual([0, 51])
  })

  it('without any Redis says that the embedded one forgets', async () => {
    const run = await status({})

    expect(run.code).toBe(0)
    expect(run.stdout).toContain('! Redis of orders: worth a look')
    expect(run.stderr).toContain('No Redis is configured')
  })

  it('paints marks on a terminal only, and where nobody asked for none', async () => {
    expect(await drawn(redis.url, true)).toContain('\u001b[32m✓\u001b[39m Redis of url')
    expect(await drawn(redis.url, true, { NO_COLOR: '1' })).not.toContain('\u001b')
    expect(await drawn(redis.url, false)).not.toContain('\u001b')
  })
})

describeWithRedis('orderly redis status --watch', () => {
  const waiting = createWaiting()
  const interruption = new Set<AbortController>()
  afterEach(() => {
    for (const one of interruption) one.abort()
  })

  /** Watches as the command does, every second. */
  function watch(url: string, isOutTerminal = false) {
    const controller = new AbortController()
    interruption.add(controller)
    const blocks: string[] = []
    const stdout = (text: string) => {
      blocks.push(text)
      waiting.check()
    }
    const { signal } = controller
    const io = { env: {}, stdout, stderr: () => undefined, isTerminal: false, isOutTerminal, outSize, signal }
    const ended = redisStatusCommand({ url, watch: 1 }, io).catch((error: unknown) => error)
    return {
      blocks,
      says: (text: string, after = 0) =>
        waiting.waitFor(() => blocks.slice(after).some((block) => block.includes(text)), {
          timeoutMs: 15_000,
          explain: () => blocks.join('\n'),
        }),
      stop: async () => {
        controller.abort()
        expect(await ended).toMatchObject({ code: 'INTERRUPTED' })
      },
    }
  }

  it('prints block after block, also while the server is away, and again when it is back', async () => {
    const redis = await startRedisServer({ appendOnly: true, args: WELL })
    const { says, blocks, stop } = watch(redis.url)
    await says('Redis of url: well')

    await redis.kill('SIGKILL')
    await says('Redis of url does not answer')
    const before = blocks.length
    await redis.restart()
    await says('Redis of url: well', before)
    await stop()
    await redis.stop()

    expect(blocks.every((block) => block.endsWith('\n\n'))).toBe(true)
    expect(blocks.join('')).not.toContain('\u001b')
  })

  it('redraws in place on a terminal, what to do before the facts, and cuts what it has no room for', async () => {
    const redis = await startRedisServer({ appendOnly: true, args: [...WELL, '--maxmemory-policy', 'allkeys-lru'] })
    const { says, blocks, stop } = watch(redis.url, true)
    await says('Redis of url: ')
    await says('Redis of url: ', 2)
    await stop()
    await redis.stop()

    const heights = blocks.slice(1).map((block) => block.split('\n').length)
    expect(heights.every((height) => height <= 12)).toBe(true)
    expect(blocks[1]).toMatch(/What to do:[^]*set noeviction[^]*version[^]*without --watch/)
    expect(blocks[0]).toBe('\u001b[2J')
    expect(blocks.slice(1).every((block) => block.startsWith('\u001b[H') && block.endsWith('\u001b[J'))).toBe(true)
  })

  it('ends when nobody reads it any more', async () => {
    const redis = await startRedisServer({ appendOnly: true, args: WELL })
    const { child, ended } = startOrderly(['redis', 'status', '--watch', '1', '--url', redis.url])
    const { stdout } = child
    if (stdout === null) throw new Error('There is no output.')
    await new Promise((resolve) => stdout.once('data', resolve))

    stdout.destroy()
    const run = await ended

    await redis.stop()
    expect([run.code, run.signal, run.stderr]).toEqual([0, null, ''])
  })

  it('ends with 130 at Ctrl-C', async () => {
    const redis = await startRedisServer({ appendOnly: true, args: WELL })
    const { child, ended } = startOrderly(['redis', 'status', '--watch', '1', '--url', redis.url])
    const { stdout } = child
    if (stdout === null) throw new Error('There is no output.')
    await new Promise((resolve) => stdout.once('data', resolve))

    child.kill('SIGINT')
    const run = await ended

    await redis.stop()
    expect([run.code, run.signal]).toEqual([130, null])
    expect(run.stdout).toContain('Redis of url: well')
    expect(run.stderr).toContain('Stopped watching.')
  })
})

describe('orderly redis status', () => {
  it.each([
    [['--watch', '--json'], 'it cannot be used with --json'],
    [['--watch', '0'], 'from 1 to'],
    [['--watch', 'soon'], 'from 1 to'],
  ])('with %j is wrong use', async (args, because) => {
    const run = await status({}, ...args)

    expect(run.code).toBe(2)
    expect(`${run.stdout}${run.stderr}`).toContain(because)
  })
})
