import { describe, expect, it } from 'vitest'
import type { AuditTables } from '../../../src/config.ts'
import { listOrganizations } from '../../../src/sweeps/audit/organizations.ts'
import { AUDIT_NOW, auditConfig, auditPart, auditTables, createAuditRig } from '../../support/audit-rig.ts'
import { AUDIT_SCHEMA, auditStoresOfSuite, type AuditStore } from '../../support/audit-store.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const withStore = auditStoresOfSuite()

const OLD = `timestamptz '${AUDIT_NOW}' - interval '400 days'`
const remaining = async (store: AuditStore, table = 'alerts', key = 'id') =>
  (await store.query(`SELECT ${key} AS id FROM ${table} ORDER BY 1`)).rows.map(({ id }) => String(id))

interface Shape {
  readonly id?: string
  readonly owner?: string
  readonly key?: string
  readonly resolved?: string
  readonly time?: string
  readonly retention?: string
}

const schemaOf = ({
  id = 'text',
  owner = id,
  key = 'bigint',
  resolved = 'boolean',
  time = 'timestamptz',
  retention = 'integer',
}: Shape) => `
  CREATE TABLE organization (id ${id} PRIMARY KEY, retention_days ${retention});
  CREATE TABLE alerts (id ${key} PRIMARY KEY, organization_id ${owner}, resolved ${resolved}, resolved_at ${time})`

const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`

describe('columns of every type that is understood', () => {
  it.each<readonly [string, Shape, (n: number) => string]>([
    ['text', { id: 'text', key: 'text' }, String],
    ['varchar and text', { id: 'varchar(40)', owner: 'text', key: 'varchar(40)' }, String],
    ['uuid', { id: 'uuid', key: 'uuid' }, uuid],
    ['integer and bigint', { id: 'integer', owner: 'bigint', key: 'integer' }, String],
    ['bigint and integer', { id: 'bigint', owner: 'integer', key: 'bigint' }, String],
  ])('ids are %s', async (_, shape, id) => {
    await withStore(schemaOf(shape), async (store) => {
      await store.query(`INSERT INTO organization VALUES ('${id(1)}', 30), ('${id(2)}', 30);
        INSERT INTO alerts VALUES ('${id(3)}', '${id(1)}', true, ${OLD}), ('${id(4)}', '${id(1)}', false, ${OLD}),
          ('${id(5)}', '${id(2)}', true, ${OLD}), ('${id(6)}', '${id(7)}', true, ${OLD})`)
      const rig = createAuditRig({ store })

      expect(await rig.alerts({ organization: id(1) })).toMatchObject({ outcome: 'done', deleted: 1 })
      for (const unknown of ['acme', '9'.repeat(19), '-1', '', "'", 'a\0b', '99999999999999999999']) {
        expect((await rig.sweepAlerts({ organization: unknown })).code).toBe('BAD_INPUT')
      }
      const report = await rig.alerts()
      expect(auditPart(report, id(2)).deleted).toBe(1)
      expect(await remaining(store)).toEqual([id(4), id(6)])
    })
  })

  it.each(['text', 'varchar(5)'])("of a %s only 'true' means resolved", async (type) => {
    await withStore(schemaOf({ resolved: type }), async (store) => {
      await store.query(`INSERT INTO organization VALUES ('acme', 30);
        INSERT INTO alerts SELECT n, 'acme', ('{true,TRUE,t,1,yes,false,"",null," tru"}'::text[])[n], ${OLD} FROM generate_series(1, 9) n`)

      const report = await createAuditRig({ store }).alerts()
      expect(report).toMatchObject({ outcome: 'done', deleted: 1 })
      expect(report.because).toContain(`WHERE "resolved" = 'true';`)
      expect(await remaining(store)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9'])

      const [statement = ''] = /CREATE INDEX .*;/.exec(report.because ?? '') ?? []
      await store.query(statement)
      expect(await createAuditRig({ store }).alerts()).toMatchObject({ because: null })
    })
  })

  it.each([
    [
      'text',
      ['30', '365', '1'],
      ['', ' 30', '030', '30.0', '30.5', '1e2', '366', '0', '-1', '+30', '٣٠', 'abc', '0x1f'],
    ],
    ['numeric', ['30', '30.00', '365.0'], ['30.5', 'NaN', '0', '365.0001', '-30', '1e10']],
    ['smallint', ['1', '365'], ['0', '-1', '366', '32767']],
    ['bigint', ['1', '365'], ['0', '-1', '366', '9223372036854775807']],
    ['integer', ['1', '365'], ['0', '-1', '366', '2147483647']],
  ] as const)('of a retention that is %s exactly whole days from 1 to 365 count', async (type, good, bad) => {
    await withStore(schemaOf({ retention: type }), async (store) => {
      for (const [at, value] of [...good, ...bad].entries()) {
        await store.query('INSERT INTO organization VALUES ($1::text, $2)', [`org-${at}`, value])
      }
      await store.query(`INSERT INTO organization VALUES ('usual', NULL);
        INSERT INTO alerts SELECT row_number() OVER (), id, true, ${OLD} FROM organization`)
      const listed = new Map<string, unknown>()
      for await (const page of listOrganizations(auditConfig(store.url), store.open)) {
        for (const { id, retentionDays } of page) listed.set(id, retentionDays)
      }

      expect(listed.get('usual')).toBeNull()
      for (const [at, value] of good.entries()) expect(listed.get(`org-${at}`)).toBe(Math.floor(Number(value)))
      for (const at of bad.keys()) expect(listed.get(`org-${good.length + at}`)).toBe('refused')
      expect(await createAuditRig({ store }).alerts()).toMatchObject({ deleted: good.length + 1, kept: bad.length })
    })
  })

  it('organizations are listed in pages, each once', async () => {
    await withStore(schemaOf({ id: 'integer' }), async (store) => {
      await store.query('INSERT INTO organization SELECT n, 30 FROM generate_series(1, 1100) n')
      const pages: number[] = []
      const seen = new Set<string>()
      for await (const page of listOrganizations(auditConfig(store.url), store.open)) {
        pages.push(page.length)
        for (const { id } of page) seen.add(id)
      }

      expect(pages).toEqual([250, 250, 250, 250, 100])
      expect(seen.size).toBe(1_100)
    })
  })
})

const hostile = 'a""; DROP TABLE organization; --'
const at = (name: string) => `${name}'"\\ $1`
const q = (name: string) => `"${name.replaceAll('"', '""')}"`

