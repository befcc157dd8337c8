import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { AUDIT_NOW, auditPart, createAuditRig } from '../../support/audit-rig.ts'
import { auditStoreOfEachTest } from '../../support/audit-store.ts'
import { endSession } from '../../support/audit-trouble.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const store = auditStoreOfEachTest()

const ERRORS = hasPostgres ? 50_000 : 20_000

/** Times spread over a year, some of them unknown. */
const fill = (errors: number) => `
  INSERT INTO error_log SELECT n, CASE WHEN n % 13 > 0 THEN timestamptz '${AUDIT_NOW}' - make_interval(secs => (n * 7919::bigint) % 31536000) END
  FROM generate_series(1, ${errors}) n;
  INSERT INTO error_aggregation SELECT 'hash-' || id, "timestamp" FROM error_log WHERE id % 50 = 0`

const CUTOFF = `timestamptz '${AUDIT_NOW}' - interval '2160 hours'`
const OLD = `timestamptz '${AUDIT_NOW}' - interval '400 days'`

async function count(where: string, table = 'error_log'): Promise<number> {
  const { rows } = await store.query(`SELECT count(*) AS found FROM ${table} WHERE ${where}`)
  return Number(rows[0]?.['found'])
}

describe('errors', () => {
  it.each([
    ['with an index on the time', ''],
    ['without one', 'DROP INDEX error_log_timestamp_idx'],
  ])('exactly those from before the cutoff go, %s, and their sums by last occurrence', async (_, change) => {
    await store.query(`${fill(ERRORS)}; ${change}`)
    const rig = createAuditRig({ store })
    const [due, sums] = [
      await count(`"timestamp" < ${CUTOFF}`),
      await count(`last_occurrence < ${CUTOFF}`, 'error_aggregation'),
    ]
    const [kept, keptSums] = [ERRORS - due, (await count('true', 'error_aggregation')) - sums]

    const dry = await rig.errors({ dryRun: true })
    expect(dry).toMatchObject({ outcome: 'planned', due: due + sums, deleted: 0, kept: kept + keptSums })
    expect(await count('true')).toBe(ERRORS)

    const report = await rig.errors()
    expect(report).toMatchObject({ outcome: 'done', due: due + sums, deleted: due + sums })
    expect(report.summary).toBe(`Deleted ${due} rows of error_log and ${sums} rows of error_aggregation.`)
    expect(report.because?.includes('ON "public"."error_log" ("timestamp");') ?? false).toBe(change !== '')
    expect(auditPart(report, 'error_aggregation')).toMatchObject({ deleted: sums, kept: keptSums })
    expect([await count('true'), await count(`"timestamp" >= ${CUTOFF} OR "timestamp" IS NULL`)]).toEqual([kept, kept])
    expect(await rig.errors()).toMatchObject({ outcome: 'done', due: 0, deleted: 0 })
  })

  it('a table of sums that is absent or odd is left out and named', async () => {
    await store.query(`INSERT INTO error_log VALUES (1, ${OLD}); DROP TABLE error_aggregation`)
    const report = await createAuditRig({ store }).errors()
    expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(report.because).toBe('There is no table error_aggregation, so it was left out.')

    await store.query('CREATE TABLE error_aggregation (error_hash text)')
    const { because, outcome } = await createAuditRig({ store }).errors()
    expect(outcome).toBe('done')
    expect(because).toContain('has no column last_occurrence')
  })

  it('rows whose key is not unique go all the same, page by page', async () => {
    await store.query(`DROP TABLE error_aggregation;
      CREATE TABLE error_aggregation (error_hash text, last_occurrence timestamptz);
      INSERT INTO error_aggregation SELECT CASE WHEN n > 10 THEN 'hash-' || n % 2 END, ${OLD} FROM generate_series(1, 3000) n`)

    expect(await createAuditRig({ store }).errors()).toMatchObject({ outcome: 'done', due: 3_000, deleted: 3_000 })
  })

  it('an error that something else refers to keeps no other table from its turn', async () => {
    await store.query(`INSERT INTO error_log VALUES (1, ${OLD}); INSERT INTO error_aggregation VALUES ('a', ${OLD});
      CREATE TABLE notes (error bigint REFERENCES error_log); INSERT INTO notes VALUES (1)`)

    const { report, code } = await createAuditRig({ store }).sweepErrors()
    expect(code).toBe('DATABASE_REFUSED')
    expect(report).toMatchObject({ outcome: 'failed', deleted: 1 })
    expect(auditPart(report, 'error_log').because).toContain('Rows of another table refer to rows')
  })

  it('without an error log there is nothing to sweep, and that is an error', async () => {
    await store.query('DROP TABLE error_log')
    expect(await createAuditRig({ store }).sweepErrors()).toMatchObject({
      code: 'DATABASE_UNKNOWN',
      report: { outcome: 'failed', because: expect.stringContaining('error_log in AUDIT_TABLES') },
    })
  })

  it('the days of a run count in place of the configured ones', async () => {
    await store.query(
      `INSERT INTO error_log VALUES (1, timestamptz '${AUDIT_NOW}' - interval '24 hours'), (2, timestamptz '${AUDIT_NOW}' - interval '24 hours 1 microsecond')`,
    )
    const rig = createAuditRig({ store, config: { errorRetentionDays: 2 } })

    expect(await rig.errors()).toMatchObject({ deleted: 0, days: 2 })
    expect(await rig.errors({ days: 1 })).toMatchObject({ deleted: 1, kept: 1 })
  })
})

