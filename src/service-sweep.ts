import type { App } from './app.ts'
import type { Emit } from './events.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { timetablesOf } from './schedule/timetables.ts'
import { createScheduledSweep } from './scheduled-sweep.ts'
import { lastReport } from './sweeps/history.ts'
import type { SweepName } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'
import type { RunSweep } from './sweeps/sweep.ts'

/** A sweep as a running service has it: called by people and by its schedule, with the last run remembered. */
export interface ServiceSweep {
  readonly run: RunSweep
  /** Undefined when it is switched off. */
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
  readonly emit: Emit
  readonly onDefect: (error: unknown) => void
  /** Tells people what came of a scheduled run. */
  readonly announce: (report: SweepReport) => void
}

export function createServiceSweep(options: ServiceSweepOptions): ServiceSweep {
  const { app, name, sweep } = options
  const history = app.meter.open('schedule')
  let lastRun: SweepReport | undefined

  const run: RunSweep = async (request) => {
    const ran = await sweep(request)
    if (!request.dryRun && ran.report.outcome !== 'skipped') lastRun = ran.report
    return ran
  }
  const timetable = timetablesOf(app.config)[name]
  const schedule = timetable && createScheduledSweep({ ...options, timetable, sweep: run })
  return {
    run,
    schedule,
    facts: () => ({ lastRun, nextSlotMs: schedule?.next()?.atMs }),
    learn: async () => {
      lastRun ??= await lastReport(history.send, name)
    },
  }
}
