import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Command, Reply } from '../../../src/redis/transport.ts'
import { aRun, together } from '../../support/inngest-history.ts'
import { runsIn } from '../../support/inngest-readers.ts'
import { redisContent, storeKeys } from '../../support/inngest-redis.ts'
import {
  askRedis,
  createInngestRig,
  partOf,
  sweepInngest,
  type InngestRig,
  type InngestRigOptions,
} from '../../support/inngest-rig.ts'
import { type Scratch, scratchKinds } from '../../support/inngest-scratch.ts'
import { ago, now, variety } from '../../support/inngest-variety.ts'
import { describeWithPostgres } from '../../support/postgres-server.ts'
import { hasRedisServer, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { failure, type OnRequest, watched } from '../../support/transport.ts'

describeWithPostgres('what an unsure Redis keeps a sweep from', () => {
  if (!hasRedisServer) return
  let scratch: Scratch
  let redis: RedisServer
  let onRequest: OnRequest | undefined
  let options: InngestRigOptions
  let rig: InngestRig
  let before: Awaited<ReturnType<typeof content>>

  const content = async () => ({ runs: await runsIn(scratch.database), keys: (await redisContent(redis.url)).keys })

  const put = async ({ rows, keys }: typeof variety) => {
    await askRedis(redis.url, ['FLUSHALL'])
    await storeKeys(redis.url, keys)
    await scratch.put(rows)
    before = await content()
  }

  beforeAll(async () => {
    redis = await startRedisServer()
    scratch = await scratchKinds.PostgreSQL()
    options = { database: scratch.database, redisUrl: redis.url, now, config: { batchSize: 3 } }
    rig = createInngestRig({
      ...options,
      aroundRedis: (send) => {
        const watch = watched(send)
        watch.onRequest = (commands, carryOut) => onRequest?.(commands, carryOut) ?? carryOut()
        return watch.send
      },
    })
  }, 60_000)
  beforeEach(async () => await put(variety))
  afterAll(async () => {
    await rig.close()
    await scratch.stop()
    await redis.stop()
  })

  /** Finished runs went, and nothing else of runs or state. */
  async function expectOnlyFinished(report: Awaited<ReturnType<typeof sweepInngest>>, because = ''): Promise<void> {
    const after = await content()
    const unfinished = [...before.runs].filter(([, rows]) => !('function_finishes' in rows))
    expect(report.outcome).toBe('done')
    expect(report.mode).toMatch(/^without Redis: finished runs go by age, every unfinished run and all state is kept\./)
    expect(report.mode).toContain(because)
    expect(report).toMatchObject({ deleted: 3, keptOpen: unfinished.length })
    for (const [id, rows] of unfinished) expect(after.runs.get(id)).toEqual(rows)
    expect(after.keys).toEqual(before.keys)
  }

  /** An earlier pass has seen all state that is orphaned, so that this one would delete it. */
  const seeOrphans = async () => {
    expect((await rig.sweep({ days: 365 })).report.deleted).toBe(0)
  }

  /** A run of which the nth request is spoilt; undefined where the walk was over before. */
  const sweepSpoilt = async (nth: number, spoil: OnRequest) => {
    await put(variety)
    await seeOrphans()
    let requests = 0
    let isWalkOver = false
    onRequest = async (commands, carryOut) => {
      // The lock is taken before the walk, and given back after all.
      if (commands.some(([name]) => ['SET', 'GET', 'EVAL'].includes(name))) return await carryOut()
      requests += 1
      isWalkOver ||= commands.some((words) => words[0] === 'SCAN' && words.includes('{estate*'))
      return requests === nth && !isWalkOver ? await spoil(commands, carryOut) : await carryOut()
    }
    const { report } = await rig.sweep()
    onRequest = undefined
    return isWalkOver ? undefined : report
  }

  it.each([
    ['is never answered', async () => await Promise.reject(failure('REDIS_UNREACHABLE'))],
    ['is refused', async (commands: readonly Command[]) => commands.map(() => failure('REDIS_REFUSED'))],
    ['has one refused command', oneReply(failure('REDIS_REFUSED'))],
    ['has one answer that is none', oneReply('1')],
  ])(
    'any request of the walk that %s means that no unfinished run and no state goes',
    async (_, spoil) => {
      let tried = 0
      for (
        let report = await sweepSpoilt(1, spoil);
        report !== undefined;
        report = await sweepSpoilt(tried + 1, spoil)
      ) {
        tried += 1
        await expectOnlyFinished(report)
      }
      expect(tried).toBeGreaterThan(4)
    },
    60_000,
  )

  it('a Redis that fails among the orphaned state keeps what was not reached, and the report tells what went', async () => {
    await seeOrphans()
    onRequest = async (commands, carryOut) => {
      if (commands.some(([name]) => name === 'ZREMRANGEBYSCORE')) throw failure('REDIS_UNREACHABLE')
      return await carryOut()
    }
    const { report } = await rig.sweep()
    onRequest = undefined

    expect(report).toMatchObject({ outcome: 'done', deleted: 6 })
    expect(report.mode).toMatch(/^aware of Redis \(key prefix estate\) until it failed among orphaned state\./)
    expect(partOf(report, 'orphaned state in Redis')).toMatchObject({ due: 2, deleted: 2 })
    expect((await rig.sweep()).report.mode).toBe('aware of Redis (key prefix estate)')
  })

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('the eviction policy %s loses state', async (policy) => {
    await askRedis(redis.url, ['CONFIG', 'SET', 'maxmemory-policy', policy])
    const report = await sweepInngest(options)
    await askRedis(redis.url, ['CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru'])

    await expectOnlyFinished(report, `maxmemory-policy is ${policy}`)
    expect((await sweepInngest(options)).mode).toBe('aware of Redis (key prefix estate)')
    await askRedis(redis.url, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'])
  })

  it('another database of the same Redis, which is empty, is not believed', async () => {
    const report = await sweepInngest({ ...options, redisUrl: `${redis.url}/3` })
    expect(report.mode).toContain('holds no key of an Inngest')
    await expectOnlyFinished(report)
  })

  it('the Redis of another Inngest is not believed, and nothing in it is touched', async () => {
    const other = together([
      aRun({ startedAt: ago(80), alive: ['metadata', 'pr', 'idx'], state: ['stack'] }),
      aRun({ startedAt: ago(80), alive: ['metadata'] }),
    ])
    await storeKeys(`${redis.url}/4`, other.keys)
    const elsewhere: InngestRigOptions = { ...options, redisUrl: `${redis.url}/4` }
    await expectOnlyFinished(await sweepInngest(elsewhere), 'belongs to another Inngest')
    await sweepInngest(elsewhere)
    expect((await redisContent(`${redis.url}/4`)).keys).toEqual(other.keys.map(({ key }) => key).toSorted())
  })

  it('a prefix that matches nothing while runs are open is refused, with the one that would', async () => {
    const report = await sweepInngest({ ...options, config: { ...options.config, keyPrefix: 'inngest' } })
    await expectOnlyFinished(report, 'INNGEST_REDIS_KEY_PREFIX')
    expect(report.mode).toContain('"estate"')
  })

  it('state under another prefix is found by itself, and judged as any', async () => {
    const own = together([
      aRun({ startedAt: ago(80), alive: ['metadata', 'pr'], prefix: 'shop' }),
      aRun({ startedAt: ago(80), prefix: 'shop' }),
    ])
    await put(own)
    const report = await sweepInngest(options)
    expect(report).toMatchObject({ mode: 'aware of Redis (key prefix shop)', deleted: 1, keptOpen: 1 })
    expect((await content()).keys).toEqual(before.keys)
  })

  it.each([
    ['an empty Redis', () => `${redis.url}/5`],
    ['the Redis of another Inngest', () => `${redis.url}/6`],
  ])('%s is not believed either where open runs have no row of their own', async (_, url) => {
    await storeKeys(`${redis.url}/6`, aRun({ startedAt: ago(80), alive: ['metadata', 'pr'] }).keys)
    await put(
      together([
        aRun({ startedAt: ago(70), finishedAt: ago(69) }),
        aRun({ startedAt: ago(80), alive: ['metadata', 'pr'], tables: ['trace_runs', 'spans', 'history'] }),
      ]),
    )
    const dry = await sweepInngest({ ...options, redisUrl: url() }, { dryRun: true })
    const applied = await sweepInngest({ ...options, redisUrl: url() })
    for (const report of [dry, applied]) {
      expect(report).toMatchObject({ due: 1, keptOpen: 1, mode: expect.stringMatching(/^without Redis/) })
    }
  })
})

const oneReply =
  (reply: Reply): OnRequest =>
  async (_, carryOut) => [reply, ...(await carryOut()).slice(1)]
