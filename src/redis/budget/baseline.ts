import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { BudgetMonth } from './budget-report.ts'
import { billedOf } from './counts.ts'
import type { MonthUsage, Usage } from './usage.ts'

/** Where the server's running total stood once in a month. */
export interface Baseline {
  /** Epoch milliseconds. */
  readonly at: number
  readonly processed: number
  /** What Orderly itself had counted in the month by then. */
  readonly own: number
}

/** The little of the month's usage that a baseline needs. */
export type BaselineUsage = Pick<Usage, 'known' | 'putOnce' | 'put'>

/** The month's baseline, one for all instances. */
export interface Baselines {
  /**
   * The baseline to compare the server's running total with; undefined while only another instance knows it. Costs nothing,
   * but 1 command where the month has none yet, and 1 where it has to be replaced: it cannot be read, or the total is below it.
   *
   * @throws RedisError
   */
  find(processed: number): Promise<Baseline | undefined>
}

const MARK = 'baseline'

/** How far the clocks of two instances may be apart. */
const APART_MS = 3_600_000

const schema = z.object({ at: z.int().min(0), processed: z.int().min(0), own: z.int().min(0) })

export interface BaselinesOptions {
  readonly usage: BaselineUsage
  readonly clock: Clock
}

export function createBaselines({ usage, clock }: BaselinesOptions): Baselines {
  let mine: Mine | undefined
  const put = async (text: string, isFirst: boolean) => {
    if (isFirst) return await usage.putOnce(MARK, text)
    await usage.put(MARK, text)
    return true
  }
  return {
    find: async (processed) => {
      const known = usage.known()
      const { marks, month } = known
      const text = marks.get(MARK)
      const ahead = mine?.month === month.name && mine.over === text ? mine : undefined
      const baseline = ahead === undefined ? decode(text ?? '', { month, nowMs: clock() }) : ahead.baseline
      if (baseline !== undefined && baseline.processed <= processed) return baseline
      if (ahead !== undefined && baseline === undefined) return undefined
      const ours: Baseline = { at: clock(), processed, own: countedIn(known) }
      const isFirst = text === undefined && ahead === undefined
      const isOurs = await put(JSON.stringify(ours), isFirst)
      mine = { month: month.name, over: text, baseline: isOurs ? ours : undefined }
      return mine.baseline
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
