import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createMemoryConnection } from '../src/redis/memory.ts'
import { cronTimetable } from '../src/schedule/cron.ts'
import { createScheduledSweep } from '../src/scheduled-sweep.ts'
import { sweepNames, type SweepName } from '../src/sweeps/registry.ts'
import type { Outcome, SweepReport } from '../src/sweeps/report.ts'
import type { SweepRequest } from '../src/sweeps/sweep.ts'
import { fakeClock, instant } from './support/clock.ts'

/** A sweep on a schedule of 2 o'clock each night, booted the evening before, whose runs end as they are told to. */
async function aRig(name: SweepName, outcomes: readonly Outcome[]) {
  const clock = fakeClock('2026-01-05T20:00:00+01:00')
  const connection = createMemoryConnection({ clock })
  const log = pino({ level: 'silent' })
  const app = await createApp(readConfig({}), log, { clock, connection })
  const { report } = await app.sweeps.orders({ trigger: 'cli', dryRun: true })
  const requests: SweepRequest[] = []
  const announced: SweepReport[] = []
  const scheduler = createScheduledSweep({
    app,
    name,
    timetable: cronTimetable({ pattern: '0 2 * * *', zone: 'Europe/Berlin' }),
    sweep: async (request) => {
      const outcome = outcomes[requests.length] ?? 'done'
      requests.push(request)
      if (outcome === 'done') await request.once?.markDone(connection.send)
      return { report: { ...report, sweep: name, outcome }, code: null }
    },
    emit: () => undefined,
    onDefect: (error) => expect.fail(String(error)),
    announce: (one) => void announced.push(one),
  })
  onTestFinished(() => scheduler.stop())
  await scheduler.start()
  return { clock, connection, requests, announced, scheduler }
}

describe('a scheduled sweep', () => {
  it.each(sweepNames)('called %s keeps its last slot apart from the others', async (name) => {
    const { clock, connection, requests, scheduler } = await aRig(name, ['done'])

    clock.moveTo('2026-01-06T02:00:10+01:00')
    await scheduler.check()

    expect(requests).toMatchObject([
      { trigger: 'schedule', dryRun: false, attempt: 1, asOfMs: instant('2026-01-06T02:00:00+01:00') },
    ])
    const keys = sweepNames.map((one) => `orderly:schedule:${one}`)
    expect(await connection.send([['MGET', ...keys]])).toEqual([
      sweepNames.map((one) => (one === name ? '2026-01-06T02:00' : null)),
    ])
  })

  it('that may only run dry has completed its slot with that', async () => {
    const { clock, requests, announced, scheduler } = await aRig('orders', ['planned'])

    clock.moveTo('2026-01-06T02:00:10+01:00')
    await scheduler.check()
    clock.moveTo('2026-01-06T20:00:00+01:00')
    await scheduler.check()

    expect(requests).toHaveLength(1)
    expect(announced.map(({ outcome }) => outcome)).toEqual(['planned'])
  })

  it('that failed is tried again, and told of once until it is done', async () => {
    const { clock, requests, announced, scheduler } = await aRig('orders', ['failed', 'stopped'])

    for (const minutes of [0, 5, 30]) {
      clock.moveTo(`2026-01-06T02:${String(minutes).padStart(2, '0')}:10+01:00`)
      await scheduler.check()
    }

    expect(requests.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(announced.map(({ outcome }) => outcome)).toEqual(['failed', 'done'])
  })
})
