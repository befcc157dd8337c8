import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { ADMIN, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { AUDIT_SCHEMA, startAuditStores, type AuditStore, type AuditStores } from '../support/audit-store.ts'
import { describeWithPostgres } from '../support/postgres-server.ts'
import { describeWithRedis } from '../support/redis-server.ts'

/** Alerts and errors of two days before the first slots after the start, and of a year before. */
const ROWS = `
  INSERT INTO organization VALUES ('acme', 30), ('initech', NULL), ('broken', 0);
  INSERT INTO alerts VALUES
    (1, 'acme', true, '2025-12-07T00:00:00Z'), (2, 'acme', true, '2025-10-01T00:00:00Z'),
    (3, 'initech', true, '2025-10-01T00:00:00Z'), (4, 'initech', true, '2024-12-07T00:00:00Z'),
    (5, 'initech', false, '2024-12-07T00:00:00Z'), (6, 'broken', true, '2024-12-07T00:00:00Z');
  INSERT INTO error_log VALUES (1, '2025-12-07T00:00:00Z'), (2, '2024-12-07T00:00:00Z');
  INSERT INTO error_aggregation VALUES ('a', '2025-12-07T00:00:00Z'), ('b', '2024-12-07T00:00:00Z')`

/** A minute after both slots: 5:00 and 4:00 in Lisbon are 6:00 and 5:00 in Berlin. */
const AFTER_THE_SLOTS = '2025-12-09T06:01:00+01:00'

/** Waits until it holds, also on a busy machine. */
const patiently = (holds: () => unknown) => vi.waitFor(holds, { timeout: 20_000, interval: 50 })

// Alerts and errors are in PostgreSQL, slots and history in Redis.
describeWithRedis('a service with an audit database', () => describeWithPostgres('of its own', suite))

function suite() {
  let stores: AuditStores
  let store: AuditStore
  let rig: ServiceRig

  beforeAll(async () => {
    stores = await startAuditStores()
  })
  afterAll(() => stores.stop())
  beforeEach(async () => {
    store = await stores.create(`${AUDIT_SCHEMA}; ${ROWS}`)
  })
  afterEach(async () => {
    await rig.stop()
    await store.close()
  })

  const start = async () => {
    rig = await startServiceRig({ env: { AUDIT_DATABASE_URL: store.url, SWEEP_ENABLED: 'false' } })
    await patiently(async () => expect(await slots()).not.toContain(''))
  }

  const slots = async () => {
    const found = await Promise.all(['alerts', 'errors'].map((name) => rig.ask('GET', `orderly:schedule:${name}`)))
    return found.map((slot) => (typeof slot === 'string' ? slot : ''))
  }

  /** Wakes the service, as a pinger does again and again, until its slots are these. */
  const wakeUntil = (expected: readonly string[]) =>
    patiently(async () => {
      expect((await fetch(`${rig.url()}/healthz`)).status).toBe(200)
      expect(await slots()).toEqual(expected)
    })

  const left = async () => {
    const { rows } = await store.query('SELECT id::int FROM alerts ORDER BY id')
    return rows.map(({ id }) => id)
  }

  const toAdmin = () => rig.telegram.chat(ADMIN).messages.flatMap(({ isFromBot, text }) => (isFromBot ? [text] : []))

  it('runs the slots of alerts and errors once they are due, and says nothing of a quiet night', async () => {
    await start()
    expect(await slots()).toEqual(['2025-12-08T05:00', '2025-12-08T04:00'])

    rig.clock.moveTo(AFTER_THE_SLOTS)
    await wakeUntil(['2025-12-09T05:00', '2025-12-09T04:00'])

    expect(await left()).toEqual([1, 3, 5, 6])
    expect((await store.query('SELECT id::int FROM error_log')).rows).toEqual([{ id: 1 }])
    expect((await store.query('SELECT error_hash FROM error_aggregation')).rows).toEqual([{ error_hash: 'a' }])
    expect(toAdmin()).toEqual([])
    rig.telegram.say(ADMIN, ADMIN, '/status')
    await patiently(() => expect(toAdmin().join()).toContain('Last alert cleanup:'))
    const status = toAdmin().join('\n')
    expect(status).toContain('Last alert cleanup: 2025-12-09 06:01, done, 2 deleted')
    expect(status).toMatch(/• broken: .*its alerts are kept/i)
    expect(status).toContain('Last error cleanup: 2025-12-09 06:01, done, 2 deleted')
    expect(status).toContain('Next alert cleanup: 2025-12-10 06:00')
  })

  it('tells the admins once where one fails, keeps its slot, and completes it when it can', async () => {
    await start()
    await store.query('ALTER TABLE alerts RENAME TO hidden')

    rig.clock.moveTo(AFTER_THE_SLOTS)
    await wakeUntil(['2025-12-08T05:00', '2025-12-09T04:00'])
    await patiently(() => expect(toAdmin()).not.toEqual([]))

    expect(toAdmin()).toEqual([expect.stringMatching(/^⚠️ The alert cleanup failed: .*AUDIT_TABLES/)])
    await store.query('ALTER TABLE hidden RENAME TO alerts')
    rig.clock.advance(60 * 60_000)
    await wakeUntil(['2025-12-09T05:00', '2025-12-09T04:00'])
    expect(await left()).toEqual([1, 3, 5, 6])
    expect(toAdmin()).toHaveLength(1)
  })

  it('wakes neither where an Inngest does', async () => {
    rig = await startServiceRig({
      env: {
        AUDIT_DATABASE_URL: store.url,
        INNGEST_APP_ID: 'orderly',
        INNGEST_DEV: 'http://127.0.0.1:1',
        SCHEDULER: 'inngest',
      },
    })

    rig.clock.moveTo(AFTER_THE_SLOTS)
    await wakeUntil(['', ''])
    const served = await fetch(`${rig.url()}/api/inngest`)

    expect(served.status).toBe(200)
    expect(await slots()).toEqual(['', ''])
    expect(await left()).toEqual([1, 2, 3, 4, 5, 6])
  })
}
