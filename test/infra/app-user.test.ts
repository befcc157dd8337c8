import { Queue, Worker } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import { describeTransport } from '../contract/transport.contract.ts'
import { callOrderly } from '../support/cli.ts'
import { APPLICATION_PASSWORD, type OwnServer, startOwnServer } from '../support/own-server.ts'
import { describeWithRedis, hasRedisServer } from '../support/redis-server.ts'
import { openResp, type RawReply, textReply } from '../support/resp.ts'

const forbidden = [
  'FLUSHALL',
  'FLUSHALL ASYNC',
  'FLUSHDB',
  'FLUSHDB ASYNC',
  'SWAPDB 0 1',
  'CONFIG GET requirepass',
  'CONFIG SET maxmemory 1',
  'CONFIG SET maxmemory-policy allkeys-lru',
  'CONFIG SET appendonly no',
  'CONFIG RESETSTAT',
  'CONFIG REWRITE',
  'DEBUG SLEEP 0',
  'DEBUG OBJECT key',
  'SHUTDOWN',
  'SHUTDOWN NOSAVE',
  'SAVE',
  'BGSAVE',
  'BGREWRITEAOF',
  'LASTSAVE',
  'REPLICAOF NO ONE',
  'SLAVEOF 127.0.0.1 1',
  'FAILOVER',
  'SYNC',
  'PSYNC ? -1',
  'REPLCONF listening-port 1',
  'CLUSTER RESET',
  'ACL LIST',
  'ACL USERS',
  'ACL GETUSER default',
  'ACL SETUSER orderly +@all',
  'ACL SETUSER stranger on nopass ~* +@all',
  'ACL DELUSER default',
  'ACL LOAD',
  'ACL SAVE',
  'ACL LOG RESET',
  'MODULE LIST',
  'MODULE LOAD /nowhere.so',
  'KEYS *',
  'SORT key',
  'RESTORE key 0 x REPLACE',
  'MIGRATE 127.0.0.1 1 key 0 1',
  'MONITOR',
  'CLIENT KILL TYPE normal',
  'CLIENT PAUSE 1',
  'CLIENT NO-EVICT on',
  'FUNCTION FLUSH',
  'FUNCTION DELETE library',
  'FUNCTION RESTORE x',
  'SCRIPT FLUSH',
  'SCRIPT KILL',
  'SCRIPT DEBUG SYNC',
  'SCRIPT DEBUG YES',
  'MEMORY PURGE',
  'MEMORY MALLOC-STATS',
  'SLOWLOG RESET',
  'LATENCY RESET',
  'LATENCY DOCTOR',
].map((text) => text.split(' '))

/** What Orderly, BullMQ, and a store of executions send beside what the suites below run. */
const allowed = [
  'INFO',
  'INFO persistence',
  'ROLE',
  'SLOWLOG GET 10',
  'SLOWLOG LEN',
  'LATENCY LATEST',
  'LATENCY HISTORY command',
  'MEMORY USAGE key',
  'CLIENT LIST',
  'CLIENT SETNAME orderly',
  'CLIENT GETNAME',
  'CLIENT ID',
  'COMMAND COUNT',
  'DBSIZE',
  'SCAN 0 MATCH order:* COUNT 1000',
  'OBJECT ENCODING key',
  'DUMP key',
  'SET execution true EX 60',
  'HSET execution-results task 1',
  'HGETALL execution-results',
  'HDEL execution-results task',
  'EXPIRE execution 60',
  'PEXPIRE execution 60000 NX',
  'DEL execution',
  'SCRIPT LOAD return',
  'SCRIPT EXISTS da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'EVAL return 0',
  'XADD events MAXLEN ~ 10 * a b',
  'XTRIM events MAXLEN ~ 10',
  'XREAD COUNT 1 STREAMS events 0',
  'BZPOPMIN marker 0.01',
  'BRPOPLPUSH wait active 0.01',
  'BLMOVE wait active RIGHT LEFT 0.01',
  'MULTI',
  'SET key value',
  'EXEC',
  'SELECT 1',
].map((text) => text.split(' '))

/** Redis refuses the last two to everybody, before it looks at the user. */
const noPermission = { error: expect.stringMatching(/^(NOPERM |ERR (DEBUG|MODULE) command not allowed)/) }

