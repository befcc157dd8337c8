import { describe, expect, it } from 'vitest'
import { AUDIT_NOW, auditPart, createAuditRig } from '../../support/audit-rig.ts'
import { auditStoreOfEachTest } from '../../support/audit-store.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const store = auditStoreOfEachTest()

const ALERTS = hasPostgres ? 50_000 : 20_000

/** A thousand organizations with all kinds of retention, and alerts around every cutoff, some of them nobody's. */
const fill = (alerts: number) => `
  INSERT INTO organization SELECT 'org-' || n, CASE n % 10 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN 366 ELSE 1 + (n * 37) % 365 END
  FROM generate_series(1, 1000) n;
  INSERT INTO alerts
  SELECT n, CASE WHEN n % 500 = 0 THEN NULL ELSE 'org-' || (1 + n % 1010) END,
    CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN false ELSE true END,
    CASE WHEN n % 11 = 0 THEN NULL ELSE timestamptz '${AUDIT_NOW}' - make_interval(secs => (n * 7919::bigint) % 31536000 ) END
  FROM generate_series(1, ${alerts}) n;
  ANALYZE`

/** By a single plain statement: the alerts that must go. */
const DUE = `
  SELECT a.id FROM alerts a JOIN organization o ON o.id = a.organization_id
  WHERE a.resolved AND coalesce(o.retention_days, 90) BETWEEN 1 AND 365
    AND a.resolved_at < timestamptz '${AUDIT_NOW}' - coalesce(o.retention_days, 90) * interval '24 hours'`

const ids = async (sql: string) => (await store.query(sql)).rows.map(({ id }) => String(id)).toSorted()
const remaining = () => ids('SELECT id FROM alerts')

/** Those that belong to an organization that is not there. */
const ORPHANS = `SELECT id FROM alerts a WHERE organization_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM organization o WHERE o.id = a.organization_id)`
const GONE = 'alerts of organizations that are gone'

describe('alerts of a thousand organizations', () => {
  it('exactly the rows go that one plain query names, and a dry run counts them', async () => {
    await store.query(fill(ALERTS))
    const [due, all] = [new Set(await ids(DUE)), await remaining()]
    const orphans = (await ids(ORPHANS)).length
    const rig = createAuditRig({ store })

    const dry = await rig.alerts({ dryRun: true })
    expect(dry).toMatchObject({ outcome: 'planned', due: due.size, deleted: 0 })
    expect(auditPart(dry, GONE)).toMatchObject({ scanned: orphans, due: 0, kept: orphans })
    expect(await remaining()).toEqual(all)

    const report = await rig.alerts()
    expect(due.size).toBeGreaterThan(ALERTS / 10)
    expect(report).toMatchObject({ outcome: 'done', due: due.size, deleted: due.size, kept: dry.kept })
    expect(await remaining()).toEqual(all.filter((id) => !due.has(id)))
    expect(report.summary).toMatch(/1000 looked at, 100 of them without a retention of their own: 90 days\)\.$/)
    expect(report.because).toMatch(/200 organizations \(org-1, org-10\d*, /)
    expect(rig.told).toHaveLength(report.parts?.filter(({ deleted }) => deleted > 0).length ?? 0)

    expect(await rig.alerts()).toMatchObject({ outcome: 'done', due: 0, deleted: 0, kept: report.kept })
  }, 60_000)

  it('with ALERT_ORPHANS=delete old resolved alerts of organizations that are gone go too, and no others', async () => {
    await store.query(fill(ALERTS))
    const old = new Set(
      await ids(`${ORPHANS} AND resolved AND resolved_at < timestamptz '${AUDIT_NOW}' - interval '90 days'`),
    )
    const due = new Set([...(await ids(DUE)), ...old])
    const all = await remaining()

    const report = await createAuditRig({ store, config: { deletesOrphans: true } }).alerts()
    expect(old.size).toBeGreaterThan(50)
    expect(auditPart(report, GONE)).toMatchObject({ due: old.size, deleted: old.size })
    expect(report).toMatchObject({ outcome: 'done', deleted: due.size })
    expect(await remaining()).toEqual(all.filter((id) => !due.has(id)))
  }, 60_000)
})

const OLD = `timestamptz '${AUDIT_NOW}' - interval '400 days'`

/** Organizations by id, each with `alerts` resolved alerts from long ago. */
const someOrganizations = (retentions: Readonly<Record<string, string>>, alerts = 3) => `
  ${Object.entries(retentions)
    .map(([id, retention]) => `INSERT INTO organization VALUES ('${id}', ${retention});`)
    .join('')}
  INSERT INTO alerts SELECT row_number() OVER (), o.id, true, ${OLD} FROM organization o, generate_series(1, ${alerts})`

