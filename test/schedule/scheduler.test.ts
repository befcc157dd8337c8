import { Cron } from 'croner'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { systemClock } from '../../src/clock.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { cadenceTimetable } from '../../src/schedule/cadence.ts'
import type { DueSlot } from '../../src/schedule/catch-up.ts'
import { createScheduler, type SlotOutcome } from '../../src/schedule/scheduler.ts'
import { cronTimetable } from '../../src/schedule/cron.ts'
import { createSlotMemory } from '../../src/schedule/slots.ts'
import type { Timetable } from '../../src/schedule/timetable.ts'
import { fakeClock, instant } from '../support/clock.ts'
import { gate } from '../http/rig.ts'
import { failure, lost, watched } from '../support/transport.ts'

// What a lost answer makes `withRepeats` wait takes no time here; the scheduler's own pauses are timers of the process.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }))

const MINUTE_MS = 60_000
const everyThirdDay = cadenceTimetable({ everyDays: 3, at: '23:59', anchor: '2025-12-08', zone: 'Europe/Berlin' })
const KEY = 'orderly:schedule:orders'

interface RigOptions {
  readonly now?: string
  readonly timetable?: Timetable
  /** What is recorded as done before the boot. @default '2025-12-08T23:59' */
  readonly lastDone?: string | null
  readonly run?: (due: DueSlot, attempt: number) => Promise<SlotOutcome>
}

/** A scheduler on an embedded store, with the runs it made. */
async function aRig(options: RigOptions = {}) {
  const clock = fakeClock(options.now ?? '2025-12-10T12:00:00+01:00')
  const { send } = createMemoryConnection({ clock })
  const transport = watched(send)
  const meter = createMeter(transport.send)
  const { lastDone = '2025-12-08T23:59' } = options
  if (lastDone !== null) await send([['SET', KEY, lastDone]])
  const runs: string[] = []
  const defects: unknown[] = []
  const rig = {
    clock,
    transport,
    runs,
    defects,
    stored: async () => (await send([['GET', KEY]]))[0],
    billed: () => meter.cost().billed,
    outcome: 'completed' as SlotOutcome,
  }
  const scheduler = createScheduler({
    timetable: options.timetable ?? everyThirdDay,
    clock,
    memory: createSlotMemory('orders'),
    send: meter.open('schedule').send,
    onDefect: (error) => void defects.push(error),
    run: async (due, attempt) => {
      runs.push(`${due.slot.name} ${due.trigger} #${attempt}`)
      return options.run === undefined ? rig.outcome : await options.run(due, attempt)
    },
  })
  onTestFinished(() => scheduler.stop())
  return Object.assign(rig, { scheduler })
}

describe('at its start, the scheduler', () => {
  it('reads the last done slot with one command and does nothing when it is the latest', async () => {
    const { scheduler, transport, runs } = await aRig()

    await scheduler.start()

    expect(transport.sent()).toEqual([['GET', KEY]])
    expect(runs).toEqual([])
    expect(scheduler.next()?.name).toBe('2025-12-11T23:59')
  })

  it('runs the latest slot that was missed, once', async () => {
    const { scheduler, runs } = await aRig({ now: '2025-12-12T08:00:00+01:00' })

    await scheduler.start()
    await scheduler.check()

    expect(runs).toEqual(['2025-12-11T23:59 catch-up #1'])
  })

  it('makes one run of several missed slots', async () => {
    const { scheduler, runs } = await aRig({ now: '2026-01-09T08:00:00+01:00' })

    await scheduler.start()
    await scheduler.check()

    expect(runs).toEqual(['2026-01-07T23:59 catch-up #1'])
  })

  it('makes one run of half a million slots that were slept through', async () => {
    const everyMinute = cronTimetable({ pattern: '* * * * *', zone: 'Europe/Berlin' })
    const { scheduler, runs, clock } = await aRig({ now: '2026-12-10T12:00:30+01:00', timetable: everyMinute })

    await scheduler.start()
    await scheduler.check()
    clock.moveTo('2026-12-10T12:01:00+01:00')
    await scheduler.check()

    expect(runs).toEqual(['2026-12-10T12:00 schedule #1', '2026-12-10T12:01 schedule #1'])
  })

  it('records the latest past slot as done without running it at the very first boot', async () => {
    const { scheduler, clock, runs, stored, billed } = await aRig({ now: '2025-12-12T08:00:00+01:00', lastDone: null })

    await scheduler.start()

    expect(runs).toEqual([])
    expect(await stored()).toBe('2025-12-11T23:59')
    expect(billed()).toBe(2)
    clock.moveTo('2025-12-14T23:59:00+01:00')
    await scheduler.check()
    expect(runs).toEqual(['2025-12-14T23:59 schedule #1'])
  })

  it('does not take a second boot for the first when the first came before the anchor', async () => {
    const first = await aRig({ now: '2025-12-08T20:00:00+01:00', lastDone: null })
    await first.scheduler.start()
    const recorded = await first.stored()
    expect(first.runs).toEqual([])

    const second = await aRig({ now: '2025-12-09T08:00:00+01:00', lastDone: String(recorded) })
    await second.scheduler.start()

    expect(second.runs).toEqual(['2025-12-08T23:59 catch-up #1'])
  })

  it('goes on after something unreadable was recorded', async () => {
    const { scheduler, clock, runs } = await aRig({ now: '2025-12-12T08:00:00+01:00', lastDone: 'zzz' })

    await scheduler.start()
    clock.moveTo('2025-12-15T08:00:00+01:00')
    await scheduler.check()

    expect(runs).toEqual(['2025-12-14T23:59 catch-up #1'])
  })
})

