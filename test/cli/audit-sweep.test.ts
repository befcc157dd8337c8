import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { AUDIT_SCHEMA, startAuditStores, type AuditStore, type AuditStores } from '../support/audit-store.ts'
import { callOrderly, envelopeOf, hasStackTrace, runOrderly, steeringIn, type Env } from '../support/cli.ts'
import { describeWithPostgres } from '../support/postgres-server.ts'

const sweep = async (words: readonly string[], env: Env) => {
  const run = await callOrderly(['sweep', ...words, '--json'], { env })
  return { code: run.code, ...envelopeOf<SweepReport>(run) }
}

/** Nobody listens there. */
const GONE = { AUDIT_DATABASE_URL: 'postgres://u:gEheim@127.0.0.1:1/audit' }

describe('orderly sweep alerts and orderly sweep errors', () => {
  it.each(['alerts', 'errors'])('name the variable that %s needs', async (name) => {
    const { code, command, data, error } = await sweep([name], {})

    expect({ code, command, data }).toEqual({ code: 1, command: `sweep ${name}`, data: null })
    expect(error?.message).toContain(`AUDIT_DATABASE_URL is required for the sweep over ${name}.`)
  })

  it.each([
    ['errors', ['--organization', 'acme']],
    ['orders', ['--organization', 'acme']],
    ['inngest', ['--organization', 'acme']],
    ['alerts', ['--file', 'orders.jsonl']],
    ['alerts', ['--days', '366']],
    ['alerts', ['--organization']],
  ])('refuse for %s as wrong use: %j', async (name, words) => {
    const { code, command, error } = await sweep([name, ...words], GONE)

    expect({ code, command, error }).toMatchObject({ code: 2, command: `sweep ${name}`, error: { code: 'WRONG_USE' } })
  })

  it.each(['alerts', 'errors'])('refuse to keep no days of %s at all', async (name) => {
    const { code, error } = await sweep([name, '--days', '0'], GONE)

    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'BAD_INPUT' } })
    expect(error?.message).toContain('from 1 to 365')
  })

  it('refuse a time ahead where something would be deleted', async () => {
    const { code } = await sweep(['errors', '--as-of', '2999-01-01T00:00:00Z', '--apply'], GONE)

    expect(code).toBe(2)
  })
})

