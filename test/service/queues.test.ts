import { Queue, Worker } from 'bullmq'
import { afterEach, expect, it, vi } from 'vitest'
import { ADMIN, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { describeWithRedis } from '../support/redis-server.ts'

/** Waits until it holds, also on a busy machine. */
const patiently = (holds: () => unknown) => vi.waitFor(holds, { timeout: 20_000, interval: 50 })

const API_TOKEN = 'APISECRET-0123456789'

describeWithRedis('a service with queues and executions', () => {
  let rig: ServiceRig
  afterEach(() => rig.stop())

  /** On the Redis of the rig, as who has only one. */
  const start = async () => {
    rig = await startServiceRig({ isStarted: false })
    await rig.start({
      SWEEP_ENABLED: 'false',
      API_TOKEN,
      BULLMQ_REDIS_URL: rig.redis.url,
      BULLMQ_QUEUES: '*',
      BULLMQ_COMPLETED_KEEP: '2',
      EXECUTIONS_REDIS_URL: rig.redis.url,
      EXECUTIONS_PREFIX: 'flow:',
    })
    await patiently(async () => expect(await slots()).not.toContain(''))
  }

  const slots = async () => {
    const found = await Promise.all(['bullmq', 'executions'].map((name) => rig.ask('GET', `orderly:schedule:${name}`)))
    return found.map((slot) => (typeof slot === 'string' ? slot : ''))
  }

  /** Wakes the service, as a pinger does again and again, until its slots are these. */
  const wakeUntil = (expected: readonly string[]) =>
    patiently(async () => {
      expect((await fetch(`${rig.url()}/healthz`)).status).toBe(200)
      expect(await slots()).toEqual(expected)
    })

  /** Five jobs of the queue `mails`, all of them done. */
  const runJobs = async () => {
    const connection = { host: '127.0.0.1', port: rig.redis.port, maxRetriesPerRequest: null }
    const queue = new Queue('mails', { connection })
    const worker = new Worker('mails', async () => 'sent', { connection })
    await queue.addBulk(Array.from({ length: 5 }, (_, at) => ({ name: 'send', data: { at } })))
    await patiently(async () => expect(await queue.getCompletedCount()).toBe(5))
    await worker.close()
    await queue.close()
  }

  const said = () => rig.telegram.chat(ADMIN).messages.flatMap(({ isFromBot, text }) => (isFromBot ? [text] : []))
  const answerTo = async (text: string, like: RegExp) => {
    rig.telegram.say(ADMIN, ADMIN, text)
    await patiently(() => expect(said().join('\n\n')).toMatch(like))
    return said().findLast((one) => like.test(one)) ?? ''
  }

  it('sweeps both by their schedules, and tells nobody of a quiet hour', async () => {
    await start()
    expect(await slots()).toEqual(['2025-12-08T20:17', '2025-12-08T20:37'])
    await runJobs()
    await rig.ask('HSET', 'flow:1-results', 'a', '1')

    rig.clock.moveTo('2025-12-08T21:38:00+01:00')
    await wakeUntil(['2025-12-08T21:17', '2025-12-08T21:37'])
    expect(await rig.ask('ZCARD', 'bull:mails:completed')).toBe(2)
    expect(await rig.ask('EXISTS', 'flow:1-results')).toBe(1)

    // More than half a day between two looks would not count in full; a whole day is not enough yet.
    for (const hour of ['09', '21']) {
      rig.clock.moveTo(`2025-12-09T${hour}:38:00+01:00`)
      await wakeUntil([`2025-12-09T${hour}:17`, `2025-12-09T${hour}:37`])
      expect(await rig.ask('EXISTS', 'flow:1-results')).toBe(1)
    }
    rig.clock.moveTo('2025-12-09T22:38:00+01:00')
    await wakeUntil(['2025-12-09T22:17', '2025-12-09T22:37'])

    expect(await rig.ask('EXISTS', 'flow:1-results')).toBe(0)
    expect(said()).toEqual([])
    const status = await answerTo('/status', /Last queue cleanup:/)
    expect(status).toMatch(/Last queue cleanup: .*, done, \d+ deleted/)
    expect(status).toMatch(/Last execution cleanup: .*, done, 1 deleted/)
  })

  it('answers /cleanup bullmq and /cleanup executions, and asks first where days are given', async () => {
    await start()
    await runJobs()

    expect(await answerTo('/cleanup bullmq preview', /would delete/)).toContain('A queue cleanup would delete 3 jobs.')
    expect(await answerTo('/cleanup bullmq', /complete!/)).toContain('✅ Queue cleanup complete!')
    expect(await rig.ask('ZCARD', 'bull:mails:completed')).toBe(2)
    expect(await answerTo('/cleanup executions 3', /execution cleanup/)).toContain('would delete 0 executions')
    expect(await answerTo('/help', /cleanup bullmq/)).toContain('/cleanup executions [days] [preview]')
  })

  it('shows how its Redis are in the chat and to a Prometheus that knows the token', async () => {
    await start()
    await runJobs()

    expect(await answerTo('/redis', /bullmq/i)).toMatch(/maxmemory|memory/i)
    const refused = await fetch(`${rig.url()}/metrics`)
    const scraped = await fetch(`${rig.url()}/metrics`, { headers: { authorization: `Bearer ${API_TOKEN}` } })

    expect(refused.status).toBe(401)
    expect(scraped.status).toBe(200)
    const text = await scraped.text()
    expect(text).toContain('orderly_redis_up{store="orders"} 1')
    expect(text).toMatch(/orderly_redis_queue_\w+\{store="bullmq",queue="mails",state="completed"\} 5/)
    expect(rig.log()).not.toContain(API_TOKEN)
  })
})