describe('a ping', () => {
  it('costs no command when nothing is due', async () => {
    const { scheduler, transport, clock } = await aRig()
    await scheduler.start()
    transport.forget()

    while (clock() < instant('2025-12-11T23:58:00+01:00')) {
      clock.advance(MINUTE_MS)
      await scheduler.check()
    }

    expect(transport.sent()).toEqual([])
  })

  it('runs a slot as soon as its time has come, and not again', async () => {
    const { scheduler, clock, runs } = await aRig()
    await scheduler.start()

    for (const time of ['11T23:58:59', '11T23:59:00', '11T23:59:01', '12T08:00:00', '14T23:59:30', '14T23:59:31']) {
      clock.moveTo(`2025-12-${time}+01:00`)
      await scheduler.check()
    }

    expect(runs).toEqual(['2025-12-11T23:59 schedule #1', '2025-12-14T23:59 schedule #1'])
  })

  it('does not begin a second run while one is under way', async () => {
    const finished = gate()
    const { scheduler, runs } = await aRig({
      now: '2025-12-12T08:00:00+01:00',
      run: async () => {
        await finished.opened
        return 'completed'
      },
    })

    const checks = [scheduler.start(), scheduler.check(), scheduler.check()]
    await new Promise(setImmediate)
    finished.open()
    await Promise.all(checks)

    expect(runs).toHaveLength(1)
  })
})

describe('after a failed run', () => {
  it('the slot stays undone and is tried again after pauses that grow', async () => {
    const { scheduler, clock, runs, ...rig } = await aRig({
      now: '2025-12-11T23:59:00+01:00',
      run: async () => 'failed',
    })
    const beganMs = clock()
    await scheduler.start()

    const triedAfter: number[] = []
    for (let minute = 1; minute <= 200; minute++) {
      clock.advance(MINUTE_MS)
      const before = runs.length
      await scheduler.check()
      if (runs.length > before) triedAfter.push((clock() - beganMs) / MINUTE_MS)
    }

    expect(triedAfter).toEqual([1, 3, 7, 15, 31, 63, 123, 183])
    expect(runs[0]).toBe('2025-12-11T23:59 schedule #1')
    expect(runs.at(-1)).toBe('2025-12-11T23:59 catch-up #9')
    expect(await rig.stored()).toBe('2025-12-08T23:59')
  })

  it('a later success ends the pauses, and the next slot counts its runs from one', async () => {
    const rig = await aRig({ now: '2025-12-11T23:59:00+01:00' })
    rig.outcome = 'failed'
    await rig.scheduler.start()
    rig.outcome = 'completed'
    rig.clock.advance(MINUTE_MS)
    await rig.scheduler.check()
    rig.outcome = 'failed'
    rig.clock.moveTo('2025-12-14T23:59:00+01:00')
    await rig.scheduler.check()
    rig.clock.advance(MINUTE_MS)
    await rig.scheduler.check()

    expect(rig.runs.map((run) => run.slice(8, 10) + run.slice(-2))).toEqual(['11#1', '11#2', '14#1', '14#2'])
  })

  it('a slot that comes due while another fails counts its own runs', async () => {
    const rig = await aRig({ now: '2025-12-11T23:59:00+01:00', run: async () => 'failed' })
    await rig.scheduler.start()
    rig.clock.moveTo('2025-12-14T23:59:00+01:00')
    await rig.scheduler.check()

    expect(rig.runs).toEqual(['2025-12-11T23:59 schedule #1', '2025-12-14T23:59 schedule #1'])
  })

  it('one that another run keeps out is tried every half minute and does not count', async () => {
    const rig = await aRig({ now: '2025-12-11T23:59:00+01:00' })
    rig.outcome = 'busy'
    await rig.scheduler.start()
    for (let seconds = 10; seconds <= 120; seconds += 10) {
      rig.clock.advance(10_000)
      if (seconds === 120) rig.outcome = 'completed'
      await rig.scheduler.check()
    }

    expect(rig.runs).toEqual(Array(5).fill('2025-12-11T23:59 schedule #1'))
  })

  it('a defect is told, and the schedule goes on', async () => {
    let calls = 0
    const rig = await aRig({
      now: '2025-12-11T23:59:00+01:00',
      run: async () => {
        if (++calls === 1) throw new TypeError('made by a test')
        return 'completed'
      },
    })
    await rig.scheduler.start()
    rig.clock.advance(MINUTE_MS)
    await rig.scheduler.check()

    expect(rig.defects).toEqual([new TypeError('made by a test')])
    expect(rig.runs).toHaveLength(2)
  })
})

