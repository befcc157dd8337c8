import type { Clock } from '../../clock.ts'
import { isRedisError } from '../../errors.ts'
import { figureOf, readInfo, type Info } from '../info.ts'
import { createShared } from '../shared.ts'
import { isBilledStore } from '../status/figures.ts'
import type { Transport } from '../transport.ts'
import type { BudgetMonth, BudgetReport, ProviderCount } from './budget-report.ts'
import { createBaselines, type Baseline, type BaselineUsage } from './baseline.ts'
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

/** What was spent in this month: by Orderly before `fromMs`, and by everybody since. */
export interface RunningCount {
  readonly used: number
  readonly fromMs: number
}

/** Where the provider's own figures come from. */
export interface Provider {
  /**
   * Looks at the database itself, and asks the developer API where there is one; null where nobody bills commands or nobody
   * answered. Costs nothing billed, but 1 command once a month to keep the month's baseline, and 1 to replace it.
   */
  look(): Promise<ProviderFigures | null>
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

const HOUR_MS = 3_600_000

/**
 * The true figures of an Upstash database. The developer API's count wins over the one of INFO while its calendar month (UTC)
 * is the budget's month; with another reset day it is left out, and its storage and bandwidth are told all the same.
 */
export function createProvider({ send, clock, usage, resetDay, developerApi }: ProviderOptions): Provider {
  const baselines = createBaselines({ usage, clock })

  const look = async (): Promise<ProviderFigures | null> => {
    const info = await readInfo(send).catch(unlessUnanswered)
    // A server that tells of itself but of no room in a plan is one of somebody's own.
    if (info !== undefined && info.size > 0 && !isBilledStore(info)) return null
    const processed = info && figureOf(info, 'total_commands_processed')
    const baseline = typeof processed === 'number' ? await baselines.find(processed).catch(unlessUnanswered) : undefined
    const answer = await developerApi?.look()
    const told = answer?.isTold === true ? answer : undefined
    if ((info === undefined || info.size === 0) && told === undefined) return null
    const { month } = usage.known()
    const requests = resetDay === 1 ? calendarCount(told, month) : null
    const running = runningCount(processed ?? null, baseline, month)
    return {
      count: countOf(requests, running),
      coversFromMs: requests === null ? (running?.fromMs ?? month.startMs) : month.startMs,
      running,
      storage: storageOf(info, told),
      bandwidthBytes: told?.bandwidthBytes ?? null,
    }
  }

  const shared = createShared(look, clock)
  return { look: () => shared.within(0) }
}

function unlessUnanswered(error: unknown): undefined {
  if (!isRedisError(error)) throw error
  return undefined
}

/** Unknown for the first hour of a calendar month too, in which figures that lag would be those of the month before. */
function calendarCount(told: DeveloperFigures | undefined, month: BudgetMonth): number | null {
  const isOfMonth = told !== undefined && new Date(told.atMs - HOUR_MS).toISOString().slice(0, 7) === month.name
  return isOfMonth ? told.requests : null
}

/** The server counts since it was made, so only the difference to the month's baseline tells of this month. */
function runningCount(
  processed: number | null,
  baseline: Baseline | undefined,
  { startMs }: BudgetMonth,
): RunningCount | null {
  if (processed === null || baseline === undefined || baseline.at < startMs - HOUR_MS) return null
  const used = Math.max(processed - baseline.processed, 0) + baseline.own
  return { used, fromMs: baseline.at - startMs <= HOUR_MS ? startMs : baseline.at }
}

function countOf(requests: number | null, running: RunningCount | null): ProviderCount | null {
  if (requests !== null) return { source: 'developer-api', used: requests }
  return running && { source: 'info', used: running.used }
}

function storageOf(info: Info | undefined, told: DeveloperFigures | undefined): ProviderFigures['storage'] {
  const usedBytes = (info && figureOf(info, 'total_data_size')) ?? told?.storageBytes ?? null
  if (usedBytes === null) return null
  return { usedBytes, limitBytes: ((info && figureOf(info, 'max_data_size')) || told?.storageLimitBytes) ?? null }
}
