import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AUDIT_NOW } from '../../support/audit-rig.ts'
import { AUDIT_SCHEMA, auditStoresOfSuite, type AuditStore } from '../../support/audit-store.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const withStore = auditStoresOfSuite()

const remaining = async (store: AuditStore, table = 'alerts', key = 'id') =>
  (await store.query(`SELECT ${key} AS id FROM ${table} ORDER BY 1`)).rows.map(({ id }) => String(id))

describe('times', () => {
  const run = promisify(execFile)

  /** A row each three minutes within a day of the cutoff, in columns with a zone and without one: several pages. */
  const cutoff = `timestamptz '${AUDIT_NOW}' - interval '2160 hours'`
  const filled = `${AUDIT_SCHEMA.replace('resolved_at timestamptz', 'resolved_at timestamp')};
    ALTER TABLE error_aggregation ALTER last_occurrence TYPE timestamp;
    SET timezone = 'UTC';
    INSERT INTO organization VALUES ('acme', 90);
    INSERT INTO error_log SELECT n, ${cutoff} + n * interval '3 minutes' FROM generate_series(-480, 480) n;
    INSERT INTO alerts SELECT id, 'acme', true, "timestamp" AT TIME ZONE 'UTC' FROM error_log;
    INSERT INTO error_aggregation SELECT id, resolved_at FROM alerts;
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kolkata''', current_database());
      EXECUTE format('ALTER DATABASE %I SET datestyle = ''SQL, DMY''', current_database()); END $$`

  it.skipIf(!hasPostgres).each([
    ['UTC', 0],
    ['America/New_York', 240],
    ['Asia/Kolkata', -330],
  ])(
    'the zone %s of the process and that of the database change nothing, in columns with a zone or without',
    async (zone, offset) => {
      await withStore(filled, async (store) => {
        const script = join(import.meta.dirname, '../../support/audit-process.ts')
        const { stdout } = await run(process.execPath, ['--import', 'tsx', script, store.url], {
          cwd: join(import.meta.dirname, '../../..'),
          env: { ...process.env, TZ: zone },
        })

        expect(JSON.parse(stdout)).toEqual({ offset, outcomes: ['done', 'done'] })
        const kept = Array.from({ length: 481 }, (_, number) => number)
        for (const [table, key] of Object.entries({
          alerts: 'id',
          error_log: 'id',
          error_aggregation: 'error_hash::int',
        })) {
          expect((await remaining(store, table, key)).map(Number)).toEqual(kept)
        }
      })
    },
    30_000,
  )
})
