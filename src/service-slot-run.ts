import type { Emit } from './events.ts'
import type { DueSlot } from './schedule/catch-up.ts'
import type { SlotOutcome } from './schedule/scheduler.ts'
import type { SlotMemory } from './schedule/slots.ts'
import type { SweepName } from './sweeps/registry.ts'
import type { RunSweep, SweepRun } from './sweeps/sweep.ts'

export interface SlotRunOptions {
  readonly name: SweepName
  readonly memory: SlotMemory
  readonly sweep: RunSweep
  readonly emit: Emit
}

/** What became of a slot's run, for the slot and by itself. */
export interface SlotRun {
  readonly outcome: SlotOutcome
  readonly ran: SweepRun
}

/** Runs a slot, as of its own time, unless any instance has completed it: what wakes a sweep does not matter to it. */
export const createSlotRun =
  ({ name, memory, sweep, emit }: SlotRunOptions) =>
  async ({ slot, trigger, stands }: DueSlot, request: { attempt: number; signal: AbortSignal }): Promise<SlotRun> => {
    const ran = await sweep({
      trigger,
      dryRun: false,
      asOfMs: slot.atMs,
      ...request,
      once: {
        isDone: async (send) => ((await memory.lastDone(send)) ?? '') >= slot.name,
        markDone: (send) => memory.markDone(send, slot.name),
      },
    })
    if (ran.code === 'ALREADY_DONE') return { outcome: 'completed', ran }
    if (ran.code === 'LOCKED') return { outcome: 'busy', ran }
    // A sweep that is configured to run dry has done what it may.
    const isDone = ran.report.outcome === 'done' || ran.report.outcome === 'planned'
    if (isDone && trigger === 'catch-up') emit('info', 'schedule.caught-up', { sweep: name, slot: slot.name, stands })
    return { outcome: isDone ? 'completed' : 'failed', ran }
  }

/** Whether people are told of a run: once for a slot that is completed, and once for one that begins to fail. */
export const isNews = ({ outcome, ran }: SlotRun, attempt: number): boolean =>
  ran.report.outcome !== 'skipped' && (outcome === 'completed' || (outcome === 'failed' && attempt === 1))