describeWithPostgres('orderly sweep over a real audit database', () => {
  let stores: AuditStores
  let store: AuditStore
  beforeAll(async () => {
    stores = await startAuditStores()
  })
  afterAll(() => stores.stop())
  beforeEach(async () => {
    store = await stores.create(`${AUDIT_SCHEMA};
      INSERT INTO organization VALUES ('acme', 30), ('initech', NULL), ('broken', 0);
      INSERT INTO alerts SELECT n, CASE n % 3 WHEN 0 THEN 'acme' WHEN 1 THEN 'initech' ELSE 'broken' END, n % 2 = 0,
        '2026-03-01T00:00:00Z'::timestamptz - n * interval '1 day' FROM generate_series(1, 120) n;
      INSERT INTO error_log SELECT n, '2026-03-01T00:00:00Z'::timestamptz - n * interval '1 day' FROM generate_series(1, 120) n`)
  })
  afterEach(() => store.close())

  const env = (): Env => ({ AUDIT_DATABASE_URL: store.url, LOG_LEVEL: 'silent' })
  const AS_OF = ['--as-of', '2026-03-01T00:00:00Z']
  const count = async (table: string) =>
    Number((await store.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.['n'])

  it('shows what would go and changes nothing, then deletes exactly that', async () => {
    const planned = await sweep(['alerts', ...AS_OF], env())
    expect(planned).toMatchObject({ code: 0, ok: true, data: { outcome: 'planned', deleted: 0 } })
    expect(await count('alerts')).toBe(120)

    const done = await sweep(['alerts', ...AS_OF, '--apply'], env())

    // Of 31 to 120 days ago every sixth, and of 91 to 120 days ago every sixth.
    expect(done).toMatchObject({ code: 0, data: { outcome: 'done', due: planned.data.due, deleted: 15 + 5 } })
    expect(await count('alerts')).toBe(100)
    expect(await sweep(['alerts', ...AS_OF, '--apply'], env())).toMatchObject({ code: 0, data: { deleted: 0 } })
  })

  it('takes the days that are asked for in place of the stored ones, for one organization or for all', async () => {
    const acme = await sweep(['alerts', '--organization', 'acme', '--days', '60', ...AS_OF, '--apply'], env())
    expect(acme).toMatchObject({ code: 0, data: { deleted: 10, parts: [{ name: 'acme', deleted: 10 }] } })

    const all = await sweep(['alerts', '--days', '90', ...AS_OF], env())
    expect(all.data.parts?.map(({ name, due }) => [name, due])).toEqual(
      expect.arrayContaining([
        ['initech', 5],
        ['broken', 5],
      ]),
    )
  })

  it('names an organization that does not exist as the problem, and deletes nothing', async () => {
    const { code, error } = await sweep(['alerts', '--organization', 'nobody', '--apply'], env())

    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'BAD_INPUT' } })
    expect(await count('alerts')).toBe(120)
  })

  it('asks for no --apply after a dry run that failed', async () => {
    const { stdout } = await callOrderly(['sweep', 'alerts', '--organization', 'nobody'], { env: env() })

    expect(stdout).toMatch(/^Sweep alerts failed[^]*\n\nNothing was deleted\.\n$/)
  })

  it('deletes errors by their time', async () => {
    expect(await sweep(['errors', ...AS_OF, '--apply'], env())).toMatchObject({ code: 0, data: { deleted: 30 } })
    expect(await count('error_log')).toBe(90)
  })

  it('tells people each organization, and those of which something is to be said', async () => {
    const { code, stdout, stderr } = await callOrderly(['sweep', 'alerts', ...AS_OF], { env: env() })

    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^Would delete 20 alerts of 2 organizations/)
    expect(stdout).toMatch(/^ {2}acme +20 +15$/m)
    expect(stdout).toMatch(/^ {2}broken +20 +0 +Its retention is no whole number/m)
    expect(stdout).toMatch(/Nothing was deleted\. Add --apply to delete\.\n$/)
    expect(stderr).toContain('broken')
  })

  it('tells of many organizations the telling ones, and sums up the rest', async () => {
    await store.query(`INSERT INTO organization SELECT 'org-' || n, 30 FROM generate_series(1, 60) n`)
    await store.query(
      `INSERT INTO alerts SELECT 1000 + n, 'org-' || (n % 60 + 1), true, '2025-01-01' FROM generate_series(1, 120) n`,
    )

    const { stdout } = await callOrderly(['sweep', 'alerts', ...AS_OF], { env: env() })

    expect(stdout).toMatch(/^ {2}broken +20 +0 +Its retention/m)
    expect(stdout).toMatch(/^ {2}and 43 others +86 +86$/m)
  })

  it('shows names so that they cannot steer a terminal', async () => {
    await store.query(`INSERT INTO organization VALUES (E'\\x1b[2Jevil\nLast', 999)`)

    const { stdout, stderr } = await callOrderly(['sweep', 'alerts', ...AS_OF], { env: env() })

    expect(steeringIn(stdout + stderr)).toEqual([])
  })

  it('works as a process of its own, and says that the run is in no history', async () => {
    const run = await runOrderly(['sweep', 'errors', ...AS_OF, '--apply'], { env: env() })

    expect(run).toMatchObject({ code: 0, signal: null })
    expect(run.stdout).toMatch(/^Deleted 30 rows of error_log and 0 rows of error_aggregation\.\n/)
    expect(run.stderr).toContain('this run is in no history')
  })

  it('names the variable where a table is not what it should be, and never the password', async () => {
    await store.query('ALTER TABLE alerts RENAME TO other')

    const run = await callOrderly(['sweep', 'alerts'], { env: env() })

    expect(run.code).toBe(1)
    expect(run.stderr).toContain('AUDIT_TABLES')
    expect(hasStackTrace(run)).toBe(false)
    expect(run.stderr + run.stdout).not.toContain(new URL(store.url).password)
  })
})
