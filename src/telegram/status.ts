import { Composer, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import { isoInstant } from '../calendar.ts'
import type { SweepReport } from '../sweeps/report.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'

/** What the service knows of itself without asking anybody. */
export interface StatusFacts {
  readonly version: string
  readonly startedAtMs: number
  readonly instance: string
  /** Which kind of Redis, and whether it answered last time. */
  readonly store: string
  readonly isStoreWell: boolean
  readonly ordersHeld: number
  readonly lastRun: SweepReport | undefined
  /** Undefined when the schedule is switched off. */
  readonly nextSlotMs: number | undefined
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
  const { lastRun, nextSlotMs } = facts
  return [
    `Orderly ${facts.version}, up ${uptimeText(nowMs - facts.startedAtMs)}, instance ${facts.instance}`,
    `Store: ${facts.store}, ${facts.isStoreWell ? 'answers' : 'does not answer'}; ${facts.ordersHeld} orders held`,
    `Redis commands since start: ${facts.billedCommands}`,
    `Last cleanup: ${lastRun === undefined ? 'none recorded' : `${minuteText(lastRun.startedAt)}, ${lastRun.outcome}, ${lastRun.deleted} deleted`}`,
    `Next cleanup: ${nextSlotMs === undefined ? 'switched off' : minuteText(isoInstant(nextSlotMs, zone))}`,
  ].join('\n')
}

const minuteText = (iso: string) => iso.slice(0, 16).replace('T', ' ')

function uptimeText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
