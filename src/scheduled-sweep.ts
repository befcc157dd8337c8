import type { App } from './app.ts'
import type { Emit } from './events.ts'
import { createScheduler, type Scheduler, type SlotOutcome } from './schedule/scheduler.ts'
import { createSlotMemory } from './schedule/slots.ts'
import type { DueSlot } from './schedule/catch-up.ts'
import type { Timetable } from './schedule/timetable.ts'
import type { SweepName } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'
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

  const run = async ({ slot, trigger, stands }: DueSlot, attempt: number): Promise<SlotOutcome> => {
    const { report, code } = await sweep({
      trigger,
      dryRun: false,
      asOfMs: slot.atMs,
      attempt,
      signal: stopping.signal,
      once: {
        isDone: async (send) => ((await memory.lastDone(send)) ?? '') >= slot.name,
        markDone: (send) => memory.markDone(send, slot.name),
      },
    })
    if (code === 'ALREADY_DONE') return 'completed'
    if (code === 'LOCKED') return 'busy'
    // A sweep that is configured to run dry has done what it may.
    const isDone = report.outcome === 'done' || report.outcome === 'planned'
    if (isDone || attempt === 1) announce(report)
    if (isDone && trigger === 'catch-up') emit('info', 'schedule.caught-up', { sweep: name, slot: slot.name, stands })
    return isDone ? 'completed' : 'failed'
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