describe('with Redis unreachable at boot, the scheduler', () => {
  it('keeps trying with growing pauses, and catches up when Redis is back', async () => {
    const rig = await aRig({ now: '2025-12-12T08:00:00+01:00' })
    rig.transport.onRequest = lost
    await rig.scheduler.start()
    const asked: number[] = []
    for (let minute = 1; minute <= 40; minute++) {
      rig.clock.advance(MINUTE_MS)
      rig.transport.forget()
      await rig.scheduler.check()
      if (rig.transport.sent().length > 0) asked.push(minute)
    }
    rig.transport.onRequest = undefined
    rig.clock.advance(60 * MINUTE_MS)
    await rig.scheduler.check()

    expect(asked).toEqual([1, 3, 7, 15, 31])
    expect(rig.runs).toEqual(['2025-12-11T23:59 catch-up #1'])
    expect(rig.defects).toHaveLength(1)
  })

  it('never takes an unanswered read for a first boot', async () => {
    const rig = await aRig({ now: '2025-12-12T08:00:00+01:00' })
    rig.transport.onRequest = lost
    await rig.scheduler.start()

    expect(rig.transport.sent().every(([name]) => name === 'GET')).toBe(true)
    expect(await rig.stored()).toBe('2025-12-08T23:59')
  })

  it('is paused by a refusal as well, such as the limit of the provider', async () => {
    const rig = await aRig({ now: '2025-12-12T08:00:00+01:00' })
    rig.transport.onRequest = async () => Promise.reject(failure('REDIS_LIMIT'))
    await rig.scheduler.start()
    for (let second = 0; second < 59; second++) {
      rig.clock.advance(1_000)
      await rig.scheduler.check()
    }

    expect(rig.transport.sent()).toHaveLength(1)
    expect(rig.defects).toHaveLength(1)
  })
})

describe('stopping', () => {
  it('waits for the run under way and begins no other', async () => {
    const finished = gate()
    const ended: string[] = []
    const rig = await aRig({
      now: '2025-12-12T08:00:00+01:00',
      run: async () => {
        await finished.opened
        ended.push('run')
        return 'completed'
      },
    })
    const started = rig.scheduler.start()
    await vi.waitFor(() => expect(rig.runs).toHaveLength(1))
    const stopped = rig.scheduler.stop().then(() => ended.push('stop'))
    finished.open()
    await Promise.all([started, stopped])
    rig.clock.moveTo('2025-12-14T23:59:00+01:00')
    await rig.scheduler.check()

    expect(ended).toEqual(['run', 'stop'])
    expect(rig.runs).toHaveLength(1)
  })

  it('while the last done slot is still being read begins no run', async () => {
    const rig = await aRig({ now: '2025-12-12T08:00:00+01:00' })
    rig.transport.onRequest = async (_, carryOut) => {
      await new Promise(setImmediate)
      return carryOut()
    }
    const started = rig.scheduler.start()
    await rig.scheduler.stop()
    await started

    expect(rig.runs).toEqual([])
  })
})

const daily = { everyDays: 1, at: '23:59', anchor: '2020-01-01', zone: 'Europe/Berlin' }

