import { Composer, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import { isoInstant } from '../calendar.ts'
import type { SweepReport } from '../sweeps/report.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import { minuteText } from './text.ts'

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
  /** Absent where no database of Inngest is configured. */
  readonly inngest?: SweepFacts
  readonly billedCommands: number
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
  composer.command('status', adminsOnly(isAdmin), (context) => context.reply(statusText(status(), zone, clock())))
  return composer
}

function statusText(facts: StatusFacts, zone: string, nowMs: number): string {
  return [
    `Orderly ${facts.version}, up ${uptimeText(nowMs - facts.startedAtMs)}, instance ${facts.instance}`,
    `Store: ${facts.store}, ${facts.isStoreWell ? 'answers' : 'does not answer'}; ${facts.ordersHeld} orders held`,
    `Redis commands since start: ${facts.billedCommands}`,
    ...sweepLines('cleanup', facts, zone),
    ...(facts.inngest === undefined ? [] : sweepLines('Inngest cleanup', facts.inngest, zone)),
  ].join('\n')
}

const sweepLines = (name: string, { lastRun, nextSlotMs }: SweepFacts, zone: string) => [
  `Last ${name}: ${lastRun === undefined ? 'none recorded' : runText(lastRun)}`,
  `Next ${name}: ${nextSlotMs === undefined ? 'switched off' : minuteText(isoInstant(nextSlotMs, zone))}`,
]

const runText = ({ startedAt, outcome, dryRun, due, deleted }: SweepReport) =>
  `${minuteText(startedAt)}, ${outcome}, ${dryRun ? `${due} due` : `${deleted} deleted`}`

function uptimeText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
