import { Queue, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { callOrderly, envelopeOf, type Env } from '../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp } from '../support/resp.ts'

const sweep = async (words: readonly string[], env: Env) => {
  const run = await callOrderly(['sweep', ...words, '--json'], { env })
  return { code: run.code, ...envelopeOf<SweepReport>(run) }
}

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()

/** Nobody listens there. */
const GONE = {
  BULLMQ_REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
  BULLMQ_QUEUES: '*',
  EXECUTIONS_REDIS_URL: 'redis://:gEheim@127.0.0.1:1',
  EXECUTIONS_PREFIX: 'flow:',
}

describe('orderly sweep bullmq and orderly sweep executions', () => {
  it.each([
    ['bullmq', 'BULLMQ_REDIS_URL'],
    ['executions', 'EXECUTIONS_REDIS_URL'],
  ])('name the variable that %s needs', async (name, variable) => {
    const { code, command, data, error } = await sweep([name], {})

    expect({ code, command, data }).toEqual({ code: 1, command: `sweep ${name}`, data: null })
    expect(error?.message).toContain(`${variable} is required for the sweep over ${name}.`)
  })

  it.each([
    ['executions', ['--queue', 'mails']],
    ['orders', ['--queue', 'mails']],
    ['bullmq', ['--organization', 'acme']],
    ['bullmq', ['--file', 'orders.jsonl']],
    ['bullmq', ['--queue']],
  ])('refuse for %s as wrong use: %j', async (name, words) => {
    const { code, command, error } = await sweep([name, ...words], GONE)

    expect({ code, command, error }).toMatchObject({ code: 2, command: `sweep ${name}`, error: { code: 'WRONG_USE' } })
  })

  it.each(['bullmq', 'executions'])('say of %s that its Redis is unreachable, without its address', async (name) => {
    const { code, error } = await sweep([name], GONE)

    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'REDIS_UNREACHABLE' } })
    expect(JSON.stringify(error)).not.toContain('gEheim')
  })
})

describeWithRedis('orderly sweep over real queues and executions', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.stop())
  afterEach(async () => {
    await ask('FLUSHALL')
  })

  const ask = async (...command: readonly string[]) => {
    const connection = await openResp(server.url)
    const [reply] = await connection.call([command])
    connection.close()
    return reply
  }

  const env = (): Env => ({
    BULLMQ_REDIS_URL: server.url,
    BULLMQ_QUEUES: 'mails, invoices',
    BULLMQ_COMPLETED_KEEP: '2',
    EXECUTIONS_REDIS_URL: server.url,
    EXECUTIONS_PREFIX: 'flow:',
    LOG_LEVEL: 'silent',
  })

  /** So many jobs of a queue, all of them done. */
  const runJobs = async (name: string, jobs: number) => {
    const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
    const queue = new Queue(name, { connection })
    const worker = new Worker(name, async () => 'done', { connection })
    await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: {} })))
    await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBe(jobs), { timeout: 20_000 })
    await worker.close()
    await queue.close()
  }

  it('shows what would go of all queues or of one and changes nothing, then deletes exactly that', async () => {
    await runJobs('mails', 7)
    await runJobs('invoices', 4)

    const all = await sweep(['bullmq'], env())
    expect(all).toMatchObject({ code: 0, data: { outcome: 'planned', due: 5 + 2, kept: 4, deleted: 0 } })
    const done = await sweep(['bullmq', '--queue', 'invoices', '--apply'], env())

    expect(done).toMatchObject({ code: 0, data: { outcome: 'done', due: 2, deleted: 2 } })
    expect([await ask('ZCARD', 'bull:mails:completed'), await ask('ZCARD', 'bull:invoices:completed')]).toEqual([7, 2])
    expect(await sweep(['bullmq', '--apply'], env())).toMatchObject({ code: 0, data: { deleted: 5 } })
  })

  it('tells a person at a terminal which bounds hold and how to delete', async () => {
    await runJobs('mails', 3)
    const { code, stdout } = await callOrderly(['sweep', 'bullmq'], { env: env() })

    expect(code).toBe(0)
    expect(stdout).toContain('mails')
    expect(stdout).toContain('Add --apply to delete.')
  })

  it('remembers executions at applied runs only, and counts as due those that did not change for a day', async () => {
    await ask('HSET', 'flow:1-results', 'a', '1')
    const dueIn = async (hours: number) => (await sweep(['executions', '--as-of', inHours(hours)], env())).data.due

    await sweep(['executions'], env())
    expect(await dueIn(25)).toBe(0)
    expect(await sweep(['executions', '--apply'], env())).toMatchObject({ code: 0, data: { kept: 1, deleted: 0 } })
    expect([await dueIn(23), await dueIn(25)]).toEqual([0, 1])
    await ask('HSET', 'flow:1-results', 'b', '2')

    expect(await dueIn(25)).toBe(0)
  })
})
