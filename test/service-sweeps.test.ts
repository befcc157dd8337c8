import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createMemoryConnection } from '../src/redis/memory.ts'
import { createServiceSweep } from '../src/service-sweep.ts'
import { createServiceSweeps } from '../src/service-sweeps.ts'
import type { SweepReport } from '../src/sweeps/report.ts'
import type { SweepRequest } from '../src/sweeps/sweep.ts'
import { fakeClock } from './support/clock.ts'
import { anAlertReport, aPart } from './telegram/reports.ts'

const stores = { INNGEST_DATABASE_URL: 'sqlite:./none.db', AUDIT_DATABASE_URL: 'postgres://127.0.0.1:1/audit' }
const engine = { INNGEST_APP_ID: 'orderly', INNGEST_DEV: '1' }

async function anApp(env: Readonly<Record<string, string>> = {}): Promise<App> {
  const clock = fakeClock('2025-12-08T21:00:00+01:00')
  const app = await createApp(readConfig(env), pino({ level: 'silent' }), {
    clock,
    connection: createMemoryConnection({ clock }),
  })
  onTestFinished(app.close)
  return app
}

const quiet = {
  emit: () => undefined,
  onDefect: (error: unknown) => expect.fail(String(error)),
  announce: () => undefined,
}

const sweepsOf = async (env: Readonly<Record<string, string>>) =>
  createServiceSweeps({ ...quiet, app: await anApp(env) })

describe('the sweeps of a service', () => {
  it.each([
    ['nothing else is configured', {}, 1, []],
    ['all stores are', stores, 4, ['inngest', 'alerts', 'errors']],
    [
      'the schedule of orders is switched off',
      { ...stores, SWEEP_ENABLED: 'false' },
      3,
      ['inngest', 'alerts', 'errors'],
    ],
    ['there are functions for an Inngest', { ...stores, ...engine }, 2, ['inngest', 'alerts', 'errors']],
    ['an Inngest wakes them', { ...stores, ...engine, SCHEDULER: 'inngest' }, 0, ['inngest', 'alerts', 'errors']],
  ] as const)('where %s have the local schedules that are theirs', async (_, env, schedules, others) => {
    const sweeps = await sweepsOf(env)

    expect(sweeps.parts).toHaveLength(schedules)
    expect(Object.keys(sweeps.facts().others)).toEqual(others)
    expect(Object.entries(sweeps.runs).flatMap(([name, run]) => (run === undefined ? [] : [name]))).toEqual([
      'orders',
      ...others,
    ])
  })

  it('know when each is due next, whoever wakes them', async () => {
    const facts = (await sweepsOf({ ...stores, ...engine, SCHEDULER: 'inngest' })).facts()

    expect(new Date(facts.nextSlotMs ?? 0).toISOString()).toBe('2025-12-08T22:59:00.000Z')
    expect(new Date(facts.others.alerts?.nextSlotMs ?? 0).toISOString()).toBe('2025-12-09T05:00:00.000Z')
    expect(new Date(facts.others.errors?.nextSlotMs ?? 0).toISOString()).toBe('2025-12-09T04:00:00.000Z')
  })

  it('remember the last run of each, also one from before the start, but no dry one', async () => {
    const app = await anApp()
    const { send } = app.meter.open('schedule')
    const before = anAlertReport({ deleted: 7 })
    await send([['XADD', 'orderly:sweeps:alerts', '*', 'report', JSON.stringify(before)]])
    const sweep = createServiceSweep({ ...quiet, app, name: 'alerts', isScheduled: false, sweep: answer })

    await sweep.learn()
    expect(sweep.facts().lastRun).toMatchObject({ deleted: 7 })
    await sweep.run({ trigger: 'command', dryRun: true })
    expect(sweep.facts().lastRun).toMatchObject({ deleted: 7 })
    await sweep.run({ trigger: 'command', dryRun: false })
    expect(sweep.facts().lastRun).toMatchObject({ deleted: 42 })
    await sweep.learn()
    expect(sweep.facts().lastRun).toMatchObject({ deleted: 42 })
  })
})

const answer = async () => ({ report: anAlertReport(), code: null })

/** What a run over one organization comes to. */
const onePart = (given: Partial<SweepReport>, due: number, deleted: number): SweepReport => {
  const parts = [aPart({ name: 'x', scanned: due + 5, due, deleted, kept: 5 })]
  return anAlertReport({ trigger: 'engine', scanned: due + 5, due, deleted, kept: 5, parts, ...given })
}

async function partRig(reports: readonly SweepReport[]) {
  const left = [...reports]
  const sweep = createServiceSweep({
    ...quiet,
    app: await anApp(),
    name: 'alerts',
    isScheduled: false,
    sweep: async () => ({ report: left.shift() ?? onePart({}, 0, 0), code: null }),
  })
  const note = async (organization: string) => {
    const request: SweepRequest = { trigger: 'engine', organization, dryRun: false, isPart: true }
    await sweep.run(request)
  }
  const run = async (organization: string) => {
    await note(organization)
    return sweep.facts().lastRun
  }
  return { run, note }
}

describe('the organizations that an engine asks for one by one', () => {
  it('are one run, with one part each', async () => {
    const { run } = await partRig([onePart({}, 4, 4), onePart({}, 6, 6)])

    await run('acme')

    expect(await run('initech')).toMatchObject({
      outcome: 'done',
      because: null,
      scanned: 20,
      due: 10,
      deleted: 10,
      kept: 10,
      parts: [{ deleted: 4 }, { deleted: 6 }],
    })
  })

  it('have failed where one of them did, until its repetition is done; what each try deleted counts', async () => {
    const failed = onePart({ outcome: 'failed', because: 'Somebody else holds a lock.' }, 10, 7)
    const { run } = await partRig([onePart({}, 4, 4), failed, onePart({}, 3, 3)])

    await run('acme')
    expect(await run('initech')).toMatchObject({
      outcome: 'failed',
      because: '1 organization failed.',
      parts: [{ because: null }, { due: 10, deleted: 7, because: 'Somebody else holds a lock.' }],
    })
    expect(await run('initech')).toMatchObject({
      outcome: 'done',
      because: null,
      due: 14,
      deleted: 14,
      parts: [{ because: null }, { due: 10, deleted: 10, because: null }],
    })
  })

  it('are summed up where they are very many, but for those that failed', async () => {
    const failed = onePart({ outcome: 'failed', because: 'It is locked.' }, 3, 1)
    const { run, note } = await partRig([...Array.from({ length: 6_000 }, () => onePart({}, 1, 1)), failed])

    for (let at = 0; at < 6_000; at++) await note(`org-${at}`)
    const lastRun = await run('acme')

    expect(lastRun).toMatchObject({ due: 6_003, deleted: 6_001, kept: 6_001 * 5, because: '1 organization failed.' })
    expect(lastRun?.parts).toHaveLength(5_002)
  })

  it('of another day begin anew', async () => {
    const tomorrow = { startedAt: '2025-12-09T06:00:00.000+01:00' }
    const { run } = await partRig([onePart({}, 4, 4), onePart(tomorrow, 1, 1)])

    await run('acme')

    expect(await run('initech')).toMatchObject({ deleted: 1, parts: [{ deleted: 1 }] })
  })
})
