import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InngestTables, openInngestTables } from '../../support/inngest-database.ts'
import { runsIn } from '../../support/inngest-readers.ts'
import {
  afterDeletion,
  createInngestRig,
  brokenRuns,
  sweepInngest,
  type InngestRigOptions,
} from '../../support/inngest-rig.ts'
import { type Scratch, scratchKinds } from '../../support/inngest-scratch.ts'
import type { Counts } from '../../support/inngest-truth.ts'
import { now, variety } from '../../support/inngest-variety.ts'
import { describeWithRedis, testRedis, type TestRedis } from '../../support/redis-server.ts'

/** Throws where anybody still holds a lock. */
async function expectFree(other: InngestTables): Promise<void> {
  await other.run('BEGIN EXCLUSIVE; ROLLBACK')
  await other.close()
}

describe('a sweep over an SQLite file that others write', () => {
  let scratch: Scratch
  let options: InngestRigOptions
  let before: ReadonlyMap<string, Counts>
  beforeAll(async () => {
    scratch = await scratchKinds.SQLite()
    options = { database: scratch.database, now, config: { batchSize: 10 } }
  })
  beforeEach(async () => {
    await scratch.put(variety.rows)
    before = await runsIn(scratch.database)
  })
  afterAll(async () => await scratch.stop())

  it.each([
    ['that keeps everybody out', 'BEGIN EXCLUSIVE'],
    ['that keeps other writers out', 'BEGIN IMMEDIATE'],
    ['of a reader', 'BEGIN; SELECT count(*) FROM apps'],
  ])('waits for a lock of 2 s %s, and leaves none behind', async (_, lock) => {
    const other = await openInngestTables(scratch.database)
    await other.run(lock)
    const swept = sweepInngest(options)
    const pause = setTimeout(() => void other.run('COMMIT'), 2_000)
    expect(await swept).toMatchObject({ outcome: 'done', deleted: 3 })
    clearTimeout(pause)
    await expectFree(other)
  })

  it('fails clearly when the lock stays, with nothing half done, and can be repeated', async () => {
    const writer = await openInngestTables(scratch.database)
    const report = await sweepInngest({
      ...options,
      config: { batchSize: 2 },
      aroundSql: (sql) => ({
        ...sql,
        transaction: async (work) => {
          const result = await sql.transaction(work)
          await writer.run('BEGIN IMMEDIATE')
          return result
        },
      }),
    })
    expect(report).toMatchObject({ outcome: 'failed', because: expect.stringContaining('locked by somebody else') })
    await writer.run('ROLLBACK')
    await expectFree(writer)
    expect(await brokenRuns(scratch.database, before)).toEqual([])
    expect(report.deleted).toBeGreaterThan(0)
    expect(await sweepInngest(options)).toMatchObject({ outcome: 'done', deleted: 3 - report.deleted })
  }, 60_000)

  describeWithRedis(
    'beside another cleaner',
    () => {
      let redis: TestRedis
      beforeAll(async () => {
        redis = await testRedis()
      })
      afterAll(async () => await redis.stop())

      it('is skipped through the lease in Redis', async () => {
        const both: InngestRigOptions = { ...options, redisUrl: redis.url }
        let other: unknown
        const first = createInngestRig({
          ...both,
          aroundSql: afterDeletion(3, async () => {
            other = await sweepInngest(both)
          }),
        })
        expect((await first.sweep()).report).toMatchObject({ outcome: 'done', deleted: 3 })
        expect(other).toMatchObject({ outcome: 'skipped', because: expect.stringContaining('holds the lock: cli') })
        expect((await first.sweep()).code).toBeNull()
        await first.close()
      })
    },
    { own: false },
  )
})
