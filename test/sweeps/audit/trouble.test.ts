import { EventEmitter, once } from 'node:events'
import { expect, it } from 'vitest'
import { Client } from 'pg'
import { DatabaseError } from '../../../src/errors.ts'
import type { SweepRequest } from '../../../src/sweeps/sweep.ts'
import { auditPart, createAuditRig } from '../../support/audit-rig.ts'
import { auditStoreOfEachTest } from '../../support/audit-store.ts'
import { ALERTS, countAlerts, endSession, fill, isPage, OLD, rigAround } from '../../support/audit-trouble.ts'
import { describeWithPostgres } from '../../support/postgres-server.ts'

describeWithPostgres('trouble with one organization', () => {
  const store = auditStoreOfEachTest()

  it('rows that somebody holds stay, free rows and other organizations go, and the next run completes it', async () => {
    await fill(store, ['acme', 'held', 'other'])
    const holder = new Client({ connectionString: store.url })
    await holder.connect()
    await holder.query("BEGIN; SELECT 1 FROM alerts WHERE organization_id = 'held' AND id IN (1000, 1007) FOR UPDATE")
    const rig = createAuditRig({ store })

    const { report, code } = await rig.sweepAlerts()
    expect(code).toBe('PARTS_FAILED')
    expect(report).toMatchObject({ outcome: 'failed', due: 3 * ALERTS, deleted: 3 * ALERTS - 2 })
    expect(report.because).toContain('1 organization (held) failed')
    expect(auditPart(report, 'held').because).toMatch(
      /^2 alerts stayed: somebody else holds them, .* The next run tries again\.$/,
    )
    expect(rig.told).toContainEqual(
      expect.objectContaining({ part: 'held', attempts: 1, because: expect.stringContaining('2 alerts stayed') }),
    )

    // Whoever asks for one organization is told what is wrong with that one.
    expect((await rig.sweepAlerts({ organization: 'held', isPart: true })).code).toBe('DATABASE_BUSY')

    await holder.query('ROLLBACK')
    await holder.end()
    expect(await rig.alerts()).toMatchObject({ outcome: 'done', due: 2, deleted: 2 })
    expect(await countAlerts(store)).toEqual({ acme: 1, held: 1, other: 1 })
  })

  it('a connection that is lost in the middle is made anew, and everything due goes', async () => {
    await fill(store, ['acme', 'broken', 'other'])
    let pages = 0
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      if (isPage(sql, values, 'broken') && (pages += 1) === 2) await endSession(store, query)
      return await query(sql, values)
    })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'done', deleted: 3 * ALERTS })
    expect(auditPart(report, 'broken').because).toBe('The connection was lost: it took 2 attempts.')
    expect(rig.told).toContainEqual(expect.objectContaining({ part: 'broken', attempts: 2, because: null }))
    expect(await countAlerts(store)).toEqual({ acme: 1, broken: 1, other: 1 })
  })

  it('a batch whose answer is lost is deleted once, and the report says that it is not counted', async () => {
    await fill(store, ['acme', 'broken'])
    let pages = 0
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      const answer = await query(sql, values)
      if (!isPage(sql, values, 'broken') || (pages += 1) !== 1) return answer
      throw new DatabaseError('DATABASE_UNREACHABLE', 'The connection failed.')
    })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'done', due: 2 * ALERTS })
    expect(auditPart(report, 'broken').deleted).toBeLessThan(ALERTS)
    expect(auditPart(report, 'broken').because).toContain('without an answer deleted is not counted')
    expect(await countAlerts(store)).toEqual({ acme: 1, broken: 1 })
  })

  it('an organization whose connection fails four times is left for the next run, and the others go', async () => {
    await fill(store, ['acme', 'broken', 'other'])
    let isBroken = true
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      if (isBroken && isPage(sql, values, 'broken')) await endSession(store, query)
      return await query(sql, values)
    })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'failed', deleted: 2 * ALERTS })
    expect(auditPart(report, 'broken')).toMatchObject({
      deleted: 0,
      because: expect.stringContaining('the connection failed'),
    })
    expect(rig.told).toContainEqual(expect.objectContaining({ part: 'broken', attempts: 4 }))

    isBroken = false
    expect(await rig.alerts()).toMatchObject({ outcome: 'done', deleted: ALERTS })
    expect(await countAlerts(store)).toEqual({ acme: 1, broken: 1, other: 1 })
  })

  it('after five organizations in a row whose connection fails the run stops and keeps its counts', async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `org-${String(at).padStart(2, '0')}`)
    await fill(store, ids)
    let pages = 0
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      if (isPage(sql, values) && (pages += 1) > 4) {
        throw new DatabaseError('DATABASE_UNREACHABLE', 'The connection failed.')
      }
      return await query(sql, values)
    })

    const { report, code } = await rig.sweepAlerts()
    expect(code).toBe('DATABASE_UNREACHABLE')
    expect(report).toMatchObject({
      outcome: 'stopped',
      because: expect.stringContaining('five organizations in a row'),
    })
    expect(report.deleted).toBe(
      ids.length * (ALERTS + 1) - Object.values(await countAlerts(store)).reduce((a, b) => a + b, 0),
    )
    const failed = report.parts?.filter(({ because }) => because?.includes('The connection failed.') === true) ?? []
    expect(failed.length).toBeGreaterThanOrEqual(5)
    expect(failed.length).toBeLessThanOrEqual(8)
    const untouched = report.parts?.filter(({ deleted, because }) => deleted === 0 && !because?.includes('connection'))
    expect(untouched?.length).toBeGreaterThan(0)
    expect(new Set(untouched?.map(({ because }) => because?.includes('Its turn did not come.')))).toEqual(
      new Set([true]),
    )

    await createAuditRig({ store }).alerts()
    expect(new Set(Object.values(await countAlerts(store)))).toEqual(new Set([1]))
  })

  it('sessions that cannot be opened any more count as attempts, and the run stops', async () => {
    await fill(
      store,
      Array.from({ length: 6 }, (_, at) => `org-${at}`),
    )
    let opened = 0
    const rig = createAuditRig({
      store: {
        url: store.url,
        open: async (url) => {
          if ((opened += 1) === 1) return await store.open(url)
          throw new DatabaseError('DATABASE_UNREACHABLE', 'Too many connections.')
        },
      },
    })

    expect(await rig.sweepAlerts()).toMatchObject({ code: 'DATABASE_UNREACHABLE', report: { outcome: 'stopped' } })
    expect(rig.told.every(({ attempts }) => attempts === 4)).toBe(true)
  })

  it('a database that is away from the beginning fails the run after four attempts', async () => {
    let attempts = 0
    const rig = createAuditRig({
      store: {
        url: store.url,
        open: async () => {
          attempts += 1
          throw new DatabaseError('DATABASE_UNREACHABLE', 'The connection failed.')
        },
      },
    })

    expect(await rig.sweepAlerts()).toMatchObject({ code: 'DATABASE_UNREACHABLE', report: { outcome: 'failed' } })
    expect(await rig.sweepErrors()).toMatchObject({ code: 'DATABASE_UNREACHABLE', report: { outcome: 'failed' } })
    expect(attempts).toBe(8)
  })

  it.each([
    ['was deleted', "DELETE FROM organization WHERE id = 'fickle'", 'It was deleted meanwhile'],
    [
      'keeps longer now',
      "UPDATE organization SET retention_days = 365 WHERE id = 'fickle'",
      'Its retention was changed meanwhile',
    ],
  ])('an organization that %s between the listing and its turn keeps its alerts', async (_, change, because) => {
    await fill(store, ['acme', 'fickle'])
    const rig = rigAround(store, (query) => async (sql, values = []) => {
      if (isPage(sql, values, 'fickle')) await store.query(change)
      return await query(sql, values)
    })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'done', deleted: ALERTS })
    expect(auditPart(report, 'fickle')).toMatchObject({ deleted: 0, because: expect.stringContaining(because) })
    expect(await countAlerts(store)).toEqual({ acme: 1, fickle: ALERTS + 1 })
  })

  it('an organization that comes back between the counting of orphans and their turn keeps its alerts', async () => {
    await fill(store, ['acme'])
    await store.query(`INSERT INTO alerts SELECT n, 'back', true, ${OLD} FROM generate_series(5000, 5009) n`)
    const rig = rigAround(
      store,
      (query) =>
        async (sql, values = []) => {
          if (isPage(sql, values, 'back')) await store.query("INSERT INTO organization VALUES ('back', 365)")
          return await query(sql, values)
        },
      { config: { deletesOrphans: true } },
    )

    expect(await rig.alerts()).toMatchObject({ outcome: 'done', due: ALERTS + 10, deleted: ALERTS })
    expect(await countAlerts(store)).toEqual({ acme: 1, back: 10 })
  })

  it('rows that the database itself keeps hold nobody up', async () => {
    await fill(store, ['acme', 'kept'])
    await store.query(`INSERT INTO alerts SELECT n, 'kept', true, ${OLD} FROM generate_series(5001, 5000 + 2000) n;
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON alerts FOR EACH ROW WHEN (OLD.organization_id = 'kept') EXECUTE FUNCTION keep()`)

    const report = await createAuditRig({ store }).alerts()
    expect(report).toMatchObject({ outcome: 'failed', deleted: ALERTS })
    expect(auditPart(report, 'kept').because).toContain(`${ALERTS + 2_000} alerts stayed`)
  })

  it('an organization that takes longer than its deadline is ended, and the others go', async () => {
    await fill(store, ['acme', 'other', 'slow'])
    await store.query(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$;
      CREATE TRIGGER slow BEFORE DELETE ON alerts FOR EACH ROW WHEN (OLD.organization_id = 'slow') EXECUTE FUNCTION wait()`)
    const rig = createAuditRig({ store, limits: { deadlineMs: 3_000 } })

    const report = await rig.alerts()
    expect(report).toMatchObject({ outcome: 'failed', deleted: 2 * ALERTS })
    expect(auditPart(report, 'slow').because).toBe(
      'It took longer than 3 seconds. The next run goes on with it. What a statement without an answer deleted is not counted.',
    )
    expect(await countAlerts(store)).toEqual({ acme: 1, other: 1, slow: ALERTS + 1 })

    await store.query('DROP TRIGGER slow ON alerts')
    expect(await rig.alerts()).toMatchObject({ outcome: 'done', deleted: ALERTS })
  })

  it('at most four organizations are worked on at a time, over sessions that are opened when they are needed', async () => {
    let [opened, working, most] = [0, 0, 0]
    // Nobody goes on before four are at work at once, and there was time for a fifth.
    const atWork = new EventEmitter()
    const four = once(atWork, 'four')
    const rig = rigAround(store, (query) => {
      opened += 1
      return async (sql, values = []) => {
        if (!isPage(sql, values)) return await query(sql, values)
        most = Math.max(most, (working += 1))
        if (working === 4) setTimeout(() => atWork.emit('four'), 200)
        await four
        try {
          return await query(sql, values)
        } finally {
          working -= 1
        }
      }
    })
    await rig.alerts()
    expect(opened).toBe(1)

    await fill(
      store,
      Array.from({ length: 12 }, (_, at) => `org-${at}`),
    )
    await rig.alerts()
    expect(most).toBe(4)
    expect(opened).toBe(6)
  })

  it('a run that is interrupted after any statement loses nothing: the next ones complete it', async () => {
    await fill(store, ['acme', 'other'])
    await store.query(`INSERT INTO alerts SELECT n, 'nobody', true, ${OLD} FROM generate_series(5000, 5499) n`)
    let [deleted, runs] = [0, 0]
    for (let isDone = false; !isDone; runs += 1) {
      const stop = new AbortController()
      let statements = 0
      const rig = rigAround(
        store,
        (query) =>
          async (sql, values = []) => {
            const answer = await query(sql, values)
            if ((statements += 1) > runs) stop.abort()
            return answer
          },
        { config: { deletesOrphans: true } },
      )
      const request: Partial<SweepRequest> = { signal: stop.signal }
      const report = await rig.alerts(request)
      deleted += report.deleted
      expect(['done', 'stopped']).toContain(report.outcome)
      isDone = report.outcome === 'done' && report.due === 0
    }

    expect(deleted).toBe(2 * ALERTS + 500)
    expect(runs).toBeGreaterThan(10)
    expect(await countAlerts(store)).toEqual({ acme: 1, other: 1 })
  })
})