describe('names', () => {
  it('hostile ones are taken literally', async () => {
    const tables: AuditTables = {
      organization: { table: hostile, columns: { id: at('i'), retention_days: at('r') } },
      alerts: {
        table: at('public.al'),
        columns: { id: at('k'), organization_id: at('o'), resolved: at('f'), resolved_at: at('t') },
      },
      error_log: { table: `Err or`, columns: { id: 'ID', timestamp: 'Time' } },
      error_aggregation: { table: 'odd.schema.Sum', columns: { error_hash: 'select', last_occurrence: 'order' } },
    }
    const schema = `
      CREATE TABLE organization (id text);
      CREATE TABLE ${q(hostile)} (${q(at('i'))} text PRIMARY KEY, ${q(at('r'))} integer);
      CREATE TABLE ${q(at('public.al'))} (${q(at('k'))} integer PRIMARY KEY, ${q(at('o'))} text, ${q(at('f'))} text, ${q(at('t'))} timestamp);
      CREATE TABLE "Err or" ("ID" integer PRIMARY KEY, "Time" timestamp);
      CREATE SCHEMA "odd.schema"; CREATE TABLE "odd.schema"."Sum" ("select" text PRIMARY KEY, "order" timestamptz);
      INSERT INTO ${q(hostile)} VALUES ('x'' OR true --', 30);
      INSERT INTO ${q(at('public.al'))} VALUES (1, 'x'' OR true --', 'true', ${OLD}), (2, 'y', 'true', ${OLD}), (3, 'x'' OR true --', 'false', ${OLD});
      INSERT INTO "Err or" VALUES (1, ${OLD}), (2, now());
      INSERT INTO "odd.schema"."Sum" VALUES ('a', ${OLD}), ('b', now())`
    await withStore(schema, async (store) => {
      const rig = createAuditRig({ store, config: { tables } })
      const first = await rig.alerts()
      expect(first).toMatchObject({ outcome: 'done', deleted: 1 })
      expect(await rig.errors()).toMatchObject({ outcome: 'done', deleted: 2 })
      expect(await remaining(store, q(at('public.al')), q(at('k')))).toEqual(['2', '3'])
      expect(await remaining(store, 'organization')).toEqual([])

      const [statement = ''] = /CREATE INDEX .*?;/.exec(first.because ?? '') ?? []
      await store.query(statement)
      expect((await rig.alerts()).because ?? '').not.toContain('CREATE INDEX')
    })
  })

  it('a table of another schema is named with it, and a name on the search path comes first', async () => {
    const schema = `${AUDIT_SCHEMA}; CREATE SCHEMA elsewhere;
      CREATE TABLE elsewhere.error_log (id integer PRIMARY KEY, "timestamp" timestamptz);
      INSERT INTO error_log VALUES (1, ${OLD}); INSERT INTO elsewhere.error_log VALUES (2, ${OLD})`
    const tables = { ...auditTables, error_log: { ...auditTables.error_log, table: 'elsewhere.error_log' } }
    await withStore(schema, async (store) => {
      expect(await createAuditRig({ store, config: { tables } }).errors()).toMatchObject({
        outcome: 'done',
        deleted: 1,
      })
      expect(await remaining(store, 'elsewhere.error_log')).toEqual([])
      expect(await remaining(store, 'error_log')).toEqual(['1'])

      await store.query('CREATE TABLE "elsewhere.error_log" (id integer PRIMARY KEY, "timestamp" timestamptz)')
      await store.query(`INSERT INTO elsewhere.error_log VALUES (3, ${OLD})`)
      expect(await createAuditRig({ store, config: { tables } }).errors()).toMatchObject({ deleted: 0 })
    })
  })

  it.each([
    ['is missing', 'DROP TABLE alerts', 'alerts (alerts in AUDIT_TABLES) does not exist'],
    ['is a view', 'ALTER TABLE alerts RENAME TO a; CREATE VIEW alerts AS SELECT * FROM a', 'is a view'],
    ['lacks a column', 'ALTER TABLE alerts RENAME resolved_at TO at', 'has no column resolved_at'],
    ['has a dropped column', 'ALTER TABLE alerts DROP COLUMN resolved_at', 'has no column resolved_at'],
    ['has a time of text', 'ALTER TABLE alerts ALTER resolved_at TYPE text', 'resolved_at of the type text'],
    ['has an id of bytes', 'ALTER TABLE alerts ALTER id TYPE bytea USING NULL::bytea', 'id of the type bytea'],
    ['belongs to ids of another type', 'ALTER TABLE alerts ALTER organization_id TYPE uuid USING NULL', 'another type'],
    [
      'takes further alerts along',
      'ALTER TABLE alerts ADD parent bigint REFERENCES alerts ON DELETE CASCADE',
      'takes rows of "public"."alerts" along',
    ],
    [
      'takes further alerts along by way of another',
      `CREATE TABLE notes (id bigint PRIMARY KEY, alert bigint REFERENCES alerts ON DELETE CASCADE);
       ALTER TABLE alerts ADD note bigint REFERENCES notes ON DELETE CASCADE`,
      'takes rows of "public"."alerts" along',
    ],
    // What runs within the process has no collations of its own.
    ...(hasPostgres
      ? [
          [
            'takes different texts for equal',
            `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       ALTER TABLE alerts ALTER organization_id TYPE text COLLATE loose`,
            'whose collation takes different texts for equal',
          ],
        ]
      : []),
    [
      'has organizations twice',
      'ALTER TABLE organization DROP CONSTRAINT organization_pkey',
      'has no unique index on id',
    ],
    ['is temporary', 'DROP TABLE alerts; CREATE TEMP TABLE alerts (id integer)', 'does not exist'],
  ])('a table that %s is an error that names it, and nothing is deleted', async (_, change, text) => {
    await withStore(`${AUDIT_SCHEMA}; ${change}`, async (store) => {
      const { code, report } = await createAuditRig({ store }).sweepAlerts()

      expect(code).toBe('DATABASE_UNKNOWN')
      expect(report).toMatchObject({ outcome: 'failed', deleted: 0 })
      expect(report.because).toContain(text)
      expect(report.because).toContain('AUDIT_TABLES')
    })
  })

  it.each([
    ['is that of alerts too', '', { table: 'public.alerts', columns: { id: 'id', timestamp: 'resolved_at' } }],
    [
      'takes alerts along',
      'ALTER TABLE alerts ADD error bigint REFERENCES error_log ON DELETE CASCADE',
      auditTables.error_log,
    ],
  ])('an error log that %s is refused', async (_, change, given) => {
    await withStore(`${AUDIT_SCHEMA}; ${change}`, async (store) => {
      await store.query(
        `INSERT INTO error_log VALUES (1, ${OLD}); INSERT INTO alerts (id, resolved_at) VALUES (1, ${OLD})`,
      )
      const config = { tables: { ...auditTables, error_log: given } }

      expect((await createAuditRig({ store, config }).sweepErrors()).code).toBe('DATABASE_UNKNOWN')
      expect(await remaining(store)).toEqual(['1'])
    })
  })

  it('rows of other tables may go along with an alert', async () => {
    const schema = `${AUDIT_SCHEMA}; CREATE TABLE notes (id bigint PRIMARY KEY, alert bigint REFERENCES alerts ON DELETE CASCADE)`
    await withStore(schema, async (store) => {
      await store.query(`INSERT INTO organization VALUES ('acme', 30); INSERT INTO alerts VALUES (1, 'acme', true, ${OLD});
        INSERT INTO notes VALUES (1, 1)`)

      expect(await createAuditRig({ store }).alerts()).toMatchObject({ outcome: 'done', deleted: 1 })
      expect(await remaining(store, 'notes')).toEqual([])
    })
  })

  it("a table of the catalogue's own is no table to sweep", async () => {
    const tables = { ...auditTables, error_log: { ...auditTables.error_log, table: 'pg_catalog.pg_class' } }
    await withStore(AUDIT_SCHEMA, async (store) => {
      const { code } = await createAuditRig({ store, config: { tables } }).sweepErrors()
      expect(code).toBe('DATABASE_UNKNOWN')
    })
  })
})
