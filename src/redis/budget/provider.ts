import type { Clock } from '../../clock.ts'
import { unlessRedis } from '../../errors.ts'
import { figureOf, readInfo, type Info } from '../info.ts'
import { createShared } from '../shared.ts'
import { isBilledStore } from '../status/figures.ts'
import type { Transport } from '../transport.ts'
import type { BudgetReport, ProviderCount } from './budget-report.ts'
import { createBaselines, type BaselineUsage, type RunningCount } from './baseline.ts'
import { calendarCount, usedSince, type CalendarCount } from './calendar-count.ts'
import type { DeveloperApi, DeveloperFigures } from './developer-api.ts'

/** What the provider knows of this month. */
export interface ProviderFigures {
  /** Null where nobody told. */
  readonly count: ProviderCount | null
  /** Since when the count holds what others spent as well; before that it holds Orderly's own commands alone. */
  readonly coversFromMs: number
  /**
   * The server's running count, with which alone it can be told what others spend now from what they spent before Orderly
   * came; null where it tells none.
   */
  readonly running: RunningCount | null
  readonly storage: BudgetReport['storage']
  readonly bandwidthBytes: number | null
}

/** Where the provider's own figures come from. */
export interface Provider {
  /**
   * Looks at the database itself, and asks the developer API where there is one; null where nobody bills commands, nobody
   * has told anything of this month, or the month ended meanwhile. A figure that is not told this time is the latest of the
   * month. Costs nothing billed, but 1 command once a month to keep the month's baseline (2 where it is this boot's first
   * mark), and as much to replace it.
   */
  look(): Promise<ProviderFigures | null>
  /** Whether the latest look found a Redis that nobody bills. Costs nothing. */
  isUnbilled(): boolean
}

export interface ProviderOptions {
  /** Of Orderly's own Redis, charged to `usage`. */
  readonly send: Transport
  readonly clock: Clock
  readonly usage: BaselineUsage
  /** The day of the month on which the budget begins anew. */
  readonly resetDay: number
  readonly developerApi?: DeveloperApi
}

/**
 * The true figures of an Upstash database. The developer API's count wins over the one of INFO while its calendar month (UTC)
 * is the budget's month; with another reset day it is left out, and its storage and bandwidth are told all the same.
 */
export function createProvider({ send, clock, usage, resetDay, developerApi }: ProviderOptions): Provider {
  const baselines = createBaselines({ usage, clock })
  let latest: Latest | undefined
  let isUnbilled = false

  const look = async (): Promise<ProviderFigures | null> => {
    const { month } = usage.known()
    const info = await readInfo(send).catch(unlessRedis)
    // A server that tells of itself but of no room in a plan is one of somebody's own.
    if (info !== undefined && info.size > 0) isUnbilled = !isBilledStore(info)
    if (isUnbilled) return null
    const processed = info && figureOf(info, 'total_commands_processed')
    const told = typeof processed === 'number' ? await baselines.count(processed).catch(unlessRedis) : undefined
    const answer = await developerApi?.look()
    const figures = answer?.isTold === true ? answer : undefined
    // What was asked before the month's end is not of the next one.
    if (usage.known().month.name !== month.name) return null
    const before = latest?.month === month.name ? latest : undefined
    if ((info === undefined || info.size === 0) && figures === undefined) return before?.figures ?? null

    const running = told ?? before?.figures.running ?? null
    const calendar =
      resetDay === 1 ? calendarCount({ told: figures, running: told, month, before: before?.calendar ?? null }) : null
    latest = {
      month: month.name,
      calendar,
      figures: {
        count: countOf(calendar, running),
        coversFromMs: calendar === null ? (running?.fromMs ?? month.startMs) : month.startMs,
        running,
        storage: storageOf(info, figures) ?? before?.figures.storage ?? null,
        bandwidthBytes: figures?.bandwidthBytes ?? before?.figures.bandwidthBytes ?? null,
      },
    }
    return latest.figures
  }

  const shared = createShared(look, clock)
  return { look: () => shared.within(0), isUnbilled: () => isUnbilled }
}

/** What is known of a month. */
interface Latest {
  readonly month: string
  readonly calendar: CalendarCount | null
  readonly figures: ProviderFigures
}

function countOf(calendar: CalendarCount | null, running: RunningCount | null): ProviderCount | null {
  if (calendar !== null) return { source: 'developer-api', used: usedSince(calendar, running) }
  return running && { source: 'info', used: running.used }
}

function storageOf(info: Info | undefined, told: DeveloperFigures | undefined): ProviderFigures['storage'] {
  const usedBytes = (info && figureOf(info, 'total_data_size')) ?? told?.storageBytes ?? null
  if (usedBytes === null) return null
  return { usedBytes, limitBytes: ((info && figureOf(info, 'max_data_size')) || told?.storageLimitBytes) ?? null }
}
