import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectPostgres } from '../../../src/postgres/connect.ts'
import { createAuditRig } from '../../support/audit-rig.ts'
import { AUDIT_SCHEMA } from '../../support/audit-store.ts'
import { OLD } from '../../support/audit-trouble.ts'
import { describeWithPostgres, startPostgresServer, type PostgresServer } from '../../support/postgres-server.ts'

describeWithPostgres('a database that goes silent', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgresServer()
  }, 60_000)
  afterAll(async () => await server.stop())

  /** A filled database and a rig whose server says nothing any more from the first statement that fits on. */
  async function silentFrom(pattern: RegExp, onSilent: () => void = () => {}) {
    const url = await server.createDatabase()
    const sql = await connectPostgres(url)
    await sql.query(`${AUDIT_SCHEMA}; INSERT INTO organization VALUES ('acme', 30);
      INSERT INTO alerts SELECT n, 'acme', true, ${OLD} FROM generate_series(1, 10) n;
      INSERT INTO error_log SELECT n, ${OLD} FROM generate_series(1, 10) n`)
    await sql.close()
    return createAuditRig({
      store: {
        url,
        open: async (address) => {
          const session = await connectPostgres(address)
          return {
            ...session,
            query: async (text, values) => {
              if (pattern.test(text)) {
                await server.kill('SIGSTOP')
                onSilent()
              }
              return await session.query(text, values)
            },
          }
        },
      },
      limits: { pausesMs: [], deadlineMs: 1_500 },
    })
  }

  it.each([
    ['errors', 'counts', /FILTER/],
    ['errors', 'deletes', /DELETE/],
    ['alerts', 'counts', /FILTER/],
    ['alerts', 'deletes', /DELETE/],
  ] as const)(
    'ends a sweep of %s that is interrupted while it %s',
    async (name, _, pattern) => {
      const stop = new AbortController()
      const rig = await silentFrom(pattern, () => stop.abort())
      const report = await rig[name]({ signal: stop.signal })
      await server.kill('SIGCONT')

      expect(report).toMatchObject({ outcome: 'stopped', because: expect.stringContaining('Interrupted') })
    },
    30_000,
  )

  it.each([
    ['errors', /DELETE/],
    ['alerts', /FILTER/],
    ['alerts', /DELETE/],
  ] as const)(
    'holds a sweep of %s for no longer than its deadline',
    async (name, pattern) => {
      const rig = await silentFrom(pattern)
      const report = await rig[name]()
      await server.kill('SIGCONT')

      expect(report.outcome).toBe('failed')
    },
    60_000,
  )
})
