import type { App } from './app.ts'
import type { Emit } from './events.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { timetablesOf } from './schedule/timetables.ts'
import { createScheduledSweep } from './scheduled-sweep.ts'
import { createPartRuns } from './service-parts.ts'
import { lastReport } from './sweeps/history.ts'
import type { SweepName } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'
import type { RunSweep } from './sweeps/sweep.ts'

/** A sweep as a running service has it: called by people and by its schedule, with the last run remembered. */
export interface ServiceSweep {
  readonly run: RunSweep
  /** Undefined when it is switched off, or somebody else wakes the sweep. */
  readonly schedule: Scheduler | undefined
  /** What `/status` shows. Costs nothing. */
  facts(): { readonly lastRun: SweepReport | undefined; readonly nextSlotMs: number | undefined }
  /** Reads the last recorded run unless one is known. Costs at most 1 command. */
  learn(): Promise<void>
}

export interface ServiceSweepOptions {
  readonly app: App
  readonly name: SweepName
  readonly sweep: RunSweep
  /** Whether this process wakes it at its times. */
  readonly isScheduled: boolean
  readonly emit: Emit
  readonly onDefect: (error: unknown) => void
  /** Tells people what came of a scheduled run. */
  readonly announce: (report: SweepReport) => void
}

const noRun = () => undefined

export function createServiceSweep(options: ServiceSweepOptions): ServiceSweep {
  const { app, name, sweep } = options
  const history = app.meter.open('schedule')
  const partRuns = createPartRuns()
  let lastRun: () => SweepReport | undefined = noRun

  const run: RunSweep = async (request) => {
    const ran = await sweep(request)
    const { report } = ran
    if (request.dryRun || report.outcome === 'skipped') return ran
    if (request.isPart === true) partRuns.note(request.organization ?? name, report)
    lastRun = request.isPart === true ? partRuns.sum : () => report
    return ran
  }
  const timetable = timetablesOf(app.config)[name]
  const schedule =
    timetable && options.isScheduled ? createScheduledSweep({ ...options, timetable, sweep: run }) : undefined
  return {
    run,
    schedule,
    facts: () => ({ lastRun: lastRun(), nextSlotMs: timetable?.nextSlots(app.clock(), 1)[0]?.atMs }),
    learn: async () => {
      if (lastRun() !== undefined) return
      const recorded = await lastReport(history.send, name)
      if (lastRun() === undefined) lastRun = () => recorded
    },
  }
}
