import { isoInstant } from '../calendar.ts'
import type { App } from '../app.ts'
import type { Config } from '../config.ts'
import type { Transport } from '../redis/transport.ts'
import type { Timetable } from '../schedule/timetable.ts'
import { timetablesOf } from '../schedule/timetables.ts'
import { lastReport } from '../sweeps/history.ts'
import type { SweepReport } from '../sweeps/report.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { failed, type CommandResult } from './result.ts'
import { printable } from './text.ts'

/** Slots that are shown unless asked otherwise. */
const DEFAULT_COUNT = 5

/**
 * `orderly schedule`: when each sweep runs next, and what came of its last run. Costs 1 command, and 1 more where a database
 * of Inngest is configured.
 */
export async function scheduleCommand({ count = DEFAULT_COUNT }: { count?: number }, io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const plans = plansOf(app, count)
    const warnings = [...storeWarnings(app), ...(app.config.schedule === undefined ? [SWITCHED_OFF] : [])]
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

const SWITCHED_OFF = 'The schedule is switched off by SWEEP_ENABLED=false.'

/** What is planned for one sweep. */
interface Plan {
  readonly heading: string
  readonly next: readonly string[]
}

/** Of each sweep that there is; null where it is not configured. */
interface Plans {
  readonly orders: Plan
  readonly inngest: Plan | null
}

function plansOf({ config, clock }: App, count: number): Plans {
  const { orders, inngest } = timetablesOf(config)
  const timesOf = ({ zone, nextSlots }: Timetable) =>
    nextSlots(clock(), count).map(({ atMs }) => isoInstant(atMs, zone))
  return {
    orders: { heading: ordersHeading(config), next: orders === undefined ? [] : timesOf(orders) },
    inngest: inngest === undefined ? null : { heading: inngestHeading(config), next: timesOf(inngest) },
  }
}

function ordersHeading({ schedule, zone }: Config): string {
  if (schedule === undefined) return 'Next cleanups: none'
  const every = schedule.everyDays === 1 ? 'day' : `${schedule.everyDays} days`
  return `Next cleanups (every ${every} at ${schedule.at}, ${zone}):`
}

function inngestHeading({ inngest }: Config): string {
  if (inngest === undefined) return ''
  const { schedule, isDryRun } = inngest
  return `Next cleanups of inngest (${schedule.pattern}, ${schedule.zone}${isDryRun ? ', dry runs only' : ''}):`
}

type LastRuns = Readonly<Record<keyof Plans, SweepReport | null>>

const lastRunsOf = async (plans: Plans, send: Transport): Promise<LastRuns> => ({
  orders: (await lastReport(send, 'orders')) ?? null,
  inngest: plans.inngest === null ? null : ((await lastReport(send, 'inngest')) ?? null),
})

/** The plans for scripts and for people; `lastRuns` is undefined when nobody knows. */
const told = ({ orders, inngest }: Plans, lastRuns: LastRuns | undefined): Pick<CommandResult, 'data' | 'text'> => ({
  data: { ...dataOf(orders, lastRuns?.orders), inngest: inngest && dataOf(inngest, lastRuns?.inngest) },
  text: [
    ...linesOf(orders, lastRuns?.orders),
    ...(inngest === null ? [] : ['', ...linesOf(inngest, lastRuns?.inngest)]),
  ].join('\n'),
})

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
