import { Cron } from 'croner'
import type { Clock } from '../clock.ts'
import { isRedisError } from '../errors.ts'
import type { Transport } from '../redis/transport.ts'
import { BUSY_PAUSE_MS, dueSlot, pauseAfter, type DueSlot } from './catch-up.ts'
import { learnLastDone, type SlotMemory } from './slots.ts'
import type { Slot, Timetable } from './timetable.ts'

/** What became of a slot's run: completed (by whomever), kept out by another run that is under way, or failed. */
export type SlotOutcome = 'completed' | 'busy' | 'failed'

export interface SchedulerOptions {
  readonly timetable: Timetable
  readonly clock: Clock
  readonly memory: SlotMemory
  /** Charged with what the scheduler itself asks. */
  readonly send: Transport
  /**
   * Runs a slot under its lock, once over all instances. Must not throw for what is to be expected. `attempt` is 1 for the
   * slot's first run, one more for each after a failed one.
   */
  readonly run: (due: DueSlot, attempt: number) => Promise<SlotOutcome>
  /** Told of defects, and of the first of several failures of Redis in a row. */
  readonly onDefect: (error: unknown) => void
}

/** Sees to it that each slot is completed once, however often the process sleeps, restarts or fails. */
export interface Scheduler {
  /**
   * Reads the last done slot (1 command; 2 at the very first boot, which records the latest past slot as done, or that time
   * itself where no slot has passed yet).
   */
  start(): Promise<void>
  /**
   * Runs the due slot, if there is one and no pause is on. Called at boot, at each alarm and after each health ping.
   * Costs nothing when nothing is due: it compares in memory.
   */
  check(): Promise<void>
  /** The next slot. */
  next(): Slot | undefined
  /** Stops the alarm and waits for a run under way. */
  stop(): Promise<void>
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { timetable, clock, memory, send, onDefect } = options
  let lastDone: { readonly name: string } | undefined
  let failures = 0
  let tried = { slot: '', runs: 0 }
  let pausedUntilMs = -Infinity
  let running: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let alarm: Cron | undefined
  let isStopped = false

  const pause = (ms: number) => {
    pausedUntilMs = clock() + ms
    clearTimeout(retry)
    if (isStopped) return
    retry = setTimeout(() => {
      // The timer may be a moment ahead of the clock, and there is no other after it.
      pausedUntilMs = -Infinity
      void check()
    }, ms).unref()
  }

  const fail = () => {
    failures += 1
    pause(pauseAfter(failures))
  }

  const runSlot = async (due: DueSlot): Promise<void> => {
    const { name } = due.slot
    if (tried.slot !== name) tried = { slot: name, runs: 0 }
    const outcome = await options.run(due, tried.runs + 1)
    if (outcome === 'busy') return pause(BUSY_PAUSE_MS)
    tried.runs += 1
    if (outcome === 'failed') return fail()
    lastDone = { name }
    failures = 0
  }

  const work = async (): Promise<void> => {
    try {
      if (lastDone === undefined) {
        lastDone = { name: await learnLastDone({ memory, timetable, send }, clock()) }
        failures = 0
      }
      const due = dueSlot(timetable, lastDone.name, clock())
      if (due !== undefined && !isStopped) await runSlot(due)
    } catch (error) {
      if (!isRedisError(error) || failures === 0) onDefect(error)
      fail()
    }
  }

  const check = async (): Promise<void> => {
    if (isStopped || clock() < pausedUntilMs) return
    if (lastDone !== undefined && running === undefined && dueSlot(timetable, lastDone.name, clock()) === undefined)
      return
    running ??= work().finally(() => {
      running = undefined
    })
    await running
  }

  return {
    check,
    start: async () => {
      alarm = createAlarm(timetable, () => void check())
      await check()
    },
    next: () => timetable.nextSlots(clock(), 1)[0],
    stop: async () => {
      isStopped = true
      alarm?.stop()
      clearTimeout(retry)
      await running
    },
  }
}

/** Wakes at each slot or more often; whether one is due is decided elsewhere. Keeps no process alive. */
const createAlarm = ({ alarm, zone }: Timetable, onAlarm: () => void): Cron =>
  new Cron(alarm, { timezone: zone, unref: true }, onAlarm)
