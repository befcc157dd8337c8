import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAlertsSweep } from '../../src/sweeps/audit/alerts-sweep.ts'
import { createErrorLogSweep } from '../../src/sweeps/audit/error-log-sweep.ts'
import { listOrganizations } from '../../src/sweeps/audit/organizations.ts'
import { auditConfig } from '../support/audit-rig.ts'
import { startAuditStores, type AuditStore, type AuditStores } from '../support/audit-store.ts'
import { serve, startEngineRig } from './rig.ts'
import { runToEnd } from './stand-in.ts'

let stores: AuditStores
beforeAll(async () => {
  stores = await startAuditStores()
}, 60_000)
afterAll(() => stores.stop())

const timer = { name: 'inngest/scheduled.timer', data: {} }

/** The instant that the rig's clock stands at. */
const NOW = `timestamptz '2026-03-10T05:00:01Z'`

/** Twelve organizations, of which every fourth has no retention and the seventh a broken one; alerts of two that are none. */
const ROWS = `
  INSERT INTO organization
    SELECT 'org-' || i, CASE WHEN i % 4 = 0 THEN NULL WHEN i = 7 THEN 0 ELSE i * 10 END FROM generate_series(1, 12) i;
  INSERT INTO alerts
    SELECT i, 'org-' || i % 14, i % 3 > 0, ${NOW} - make_interval(hours => i) FROM generate_series(1, 5000) i;
  INSERT INTO error_log SELECT i, ${NOW} - make_interval(hours => i) FROM generate_series(1, 3000) i;
  INSERT INTO error_aggregation SELECT 'hash-' || i, ${NOW} - make_interval(days => i) FROM generate_series(1, 120) i`

/** What one plain query would leave, with the third organization gone. */
const ALERTS_TO_KEEP = `
  SELECT a.id FROM alerts a LEFT JOIN organization o ON o.id = a.organization_id AND o.id NOT IN ('org-3', 'org-7')
  WHERE NOT (a.resolved AND o.id IS NOT NULL
    AND a.resolved_at < ${NOW} - make_interval(hours => 24 * coalesce(o.retention_days, 90)))
  ORDER BY a.id`
const ERRORS_TO_KEEP = `SELECT id FROM error_log WHERE "timestamp" >= ${NOW} - make_interval(hours => 24 * 90) ORDER BY id`

async function aStore(): Promise<AuditStore> {
  const store = await stores.create()
  onTestFinished(() => store.close())
  await store.query(ROWS)
  return store
}

/** The engine on the real sweeps over a database. */
async function anEngine({ url: databaseUrl, open }: AuditStore) {
  const config = auditConfig(databaseUrl)
  const rig = await startEngineRig({
    audit: config,
    organizations: () => listOrganizations(config, open),
    made: {
      alerts: (clock) => createAlertsSweep({ config, clock, open, limits: { pausesMs: [1, 1, 1] } }),
      errors: (clock) => createErrorLogSweep({ config, clock, open, limits: { pausesMs: [1, 1, 1] } }),
    },
  })
  return { ...rig, url: await serve(rig) }
}

describe('the sweeps over an audit database, on the engine', { timeout: 60_000 }, () => {
  it('delete exactly what one plain query would, although an organization goes between listing and work', async () => {
    const store = await aStore()
    const { url, standIn, log } = await anEngine(store)
    const expected = (await store.query(ALERTS_TO_KEEP)).rows

    const prepared = await runToEnd(url, 'alerts-cleanup-prepare', timer)
    await store.query(`DELETE FROM organization WHERE id = 'org-3'`)
    const ended = []
    for (const event of standIn.events) ended.push(await runToEnd(url, 'cleanup-resolved-alerts', event))

    expect(prepared.result).toMatchObject({ sent: 11, defaulted: 3, refused: { count: 1, sample: ['org-7'] } })
    expect((await store.query('SELECT id FROM alerts ORDER BY id')).rows).toEqual(expected)
    expect(expected.length).toBeLessThan(4_500)
    const deleted = ended.map(({ result }) => (result as { deleted: number } | undefined)?.deleted ?? 0)
    expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(5_000 - expected.length)
    expect(ended.filter(({ failures }) => failures.length > 0)).toHaveLength(1)
    expect(log()).toContain('There is no organization of this id.')
  })

  it('go by the retention of the moment, where it was raised, broken or taken away since the listing', async () => {
    const store = await aStore()
    const { url, standIn } = await anEngine(store)
    await runToEnd(url, 'alerts-cleanup-prepare', timer)
    await store.query(`UPDATE organization SET retention_days = 365 WHERE id = 'org-1'`)
    await store.query(`UPDATE organization SET retention_days = NULL WHERE id = 'org-2'`)
    await store.query(`UPDATE organization SET retention_days = 0 WHERE id = 'org-3'`)
    const expected = (await store.query(ALERTS_TO_KEEP)).rows

    for (const event of standIn.events) await runToEnd(url, 'cleanup-resolved-alerts', event)

    expect(standIn.events.find(({ data }) => data['organization_id'] === 'org-1')?.data).toMatchObject({
      retention_days: 10,
      stored: true,
    })
    expect((await store.query('SELECT id FROM alerts ORDER BY id')).rows).toEqual(expected)
  })

  it('delete nothing twice where events come again', async () => {
    const store = await aStore()
    const { url, standIn } = await anEngine(store)
    await runToEnd(url, 'alerts-cleanup-prepare', timer)
    for (const event of standIn.events) await runToEnd(url, 'cleanup-resolved-alerts', event)
    const left = (await store.query('SELECT id FROM alerts ORDER BY id')).rows

    const again = []
    for (const event of standIn.events) again.push(await runToEnd(url, 'cleanup-resolved-alerts', event))

    expect(again.map(({ result }) => result)).toMatchObject(again.map(() => ({ outcome: 'done', deleted: 0 })))
    expect((await store.query('SELECT id FROM alerts ORDER BY id')).rows).toEqual(left)
  })

  it('clear the error log once a day by one event', async () => {
    const store = await aStore()
    const { url, standIn } = await anEngine(store)
    const expected = (await store.query(ERRORS_TO_KEEP)).rows

    await runToEnd(url, 'errors-cleanup-prepare', timer)
    const [event] = standIn.events
    const ended = event && (await runToEnd(url, 'cleanup-old-errors', event))

    expect(ended).toMatchObject({ result: { outcome: 'done' }, failures: [] })
    expect((await store.query('SELECT id FROM error_log ORDER BY id')).rows).toEqual(expected)
    expect(expected.length).toBeGreaterThan(2_000)
    expect((await store.query('SELECT count(*)::int AS left FROM error_aggregation')).rows).toEqual([{ left: 90 }])
  })
})
