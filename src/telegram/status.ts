import { Composer, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import { isoInstant } from '../calendar.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { grouped, percent } from '../redis/budget/number-text.ts'
import { otherSweepNames, type OtherSweepName } from '../sweeps/registry.ts'
import type { Outcome, SweepReport } from '../sweeps/report.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import { sweepWords } from './sweep-words.ts'
import { cut, minuteText } from './text.ts'

/** What is known of a sweep's runs. */
export interface SweepFacts {
  readonly lastRun: SweepReport | undefined
  /** Undefined when the schedule is switched off. */
  readonly nextSlotMs: number | undefined
}

/** What the service knows of itself without asking anybody; of the sweeps, the order pruner's runs. */
export interface StatusFacts extends SweepFacts {
  readonly version: string
  readonly startedAtMs: number
  readonly instance: string
  /** Which kind of Redis, and whether it answered last time. */
  readonly store: string
  readonly isStoreWell: boolean
  readonly ordersHeld: number
  /** Of the other sweeps that are configured. */
  readonly others: Partial<Readonly<Record<OtherSweepName, SweepFacts>>>
  readonly billedCommands: number
  /** Of this month, all instances. */
  readonly budget?: Pick<BudgetReport, 'used' | 'limit' | 'share'>
}

export interface StatusDeps {
  readonly isAdmin: IsAdmin
  readonly status: () => StatusFacts
  readonly zone: string
  readonly clock: Clock
}

/** `/status`, for admins. Costs no Redis command. */
export function statusCommand({ isAdmin, status, zone, clock }: StatusDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('status', adminsOnly(isAdmin), (context) => context.reply(cut(statusText(status(), zone, clock()))))
  return composer
}

function statusText(facts: StatusFacts, zone: string, nowMs: number): string {
  return [
    `Orderly ${facts.version}, up ${uptimeText(nowMs - facts.startedAtMs)}, instance ${facts.instance}`,
    `Store: ${facts.store}, ${facts.isStoreWell ? 'answers' : 'does not answer'}; ${facts.ordersHeld} orders held`,
    `Redis commands since start: ${facts.billedCommands}${monthText(facts.budget)}`,
    ...sweepLines('cleanup', facts, zone),
    ...otherSweepNames.flatMap((name) => {
      const known = facts.others[name]
      return known === undefined ? [] : otherLines(name, known, zone)
    }),
  ].join('\n')
}

const monthText = (budget: StatusFacts['budget']) =>
  budget === undefined
    ? ''
    : `; ${grouped(budget.used)} of ${grouped(budget.limit)} this month (${percent(budget.share)})`

const sweepLines = (name: string, { lastRun, nextSlotMs }: SweepFacts, zone: string) => [
  `Last ${name}: ${lastRun === undefined ? 'none recorded' : runText(lastRun)}`,
  `Next ${name}: ${nextSlotMs === undefined ? 'switched off' : minuteText(isoInstant(nextSlotMs, zone))}`,
]

/** Of a sweep over organizations with those of which something is to be said. */
function otherLines(name: OtherSweepName, facts: SweepFacts, zone: string): readonly string[] {
  const { title, variesByPart } = sweepWords[name]
  const [last = '', next = ''] = sweepLines(title, facts, zone)
  if (!variesByPart) return [last, next]
  const telling = (facts.lastRun?.parts ?? []).filter(({ because }) => because !== null)
  const lines = telling.slice(0, MOST_PARTS).map((part) => `• ${cut(part.name, 80)}: ${cut(part.because ?? '', 200)}`)
  const rest = telling.length - lines.length
  return [last, ...lines, ...(rest > 0 ? [`• and ${rest} more`] : []), next]
}

/** How many organizations are named. */
const MOST_PARTS = 5

const runText = ({ startedAt, outcome, because, dryRun, due, deleted }: SweepReport) =>
  `${minuteText(startedAt)}, ${outcome}, ${dryRun ? `${due} due` : `${deleted} deleted`}${isBad(outcome) ? `: ${cut(because ?? 'unknown reason', 300)}` : ''}`

const isBad = (outcome: Outcome) => outcome === 'failed' || outcome === 'stopped'

function uptimeText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
