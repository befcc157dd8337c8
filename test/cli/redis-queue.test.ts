import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { FlowProducer, Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Command, Connection } from '../../src/redis/transport.ts'
import { callOrderly, envelopeOf, steeringIn, type CallOptions } from '../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { allKeys } from '../support/sweep-rig.ts'

const PASSWORD = 'correct horse/@battery'

interface Cleared {
  readonly queue: string
  readonly prefix: string
  readonly dryRun: boolean
  readonly states: readonly {
    readonly state: string
    readonly jobs: number
    readonly due: number
    readonly cleared: number
  }[]
  readonly active: number
  readonly schedulers: number
  readonly orphans: { readonly due: number; readonly deleted: number }
  readonly waitingQueues: readonly string[]
}

describeWithRedis('orderly redis queue clear', () => {
  let server: RedisServer
  let connection: Connection
  beforeAll(async () => {
    server = await startRedisServer({ password: PASSWORD })
    connection = createTcpConnection({ url: server.url, deadlineMs: 30_000 })
  })
  afterAll(async () => {
    await connection.close()
    await server.stop()
  })
  beforeEach(async () => {
    await connection.send([['FLUSHALL']])
  })

  const options = () => ({ connection: { host: '127.0.0.1', port: server.port, password: PASSWORD } })
  const keys = async () => (await allKeys(connection.send)).toSorted()
  const run = async (...commands: Command[]) => void (await connection.send(commands))
  const call = (words: readonly string[], given: CallOptions = {}) =>
    callOrderly(['redis', 'queue', 'clear', ...words], { env: { BULLMQ_REDIS_URL: server.url }, ...given })
  const json = async (words: readonly string[], given: CallOptions = {}) => {
    const { code, ...said } = await call([...words, '--json'], given)
    return { code, ...envelopeOf<Cleared>(said) }
  }
  const fill = async (name = 'mails', prefix = 'bull') => {
    const queue = new Queue(name, { ...options(), prefix })
    await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'send', data: {} })))
    await queue.add('send', {}, { delay: 9e6 })
    await queue.close()
    await run(['HSET', `${prefix}:${name}:x`, 'name', 'n', 'data', '{}', 'opts', '{}', 'timestamp', 1_700_000_000_000])
  }

  it('tells without --apply what would go, and deletes nothing', async () => {
    await fill()
    const before = await keys()

    const { code, stdout, stderr } = await call(['mails'])

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '))).toEqual([
      'Queue mails:',
      '',
      'jobs would go stay',
      'wait 3 3 0',
      'delayed 1 1 0',
      'orphaned 1 1 0',
      '',
      'Nothing was deleted. Add --apply to empty the queue.',
      '',
    ])
    expect(await keys()).toEqual(before)
  })

  it('deletes with --apply, and tells what it came to and what it cost', async () => {
    await fill()

    const { code, command, ok, data, error, cost } = await json(['mails', '--apply'])

    expect({ code, command, ok, error }).toEqual({ code: 0, command: 'redis queue clear', ok: true, error: null })
    expect(data).toMatchObject({
      queue: 'mails',
      prefix: 'bull',
      dryRun: false,
      active: 0,
      schedulers: 0,
      waitingQueues: [],
    })
    expect(data.states.filter(({ jobs }) => jobs > 0).map(({ state, cleared }) => [state, cleared])).toEqual([
      ['wait', 3],
      ['delayed', 1],
    ])
    expect(data.orphans).toMatchObject({ due: 1, deleted: 1 })
    expect((await keys()).filter((key) => !/:(events|id|marker|meta)$/.test(key))).toEqual([])
    // EXISTS, the sizes of 7 states, an EVAL for each of 2, SCAN, EVAL, 3 LRANGE and EVAL for the orphan, LLEN and ZCARD; INFO
    // is free.
    expect(cost).toEqual({ redisCommands: 1 + 7 + 2 + 1 + 2 + 3 + 2, requests: 19 })
  })

  it('says of an empty queue that there is nothing to delete', async () => {
    await run(['HSET', 'bull:mails:meta', 'x', '1'])

    expect(await call(['mails', '--apply'])).toMatchObject({ code: 0, stdout: 'Queue mails: nothing to delete.\n' })
  })

  it('ends as a problem when jobs stay that another queue waits for, and names it', async () => {
    const flow = new FlowProducer(options())
    await flow.add({ name: 'o', queueName: 'orders', children: [{ name: 'm', queueName: 'mails' }] })
    await flow.close()

    const dry = await json(['mails'])
    const done = await json(['mails', '--apply'])

    const message =
      '1 job left, for unfinished parents wait for it, in: orders. Empty those queues first, or let their jobs finish; then run it again.'
    expect(dry).toMatchObject({ code: 0, ok: true, warnings: [message] })
    expect(done).toMatchObject({ code: 1, ok: false, error: { code: 'JOBS_AWAITED', message }, warnings: [] })
    expect(done.data.waitingQueues).toEqual(['bull:orders'])
  })

  it('says of children of the queue itself why their parents stay', async () => {
    const flow = new FlowProducer(options())
    const children = [{ name: 'm', queueName: 'mails', opts: { jobId: 'kid' } }]
    await flow.add({ name: 'o', queueName: 'mails', opts: { jobId: 'mum' }, children })
    const mine = 'Those in this queue itself are active, are to run again, or were added in flows meanwhile.'
    await run(['ZREM', 'bull:mails:waiting-children', 'mum'], ['RPUSH', 'bull:mails:active', 'mum'])

    const alone = await json(['mails', '--apply'])
    await flow.add({ name: 'o', queueName: 'orders', children: [{ name: 'm', queueName: 'mails' }] })
    await flow.close()
    const both = await json(['mails', '--apply'])

    expect(alone).toMatchObject({ code: 1, data: { waitingQueues: ['bull:mails'] } })
    expect(alone.error?.message).toBe(
      `1 job left, for unfinished parents wait for it, in: mails. ${mine} Let the active ones finish, and run it again.`,
    )
    expect(both.error?.message).toMatch(
      /^2 jobs left, .* in: (mails, orders|orders, mails)\. Those in this queue .* meanwhile\. Empty those queues first, /,
    )
  })

  it('names the queues that there are when there is none of that name, at most 20 of them, harmlessly', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `q${String(at).padStart(2, '0')}`)
    await run(...['\u001b[31mred', ...names].map((name): Command => ['HSET', `bull:${name}:meta`, 'x', '1']))

    const { code, error } = await json(['mails'])

    expect({ code, is: error?.code }).toEqual({ code: 1, is: 'BAD_INPUT' })
    expect(error?.message).toMatch(/^There is no such queue\. There are: \\u\{1b\}\[31mred, q00, .*, q18 and 11 more\./)
    expect(steeringIn(error?.message ?? '')).toEqual([])
  })

  it('takes another Redis, another prefix, and a password from the environment', async () => {
    await fill('mails', 'x{y}')
    const url = `redis://127.0.0.1:${server.port}`
    const env = { BULLMQ_PREFIX: 'x{y}', REDISCLI_AUTH: PASSWORD }

    const { code, data } = await json(['mails', '--url', url, '--apply'], { env })

    expect({ code, prefix: data.prefix }).toEqual({ code: 0, prefix: 'x{y}' })
    expect((await keys()).filter((key) => !/:(events|id|marker|meta)$/.test(key))).toEqual([])
  })

  it.each([
    ['a name with a colon', ['a:b'], 2, 'WRONG_USE'],
    ['an empty name', [''], 2, 'WRONG_USE'],
    ['an address of something else', ['mails', '--url', 'http://127.0.0.1'], 2, 'WRONG_USE'],
    ['an address that is none', ['mails', '--url', 'redis://['], 2, 'WRONG_USE'],
    ['a server that is not there', ['mails', '--url', 'redis://127.0.0.1:1'], 1, 'REDIS_UNREACHABLE'],
  ] as const)('refuses %s', async (_, words, code, is) => {
    expect(await json(words)).toMatchObject({ code, ok: false, data: null, error: { code: is } })
  })

  it('says which variable is missing', async () => {
    const { code, error } = await json(['mails'], { env: {} })

    expect({ code, is: error?.code }).toEqual({ code: 1, is: 'BAD_CONFIGURATION' })
    expect(error?.message).toContain('BULLMQ_REDIS_URL is required, or --url')
  })

  it('says that a password is wrong, and never the password', async () => {
    const { code, error } = await json(['mails', '--url', `redis://:wrong-one@127.0.0.1:${server.port}`])

    expect({ code, is: error?.code }).toEqual({ code: 1, is: 'REDIS_REFUSED' })
    expect(error?.message).not.toContain('wrong-one')
  })

  it('says that it does not know what became of the last deletion when its answer is lost', async () => {
    await fill()
    const proxy = await losingAnswersTo('EVAL', server.port)

    const lost = await json([
      'mails',
      '--url',
      `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}`,
      '--apply',
    ])
    const { stdout } = await call([
      'mails',
      '--url',
      `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}`,
    ])

    expect(lost).toMatchObject({ code: 1, error: { code: 'REDIS_UNREACHABLE' } })
    expect(lost.warnings).toEqual(['It is unknown how many jobs of the last request went, if any.'])
    expect((await connection.send([['EXISTS', 'bull:mails:wait']]))[0]).toBe(0)
    expect(stdout).toBe('Queue mails: nothing was counted.\n')
    await proxy.stop()
  })

  it('ends as interrupted, and the next run goes on', async () => {
    await fill()
    const controller = new AbortController()
    controller.abort()

    expect(await json(['mails', '--apply'], { signal: controller.signal })).toMatchObject({
      code: 130,
      error: { code: 'INTERRUPTED' },
    })
    expect(await json(['mails', '--apply'])).toMatchObject({ code: 0 })
  })
})

describeWithRedis('orderly redis queue clear at a cluster', () => {
  it('refuses to delete anything', async () => {
    const server = await startRedisServer({ args: ['--cluster-enabled', 'yes'] })

    const { code, stderr } = await callOrderly(['redis', 'queue', 'clear', 'mails', '--url', server.url, '--apply'])

    expect(code).toBe(1)
    expect(stderr).toBe(
      'This is a node of a cluster, which holds only a part of the keys. A queue is emptied on a single server only.\n',
    )
    await server.stop()
  })
})

/** A way to a server that breaks when the answer to such a command comes. */
async function losingAnswersTo(command: string, target: number) {
  const proxy = createServer((near) => {
    const far = connect({ port: target, host: '127.0.0.1' })
    let isAsked = false
    const end = () => [near, far].map((socket) => socket.destroy())
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    near.on('data', (chunk) => {
      isAsked ||= chunk.toString().includes(command)
      far.write(chunk)
    })
    far.on('data', (chunk) => (isAsked ? end() : near.write(chunk)))
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: async () => {
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
