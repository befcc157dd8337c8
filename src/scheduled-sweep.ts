import type { App } from './app.ts'
import type { Emit } from './events.ts'
import { createScheduler, type Scheduler, type SlotOutcome } from './schedule/scheduler.ts'
import { createSlotMemory } from './schedule/slots.ts'
import type { DueSlot } from './schedule/catch-up.ts'
import type { Timetable } from './schedule/timetable.ts'
import type { SweepName } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'
import { createSlotRun, isNews } from './service-slot-run.ts'
import type { RunSweep } from './sweeps/sweep.ts'

export interface ScheduledSweepOptions {
  readonly app: App
  /** Names the memory of the last done slot. */
  readonly name: SweepName
  readonly timetable: Timetable
  readonly sweep: RunSweep
  readonly emit: Emit
  readonly onDefect: (error: unknown) => void
  /** Tells people what came of a run. Called once for a slot that is completed, and once for one that begins to fail. */
  readonly announce: (report: SweepReport) => void
}

/** The schedule of one sweep: each slot is run once over all instances, as of its own time. */
export function createScheduledSweep(options: ScheduledSweepOptions): Scheduler {
  const { app, name, timetable, sweep, announce, emit, onDefect } = options
  const memory = createSlotMemory(name)
  const stopping = new AbortController()

  const runSlot = createSlotRun({ name, memory, sweep, emit })
  const run = async (due: DueSlot, attempt: number): Promise<SlotOutcome> => {
    const slotRun = await runSlot(due, { attempt, signal: stopping.signal })
    if (isNews(slotRun, attempt)) announce(slotRun.ran.report)
    return slotRun.outcome
  }

  const { clock, meter } = app
  const { send } = meter.open('schedule')
  const scheduler = createScheduler({ onDefect, timetable, clock, memory, send, run })
  return {
    ...scheduler,
    stop: async () => {
      const grace = setTimeout(() => stopping.abort(), GRACE_MS)
      await scheduler.stop()
      clearTimeout(grace)
    },
  }
}

/** Milliseconds that a run may go on after it was asked to stop. */
const GRACE_MS = 5_000
