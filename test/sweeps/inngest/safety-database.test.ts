import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openInngestTables, withInngestTables } from '../../support/inngest-database.ts'
import { runsIn } from '../../support/inngest-readers.ts'
import { afterDeletion, brokenRuns, rowsIn, sweepInngest, type InngestRigOptions } from '../../support/inngest-rig.ts'
import { type Scratch, scratchKinds } from '../../support/inngest-scratch.ts'
import type { Counts } from '../../support/inngest-truth.ts'
import { now, variety } from '../../support/inngest-variety.ts'
import { describeWithPostgres } from '../../support/postgres-server.ts'

describeWithPostgres('a sweep over PostgreSQL', () => {
  let scratch: Scratch
  let options: InngestRigOptions
  let before: ReadonlyMap<string, Counts>
  beforeAll(async () => {
    scratch = await scratchKinds.PostgreSQL()
    options = { database: scratch.database, now, config: { batchSize: 2 } }
  }, 60_000)
  beforeEach(async () => {
    await scratch.put(variety.rows)
    before = await runsIn(scratch.database)
  })
  afterAll(async () => await scratch.stop())

  const expectSweptAfterAll = async () => {
    const report = await sweepInngest(options)
    expect(report).toMatchObject({ outcome: 'done', because: null })
    expect((await sweepInngest(options)).due).toBe(0)
    expect([...before.keys()].length - (await runsIn(scratch.database)).size).toBe(3)
  }

  it('never deletes while INNGEST_DRY_RUN is true, whoever asks', async () => {
    const rows = await rowsIn(scratch.database)
    const report = await sweepInngest({ ...options, config: { isDryRun: true } }, { dryRun: false })
    expect(report).toMatchObject({ outcome: 'planned', dryRun: true, due: 3, deleted: 0 })
    expect(report.because).toContain('INNGEST_DRY_RUN')
    expect(await rowsIn(scratch.database)).toEqual(rows)
  })

  it('is skipped while another is at work, also without any Redis between them; a dry run is not', async () => {
    const others: unknown[] = []
    const first = await sweepInngest({
      ...options,
      aroundSql: afterDeletion(3, async () => {
        others.push(await sweepInngest(options), await sweepInngest(options, { dryRun: true }))
      }),
    })
    expect(first).toMatchObject({ outcome: 'done', deleted: 3 })
    expect(others).toMatchObject([
      { outcome: 'skipped', deleted: 0, because: expect.stringContaining('Another cleaner') },
      { outcome: 'planned', deleted: 0 },
    ])
    expect((await sweepInngest(options)).outcome).toBe('done')
  })

  it.each([2, 5, 9])('ends as failed when its session is ended after deletion %i, and can be repeated', async (nth) => {
    const endSessions = async () =>
      await withInngestTables(scratch.database, async ({ run }) => {
        await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orderly'`)
      })
    const report = await sweepInngest({ ...options, aroundSql: afterDeletion(nth, endSessions) })
    expect(report).toMatchObject({ outcome: 'failed', because: expect.stringMatching(/^The database/) })
    expect(await brokenRuns(scratch.database, before)).toEqual([])
    await expectSweptAfterAll()
  })

  it('gives way to a writer that holds a row for long, with nothing half done', async () => {
    const writer = await openInngestTables(scratch.database)
    const due = [...before].find(([, rows]) => 'event_batches' in rows)?.[0]
    await writer.run(`BEGIN; UPDATE trace_runs SET status = 500 WHERE run_id = '${due}'`)
    const report = await sweepInngest(options)
    await writer.run('ROLLBACK')
    await writer.close()
    expect(report).toMatchObject({ outcome: 'failed', because: expect.stringContaining('locked by somebody else') })
    expect(await brokenRuns(scratch.database, before)).toEqual([])
    await expectSweptAfterAll()
  })

  const asUser = (name: string, password = 'narrow') => scratch.database.replace(/\/\/[^@]+@/, `//${name}:${password}@`)
  const grant = async (name: string, ...grants: string[]) =>
    await withInngestTables(scratch.database, async ({ run }) => {
      const database = new URL(scratch.database).pathname.slice(1)
      await run(`REVOKE TEMP ON DATABASE ${database} FROM PUBLIC; CREATE ROLE ${name} LOGIN PASSWORD 'narrow'`)
      for (const one of grants) await run(`GRANT ${one.replace('DB', `ON DATABASE ${database}`)} TO ${name}`)
    })

  describe('as a user of its own', () => {
    const all = 'ON ALL TABLES IN SCHEMA public'

    it('needs no more than to read, to delete and to have temporary tables', async () => {
      await grant('enough', `SELECT, DELETE ${all}`, 'TEMP DB')
      const report = await sweepInngest({ ...options, database: asUser('enough') })
      expect(report).toMatchObject({
        outcome: 'done',
        deleted: 3,
        because: expect.stringMatching(/^Not vacuumed, for only their owner may: spans/),
      })
    })

    it.each([
      ['no temporary tables', 'templess', [`SELECT, DELETE ${all}`], /TEMP/],
      ['no right to delete', 'reader', [`SELECT ${all}`, 'TEMP DB'], /DELETE/],
      ['no right to read', 'blind', ['TEMP DB'], /SELECT/],
    ])('says what is missing: %s', async (_, name, grants, expected) => {
      await grant(name, ...grants)
      const rows = await rowsIn(scratch.database)
      const report = await sweepInngest({ ...options, database: asUser(name) })
      expect(report).toMatchObject({ outcome: 'failed', because: expect.stringMatching(expected) })
      expect(await rowsIn(scratch.database)).toEqual(rows)
    })

    it.each([
      ['a wrong password', () => asUser('orderly', 'wrong-word'), 'credentials'],
      [
        'a database that does not exist',
        () => scratch.database.replace(/[^/]+$/, 'nowhere'),
        'no database of that name',
      ],
    ])('says so: %s', async (_, database, expected) => {
      const report = await sweepInngest({ ...options, database: database() })
      expect(report).toMatchObject({ outcome: 'failed', because: expect.stringContaining(expected) })
      expect(JSON.stringify(report)).not.toMatch(/wrong-word|nowhere|127\.0\.0\.1/)
    })
  })
})
