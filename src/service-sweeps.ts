import type { App } from './app.ts'
import type { Config } from './config.ts'
import type { Emit } from './events.ts'
import type { Part } from './lifecycle.ts'
import { createServiceSweep, type ServiceSweep } from './service-sweep.ts'
import { sweepNames, type SweepName, type Sweeps } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'
import type { RunSweep } from './sweeps/sweep.ts'
import type { StatusFacts } from './telegram/status.ts'

export interface ServiceSweepsOptions {
  readonly app: App
  readonly emit: Emit
  readonly onDefect: (error: unknown) => void
  /** Tells people what came of a scheduled run. */
  readonly announce: (report: SweepReport) => void
}

/** Every sweep that is configured, as a running service has it. */
export interface ServiceSweeps {
  readonly runs: Sweeps
  /** The local schedules. */
  readonly parts: readonly Part[]
  /** Wakes the local schedules. Costs nothing where no slot is due. */
  check(): void
  /** Reads the last recorded runs. Costs at most 1 command a sweep. */
  learn(): Promise<void>
  /** What `/status` shows. Costs nothing. */
  facts(): Pick<StatusFacts, 'lastRun' | 'nextSlotMs' | 'others'>
}

export function createServiceSweeps(options: ServiceSweepsOptions): ServiceSweeps {
  const { app } = options
  const create = (name: SweepName, sweep: RunSweep) =>
    createServiceSweep({ ...options, name, sweep, isScheduled: isScheduledHere(name, app.config) })
  const orders = create('orders', app.sweeps.orders)
  const others = sweepNames.flatMap((name) => {
    const sweep = app.sweeps[name]
    return name === 'orders' || sweep === undefined ? [] : [[name, create(name, sweep)] as const]
  })
  const all = [orders, ...others.map(([, one]) => one)]
  return {
    runs: { ...app.sweeps, ...Object.fromEntries(others.map(([name, { run }]) => [name, run])), orders: orders.run },
    parts: all.flatMap(schedulePart),
    check: () => all.forEach(({ schedule }) => void schedule?.check()),
    learn: async () => {
      for (const { learn } of all) await learn()
    },
    facts: () => ({
      ...orders.facts(),
      others: Object.fromEntries(others.map(([name, { facts }]) => [name, facts()])),
    }),
  }
}

/** What an Inngest wakes is not woken here too: those over the audit database as soon as there are functions for them. */
function isScheduledHere(name: SweepName, { scheduler, engine }: Config): boolean {
  if (scheduler === 'inngest') return false
  return engine === undefined || (name !== 'alerts' && name !== 'errors')
}

const schedulePart = ({ schedule }: ServiceSweep): readonly Part[] =>
  schedule === undefined ? [] : [{ name: 'schedule', start: async () => void schedule.start(), stop: schedule.stop }]