/** A rig whose user has some rights and no others; `$user` stands for its name. */
const userOf = async (rights: string) => {
  const name = `user_${new URL(store.url).pathname.slice(1)}`
  await store.query(
    `DROP ROLE IF EXISTS ${name}; CREATE ROLE ${name} LOGIN PASSWORD 'secret-of-a-test'; ${rights.replaceAll('$user', name)}`,
  )
  const url = new URL(store.url)
  url.username = name
  url.password = 'secret-of-a-test'
  return createAuditRig({ store: { ...store, url: url.href } })
}

describe.skipIf(!hasPostgres)('what a user may do', () => {
  const some = `INSERT INTO organization VALUES ('acme', 30), ('other', 30);
    INSERT INTO alerts SELECT n, 'acme', true, ${OLD} FROM generate_series(1, 5) n;
    INSERT INTO alerts SELECT n, 'other', true, ${OLD} FROM generate_series(11, 15) n;
    INSERT INTO error_log VALUES (1, ${OLD})`

  it('a dry run needs the right to read and no other', async () => {
    await store.query(some)
    const rig = await userOf('GRANT SELECT ON ALL TABLES IN SCHEMA public TO $user')

    expect(await rig.alerts({ dryRun: true })).toMatchObject({ outcome: 'planned', due: 10 })
    expect(await rig.errors({ dryRun: true })).toMatchObject({ outcome: 'planned', due: 1 })
    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'failed', deleted: 0 })
    expect(auditPart(report, 'acme').because).toContain('The database user may not do that')
    expect(JSON.stringify(report)).not.toContain('secret')
  })

  it('a user who may read and delete only waits for rows that are held, and leaves that organization', async () => {
    await store.query(some)
    const rig = await userOf('GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO $user')
    const holder = new Client({ connectionString: store.url })
    await holder.connect()
    await holder.query('BEGIN; SELECT 1 FROM alerts WHERE id = 3 FOR UPDATE')

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'failed', deleted: 5 })
    expect(auditPart(report, 'acme')).toMatchObject({ deleted: 0, because: expect.stringContaining('55P03') })

    await holder.query('ROLLBACK')
    await holder.end()
    expect(await rig.alerts()).toMatchObject({ outcome: 'done', deleted: 5 })
  })

  it('rows that a policy hides are no rows that are gone: the run fails', async () => {
    await store.query(`${some}; ALTER TABLE organization ENABLE ROW LEVEL SECURITY`)
    const rig = await userOf('GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO $user')

    expect(await rig.sweepAlerts()).toMatchObject({
      code: 'DATABASE_REFUSED',
      report: { outcome: 'failed', deleted: 0 },
    })
    expect(await count('true', 'alerts')).toBe(10)
  })

  it('errors that somebody holds stay for the next run', async () => {
    await store.query("INSERT INTO error_log SELECT n, now() - interval '9 years' FROM generate_series(1, 700) n")
    const holder = new Client({ connectionString: store.url })
    await holder.connect()
    await holder.query('BEGIN; SELECT 1 FROM error_log WHERE id IN (3, 400) FOR UPDATE')
    const rig = createAuditRig({ store })

    const { report, code } = await rig.sweepErrors()
    expect(code).toBe('DATABASE_BUSY')
    expect(report).toMatchObject({ outcome: 'failed', due: 700, deleted: 698 })
    await holder.query('ROLLBACK')
    await holder.end()
    expect(await rig.errors()).toMatchObject({ outcome: 'done', deleted: 2 })
  })

  it('a connection that is lost in the middle of the errors is made anew', async () => {
    await store.query(`INSERT INTO error_log SELECT n, ${OLD} FROM generate_series(1, 3000) n`)
    let pages = 0
    const rig = createAuditRig({
      store: {
        url: store.url,
        open: async (url) => {
          const sql = await store.open(url)
          return {
            ...sql,
            query: async (text, values) => {
              if (text.includes('DELETE') && (pages += 1) % 3 === 0) await endSession(store, sql.query)
              return await sql.query(text, values)
            },
          }
        },
      },
    })

    expect(await rig.errors()).toMatchObject({ outcome: 'done', deleted: 3_000 })
    expect(await count('true')).toBe(0)
  })
})
