import { InngestTestEngine } from '@inngest/test'
import { describe, expect, it } from 'vitest'
import type { Organization } from '../../src/engine/alerts.ts'
import { DatabaseError, InputError, RedisError } from '../../src/errors.ts'
import { functionOf, listing, startEngineRig, type EngineRig } from './rig.ts'

interface Executed {
  readonly result: unknown
  readonly error: { readonly name: string; readonly message: string; readonly stack: string } | undefined
  /** The events of each step that sends some, by its name. */
  readonly sent: Readonly<Record<string, readonly Event[]>>
}

interface Event {
  readonly name: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

interface TestRun {
  readonly result?: unknown
  readonly error?: unknown
  readonly ctx: { readonly step: { readonly sendEvent: { readonly mock: { readonly calls: unknown[][] } } } }
}

/** Runs a function in the package's own test engine; what it sends goes nowhere. */
async function execute({ engine }: EngineRig, id: string, event?: object): Promise<Executed> {
  const batches = Array.from({ length: 12 }, (_, index) => `send-alerts-cleanup-${index + 1}`)
  const test = new InngestTestEngine({
    function: functionOf(engine, id),
    steps: [...batches, 'send-errors-cleanup'].map((step) => ({ id: step, handler: () => ({ ids: [] }) })),
    ...(event !== undefined && { events: [event as never] }),
  })
  const { result, error, ctx } = (await test.execute()) as unknown as TestRun
  const sent = ctx.step.sendEvent.mock.calls.map(([step, events]) => [step, [events].flat()])
  return { result, error: error as Executed['error'], sent: Object.fromEntries(sent) }
}

const organizations = (count: number): Organization[] =>
  Array.from({ length: count }, (_, index) => ({ id: `org-${index}`, retentionDays: (index % 365) + 1 }))

const alertEvent = (data: object) => ({ name: 'alerts/cleanup.resolved.alerts', data })
const errorEvent = (data: object) => ({ name: 'errors/cleanup.old.errors', data })
const sweepEvent = (data: object) => ({ name: 'sweep/requested', data })

const nothing = () => undefined

describe('alerts-cleanup-prepare', () => {
  it('sends one event for each of 1 203 organizations, at most 500 in a step', async () => {
    const all = organizations(1_203)
    const rig = await startEngineRig({ organizations: listing(all) })

    const { result, sent } = await execute(rig, 'alerts-cleanup-prepare')

    expect(Object.entries(sent).map(([step, events]) => [step, events.length])).toEqual([
      ['send-alerts-cleanup-1', 500],
      ['send-alerts-cleanup-2', 500],
      ['send-alerts-cleanup-3', 203],
    ])
    const events = Object.values(sent).flat()
    expect(events).toEqual(
      all.map(({ id, retentionDays }) => ({
        name: 'alerts/cleanup.resolved.alerts',
        id: `orderly:alerts:2026-03-10:${id}`,
        data: { organization_id: id, retention_days: retentionDays, stored: true, day: '2026-03-10' },
      })),
    )
    expect(result).toEqual({ day: '2026-03-10', sent: 1_203, defaulted: 0, refused: { count: 0, sample: [] } })
  })

  it('sends the default where an organization has no retention, and nothing where nobody can tell it', async () => {
    const broken = Array.from({ length: 7 }, (_, index) => ({
      id: `broken-${index}`,
      retentionDays: 'refused' as const,
    }))
    const rig = await startEngineRig({
      organizations: listing([{ id: 'a', retentionDays: null }, ...broken, { id: 'b', retentionDays: 1 }]),
    })

    const { result, sent } = await execute(rig, 'alerts-cleanup-prepare')

    expect(
      Object.values(sent)
        .flat()
        .map(({ data }) => data),
    ).toEqual([
      { organization_id: 'a', retention_days: 90, stored: true, day: '2026-03-10' },
      { organization_id: 'b', retention_days: 1, stored: true, day: '2026-03-10' },
    ])
    expect(result).toMatchObject({
      sent: 2,
      defaulted: 1,
      refused: { count: 7, sample: ['broken-0', 'broken-1', 'broken-2', 'broken-3', 'broken-4'] },
    })
    expect(rig.log()).toContain('"organizations":7')
  })

  it('is done on a day without organizations, and has sent nothing', async () => {
    const rig = await startEngineRig()

    expect(await execute(rig, 'alerts-cleanup-prepare')).toEqual({
      result: { day: '2026-03-10', sent: 0, defaulted: 0, refused: { count: 0, sample: [] } },
      error: undefined,
      sent: {},
    })
  })

  it.each([
    ['2026-03-10T23:59:59Z', '2026-03-10'],
    ['2026-07-10T23:00:00Z', '2026-07-11'],
    ['2026-03-29T04:00:00Z', '2026-03-29'],
  ])('run at %s sends events of %s, the day in Lisbon', async (now, day) => {
    const rig = await startEngineRig({ organizations: listing(organizations(1)) })
    rig.clock.moveTo(now)

    const { sent } = await execute(rig, 'alerts-cleanup-prepare')

    expect(Object.values(sent).flat()).toMatchObject([{ id: `orderly:alerts:${day}:org-0`, data: { day } }])
  })

  it.each([
    [40_000, 100, 'x'],
    // Three bytes each.
    [40_000, 40, '組'],
  ])('refuses more organizations than the engine can keep, such as %i with %i times %s', async (length, size, sign) => {
    const many = Array.from({ length }, (_, index) => ({ id: `${index}-`.padEnd(size, sign), retentionDays: 1 }))
    const rig = await startEngineRig({ organizations: listing(many) })

    const { error, sent } = await execute(rig, 'alerts-cleanup-prepare')

    expect(error).toMatchObject({ name: 'NonRetriableError', message: expect.stringMatching(/unset INNGEST_APP_ID/) })
    expect(sent).toEqual({})
  })

  it('fails with our words only when the organizations cannot be read', async () => {
    const rig = await startEngineRig({
      // oxlint-disable-next-line require-yield
      organizations: async function* () {
        throw new Error('password SECRET of postgresql://SECRET@db refused')
      },
    })

    const { error } = await execute(rig, 'alerts-cleanup-prepare')

    expect(error).toMatchObject({
      message: 'A defect of Orderly ended the function (Error). See the log.',
      stack: '',
    })
    expect(JSON.stringify(error) + rig.log()).not.toContain('SECRET')
  })
})

describe('cleanup-resolved-alerts', () => {
  it.each([
    [{ organization_id: 'a', retention_days: 30, day: '2026-03-10' }, 30],
    [{ organization_id: 'a', retention_days: 365 }, 365],
    [{ organization_id: 'a', retention_days: 1, dismissed: true }, 1],
    [{ organization_id: 'a' }, undefined],
    [{ organization_id: 'a', retention_days: 30, stored: false }, 30],
    // The number of this moment counts, not the one that was read when the event was sent.
    [{ organization_id: 'a', retention_days: 30, stored: true, day: '2026-03-10' }, undefined],
  ])('asked with %o sweeps that organization, as a part of a larger run', async (data, days) => {
    const rig = await startEngineRig({ work: { alerts: ({ findings }) => void (findings.deleted = 3) } })

    const { result } = await execute(rig, 'cleanup-resolved-alerts', alertEvent(data))

    expect(rig.jobs).toMatchObject([{ sweep: 'alerts', organization: 'a', days, dryRun: false }])
    expect(result).toEqual({
      organization_id: 'a',
      outcome: 'done',
      deleted: 3,
      due: 0,
      kept: 0,
      unreadable: 0,
    })
    expect(await rig.connection.send([['DBSIZE']])).toEqual([0])
  })

  it.each([
    [{ organization_id: 'a', retention_days: '30' }, 'retention_days must be a whole number from 1 to 365'],
    [{ organization_id: 'a', retention_days: 0 }, 'retention_days'],
    [{ organization_id: 'a', retention_days: -1 }, 'retention_days'],
    [{ organization_id: 'a', retention_days: 366 }, 'retention_days'],
    [{ organization_id: 'a', retention_days: 1.5 }, 'retention_days'],
    [{ organization_id: 'a', retention_days: null }, 'retention_days'],
    [{ organization_id: 'a', retention_days: true }, 'retention_days'],
    [{ organization_id: 7, retention_days: 30 }, 'organization_id must be a text of 1 to 200 characters'],
    [{ organization_id: '', retention_days: 30 }, 'organization_id'],
    [{ organization_id: 'SECRET'.repeat(40), retention_days: 30 }, 'organization_id'],
    [{ organization_id: ['a'], retention_days: 30 }, 'organization_id'],
    [{ retention_days: 30 }, 'organization_id'],
    [{ organization_id: 'a', retention_days: 30, day: 'today SECRET' }, 'day must be a date'],
    [{ organization_id: 'a', retention_days: 30, stored: 'true' }, 'stored must be true or false'],
    [[], 'data must be an object'],
  ])('refuses %o for good, names the rule and no value, and runs nothing', async (data, rule) => {
    const rig = await startEngineRig({ work: { alerts: () => expect.fail('It ran.') } })

    const { error } = await execute(rig, 'cleanup-resolved-alerts', alertEvent(data))

    expect(error).toMatchObject({ name: 'NonRetriableError', message: expect.stringContaining(rule), stack: '' })
    expect(JSON.stringify(error) + rig.log()).not.toContain('SECRET')
    expect(rig.log()).toContain('"code":"BAD_INPUT"')
    expect(rig.jobs).toEqual([])
  })

  it.each([
    ['an organization that nobody knows', new InputError('There is no such organization.'), 'NonRetriableError'],
    ['a statement that is refused', new DatabaseError('DATABASE_REFUSED', 'No.'), 'NonRetriableError'],
    ['the limit of a Redis', new RedisError('REDIS_LIMIT', 'The limit is reached.'), 'NonRetriableError'],
    ['locked rows', new DatabaseError('DATABASE_BUSY', 'The rows are locked.'), 'Error'],
    ['a lost connection', new DatabaseError('DATABASE_UNREACHABLE', 'It broke.'), 'Error'],
  ])('fails of %s with our words, and the engine repeats only what may mend', async (_, failure, name) => {
    const rig = await startEngineRig({
      work: {
        alerts: () => {
          throw failure
        },
      },
    })

    const { error } = await execute(rig, 'cleanup-resolved-alerts', alertEvent({ organization_id: 'a' }))

    expect(error).toMatchObject({ name, message: failure.message, stack: '' })
    expect(error).not.toHaveProperty('cause.message')
    expect(rig.announced.map(({ outcome }) => outcome)).toEqual(
      failure.code === 'REDIS_LIMIT' ? ['stopped'] : failure.code === 'DATABASE_REFUSED' ? ['failed'] : [],
    )
  })

  it('hides what it does not know, and logs it without its text', async () => {
    const rig = await startEngineRig({
      work: {
        alerts: () => {
          throw new TypeError('row of SECRET')
        },
      },
    })

    const { error } = await execute(rig, 'cleanup-resolved-alerts', alertEvent({ organization_id: 'a' }))

    expect(error?.message).toBe('A defect of Orderly ended the run (TypeError). See the log.')
    expect(JSON.stringify(error) + rig.log()).not.toContain('SECRET')
  })

  it('ends when the service stops, so that the engine repeats it elsewhere', async () => {
    const rig = await startEngineRig({
      work: {
        alerts: async ({ goOn }) => {
          await rig.engine.stop()
          await goOn()
        },
      },
    })

    const { error } = await execute(rig, 'cleanup-resolved-alerts', alertEvent({ organization_id: 'a' }))

    expect(error).toMatchObject({ name: 'Error', message: 'Interrupted. Run it again to go on.' })
    expect(rig.jobs).toHaveLength(1)
  })

  it('tells people of the first organization that fails on a day, not of all, nor of those that are gone', async () => {
    const rig = await startEngineRig({
      work: {
        alerts: ({ organization }) => {
          if (organization === 'gone') throw new InputError('There is no such organization.')
          throw new DatabaseError('DATABASE_REFUSED', 'No.')
        },
      },
    })
    const fail = (id: string) => execute(rig, 'cleanup-resolved-alerts', alertEvent({ organization_id: id }))

    await fail('gone')
    expect(rig.announced).toEqual([])
    await fail('a')
    await fail('b')
    rig.clock.moveTo('2026-03-11T05:00:00Z')
    await fail('a')

    expect(rig.announced).toHaveLength(2)
  })
})

describe('the functions of the error log', () => {
  it('send one event a day with the configured retention, and sweep as an event asks', async () => {
    const rig = await startEngineRig({ work: { errors: ({ findings }) => void (findings.deleted = 8) } })

    const { sent, result } = await execute(rig, 'errors-cleanup-prepare')
    const [event] = sent['send-errors-cleanup'] ?? []
    const cleanup = await execute(rig, 'cleanup-old-errors', event)

    expect(event).toEqual({
      name: 'errors/cleanup.old.errors',
      id: 'orderly:errors:2026-03-10',
      data: { retention_days: 90, day: '2026-03-10' },
    })
    expect(result).toEqual({ day: '2026-03-10', sent: 1 })
    expect(cleanup.result).toMatchObject({ outcome: 'done', deleted: 8 })
    expect(rig.jobs).toMatchObject([{ sweep: 'errors', days: 90, organization: undefined, dryRun: false }])
  })

  it.each([{ retention_days: '90' }, { retention_days: 0 }, { retention_days: 366 }])('refuse %o', async (data) => {
    const rig = await startEngineRig({ work: { errors: () => expect.fail('It ran.') } })

    const { error } = await execute(rig, 'cleanup-old-errors', errorEvent(data))

    expect(error).toMatchObject({ name: 'NonRetriableError', message: expect.stringContaining('retention_days') })
  })
})

describe('sweep-requested', () => {
  it.each([
    [
      { name: 'orders', days: 2, dry_run: false },
      { sweep: 'orders', days: 2, dryRun: false },
    ],
    [
      { name: 'inngest', dry_run: true },
      { sweep: 'inngest', days: undefined, dryRun: true },
    ],
    [
      { name: 'alerts', dry_run: true },
      { sweep: 'alerts', organization: undefined, dryRun: true },
    ],
    [
      { name: 'errors', days: 365, dry_run: false },
      { sweep: 'errors', days: 365 },
    ],
    [
      { name: 'bullmq', queue: 'mails', dry_run: true },
      { sweep: 'bullmq', queue: 'mails', dryRun: true },
    ],
  ])('asked with %o runs that sweep', async (data, job) => {
    const rig = await startEngineRig({
      work: { orders: nothing, inngest: nothing, alerts: nothing, errors: nothing, bullmq: nothing },
    })

    const { result } = await execute(rig, 'sweep-requested', sweepEvent(data))

    expect(rig.jobs).toMatchObject([job])
    expect(result).toMatchObject({ name: data.name, dry_run: data.dry_run, outcome: data.dry_run ? 'planned' : 'done' })
  })

  it.each([
    [{ name: 'orders', days: '2', dry_run: false }, 'days must be a whole number from 0 to 365'],
    [{ name: 'orders', days: 366, dry_run: false }, 'days'],
    [{ name: 'orders', days: 2, dry_run: 'false' }, 'dry_run must be true or false'],
    [{ name: 'orders', days: 2 }, 'dry_run'],
    [{ name: 'everything', dry_run: true }, 'name must be one of orders, inngest'],
    [{ name: 'constructor', dry_run: true }, 'name'],
    [{ name: 'orders', queue: 'mails', dry_run: false }, 'queue must be the name of a queue'],
    [{ name: 'bullmq', queue: '', dry_run: false }, 'queue'],
    [{ name: 'orders', days: 0, dry_run: false }, 'from 1 to 365'],
    [{ name: 'alerts', dry_run: true }, 'The sweep alerts is not configured here.'],
  ])('refuses %o for good', async (data, rule) => {
    const rig = await startEngineRig()

    const { error } = await execute(rig, 'sweep-requested', sweepEvent(data))

    expect(error).toMatchObject({ name: 'NonRetriableError', message: expect.stringContaining(rule) })
    expect(rig.jobs).toEqual([])
  })
})
