import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { BudgetMonth } from './budget-report.ts'
import { billedOf } from './counts.ts'
import type { MonthUsage, Usage } from './usage.ts'

/** What was spent in this month: by everybody since `fromMs`, and before that by Orderly alone. */
export interface RunningCount {
  readonly used: number
  readonly fromMs: number
}

/** The little of the month's usage that a baseline needs. */
export type BaselineUsage = Pick<Usage, 'known' | 'putOnce' | 'put'>

/** The month's baseline, one for all instances: where the server's running total stood once in the month. */
export interface Baselines {
  /**
   * What the server's running total says of this month; undefined while only another instance knows the baseline, and for
   * the first 10 minutes in which the total is below it. Costs nothing, but 1 command where the month has none yet, and 1
   * where it has to be replaced: it cannot be read, or the total is still below it after those 10 minutes.
   *
   * @throws RedisError
   */
  count(processed: number): Promise<RunningCount | undefined>
}

/** As it is stored. */
interface Baseline {
  /** Since when what everybody spends is counted, in epoch milliseconds. */
  readonly at: number
  /** The running total. */
  readonly processed: number
  /** What was known to be spent in the month at that total: by Orderly, or by everybody where an older baseline told it. */
  readonly own: number
}

const MARK = 'baseline'

/** How far the clocks of two instances may be apart. */
const APART_MS = 3_600_000

/** A server whose nodes count apart may tell a lower total now and then; one that stays lower has begun anew. */
const DOUBT_MS = 10 * 60_000

const schema = z.object({ at: z.int().min(0), processed: z.int().min(0), own: z.int().min(0) })

export interface BaselinesOptions {
  readonly usage: BaselineUsage
  readonly clock: Clock
}

export function createBaselines({ usage, clock }: BaselinesOptions): Baselines {
  let mine: Mine | undefined
  let latest: Latest | undefined
  const doubt = createDoubt(clock)

  const put = async (text: string, isFirst: boolean) => {
    if (isFirst) return await usage.putOnce(MARK, text)
    await usage.put(MARK, text)
    return true
  }
  const countFrom = ({ at, processed, own }: Baseline, { total, month }: Total): RunningCount => {
    const used = total - processed + own
    latest = { month: month.name, at, used }
    return { used, fromMs: at - month.startMs <= APART_MS ? month.startMs : at }
  }
  const beginAt = (processed: number, known: MonthUsage): Baseline => {
    const before = latest?.month === known.month.name ? latest : undefined
    return { at: before?.at ?? clock(), processed, own: Math.max(countedIn(known), before?.used ?? 0) }
  }

  return {
    count: async (processed) => {
      const known = usage.known()
      const { marks, month } = known
      const text = marks.get(MARK)
      const ahead = mine?.month === month.name && mine.over === text ? mine : undefined
      const baseline = ahead === undefined ? decode(text ?? '', { month, nowMs: clock() }) : ahead.baseline
      if (ahead !== undefined && baseline === undefined) return undefined
      if (baseline !== undefined && baseline.processed <= processed) {
        doubt.end()
        return countFrom(baseline, { total: processed, month })
      }
      const next = beginAt(processed, known)
      const ours = baseline === undefined ? next : doubt.outcome(next, `${month.name} ${baseline.processed}`)
      if (ours === undefined) return undefined
      const isOurs = await put(JSON.stringify(ours), text === undefined && ahead === undefined)
      mine = { month: month.name, over: text, baseline: isOurs ? ours : undefined }
      return isOurs ? countFrom(ours, { total: processed, month }) : undefined
    },
  }
}

/** What this process put, for until the next reload the known marks may be older than that. */
interface Mine {
  readonly month: string
  /** What the known marks held before. */
  readonly over: string | undefined
  /** Undefined where another instance was first: what it put is known after the next reload. */
  readonly baseline: Baseline | undefined
}

/** A running total of the server, and the month in which it was asked for. */
interface Total {
  readonly total: number
  readonly month: BudgetMonth
}

/** What a baseline told last: a new one goes on from there, or what others spent before it would be forgotten. */
interface Latest {
  readonly month: string
  readonly at: number
  readonly used: number
}

/** Whether a baseline that is above the total is to be given up. */
function createDoubt(clock: Clock) {
  let first: { readonly of: string; readonly atMs: number; readonly next: Baseline } | undefined
  return {
    /** The total is not below it. */
    end: () => void (first = undefined),
    /** The first of the next baselines that a look would begin, once it has stood for long enough. */
    outcome: (next: Baseline, of: string): Baseline | undefined => {
      const atMs = clock()
      // One that has fallen again, or a clock that was put back, begins the wait anew.
      const goesOn = first?.of === of && first.next.processed <= next.processed && first.atMs <= atMs
      if (first === undefined || !goesOn) first = { of, atMs, next }
      return atMs - first.atMs >= DOUBT_MS ? first.next : undefined
    },
  }
}

/** Undefined for what no instance can have put in this month. */
function decode(text: string, { month, nowMs }: { readonly month: BudgetMonth; readonly nowMs: number }) {
  try {
    const { data } = schema.safeParse(JSON.parse(text))
    const isOfMonth = data !== undefined && data.at >= month.startMs - APART_MS && data.at <= nowMs + APART_MS
    return isOfMonth ? data : undefined
  } catch {
    return undefined
  }
}

const countedIn = ({ days }: MonthUsage) => Object.values(days).reduce((sum, day) => sum + billedOf(day), 0)
