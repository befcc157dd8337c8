import { isoInstant } from '../calendar.ts'
import type { App } from '../app.ts'
import type { Config, CronConfig } from '../config.ts'
import type { Transport } from '../redis/transport.ts'
import type { Timetable } from '../schedule/timetable.ts'
import { timetablesOf } from '../schedule/timetables.ts'
import { lastReport } from '../sweeps/history.ts'
import { otherSweepNames, type OtherSweepName, type SweepName } from '../sweeps/registry.ts'
import type { SweepReport } from '../sweeps/report.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { failed, type CommandResult } from './result.ts'
import { printable } from './text.ts'

/** Slots that are shown unless asked otherwise. */
const DEFAULT_COUNT = 5

/** `orderly schedule`: when each sweep runs next, and what came of its last run. Costs 1 command for each one configured. */
export async function scheduleCommand({ count = DEFAULT_COUNT }: { count?: number }, io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const plans = plansOf(app, count)
    const warnings = [...storeWarnings(app), ...notesOn(app.config)]
    const account = app.meter.open('schedule')
    try {
      const lastRuns = await lastRunsOf(plans, account.send)
      return { ...told(plans, lastRuns), error: null, warnings, cost: account.cost() }
    } catch (error) {
      // The slots follow from the configuration alone, so they are told whatever Redis says.
      return { ...failed(error), ...told(plans, undefined), warnings, cost: account.cost() }
    }
  })
}

const notesOn = ({ schedule, scheduler, engine, audit }: Config): readonly string[] => [
  ...(schedule === undefined ? [SWITCHED_OFF] : []),
  ...(scheduler === 'inngest' ? [WOKEN] : []),
  ...(scheduler === 'local' && engine !== undefined && audit !== undefined ? [AUDIT_WOKEN] : []),
]

const WOKEN = 'An Inngest wakes the sweeps (SCHEDULER=inngest).'
const AUDIT_WOKEN = 'An Inngest wakes the sweeps over alerts and errors (INNGEST_APP_ID).'
const SWITCHED_OFF = 'The schedule is switched off by SWEEP_ENABLED=false.'

/** What is planned for one sweep. */
interface Plan {
  readonly heading: string
  readonly next: readonly string[]
}

/** Of each sweep that there is; null where it is not configured. */
interface Plans extends Readonly<Record<OtherSweepName, Plan | null>> {
  readonly orders: Plan
}

function plansOf({ config, clock }: App, count: number): Plans {
  const { orders, inngest, alerts, errors, bullmq, executions } = timetablesOf(config)
  const timesOf = ({ zone, nextSlots }: Timetable) =>
    nextSlots(clock(), count).map(({ atMs }) => isoInstant(atMs, zone))
  const planOf = (timetable: Timetable | undefined, heading: string) =>
    timetable === undefined ? null : { heading, next: timesOf(timetable) }
  return {
    orders: { heading: ordersHeading(config), next: orders === undefined ? [] : timesOf(orders) },
    inngest: planOf(inngest, cronHeading('inngest', config.inngest?.schedule, config.inngest?.isDryRun)),
    alerts: planOf(alerts, cronHeading('alerts', config.audit?.alertSchedule)),
    errors: planOf(errors, cronHeading('errors', config.audit?.errorSchedule)),
    bullmq: planOf(bullmq, cronHeading('bullmq', config.bullmq?.schedule)),
    executions: planOf(executions, cronHeading('executions', config.executions?.schedule)),
  }
}

function ordersHeading({ schedule, zone }: Config): string {
  if (schedule === undefined) return 'Next cleanups: none'
  const every = schedule.everyDays === 1 ? 'day' : `${schedule.everyDays} days`
  return `Next cleanups (every ${every} at ${schedule.at}, ${zone}):`
}

const cronHeading = (name: OtherSweepName, schedule: CronConfig | undefined, isDryRun = false) =>
  `Next cleanups of ${name} (${schedule?.pattern}, ${schedule?.zone}${isDryRun ? ', dry runs only' : ''}):`

type LastRuns = Readonly<Record<SweepName, SweepReport | null>>

async function lastRunsOf(plans: Plans, send: Transport): Promise<LastRuns> {
  const lastRunOf = async (name: SweepName) => (plans[name] === null ? null : ((await lastReport(send, name)) ?? null))
  return {
    orders: await lastRunOf('orders'),
    inngest: await lastRunOf('inngest'),
    alerts: await lastRunOf('alerts'),
    errors: await lastRunOf('errors'),
    bullmq: await lastRunOf('bullmq'),
    executions: await lastRunOf('executions'),
  }
}

/** The plans for scripts and for people; `lastRuns` is undefined when nobody knows. */
function told({ orders, ...others }: Plans, lastRuns: LastRuns | undefined): Pick<CommandResult, 'data' | 'text'> {
  const dataOfOther = (name: OtherSweepName) => others[name] && dataOf(others[name], lastRuns?.[name])
  const linesOfOther = (name: OtherSweepName) =>
    others[name] === null ? [] : ['', ...linesOf(others[name], lastRuns?.[name])]
  return {
    data: {
      ...dataOf(orders, lastRuns?.orders),
      ...Object.fromEntries(otherSweepNames.map((name) => [name, dataOfOther(name)])),
    },
    text: [...linesOf(orders, lastRuns?.orders), ...otherSweepNames.flatMap(linesOfOther)].join('\n'),
  }
}

const dataOf = ({ next }: Plan, lastRun: SweepReport | null = null) => ({ next, lastRun })

const linesOf = ({ heading, next }: Plan, lastRun: SweepReport | null | undefined) => [
  heading,
  ...next.map((time) => `  ${time}`),
  ...(lastRun === undefined ? [] : [`Last run: ${lastRunText(lastRun)}`]),
]

const lastRunText = (report: SweepReport | null) =>
  report === null
    ? 'none recorded'
    : `${printable(report.startedAt)}, ${printable(report.outcome)}, ${report.deleted} deleted`
