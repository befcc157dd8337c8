import { isoInstant } from '../calendar.ts'
import type { Config } from '../config.ts'
import { nextSlots } from '../schedule/cadence.ts'
import { lastReport } from '../sweeps/history.ts'
import type { SweepReport } from '../sweeps/report.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { failed, type CommandResult } from './result.ts'
import { printable } from './text.ts'

/** Slots that are shown unless asked otherwise. */
const DEFAULT_COUNT = 5

/** `orderly schedule`: when the order pruner runs next, and what came of its last run. Costs 1 command. */
export async function scheduleCommand({ count = DEFAULT_COUNT }: { count?: number }, io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const { schedule, zone } = app.config
    const slots = schedule === undefined ? [] : nextSlots({ ...schedule, zone }, app.clock(), count)
    const next = slots.map(({ atMs }) => isoInstant(atMs, zone))
    const warnings = [...storeWarnings(app), ...(schedule === undefined ? [SWITCHED_OFF] : [])]
    const account = app.meter.open('schedule')
    try {
      const lastRun = (await lastReport(account.send, 'orders')) ?? null
      const text = [...nextText(app.config, next), `Last run: ${lastRunText(lastRun)}`].join('\n')
      return { data: { next, lastRun }, text, error: null, warnings, cost: account.cost() }
    } catch (error) {
      // The slots follow from the configuration alone, so they are told whatever Redis says.
      const text = nextText(app.config, next).join('\n')
      return { ...failed(error), data: { next, lastRun: null }, text, warnings, cost: account.cost() }
    }
  })
}

const SWITCHED_OFF = 'The schedule is switched off by SWEEP_ENABLED=false.'

function nextText({ schedule, zone }: Config, next: readonly string[]): readonly string[] {
  if (schedule === undefined) return ['Next cleanups: none']
  const every = schedule.everyDays === 1 ? 'day' : `${schedule.everyDays} days`
  return [`Next cleanups (every ${every} at ${schedule.at}, ${zone}):`, ...next.map((time) => `  ${time}`)]
}

const lastRunText = (report: SweepReport | null) =>
  report === null
    ? 'none recorded'
    : `${printable(report.startedAt)}, ${printable(report.outcome)}, ${report.deleted} deleted`
