import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseError } from '../../../src/errors.ts'
import type { SweepReport } from '../../../src/sweeps/report.ts'
import type { Database } from '../../../src/postgres/queryable.ts'
import { type Copies, fixtureKinds } from '../../support/inngest-copies.ts'
import type { SweepTask } from '../../support/inngest-process.ts'
import { runsIn } from '../../support/inngest-readers.ts'
import { fillRedis, redisContent, storeKeys } from '../../support/inngest-redis.ts'
import {
  askRedis,
  createInngestRig,
  brokenRuns,
  keysAfter,
  rowsAfter,
  rowsIn,
  type InngestRig,
  type InngestRigOptions,
} from '../../support/inngest-rig.ts'
import { type Scratch, scratchKinds } from '../../support/inngest-scratch.ts'
import type { Counts } from '../../support/inngest-truth.ts'
import { hasPostgres } from '../../support/postgres-server.ts'
import { hasRedisServer, testRedis, type TestRedis } from '../../support/redis-server.ts'
import { lively, now, variety } from '../../support/inngest-variety.ts'
import { failure, type OnRequest, watched } from '../../support/transport.ts'

const kinds = (['PostgreSQL', 'SQLite'] as const).filter((kind) => kind !== 'PostgreSQL' || hasPostgres)

/** What the lease of a lock does by itself, two minutes later. */
const releaseLock = async (redisUrl: string) => await askRedis(redisUrl, ['DEL', 'orderly:lock:inngest'])

/** Whether to interrupt after it: a session of PostgreSQL that only read leaves nothing behind, one of SQLite might. */
const isMeant = (kind: string, sql = '') => kind === 'SQLite' || !/^\s*SELECT/.test(sql)

describe.skipIf(!hasRedisServer).each(kinds)('a sweep in %s that is interrupted', (kind) => {
  let scratch: Scratch
  let redis: TestRedis
  let rig: InngestRig
  /** Called after each statement, and after each transaction. */
  let afterStatement: ((sql?: string) => void) | undefined
  let onRequest: OnRequest | undefined
  let before: ReadonlyMap<string, Counts>
  let uninterrupted: SweepReport
  let expected: Awaited<ReturnType<typeof content>>

  const content = async () => ({ rows: await rowsIn(scratch.database), keys: (await redisContent(redis.url)).keys })

  const reset = async () => {
    await redis.flush()
    await storeKeys(redis.url, variety.keys)
    await scratch.put(variety.rows)
  }

  const aroundSql = (sql: Database): Database => ({
    ...sql,
    query: async (text, values) => {
      const answer = await sql.query(text, values)
      afterStatement?.(text)
      return answer
    },
    transaction: async (work) => {
      const result = await sql.transaction(work)
      afterStatement?.()
      return result
    },
  })

  beforeAll(async () => {
    redis = await testRedis()
    scratch = await scratchKinds[kind]()
    rig = createInngestRig({
      database: scratch.database,
      redisUrl: redis.url,
      now,
      config: { batchSize: 3 },
      aroundSql,
      aroundRedis: (send) => {
        const watch = watched(send)
        watch.onRequest = (commands, carryOut) => onRequest?.(commands, carryOut) ?? carryOut()
        return watch.send
      },
    })
    await reset()
    before = await runsIn(scratch.database)
    uninterrupted = (await rig.sweep()).report
    await rig.sweep()
    expected = await content()
  }, 120_000)
  afterAll(async () => {
    await rig.close()
    await scratch.stop()
    await redis.stop()
  })

  it('not at all deletes what is due, and nothing else', () => {
    expect(uninterrupted).toMatchObject({ outcome: 'done', deleted: 6, keptOpen: 3, kept: 1 })
    expect(Object.keys(expected.rows.runs)).toHaveLength(5)
    expect(expected.keys).toEqual([
      ...lively.keys.map(({ key }) => key).toSorted(),
      expect.stringMatching(/^\{queue\}/),
    ])
  })

  it('after every statement leaves whole runs only, and the same rows when it is repeated', async () => {
    let statements = 0
    for (let last = 1; last === 1 || statements >= last - 1; last++) {
      await reset()
      statements = 0
      afterStatement = (sql) => {
        if (isMeant(kind, sql) && ++statements === last)
          throw new DatabaseError('DATABASE_UNREACHABLE', 'A test broke the connection.')
      }
      const { report } = await rig.sweep()
      afterStatement = undefined
      expect(await brokenRuns(scratch.database, before)).toEqual([])
      expect(`${report.outcome}: ${report.because}`).toMatch(/^done|^failed: A test broke the connection/)
      await rig.sweep()
      expect(await rowsIn(scratch.database), `after statement ${last}`).toEqual(expected.rows)
    }
    expect(statements).toBeGreaterThan(40)
  }, 120_000)

  it.each([
    ['before Redis has', false],
    ['after Redis has', true],
  ])(
    'by a connection that breaks %s carried out any of its requests, ends the same',
    async (_, isCarriedOut) => {
      let requests = 0
      for (let last = 1; last === 1 || requests >= last - 1; last++) {
        await reset()
        requests = 0
        onRequest = async (_commands, carryOut) => {
          const isLost = ++requests >= last
          const replies = isLost && !isCarriedOut ? [] : await carryOut()
          if (isLost) throw failure('REDIS_UNREACHABLE')
          return replies
        }
        const { report } = await rig.sweep()
        onRequest = undefined
        expect(report.outcome).toMatch(/^(done|skipped)$/)
        expect(await brokenRuns(scratch.database, before)).toEqual([])
        // Another holder of the lock is what a lost answer to taking it looks like; it goes with its lease.
        await releaseLock(redis.url)
        await rig.sweep()
        await rig.sweep()
        expect(await content(), `after request ${last}`).toEqual(expected)
      }
      expect(requests).toBeGreaterThan(10)
    },
    60_000,
  )
})

