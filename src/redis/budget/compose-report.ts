import { isoInstant } from '../../calendar.ts'
import { LATE_RESET_MS, type BudgetReport, type Forecast } from './budget-report.ts'
import { countedDays } from './counted-days.ts'
import { dayScale } from './day-scale.ts'
import { differenceText } from './difference.ts'
import { forecastMonth } from './forecast.ts'
import type { ProviderFigures } from './provider.ts'
import { ordersOutlook, type SpentDay } from './orders-outlook.ts'
import { spreadSurplus } from './surplus.ts'
import { totalsOf } from './totals.ts'
import type { MonthUsage } from './usage.ts'
import { sum } from './sum.ts'

/** What a report is made of. */
export interface ReportParts {
  readonly usage: MonthUsage
  readonly nowMs: number
  readonly zone: string
  /** The month's limit, at least 1. */
  readonly limit: number
  /** Null where the provider tells nothing. */
  readonly provider: ProviderFigures | null
  /** Whether anything follows from the limit. */
  readonly isEnforced: boolean
  /** Whether the provider refuses commands. */
  readonly isLimitReached: boolean
}

/** The share of the limit above which everything optional stops. */
const SAVER_SHARE = 0.98

/** In days: over less time no rate of others is told, for it would be anything. */
const LEAST_DAYS = 0.25

/** Days of others' spending that a warning needs behind it, where they spend more than this share of all. */
const [FIRM_DAYS, SMALL_SHARE] = [3, 0.1]

/** Puts together where the month's budget stands, from what is known already. */
export function composeReport(parts: ReportParts): BudgetReport {
  const { usage, nowMs, zone, limit, provider, isEnforced, isLimitReached } = parts
  const spent = spendingOf(parts)
  const { countedFromMs, from, days, own, used } = spent
  const share = used / limit
  return {
    at: isoInstant(nowMs, zone),
    atMs: nowMs,
    zone,
    month: usage.month,
    day: Math.floor(from) + days.length,
    limit,
    isEnforced,
    used,
    share,
    own,
    provider: provider?.count ?? null,
    difference: differenceOf(parts, { countedFromMs, own }),
    countedFrom: isoInstant(countedFromMs, zone),
    days: days.map(({ date, own: ofDay, others, orders, cleanups }) => ({
      date,
      own: ofDay,
      others,
      orders,
      cleanups,
    })),
    ...totalsOf(usage.days),
    forecast: forecastOf(parts, spent),
    orders: ordersOutlook(days, from),
    storage: provider?.storage ?? null,
    bandwidth: {
      sweepBytes: sum(Object.values(usage.days).map(({ sweepBytes }) => sweepBytes)),
      usedBytes: provider?.bandwidthBytes ?? null,
    },
    mode: isLimitReached || (isEnforced && share > SAVER_SHARE) ? 'saver' : 'normal',
    isLimitReached,
  }
}

interface Spent {
  readonly countedFromMs: number
  /** The same as a place on the month's line of days. */
  readonly from: number
  readonly days: readonly SpentDay[]
  readonly own: number
  readonly used: number
  /** What others spent, and in how many days. */
  readonly surplus: number
  readonly surplusDays: number
}

/** What Orderly counted, and on the same days what the provider counts beyond that. */
function spendingOf({ usage, nowMs, zone, limit, provider, isLimitReached }: ReportParts): Spent {
  const scale = dayScale(usage.month, zone)
  const { fromMs, days } = countedDays(usage, { nowMs, zone, scale })
  const from = scale.at(fromMs)
  const own = sum(days.map((day) => day.own))
  const counted = Math.max(own, provider?.count?.used ?? 0)
  const beside = provider?.running ?? { used: counted, fromMs: provider?.coversFromMs ?? usage.month.startMs }
  const surplus = Math.max(0, Math.min(counted, beside.used) - own)
  const [since, now] = [scale.at(beside.fromMs), scale.at(nowMs)]
  const others = spreadSurplus(surplus, { since, now, firstDay: Math.floor(from), length: days.length })
  const spent = days.map((day, index) => ({ ...day, others: others[index] ?? 0 }))
  // The refusal says it where nobody else can, for counts cannot be read any more; at first it may be that of the last month.
  const isUsedUp = isLimitReached && (provider?.count ?? null) === null && nowMs - usage.month.startMs >= LATE_RESET_MS
  const used = isUsedUp ? Math.max(counted, limit) : counted
  return { countedFromMs: fromMs, from, days: spent, own, used, surplus, surplusDays: now - since }
}

function differenceOf(
  { provider, zone }: ReportParts,
  { countedFromMs, own }: Pick<Spent, 'countedFromMs' | 'own'>,
): BudgetReport['difference'] {
  if (provider === null || provider.count === null) return null
  const { coversFromMs, count } = provider
  return differenceText({ own, used: count.used, coversFromMs, countedFromMs, zone })
}

/**
 * Of the days before the month only Orderly's own part is known: others are taken to have spent as much a day as since they are
 * counted. Where they spend much and little time is behind that, the forecast is not firm, and its range need not hold the end.
 */
function forecastOf({ usage, nowMs, zone, limit }: ReportParts, spent: Spent): Forecast {
  const { countedFromMs, days, used, surplus, surplusDays } = spent
  const ofOthers = surplus / Math.max(surplusDays, LEAST_DAYS)
  const forecast = forecastMonth({
    month: usage.month,
    nowMs,
    zone,
    limit,
    used,
    countedFromMs,
    days: days.map(({ own, others }) => own + others),
    prior: usage.prior.map((own) => own + ofOthers),
  })
  const isKnown = surplusDays >= FIRM_DAYS || surplus <= SMALL_SHARE * used
  return { ...forecast, isFirm: forecast.isFirm && isKnown }
}