describeWithRedis('the application’s user', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await startOwnServer()
  })
  afterAll(() => server.stop())

  const asked = async (user: 'orderly' | 'default', ...commands: string[][]): Promise<readonly unknown[]> =>
    (await (await server.open(user)).call(commands)).map(textReply)

  it.each(forbidden.map((words) => [words.join(' '), words] as const))('may not %s', async (_, words) => {
    await asked('default', ['SET', 'key', 'value'])

    expect(await asked('orderly', words, ['GET', 'key'])).toEqual([noPermission, 'value'])
  })

  it('may not do any of it in a script or in a transaction', async () => {
    const script = 'return redis.call(unpack(ARGV))'
    for (const words of [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['KEYS', '*'], ['DEBUG', 'SLEEP', '0']]) {
      const [inScript, multi, queued, exec] = await asked(
        'orderly',
        ['EVAL', script, '0', ...words],
        ['MULTI'],
        words,
        ['EXEC'],
      )

      expect(inScript).toEqual({ error: expect.stringMatching(/can't run this command|not allowed from script/) })
      expect([multi, queued, exec]).toEqual(['OK', noPermission, { error: expect.stringMatching(/^EXECABORT/) }])
    }
  })

  it('may of all that Redis calls dangerous or administration do what redis.conf names', async () => {
    const admin = await server.open('default')
    const [dangerous, administration, rules] = await admin.call([
      ['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'dangerous'],
      ['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'admin'],
      ['ACL', 'GETUSER', 'orderly'],
    ])
    const names = [...new Set([...namesIn(dangerous), ...namesIn(administration)])]
    const infos = (await admin.call([['COMMAND', 'INFO', ...names]]))[0]
    const arities = Array.isArray(infos) ? infos.map((info) => (Array.isArray(info) ? Number(info[1]) : 0)) : []

    const verdicts = await admin.call(
      names.map((name, at) => {
        const words = name.split('|')
        const more = Array.from({ length: Math.abs(arities[at] ?? 0) - words.length }, () => 'x')
        return ['ACL', 'DRYRUN', 'orderly', ...words, ...more]
      }),
    )
    const mayRun = names.filter((_, at) => !/has no permissions/.test(String(textReply(verdicts[at] ?? null))))

    expect(names.length).toBeGreaterThan(60)
    expect(JSON.stringify(textReply(rules ?? null))).toContain('-@admin')
    expect(mayRun.toSorted()).toEqual(
      ['client|list', 'info', 'latency|history', 'latency|latest', 'role', 'slowlog|get', 'slowlog|len'].toSorted(),
    )
  })

  it('may do what Orderly, BullMQ and a store of executions need', async () => {
    const replies = await asked('orderly', ...allowed)

    expect(allowed.flatMap((words, at) => (isRefusal(replies[at]) ? [[words.join(' '), replies[at]]] : []))).toEqual([])
  })

  it('is enough for what Orderly does with its own Redis, which it finds by the parts of its address', async () => {
    const env = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(server.port),
      REDIS_USERNAME: 'orderly',
      REDIS_PASSWORD: APPLICATION_PASSWORD,
    }

    for (const words of ['redis-check', 'redis status', 'sweep orders --apply']) {
      const { code, stdout, stderr } = await callOrderly([...words.split(' '), '--json'], { env })
      expect({ words, code, stdout, stderr }).toMatchObject({ code: 0 })
    }
    const refused = await callOrderly(['redis-check'], { env: { ...env, REDIS_PASSWORD: 'wrong' } })
    expect([refused.code, refused.stderr + refused.stdout]).toEqual([
      1,
      expect.stringContaining('refused the credentials'),
    ])
  })

  it('is enough for the sweeps over queues and executions', async () => {
    const env = {
      BULLMQ_REDIS_URL: server.url(),
      BULLMQ_QUEUES: '*',
      EXECUTIONS_REDIS_URL: server.url(),
      EXECUTIONS_PREFIX: 'run:',
    }
    await asked('orderly', ['SET', 'run:1', 'true'], ['HSET', 'bull:jobs:meta', 'opts.maxLenEvents', '10000'])

    for (const name of ['bullmq', 'executions']) {
      const { code, stdout, stderr } = await callOrderly(['sweep', name, '--apply', '--json'], { env })
      expect({ name, code, stdout, stderr }).toMatchObject({ code: 0 })
    }
  })

  it('is enough for a queue of BullMQ: add, work, look, clean and empty', async () => {
    const connection = { host: '127.0.0.1', port: server.port, username: 'orderly', password: APPLICATION_PASSWORD }
    const queue = new Queue('pipeline', { connection })
    const worker = new Worker('pipeline', async ({ name }) => `done ${name}`, { connection, autorun: false })
    const errors: string[] = []
    queue.on('error', ({ message }) => void errors.push(message))
    worker.on('error', ({ message }) => void errors.push(message))
    try {
      const allDone = new Promise<void>((resolve) => {
        let completed = 0
        worker.on('completed', () => ++completed === 20 && resolve())
      })
      void worker.run()
      await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({ name: `job ${n}`, data: { n } })))
      await allDone

      expect(await queue.getJobCounts('completed', 'wait', 'failed')).toEqual({ completed: 20, wait: 0, failed: 0 })
      expect(await queue.getWorkersCount()).toBe(1)
      await queue.add('later', {}, { delay: 3_600_000 })
      await queue.upsertJobScheduler('hourly', { every: 3_600_000 })
      await queue.pause()
      await queue.resume()
      expect(await queue.clean(0, 5, 'completed')).toHaveLength(5)
      await queue.trimEvents(5)
      await worker.close()
      await queue.obliterate({ force: true })
      expect(errors).toEqual([])
      expect(await asked('default', ['KEYS', 'bull:pipeline:*'])).toEqual([[]])
    } finally {
      await worker.close()
      await queue.close()
    }
  })
})

const namesIn = (reply: RawReply | undefined): string[] =>
  Array.isArray(reply) ? reply.map((name) => String(textReply(name))) : []

const isRefusal = (reply: unknown) => typeof reply === 'object' && reply !== null && 'error' in reply

describe.runIf(hasRedisServer)('as the application’s user', () => {
  describeTransport(
    'tcp',
    async () => {
      const server = await startOwnServer()
      const admin = await openResp(server.url('default'))
      return {
        connect: () => {
          const connection = createTcpConnection({ url: server.url(), deadlineMs: 10_000 })
          return {
            ...connection,
            // The suite empties the database, which is what this user may not.
            send: async (commands) =>
              commands[0]?.[0] === 'FLUSHDB'
                ? (await admin.call([['FLUSHDB']])).map(String)
                : connection.send(commands),
          }
        },
        stop: async () => {
          admin.close()
          await server.stop()
        },
      }
    },
    { 'empties the database': 'This user may not.' },
  )
})
