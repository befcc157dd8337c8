import { Gauge, type Registry } from 'prom-client'
import type { BudgetReport } from '../redis/budget/budget-report.ts'

/** Purposes that are told by name. They are read from Redis, so there may be more than a time series database likes. */
const MOST_PURPOSES = 50

/** What a purpose looks like, such as `sweep:orders`. */
const PURPOSE = /^[a-z][a-z0-9:_-]{0,39}$/

/** A figure without labels; null is unknown, which is left out. */
interface BudgetGauge {
  readonly name: string
  readonly help: string
  readonly of: (report: BudgetReport) => number | boolean | null
}

const gauges: readonly BudgetGauge[] = [
  { name: 'limit_commands', help: 'Billed commands that the month may take.', of: ({ limit }) => limit },
  { name: 'used_commands', help: 'Billed commands of the month so far, of all clients.', of: ({ used }) => used },
  { name: 'limit_reached', help: 'Whether the provider refuses commands.', of: (report) => report.isLimitReached },
  { name: 'saver_mode', help: 'Whether everything optional stopped.', of: ({ mode }) => mode === 'saver' },
  { name: 'reset_timestamp_seconds', help: 'When the count starts from 0.', of: ({ month }) => month.endMs / 1_000 },
  {
    name: 'forecast_limit_timestamp_seconds',
    help: 'When the limit is reached; missing where it is not in this month.',
    of: ({ forecast: { limitAtMs, isEarly } }) => (limitAtMs === null || isEarly ? null : limitAtMs / 1_000),
  },
  {
    name: 'forecast_cost_dollars',
    help: 'Price of what goes beyond the limit.',
    of: ({ forecast }) => (forecast.isEarly ? null : forecast.costUsd),
  },
  { name: 'orders', help: 'Orders taken in this month, as far as counted.', of: ({ orders }) => orders.count },
  { name: 'storage_used_bytes', help: 'Storage in use.', of: ({ storage }) => storage?.usedBytes ?? null },
  { name: 'storage_limit_bytes', help: 'Storage that the plan has.', of: ({ storage }) => storage?.limitBytes ?? null },
  {
    name: 'sweep_read_bytes',
    help: 'Values that sweeps read this month.',
    of: (report) => report.bandwidth.sweepBytes,
  },
  { name: 'bandwidth_used_bytes', help: 'Bandwidth of the month so far.', of: ({ bandwidth }) => bandwidth.usedBytes },
]

/** Collects where the month's budget stands. Costs what the report costs. */
export const budgetMetrics =
  (budget: () => Promise<BudgetReport>) =>
  async (registry: Registry): Promise<void> => {
    const report = await budget()
    for (const { name, help, of } of gauges) {
      const value = of(report)
      if (value !== null) gaugeOf(registry, { name, help }).set(Number(value))
    }
    addPurposes(registry, report)
    addForecast(registry, report)
    addProvider(registry, report)
  }

interface GaugeOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

const gaugeOf = (registry: Registry, { name, help, labels = [] }: GaugeOptions) =>
  new Gauge({ name: `orderly_budget_${name}`, help, labelNames: [...labels], registers: [registry] })

/** Those that spent most by name, the rest together as `other`. */
function addPurposes(registry: Registry, { purposes }: BudgetReport): void {
  const help = 'Billed commands that Orderly sent this month, all instances.'
  const own = gaugeOf(registry, { name: 'own_commands', help, labels: ['purpose'] })
  for (const [at, { name, commands }] of purposes.entries()) {
    own.inc({ purpose: at < MOST_PURPOSES && PURPOSE.test(name) ? name : 'other' }, commands)
  }
}

function addForecast(registry: Registry, { forecast: { low, end, high, isEarly } }: BudgetReport): void {
  if (isEarly) return
  const help = 'Billed commands at the end of the month; between low and high in 9 of 10 months.'
  const gauge = gaugeOf(registry, { name: 'forecast_end_commands', help, labels: ['bound'] })
  for (const [bound, value] of Object.entries({ low, point: end, high })) gauge.set({ bound }, value)
}

function addProvider(registry: Registry, { provider }: BudgetReport): void {
  if (provider === null) return
  const help = "The provider's own count of the month."
  const gauge = gaugeOf(registry, { name: 'provider_commands', help, labels: ['source'] })
  gauge.set({ source: provider.source }, provider.used)
}
