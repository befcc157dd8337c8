import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createMemoryConnection } from '../src/redis/memory.ts'
import { timetablesOf } from '../src/schedule/timetables.ts'
import { createScheduledSweep } from '../src/scheduled-sweep.ts'
import { createDueSweep } from '../src/service-due-sweep.ts'
import type { SweepReport } from '../src/sweeps/report.ts'
import type { SweepRequest, SweepRun } from '../src/sweeps/sweep.ts'
import { fakeClock, instant } from './support/clock.ts'

/** The order pruner on its real timetable, woken by the local schedule or by somebody else, the evening before a slot. */
async function aRig(before: () => unknown = () => undefined, change: (ran: SweepRun) => SweepRun = (ran) => ran) {
  const clock = fakeClock('2025-12-10T20:00:00+01:00')
  const connection = createMemoryConnection({ clock })
  const app = await createApp(readConfig({}), pino({ level: 'silent' }), { clock, connection })
  const timetable = timetablesOf(app.config).orders
  if (timetable === undefined) throw new Error('The orders have a schedule.')
  const requests: SweepRequest[] = []
  const ended: SweepRun['code'][] = []
  const announced: SweepReport[] = []
  const options = {
    app,
    name: 'orders' as const,
    timetable,
    sweep: async (request: SweepRequest) => {
      const ran = await app.sweeps.orders(request)
      ended.push(ran.code)
      if (ran.code !== 'ALREADY_DONE') requests.push(request)
      return ran
    },
    emit: () => undefined,
    onDefect: (error: unknown) => expect.fail(String(error)),
    announce: (report: SweepReport) => void announced.push(report),
  }
  const due = createDueSweep({
    ...options,
    sweep: async (request) => {
      await before()
      return change(await options.sweep(request))
    },
  })
  const look = (signal = new AbortController().signal) => due.runDue({ attempt: 1, signal })
  const local = () => {
    const scheduler = createScheduledSweep(options)
    onTestFinished(() => scheduler.stop())
    return scheduler
  }
  return { clock, connection, app, requests, ended, announced, due, look, local }
}

const fail = ({ report }: SweepRun): SweepRun => ({ code: 'REDIS_FULL', report: { ...report, outcome: 'failed' } })

describe('a sweep that somebody else wakes', () => {
  it('runs on the days of its timetable only, as of the slot, however often it is woken', async () => {
    const { clock, requests, announced, due, look } = await aRig()
    await due.start()

    for (const day of [10, 11, 12, 13, 14, 15]) {
      clock.moveTo(`2025-12-${day}T23:59:05+01:00`)
      await look()
      await look()
    }

    expect(requests.map(({ asOfMs, trigger }) => ({ asOfMs, trigger }))).toEqual([
      { asOfMs: instant('2025-12-11T23:59:00+01:00'), trigger: 'schedule' },
      { asOfMs: instant('2025-12-14T23:59:00+01:00'), trigger: 'schedule' },
    ])
    expect(announced.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
  })

  it('costs one command where no slot is due', async () => {
    const { app, due, look } = await aRig()
    await due.start()
    const before = app.meter.cost().billed

    expect(await look()).toBeUndefined()
    expect(app.meter.cost().billed - before).toBe(1)
  })

  it('deletes nothing for a slot before its very first boot', async () => {
    const { connection, requests, due, look } = await aRig()

    await due.start()

    expect(await look()).toBeUndefined()
    expect(requests).toEqual([])
    expect(await connection.send([['GET', 'orderly:schedule:orders']])).toEqual(['2025-12-08T23:59'])
  })

  it('catches up as of the slot when it is woken late', async () => {
    const { clock, requests, due, look } = await aRig()
    await due.start()

    clock.moveTo('2025-12-12T23:59:00+01:00')
    await look()

    expect(requests).toMatchObject([{ trigger: 'catch-up', asOfMs: instant('2025-12-11T23:59:00+01:00') }])
  })

  it.each([
    ['2025-12-11T23:58:30+01:00', 1],
    ['2025-12-11T23:57:30+01:00', 0],
  ])('woken at %s by a clock that is ahead runs %i times', async (now, runs) => {
    const { clock, requests, due, look } = await aRig()
    await due.start()

    clock.moveTo(now)
    await look()
    await look()

    expect(requests).toHaveLength(runs)
  })

  it('runs no slot that the local schedule has run, nor leaves it one that it ran itself', async () => {
    const { clock, requests, due, look, local } = await aRig()
    const before = local()
    await before.start()
    clock.moveTo('2025-12-11T23:59:05+01:00')
    await before.check()
    expect(requests).toHaveLength(1)

    await due.start()
    expect(await look()).toBeUndefined()
    clock.moveTo('2025-12-14T23:59:05+01:00')
    await look()
    expect(requests).toHaveLength(2)

    const after = local()
    await after.start()
    await after.check()
    expect(requests).toHaveLength(2)
  })

  it('run by two at the same time runs once', async () => {
    const { clock, ended, announced, due, look, local } = await aRig()
    const scheduler = local()
    await scheduler.start()
    await due.start()
    clock.moveTo('2025-12-11T23:59:05+01:00')

    await Promise.all([look(), scheduler.check()])

    expect(ended.filter((code) => code === null)).toHaveLength(1)
    expect(announced).toHaveLength(1)
    expect(await look()).toBeUndefined()
  })

  it('asks under the lock once more whether somebody was faster', async () => {
    const rig = await aRig(() => rig.connection.send([['SET', 'orderly:schedule:orders', '2025-12-11T23:59']]))
    await rig.due.start()
    rig.clock.moveTo('2025-12-11T23:59:05+01:00')

    expect(await rig.look()).toMatchObject({ code: 'ALREADY_DONE' })
    expect(rig.announced).toEqual([])
  })

  it('tells nobody of a failure, for whoever woke it repeats it or tells of it', async () => {
    const { clock, announced, due, look } = await aRig(undefined, fail)
    await due.start()
    clock.moveTo('2025-12-11T23:59:05+01:00')

    expect(await look()).toMatchObject({ code: 'REDIS_FULL' })
    expect(announced).toEqual([])
  })

  it('leaves the slot undone when it was cut short, and tells nobody', async () => {
    const { clock, announced, due, look } = await aRig()
    await due.start()
    clock.moveTo('2025-12-11T23:59:05+01:00')

    expect(await look(AbortSignal.abort())).toMatchObject({ code: 'INTERRUPTED' })
    expect(announced).toEqual([])

    expect(await look()).toMatchObject({ code: null })
    expect(announced).toHaveLength(1)
  })
})
