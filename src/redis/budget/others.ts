import { isRedisError } from '../../errors.ts'
import type { Transport } from '../transport.ts'
import type { BudgetMonth } from './budget-report.ts'
import { type Counts, sumCounts } from './counts.ts'
import { type MonthHash, readMonthHash } from './month-hash.ts'
import { budgetMonthAt, daysBetween, type MonthRule } from './month.ts'
import { PRIOR_DAYS, priorOf } from './prior.ts'

/** What a month's hash tells beside our own counts. */
export interface Others {
  /** What other boots counted. */
  readonly days: Counts
  /** Since when they count; infinity where there are none. */
  readonly countedFromMs: number
  readonly prior: readonly number[]
  /** Whether `prior` is still to be put there. */
  readonly owesPrior: boolean
  /** Whether the hash was read, with a look for `prior`. */
  readonly isLoaded: boolean
  readonly marks: ReadonlyMap<string, string>
}

/** What is known before the hash was read. */
export const nobody = (prior: readonly number[]): Others => ({
  days: {},
  countedFromMs: Number.POSITIVE_INFINITY,
  prior,
  owesPrior: false,
  isLoaded: false,
  marks: new Map(),
})

export interface ReadOthersOptions {
  readonly send: Transport
  readonly month: BudgetMonth
  /** The local date. */
  readonly today: string
  readonly rule: MonthRule
  /** Our own field, which is left out. */
  readonly ownField: string
  /** Whether to look for the days before the month where nobody has put them there. */
  readonly withPrior: boolean
}

/**
 * Reads a month's hash. Costs 1 command, 1 more where in a month's first 14 days the days before it are looked for.
 *
 * @throws RedisError
 */
export async function readOthers(known: Others, options: ReadOthersOptions): Promise<Others> {
  const { send, month, today, ownField, withPrior } = options
  const { boots, prior, marks } = await readMonthHash(send, month)
  const isLookedFor = prior === undefined && withPrior && daysBetween(month.firstDay, today).length <= PRIOR_DAYS
  const past = isLookedFor ? await readPast(options) : undefined
  const others = new Map([...boots].filter(([field]) => field !== ownField))
  return {
    ...sumOf(others),
    prior: prior ?? past ?? known.prior,
    owesPrior: prior === undefined && (past !== undefined || known.owesPrior),
    isLoaded: known.isLoaded || withPrior,
    marks,
  }
}

/** The last days of the month before, by its own hash; none where that is no hash. */
async function readPast({ send, month, rule }: ReadOthersOptions): Promise<readonly number[]> {
  const past = budgetMonthAt(month.startMs - 1, rule)
  try {
    const { boots } = await readMonthHash(send, past)
    return priorOf({ month: past, ...sumOf(boots) }, rule.zone)
  } catch (error) {
    if (isRedisError(error, 'REDIS_WRONG_TYPE')) return []
    throw error
  }
}

const sumOf = (boots: MonthHash['boots']) => ({
  days: sumCounts([...boots.values()].map(({ days }) => days)),
  countedFromMs: [...boots.values()].reduce((first, { fromMs }) => Math.min(first, fromMs), Number.POSITIVE_INFINITY),
})
