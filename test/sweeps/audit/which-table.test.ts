import { describe, expect, it } from 'vitest'
import { auditPart, auditTables, createAuditRig } from '../../support/audit-rig.ts'
import { auditStoreOfEachTest } from '../../support/audit-store.ts'
import { OLD } from '../../support/audit-trouble.ts'

const store = auditStoreOfEachTest()

const rigWith = (search: string, config = {}) =>
  createAuditRig({
    store: {
      url: store.url,
      open: async (url) => {
        const sql = await store.open(url)
        await sql.query(`SELECT set_config('search_path', $1, false)`, [search])
        return sql
      },
    },
    config,
  })

const count = async (table: string) => Number((await store.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.['n'])

describe('a table that several schemas of the search path have', () => {
  it.each(['other, public', 'public, other'])('is refused for every sweep that needs it: %s', async (search) => {
    await store.query(`INSERT INTO organization VALUES ('acme', 30), ('more', 30);
      INSERT INTO alerts SELECT n, 'acme', true, ${OLD} FROM generate_series(1, 10) n;
      INSERT INTO error_log VALUES (1, ${OLD}); CREATE SCHEMA other;
      CREATE TABLE other.organization (id text PRIMARY KEY, retention_days integer);
      INSERT INTO other.organization VALUES ('stranger', 30)`)
    const rig = rigWith(search, { deletesOrphans: true })

    for (const { code, report } of [await rig.sweepAlerts(), await rig.sweepErrors()]) {
      expect(code).toBe('DATABASE_UNKNOWN')
      expect(report.because).toContain('organization in AUDIT_TABLES) is in more than one schema')
    }
    expect([await count('alerts'), await count('error_log')]).toEqual([10, 1])

    const named = { ...auditTables, organization: { ...auditTables.organization, table: 'public.organization' } }
    expect(await rigWith(search, { tables: named }).alerts()).toMatchObject({ outcome: 'done', deleted: 10 })
  })

  it('is no trouble where the other schema is not on the path', async () => {
    await store.query(`INSERT INTO error_log VALUES (1, ${OLD}); CREATE SCHEMA other;
      CREATE TABLE other.error_log (LIKE error_log); INSERT INTO other.error_log VALUES (1, ${OLD})`)

    expect(await rigWith('public').errors()).toMatchObject({ outcome: 'done', deleted: 1 })
    expect(await count('other.error_log')).toBe(1)
  })
})

describe('alerts of organizations that are gone', () => {
  it.each([
    [1, 0, 'kept'],
    [2, 20, 'deleted'],
    [3, 20, 'deleted'],
  ])('of two are, with %i organizations that are there, %i deleted: %s', async (organizations, deleted) => {
    await store.query(`INSERT INTO organization SELECT 'org-' || n, 30 FROM generate_series(1, ${organizations}) n;
      INSERT INTO alerts SELECT n, 'gone-' || n % 2, true, ${OLD} FROM generate_series(1, 20) n`)
    const config = { deletesOrphans: true }

    const dry = await rigWith('public', config).alerts({ dryRun: true })
    const report = await rigWith('public', config).alerts()
    expect([dry, report]).toMatchObject([{ due: deleted }, { outcome: 'done', deleted, kept: 20 - deleted }])
    const { because } = auditPart(report, 'alerts of organizations that are gone')
    expect(because ?? '').toContain(deleted === 0 ? '2 are gone and 1 are there' : '')
    expect(await count('alerts')).toBe(20 - deleted)
  })
})

const PARTITIONED = `DROP TABLE alerts;
  CREATE TABLE alerts (id bigint, organization_id text, resolved boolean, resolved_at timestamptz) PARTITION BY LIST (resolved);
  CREATE TABLE alerts_open PARTITION OF alerts FOR VALUES IN (false);
  CREATE TABLE alerts_other PARTITION OF alerts DEFAULT;
  INSERT INTO alerts VALUES (1, 'acme', true, ${OLD})`

describe('a table in parts', () => {
  it.each([
    ['has partitions', PARTITIONED, 'alerts'],
    [
      'is a partition',
      `${PARTITIONED}; ALTER TABLE alerts RENAME TO a; ALTER TABLE alerts_other RENAME TO alerts`,
      'a',
    ],
    [
      'has a table that inherits from it',
      `CREATE TABLE more () INHERITS (alerts); INSERT INTO more VALUES (1, 'acme', true, ${OLD})`,
      'alerts',
    ],
    [
      'lists organizations in a table that inherits from it',
      `CREATE TABLE more () INHERITS (organization); INSERT INTO more VALUES ('acme', 1);
       INSERT INTO alerts VALUES (1, 'acme', true, ${OLD})`,
      'alerts',
    ],
  ])('is refused where it %s', async (_, change, table) => {
    await store.query(`INSERT INTO organization VALUES ('acme', 30); ${change}`)

    const { code, report } = await createAuditRig({ store }).sweepAlerts()
    expect(code).toBe('DATABASE_UNKNOWN')
    expect(report.because).toMatch(/in AUDIT_TABLES\) has partitions or inherits/)
    expect(await count(table)).toBe(1)
  })

  it('is refused as an error log', async () => {
    await store.query(`CREATE TABLE more () INHERITS (error_log); INSERT INTO more VALUES (1, ${OLD})`)

    expect((await createAuditRig({ store }).sweepErrors()).code).toBe('DATABASE_UNKNOWN')
    expect(await count('error_log')).toBe(1)
  })

  it('keeps errors only where rows of one part could go with them', async () => {
    await store.query(`${PARTITIONED}; INSERT INTO error_log VALUES (1, ${OLD})`)
    await store.query('ALTER TABLE alerts_open ADD FOREIGN KEY (id) REFERENCES error_log ON DELETE CASCADE')
    expect((await createAuditRig({ store }).sweepErrors()).code).toBe('DATABASE_UNKNOWN')

    await store.query('ALTER TABLE alerts_open DROP CONSTRAINT alerts_open_id_fkey')
    expect(await createAuditRig({ store }).errors()).toMatchObject({ outcome: 'done', deleted: 1 })
  })
})