describe('what a retention means', () => {
  it('exactly at the cutoff is kept, a microsecond before goes', async () => {
    const cutoff = `timestamptz '${AUDIT_NOW}' - interval '720 hours'`
    await store.query(`INSERT INTO organization VALUES ('acme', 30);
      INSERT INTO alerts VALUES (1, 'acme', true, ${cutoff}), (2, 'acme', true, ${cutoff} - interval '1 microsecond')`)

    expect(await createAuditRig({ store }).alerts()).toMatchObject({ deleted: 1, kept: 1 })
    expect(await remaining()).toEqual(['1'])
  })

  it('a retention that is refused keeps everything, and the days of the run replace it', async () => {
    await store.query(someOrganizations({ none: '0', negative: '-30', long: '366', fine: '365' }))
    const rig = createAuditRig({ store })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'done', deleted: 3, kept: 9 })
    for (const name of ['none', 'negative', 'long']) {
      expect(auditPart(report, name)).toMatchObject({ due: 0, kept: 3, because: expect.stringMatching(/1 to 365/) })
    }
    expect(report.because).toContain('3 organizations (long, negative, none): the retention is no whole number')

    expect(report.mode).toBe('each organization by its own retention, 90 days where it has none')

    expect(await rig.alerts({ organization: 'none', days: 365 })).toMatchObject({
      outcome: 'done',
      deleted: 3,
      mode: '365 days for this organization',
    })
    const all = { outcome: 'done', deleted: 6, kept: 0, because: null, mode: '10 days for every organization' }
    expect(await rig.alerts({ days: 10 })).toMatchObject(all)
  })

  it('a time that is no time keeps an alert, and an alert without an id goes like others', async () => {
    await store.query(`ALTER TABLE alerts DROP CONSTRAINT alerts_pkey, ALTER id DROP NOT NULL;
      INSERT INTO organization VALUES ('acme', 30);
      INSERT INTO alerts VALUES (1, 'acme', true, '-infinity'), (2, 'acme', true, 'infinity'), (NULL, 'acme', true, ${OLD})`)

    expect(await createAuditRig({ store }).alerts()).toMatchObject({ outcome: 'done', due: 1, deleted: 1, kept: 2 })
    expect(await remaining()).toEqual(['1', '2'])
  })

  it('an organization that is named is the only one that is looked at', async () => {
    await store.query(`${someOrganizations({ acme: '30', other: '30' })};
      INSERT INTO alerts VALUES (100, 'nobody', true, ${OLD})`)

    const report = await createAuditRig({ store, config: { deletesOrphans: true } }).alerts({ organization: 'acme' })
    expect(report).toMatchObject({ outcome: 'done', scanned: 3, deleted: 3 })
    expect(report.parts?.map(({ name }) => name)).toEqual(['acme'])
  })

  it('an organization that nobody knows is an error, and nothing is deleted', async () => {
    await store.query(someOrganizations({ acme: '30' }))

    expect(await createAuditRig({ store }).sweepAlerts({ organization: 'Acme' })).toMatchObject({
      code: 'BAD_INPUT',
      report: { outcome: 'failed', deleted: 0, because: expect.stringContaining('no organization of this id') },
    })
    expect(await remaining()).toHaveLength(3)
  })
})

describe('what the report says', () => {
  it('no organization at all is a quiet day, on which not even orphans go', async () => {
    const rig = createAuditRig({ store, config: { deletesOrphans: true } })
    expect(await rig.alerts()).toMatchObject({ outcome: 'done', scanned: 0, deleted: 0, because: null })

    await store.query(`INSERT INTO alerts VALUES (1, 'acme', true, ${OLD})`)
    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'done', scanned: 1, deleted: 0 })
    expect(auditPart(report, GONE).because).toContain('1 are gone and 0 are there')
  })

  it('of more than 200 organizations those with nothing to tell are one part', async () => {
    await store.query(`INSERT INTO organization SELECT n, 30 FROM generate_series(1, 600) n;
      INSERT INTO alerts SELECT n, n, true, ${OLD} FROM generate_series(1, 20) n;
      INSERT INTO alerts SELECT n, n, true, now() + interval '9 years' FROM generate_series(21, 120) n`)

    const report = await createAuditRig({ store }).alerts()
    expect(report.parts).toHaveLength(22)
    expect(auditPart(report, '580 organizations with nothing to delete')).toMatchObject({ scanned: 100, kept: 100 })
  })

  it('an index that is missing is named with the statement that makes it', async () => {
    await store.query('DROP INDEX alerts_organization_id_resolved_at_idx')
    const rig = createAuditRig({ store })

    const [, statement = ''] = /(CREATE INDEX .*;)/.exec((await rig.alerts()).because ?? '') ?? []
    expect(statement).toBe(
      'CREATE INDEX CONCURRENTLY ON "public"."alerts" ("organization_id", "resolved_at") WHERE "resolved";',
    )
    await store.query(statement)
    expect(await rig.alerts()).toMatchObject({ because: null })
  })
})
