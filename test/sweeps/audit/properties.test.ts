import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AUDIT_NOW, createAuditRig } from '../../support/audit-rig.ts'
import { startAuditStores, type AuditStore, type AuditStores } from '../../support/audit-store.ts'
import { instant } from '../../support/clock.ts'

let stores: AuditStores
let store: AuditStore
beforeAll(async () => {
  stores = await startAuditStores()
  store = await stores.create(`
    CREATE TABLE organization (id text PRIMARY KEY, retention_days text);
    CREATE TABLE alerts (id integer PRIMARY KEY, organization_id text, resolved text, resolved_at timestamptz);
    CREATE TABLE error_log (id integer PRIMARY KEY, "timestamp" timestamptz)`)
}, 60_000)
afterAll(async () => {
  await store.close()
  await stores.stop()
})

const HOUR_MS = 3_600_000
const organizations = ['acme', 'other', 'Ünïcode 🦊', '', "o'clock"]
const retention = fc.constantFrom(null, '1', '30', '90', '365', '0', '-1', '366', '3.5', 'soon')

/** Hours of age around every cutoff there can be. */
const age = fc.oneof(
  fc.constantFrom(-24, 0, 24, 24.001, 719.999, 720, 720.001, 2160, 2160.001, 8760, 8761),
  fc.integer({ min: 0, max: 9000 }),
)
const alert = fc.record({
  organization: fc.constantFrom(...organizations, 'gone', null),
  resolved: fc.constantFrom('true', 'true', 'true', 'false', 'TRUE', 'dismissed', null),
  age: fc.option(age, { freq: 10 }),
})
const world = fc.record({
  retentions: fc.array(retention, { minLength: 5, maxLength: 5 }),
  alerts: fc.array(alert, { minLength: 1, maxLength: 40 }),
  deletesOrphans: fc.boolean(),
  days: fc.option(fc.constantFrom(1, 30, 365), { nil: undefined, freq: 3 }),
})

const timeOf = (hours: number | null) =>
  hours === null ? null : new Date(instant(AUDIT_NOW) - Math.round(hours * HOUR_MS)).toISOString()

/** The hours that a world keeps an organization's alerts; undefined for ever. */
function keepsFor(organization: string | null, retentions: readonly (string | null)[], days: number | undefined) {
  const stored = retentions[organizations.indexOf(organization ?? '-')]
  if (stored === undefined) return undefined
  if (days !== undefined) return days * 24
  if (stored === null) return 90 * 24
  return { '1': 24, '30': 720, '90': 2160, '365': 8760 }[stored]
}

it('exactly resolved alerts past the retention of their organization go, whatever the rows are', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ retentions, alerts, deletesOrphans, days }) => {
      await store.query('TRUNCATE organization, alerts')
      await store.query('INSERT INTO organization SELECT * FROM unnest($1::text[], $2::text[])', [
        organizations,
        retentions,
      ])
      await store.query(
        'INSERT INTO alerts SELECT at, o, r, t FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS a (o, r, t, at)',
        [
          alerts.map(({ organization }) => organization),
          alerts.map(({ resolved }) => resolved),
          alerts.map(({ age: hours }) => timeOf(hours)),
        ],
      )
      const isDue = ({ organization, resolved, age: hours }: (typeof alerts)[number]) => {
        if (resolved !== 'true' || hours === null) return false
        if (organization === 'gone') return deletesOrphans && hours > 2160
        return hours > (keepsFor(organization, retentions, days) ?? Infinity)
      }

      const request = days === undefined ? {} : { days }
      const report = await createAuditRig({ store, config: { deletesOrphans } }).alerts(request)
      const { rows } = await store.query('SELECT id FROM alerts ORDER BY id')
      expect(rows.map(({ id }) => id)).toEqual(alerts.flatMap((one, at) => (isDue(one) ? [] : [at + 1])))
      expect(report).toMatchObject({ outcome: 'done', due: report.deleted, deleted: alerts.length - rows.length })
      expect(report.scanned).toBe(report.due + report.kept)
      const parts = report.parts ?? []
      expect(parts.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(report.deleted)
      for (const part of parts) expect(part.scanned).toBe(part.due + part.kept)
    }),
    { numRuns: 40 },
  )
}, 60_000)
