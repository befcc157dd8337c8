import { Client } from 'pg'
import { beforeEach, expect, it } from 'vitest'
import { auditPart, createAuditRig } from '../../support/audit-rig.ts'
import { auditStoreOfEachTest } from '../../support/audit-store.ts'
import { OLD, rigAround } from '../../support/audit-trouble.ts'
import { describeWithPostgres } from '../../support/postgres-server.ts'

const ROWS = 3_000
const FILLED = `INSERT INTO organization VALUES ('acme', 30);
  INSERT INTO alerts SELECT n, 'acme', true, ${OLD} FROM generate_series(1, ${ROWS}) n;
  INSERT INTO error_log SELECT n, ${OLD} FROM generate_series(1, ${ROWS}) n`

/** The sweeps, with the table that each deletes from and the part that tells of it. */
const SWEEPS = [
  ['alerts', 'alerts', 'acme'],
  ['errors', 'error_log', 'error_log'],
] as const

describeWithPostgres('what a run says that it deleted', () => {
  const store = auditStoreOfEachTest()
  beforeEach(async () => {
    await store.query(FILLED)
  }, 60_000)

  const remaining = async (table: string) =>
    Number((await store.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.['n'])

  /** Makes each deletion of a table take so many seconds. */
  const delay = (table: string, seconds: number) =>
    store.query(`CREATE FUNCTION delay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN NULL; END $$;
      CREATE TRIGGER delay BEFORE DELETE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION delay()`)

  /** A rig that is interrupted by its first deletion. */
  const interrupted = () => {
    const stop = new AbortController()
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      if (sql.includes('DELETE')) stop.abort()
      return await query(sql, values)
    })
    return { rig, signal: stop.signal }
  }

  it.each(SWEEPS)(
    'is what it did when it is interrupted in the middle of a statement: %s',
    async (name, table, part) => {
      await delay(table, 2.5)
      const { rig, signal } = interrupted()

      const report = await rig[name]({ signal })
      expect(report.outcome).toBe('stopped')
      expect(report.deleted).toBeGreaterThan(0)
      expect(report.deleted).toBe(ROWS - (await remaining(table)))
      expect(auditPart(report, part).because ?? '').not.toContain('not counted')
    },
  )

  it.each(SWEEPS)(
    'lacks what a statement did that was cut, and that is said: %s',
    async (name, table, part) => {
      await delay(table, 60)
      const { rig, signal } = interrupted()

      const report = await rig[name]({ signal })
      expect(report).toMatchObject({ outcome: 'stopped', deleted: 0 })
      expect(auditPart(report, part).because).toContain('What a statement without an answer deleted is not counted.')
    },
    30_000,
  )

  it.each(SWEEPS)(
    'is counted as it goes where counting before takes too long: %s',
    async (name, table, part) => {
      const rig = rigAround(
        store,
        (query) => async (sql, values) =>
          await (sql.includes('FILTER') ? query('SELECT pg_sleep(60)') : query(sql, values)),
        { limits: { pausesMs: [], deadlineMs: 3_000 } },
      )

      expect(await rig[name]({ dryRun: true })).toMatchObject({
        outcome: 'failed',
        because: expect.stringContaining('took longer'),
      })
      const report = await rig[name]()
      expect(report).toMatchObject({ outcome: 'done', due: ROWS, deleted: ROWS })
      expect(auditPart(report, part)).toMatchObject({
        deleted: ROWS,
        because: expect.stringContaining('could not be counted in time'),
      })
      expect(await remaining(table)).toBe(0)
    },
    60_000,
  )

  it.each(SWEEPS)(
    'is nothing where the table is locked, without a try for each part: %s',
    async (name, table) => {
      const holder = new Client({ connectionString: store.url })
      await holder.connect()
      await holder.query(`BEGIN; LOCK TABLE ${table}`)
      let deletions = 0
      const rig = rigAround(store, (query) => async (sql, values) => {
        if (sql.includes('DELETE')) deletions += 1
        return await query(sql, values)
      })

      expect(await rig[name]()).toMatchObject({ outcome: 'failed', because: expect.stringContaining('55P03') })
      expect(deletions).toBe(0)
      await holder.end()
    },
    30_000,
  )

  it.each(SWEEPS)('of many rows of one instant is found without sorting them: %s', async (name, table) => {
    await store.query('ANALYZE')
    const plans: string[] = []
    const rig = rigAround(store, (query) => async (sql, values) => {
      if (sql.includes('DELETE')) {
        const { rows } = await query(`EXPLAIN ${sql}`, values)
        plans.push(rows.map((row) => String(row['QUERY PLAN'])).join('\n'))
      }
      return await query(sql, values)
    })

    expect(await rig[name]()).toMatchObject({ outcome: 'done', deleted: ROWS })
    expect(plans.length).toBeGreaterThan(3)
    for (const plan of plans) expect(plan).not.toMatch(/Sort Key: t\./)
    expect(await remaining(table)).toBe(0)
  })

  it.each(SWEEPS)('holds rows that went at a further turn only: %s', async (name, table) => {
    await store.query(`CREATE TABLE turns (id bigint);
      CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM turns WHERE id = OLD.id) THEN RETURN OLD; END IF;
        INSERT INTO turns VALUES (OLD.id); RETURN NULL; END $$;
      CREATE TRIGGER later BEFORE DELETE ON ${table} FOR EACH ROW WHEN (OLD.id % 7 = 0) EXECUTE FUNCTION later()`)

    expect(await createAuditRig({ store })[name]()).toMatchObject({ outcome: 'done', due: ROWS, deleted: ROWS })
    expect(await remaining(table)).toBe(0)
  })
})