describe.skipIf(!hasRedisServer).each(kinds)('the frozen server state in %s', (kind) => {
  let copies: Copies
  let redis: TestRedis
  let options: InngestRigOptions
  let before: ReadonlyMap<string, Counts>
  beforeAll(async () => {
    redis = await testRedis()
    copies = await fixtureKinds[kind === 'SQLite' ? 'SQLite, batches of bytes' : kind]()
    const original = await copies.fresh()
    before = await runsIn(original)
  }, 120_000)
  beforeEach(async () => {
    await redis.flush()
    await fillRedis(redis.url)
    options = { database: await copies.fresh(), redisUrl: redis.url }
  })
  afterAll(async () => {
    await copies.stop()
    await redis.stop()
  })

  /** Two passes, for state goes when it was seen on two. */
  const finish = async () => {
    const rig = createInngestRig(options)
    await rig.sweep()
    await rig.sweep()
    await rig.close()
    expect(await rowsIn(options.database)).toEqual(rowsAfter('redis'))
    expect((await redisContent(redis.url)).keys).toEqual(keysAfter())
  }

  it('is swept in the end when every run of the sweep is stopped after the first page of which something went', async () => {
    const rig = createInngestRig({ ...options, config: { batchSize: 40 } })
    let stops = 0
    for (let isOver = false; !isOver;) {
      const stop = new AbortController()
      const { report } = await rig.sweep({
        signal: stop.signal,
        onProgress: ({ parts }) => {
          if (parts?.some(({ deleted }) => deleted > 0) === true) stop.abort()
        },
      })
      expect(await brokenRuns(options.database, before)).toEqual([])
      isOver = report.outcome === 'done'
      expect(report.outcome).toMatch(/^(done|stopped)$/)
      stops += isOver ? 0 : 1
    }
    await rig.close()
    expect(stops).toBeGreaterThan(10)
    await finish()
  }, 120_000)

  it('is swept in the end when the process is killed in the midst of a transaction', async () => {
    const task: SweepTask = { options: { ...options, config: { batchSize: 10 } }, hangAfterDeletions: 25 }
    const words = [
      '--import',
      'tsx',
      join(import.meta.dirname, '../../support/inngest-process.ts'),
      JSON.stringify(task),
    ]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await once(child.stdout, 'data')
    expect(JSON.parse(String(said))).toEqual({ hangs: true })
    child.kill('SIGKILL')
    await once(child, 'exit')

    expect(await brokenRuns(options.database, before)).toEqual([])
    const remaining = (await runsIn(options.database)).size
    expect(remaining).toBeLessThan(before.size)
    expect(remaining).toBeGreaterThan(Object.keys(rowsAfter('redis').runs).length)
    await releaseLock(redis.url)
    await finish()
  }, 120_000)
})