/** A scheduler that lives by the timers alone. */
function onTimers(timetable: Timetable, outcomes: readonly SlotOutcome[] = []) {
  const ran: string[] = []
  const { zone } = timetable
  const clock = systemClock
  const { send } = createMemoryConnection({ clock })
  const scheduler = createScheduler({
    timetable,
    clock,
    memory: createSlotMemory('orders'),
    send,
    onDefect: () => undefined,
    run: async (_, attempt) => {
      ran.push(`${isoInstant(clock(), zone)} #${attempt}`)
      return outcomes[ran.length - 1] ?? 'completed'
    },
  })
  return { scheduler, ran }
}

describe('the timers of the process', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['23:59', 'Europe/Berlin', '2026-03-28T23:00:00+01:00', ['28T23:59', '29T23:59']],
    ['23:59', 'Europe/Berlin', '2026-10-24T23:00:00+02:00', ['24T23:59', '25T23:59']],
    ['02:30', 'Europe/Berlin', '2026-03-29T01:00:00+01:00', ['29T03:00', '30T02:30']],
    ['02:30', 'Europe/Berlin', '2026-10-25T02:00:00+02:00', ['25T02:30', '26T02:30']],
  ])('wake it at %s in %s without any ping, from %s on: %j', async (at, zone, from, times) => {
    vi.setSystemTime(instant(from))
    const { scheduler, ran } = onTimers(cadenceTimetable({ ...daily, at, zone }))

    await scheduler.start()
    await vi.advanceTimersByTimeAsync(27 * 60 * MINUTE_MS)
    await scheduler.stop()

    expect(ran.map((text) => text.slice(8, 16))).toEqual(times)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    ['15,45 2 * * *', '2026-03-29T01:00:00+01:00', ['29T03:00', '30T02:15', '30T02:45']],
    ['15,45 2 * * *', '2026-10-25T01:00:00+02:00', ['25T02:15', '25T02:45', '26T02:15', '26T02:45']],
    ['0 2 * * *', '2026-03-29T01:00:00+01:00', ['29T03:00', '30T02:00']],
  ])('wake it at the times of %j in Berlin without any ping, from %s on: %j', async (pattern, from, times) => {
    vi.setSystemTime(instant(from))
    const { scheduler, ran } = onTimers(cronTimetable({ pattern, zone: 'Europe/Berlin' }))

    await scheduler.start()
    await vi.advanceTimersByTimeAsync(27 * 60 * MINUTE_MS)
    await scheduler.stop()

    expect(ran.map((text) => text.slice(8, 16))).toEqual(times)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('try a failed slot again without any ping, also where a timer is a moment ahead of the clock', async () => {
    vi.setSystemTime(instant('2026-01-05T23:58:00+01:00'))
    const { scheduler, ran } = onTimers(cadenceTimetable(daily), ['failed', 'busy', 'failed'])
    await scheduler.start()

    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    vi.setSystemTime(instant('2026-01-05T23:58:59.990+01:00'))
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS)
    await scheduler.stop()

    expect(ran.map((text) => text.slice(-2))).toEqual(['#1', '#2', '#2', '#3'])
  })
})

describe('the alarm clock', () => {
  it.each([
    ['Europe/Berlin', '23:59', '2026-03-27T12:00:00Z'],
    ['Europe/Berlin', '23:59', '2026-10-23T12:00:00Z'],
    ['Europe/Berlin', '02:30', '2026-03-27T12:00:00Z'],
    ['Europe/Berlin', '02:30', '2026-10-23T12:00:00Z'],
    ['America/Santiago', '00:30', '2025-09-05T12:00:00Z'],
    ['America/Santiago', '23:59', '2026-04-03T12:00:00Z'],
    ['Africa/Cairo', '00:00', '2026-04-22T12:00:00Z'],
    ['America/Havana', '00:30', '2026-10-30T12:00:00Z'],
    ['America/St_Johns', '23:30', '2010-11-05T12:00:00Z'],
    ['Australia/Lord_Howe', '02:10', '2026-10-02T00:00:00Z'],
    ['Australia/Lord_Howe', '01:45', '2026-04-03T00:00:00Z'],
  ])('in %s at %s rings at the slots of a daily cadence, over the change after %s', (zone, at, from) => {
    const [hour, minute] = at.split(':').map(Number)
    const cron = new Cron(`${minute} ${hour} * * *`, { timezone: zone, paused: true })
    const rings = cron.nextRuns(4, new Date(from)).map((date) => date.getTime())
    cron.stop()

    const slots = cadenceTimetable({ everyDays: 1, at, anchor: '2000-01-01', zone }).nextSlots(instant(from), 4)
    expect(rings).toEqual(slots.map(({ atMs }) => atMs))
  })
})
