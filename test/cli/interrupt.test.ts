import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { callOrderly, envelopeOf, hasStackTrace, runOrderly, startOrderly } from '../support/cli.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'
import { startRestServer } from '../support/rest-server.ts'

const LOCK = 'orderly:lock:orders'

/** Enough orders for several requests of each kind; the first ones are of that day and stay. */
const RECENT = 300
const OLD = 5_300
const orders = Array.from({ length: RECENT + OLD }, (_, at) => {
  const createdAt = at < RECENT ? '2025-12-08T12:00:00+01:00' : '2025-12-01T12:00:00+01:00'
  return [`order:${at}`, JSON.stringify({ status: 'delivered', created_at: createdAt })]
})
const recent = orders.slice(0, RECENT).map(([key = '']) => key)

const PLAN = ['sweep', 'orders', '--as-of', '2025-12-08T21:00:00+01:00', '--json']
const SWEEP = [...PLAN, '--apply']

/** Milliseconds that an answer is held back, so that a signal comes through before it. */
const HELD_MS = 100

describeWithRedis('Ctrl-C during a sweep', () => {
  let redis: RedisServer
  let databases = 0
  const phases = new Set<string>()

  beforeAll(async () => {
    redis = await startRedisServer({ args: ['--databases', '64'] })
  })
  afterAll(async () => redis.stop())

  /** A full store of its own behind a REST server of its own, so that several tests can run at once. */
  async function withStore(work: (store: Awaited<ReturnType<typeof createStore>>) => Promise<void>): Promise<void> {
    const store = await createStore(`${redis.url}/${databases++}`)
    try {
      await work(store)
    } finally {
      await store.close()
    }
  }

  describe.concurrent('once', () => {
    it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])(
      'while request %i is under way ends with 130, or 0 where the work was done; nothing is half done',
      (number) =>
        withStore(async (store) => {
          const { moment, met } = store.atRequest(number)

          const run = await runOrderly(SWEEP, { env: store.env, signalAfter: moment })

          for (const name of met) phases.add(name)
          const deleted = OLD + RECENT - (await store.orderKeys()).length
          const { ok, data, error } = envelopeOf<SweepReport>(run)
          expect(run.signal).toBe(null)
          expect(run.code).toBe(deleted === OLD ? 0 : 130)
          expect(ok).toBe(run.code === 0)
          expect(data.deleted).toBe(deleted)
          expect(data.outcome).toBe(ok ? 'done' : 'stopped')
          expect(error?.code).toBe(ok ? undefined : 'INTERRUPTED')
          const note = '\nStopping after the current request. Ctrl-C again stops at once.\n'
          expect(run.stderr).toBe(met.length === 0 ? '' : note)
          await store.expectNothingHalfDone()
        }),
    )

    it.each([0, 150, 400])('%i ms after the start of the process does no harm', (ms) =>
      withStore(async (store) => {
        const run = await runOrderly(SWEEP, { env: store.env, signalAfter: ms })

        // Before the program is there to listen, the system ends it.
        expect(run.signal === 'SIGINT' || run.code === 130 || run.code === 0).toBe(true)
        expect(hasStackTrace(run)).toBe(false)
        await store.expectNothingHalfDone()
      }),
    )

    it('before the first request spends nothing', () =>
      withStore(async (store) => {
        const run = await callOrderly(SWEEP, { env: store.env, signal: AbortSignal.abort() })

        expect(run.code).toBe(130)
        expect(envelopeOf<SweepReport>(run).data).toMatchObject({ outcome: 'stopped', deleted: 0, billedCommands: 0 })
        expect(store.requests()).toBe(0)
      }))

    it('stops a dry run, too', () =>
      withStore(async (store) => {
        const run = await runOrderly(PLAN, { env: store.env, signalAfter: store.atRequest(3).moment })

        expect(run.code).toBe(130)
        expect(envelopeOf<SweepReport>(run)).toMatchObject({
          error: { code: 'INTERRUPTED' },
          data: { outcome: 'stopped' },
        })
        expect(await store.orderKeys()).toHaveLength(RECENT + OLD)
      }))

    it('as SIGTERM stops in the same way', () =>
      withStore(async (store) => {
        const { moment } = store.atRequest(4)
        const { child, ended } = startOrderly(SWEEP, { env: store.env })
        await moment
        child.kill('SIGTERM')

        expect(await ended).toMatchObject({ code: 130, signal: null })
        await store.expectNothingHalfDone()
      }))
  })

  it('was tried in every phase of a run', () => {
    expect([...phases]).toEqual(expect.arrayContaining(['SET', 'SCAN', 'MGET', 'UNLINK', 'XADD', 'EVAL']))
  })

  it('is compared with the plan of a dry run: every old order and no other', () =>
    withStore(async ({ env, orderKeys }) => {
      const { data } = envelopeOf<SweepReport>(await callOrderly(PLAN, { env }))

      expect(data).toMatchObject({ scanned: RECENT + OLD, due: OLD, kept: RECENT, deleted: 0 })
      expect(await orderKeys()).toHaveLength(RECENT + OLD)
    }))

  it('a second time ends at once, and the lock frees itself', () =>
    withStore(async (store) => {
      store.hangAt('SCAN')
      const { child, ended, says } = startOrderly(SWEEP, { env: store.env })
      while ((await store.ask('EXISTS', LOCK)) === 0) await sleep(20)

      child.kill('SIGINT')
      await says('Ctrl-C again stops at once')
      const pressedAt = performance.now()
      child.kill('SIGINT')
      const run = await ended

      expect(run).toMatchObject({ code: null, signal: 'SIGINT', stdout: '' })
      expect(performance.now() - pressedAt).toBeLessThan(1_000)
      expect(hasStackTrace(run)).toBe(false)
      expect(Number(await store.ask('TTL', LOCK))).toBeGreaterThan(0)
      await store.expectNothingHalfDone()
    }))
})

