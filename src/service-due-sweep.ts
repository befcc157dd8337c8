import type { StartRun } from './engine/runs.ts'
import { dueSlot } from './schedule/catch-up.ts'
import { createSlotMemory, learnLastDone } from './schedule/slots.ts'
import type { ScheduledSweepOptions } from './scheduled-sweep.ts'
import { createSlotRun } from './service-slot-run.ts'

/** The schedule of one sweep for a foreign alarm clock: timetable, slots and memory are those of the local schedule. */
export interface DueSweep {
  /**
   * Reads the last done slot (1 command; 2 at the very first boot, which records the latest past slot as done). Without it
   * the first slot that the alarm clock rings for is taken for a past one.
   */
  start(): Promise<void>
  /** Runs the due slot, and tells people when it is completed; undefined where none is due. Costs 1 command then. */
  readonly runDue: StartRun
}

/** How far the alarm clock may be ahead of ours, in milliseconds. */
const EARLY_MS = 60_000

export function createDueSweep(options: ScheduledSweepOptions): DueSweep {
  const { app, name, timetable, announce } = options
  const { clock, meter } = app
  const memory = createSlotMemory(name)
  const look = { memory, timetable, send: meter.open('schedule').send }
  const runSlot = createSlotRun({ ...options, memory })
  return {
    start: async () => void (await learnLastDone(look, clock())),
    runDue: async (request) => {
      const lastDone = await learnLastDone(look, clock())
      const due = dueSlot(timetable, lastDone, clock() + EARLY_MS)
      if (due === undefined) return undefined
      const { outcome, ran } = await runSlot(due, request)
      // Whoever woke it repeats what failed, and tells of what is not repeated any more.
      if (outcome === 'completed' && ran.code === null) announce(ran.report)
      return ran
    },
  }
}
