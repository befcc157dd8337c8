import type * as timers from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection } from '../../src/redis/transport.ts'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { startRestServer, type Fault, type RestServer } from '../support/rest-server.ts'
import { openStage, sweepThrough, type Stage, type Troubled } from '../support/troubled-sweep.ts'

// The pauses before a repetition are 1.2 s in all; here they are 20 times shorter.
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof timers>()
  return { ...real, setTimeout: (ms: number) => real.setTimeout(ms / 20) }
})

const DEADLINE_MS = 500

/** More requests than any run makes. A fault at a later one simply does not happen. */
const EVERY = Array.from({ length: 25 }, (_, number) => number)

const STAYS = /The lock stays for up to 2 minutes/
const done = { outcome: 'done', code: null }
const failed = { outcome: 'failed', code: 'REDIS_UNREACHABLE' }
const limited = { outcome: 'stopped', code: 'REDIS_LIMIT' }
const interrupted = { outcome: 'stopped', code: 'INTERRUPTED' }
const isSweeping = (hit: string) => hit !== 'XADD' && hit !== 'EVAL'

describeWithRedis('the order pruner over REST', () => {
  let server: RedisServer
  let rest: RestServer
  let connection: Connection
  let direct: Connection
  let stage: Stage
  /** Numbers of the requests of an undisturbed run: all but most of the SCANs, of which there are many alike. */
  let some: readonly number[]
  let writes: readonly number[]
  beforeAll(async () => {
    server = await startRedisServer()
    rest = await startRestServer({ redisUrl: server.url })
    connection = createUpstashConnection({ url: rest.url, token: rest.token, deadlineMs: DEADLINE_MS })
    direct = createTcpConnection({ url: server.url, deadlineMs: 5_000 })
    stage = await openStage(server.url, direct)
    await stage.reset()
    await stage.expectPlanned()
    const { requests } = await stage.rehearse()
    const numbers = [...requests.keys()]
    const scans = numbers.filter((at) => requests[at] === 'SCAN')
    const alike = new Set(scans.slice(1, -1))
    some = numbers.filter((at) => !alike.has(at))
    writes = numbers.filter((at) => requests[at] === 'SET' || requests[at] === 'XADD')
  })
  afterAll(async () => {
    stage.close()
    await connection.close()
    await direct.close()
    await rest.stop()
    await server.stop()
  })
  beforeEach(() => {
    delete rest.faults.onRequest
  })

  /** A run whose request number `at` suffers a fault, and all later ones too where it lasts. */
  const sweepWith = async (fault: Fault, at: number, lasts: boolean) => {
    await stage.reset()
    const first = rest.requests
    let hit: string | undefined
    let answeredAt = Infinity
    rest.faults.onRequest = (commands, index) => {
      const number = index - first
      if (number === at) hit = commands[0]?.[0]
      return number === at || (lasts && number > at) ? fault : 'pass'
    }
    let sentAfter = 0
    const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
      if (answeredAt < Infinity) sentAfter += 1
      try {
        const replies = await carryOut()
        if (replies.some((reply) => reply instanceof Error)) answeredAt = Math.min(answeredAt, index)
        return replies
      } catch (error) {
        answeredAt = Math.min(answeredAt, index)
        throw error
      }
    })
    delete rest.faults.onRequest
    return { ...run, hit, sentAfter }
  }

  it.each([
    ['once', 'limit', false],
    ['from then on', 'limit-whole', true],
  ] as const)('stops and asks nothing more when a request is refused for the limit, %s', async (_, fault, lasts) => {
    for (const at of EVERY) {
      const { report, code, hit, sentAfter } = await sweepWith(fault, at, lasts)
      if (hit === undefined) break

      expect({ hit, sentAfter }).toEqual({ hit, sentAfter: 0 })
      expect({ outcome: report.outcome, code }).toEqual(isSweeping(hit) ? limited : done)
      expect(report.because).toMatch(/limit is reached/)
      expect(await stage.expectOnlyDueGone()).toBe(report.deleted)
      await stage.expectRestGoes()
    }
  })

  it.each([
    ['once', false],
    ['from then on', true],
  ])('makes room although storage is full at a write, %s', async (_, lasts) => {
    for (const at of writes) {
      const { report, code, hit } = await sweepWith('full', at, lasts)
      if (hit === undefined) break

      expect({ outcome: report.outcome, code }).toEqual(done)
      expect(report.because).toMatch(hit === 'SET' ? /no room for the lock/ : /not in the history/)
      expect(await stage.expectOnlyDueGone()).toBe(report.deleted)
      await stage.expectRestGoes()
    }
  })

  it.each(['html-502', 'reset-before', 'reset-after', 'hang'] as const)(
    'completes or says what is unknown when a request meets %s',
    async (fault) => {
      for (const at of some) {
        const run = await sweepWith(fault, at, false)
        if (run.hit === undefined) break

        expectEnding(run, run.hit)
        const gone = await stage.expectOnlyDueGone()
        const isGoneUnheard = run.hit === 'UNLINK' && fault === 'reset-after'
        expect(gone > run.report.deleted).toBe(isGoneUnheard)
        await stage.expectRestGoes()
      }
    },
  )

  it('fails within bounds when nothing gets through from any request on', async () => {
    for (const at of some) {
      const { report, code, hit } = await sweepWith('html-502', at, true)
      if (hit === undefined) break

      expect({ outcome: report.outcome, code }).toEqual(isSweeping(hit) ? failed : done)
      expect(await stage.expectOnlyDueGone()).toBe(report.deleted)
      await stage.expectRestGoes()
    }
  })

  it('stops at the next request after an interruption, records it and gives the lock back', async () => {
    for (const at of some) {
      await stage.reset()
      const abort = new AbortController()
      const { report, code, requests } = await sweepThrough(
        connection,
        { signal: abort.signal },
        async (_, index, carryOut) => {
          if (index === at) abort.abort()
          return carryOut()
        },
      )
      if (requests.length <= at) break

      const isLast = requests.slice(at + 1).length <= 2 && requests[at] !== 'SET'
      const wasOver = isLast && report.outcome === 'done'
      expect({ outcome: report.outcome, code }).toEqual(wasOver ? done : interrupted)
      expect(requests.slice(at + 1).filter((name) => name !== 'XADD' && name !== 'EVAL')).toEqual([])
      expect(requests.at(-1)).toBe('EVAL')
      expect(await stage.expectOnlyDueGone()).toBe(report.deleted)
      await stage.expectRestGoes()
    }
  })
})

/** Reads and the lock are repeated; a deletion is not; of a report or a release that failed the run only tells. */
function expectEnding({ report, code }: Troubled, hit: string) {
  expect({ outcome: report.outcome, code }).toEqual(hit === 'UNLINK' ? failed : done)
  const because =
    hit === 'UNLINK' ? /unknown how many/ : isSweeping(hit) ? /^(A request had to be repeated.*)?$/ : STAYS
  expect(report.because ?? '').toMatch(because)
}