async function createStore(redisUrl: string) {
  const connection = await openResp(redisUrl)
  const rest = await startRestServer({ redisUrl })
  await connection.call([['MSET', ...orders.flat()]])
  const env = { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token, LOG_LEVEL: 'silent' }
  const ask = async (...command: string[]) => textReply((await connection.call([command]))[0] ?? null)
  const orderKeys = async () => (await ask('KEYS', 'order:*')) as readonly string[]

  return {
    env,
    ask,
    orderKeys,
    requests: () => rest.requests,
    /** Resolves when the request with this number arrives; `met` are its commands. */
    atRequest: (number: number) => {
      const met: string[] = []
      const moment = new Promise<void>((resolve) => {
        rest.faults.onRequest = (commands, index) => {
          if (index !== number) return 'pass'
          met.push(...commands.map(([name = '']) => name))
          resolve()
          return { delayMs: HELD_MS }
        }
      })
      return { moment, met }
    },
    hangAt: (name: string) => {
      rest.faults.onRequest = (commands) => (commands.some(([word]) => word === name) ? 'hang' : 'pass')
    },
    /** What must be true after any interruption; the next run then completes exactly the rest. */
    expectNothingHalfDone: async () => {
      delete rest.faults.onRequest
      const left = new Set(await orderKeys())
      // The plan is every old order, so what went must be old.
      expect(recent.filter((key) => !left.has(key))).toEqual([])
      const ttl = Number(await ask('TTL', LOCK))
      expect(ttl === -2 || (ttl > 0 && ttl <= 120)).toBe(true)
      await ask('DEL', LOCK)

      const next = envelopeOf<SweepReport>(await callOrderly(SWEEP, { env }))

      const due = left.size - RECENT
      expect(next.data).toMatchObject({ outcome: 'done', due, deleted: due, kept: RECENT })
      expect((await orderKeys()).toSorted()).toEqual(recent.toSorted())
    },
    close: async () => {
      connection.close()
      await rest.stop()
    },
  }
}
