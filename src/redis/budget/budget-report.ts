/** A month of the budget, from one reset of the provider's counter to the next. Days are days of the business zone. */
export interface BudgetMonth {
  /** `yyyy-mm` of its first day. */
  readonly name: string
  /** Local dates, `yyyy-mm-dd`. */
  readonly firstDay: string
  readonly lastDay: string
  /** The first day of the next month, when the counter starts from 0. */
  readonly resetsOn: string
  /** How many days it has. */
  readonly length: number
  readonly startMs: number
  /** The first instant of the next month. */
  readonly endMs: number
}

/** What was spent on one local day, in billed commands. */
export interface DayUsage {
  /** `yyyy-mm-dd`. */
  readonly date: string
  /** By Orderly, all instances. */
  readonly own: number
  /** By others on the same database: the provider's count less our own, spread evenly over the days that it covers. */
  readonly others: number
  /** Orders taken in. */
  readonly orders: number
  /** Applied sweeps over orders. */
  readonly cleanups: number
}

/** Where the month will end, in billed commands. */
export interface Forecast {
  readonly end: number
  /** The end lies between these in 9 of 10 months. */
  readonly low: number
  readonly high: number
  /** The usual number on a whole day. */
  readonly perDay: number
  /** The local date on which the limit is reached, within this month; null where it is not. A date in the past: it was. */
  readonly limitOn: string | null
  /** The same as an instant, for a picture. */
  readonly limitAtMs: number | null
  /** Dollars for what goes beyond the limit until the end of the month, on the plan that is paid as you go. */
  readonly costUsd: number
  /** Whether there is enough behind it to warn people. */
  readonly isFirm: boolean
  /** Whether it is too early for a forecast: not one whole day is behind it, so that it only says what is possible. */
  readonly isEarly: boolean
}

/** What the provider counts, which decides when the limit is reached. */
export interface ProviderCount {
  readonly source: 'developer-api' | 'info'
  readonly used: number
}

/** Where the month's budget stands. Numbers are billed commands unless they say otherwise; null is unknown, never 0. */
export interface BudgetReport {
  /** When the figures were put together: ISO 8601 with the zone's offset. */
  readonly at: string
  readonly atMs: number
  readonly zone: string
  readonly month: BudgetMonth
  /** Which day of the month it is, from 1. */
  readonly day: number
  readonly limit: number
  /** Whether warnings and saver mode follow from the limit: not on a Redis that nobody bills, unless somebody chose a limit. */
  readonly isEnforced: boolean
  /** The provider's count or our own, whichever is larger. */
  readonly used: number
  /** `used` of `limit`: 0.72 is 72 %. */
  readonly share: number
  readonly own: number
  readonly provider: ProviderCount | null
  /** Where own and provider's count differ by more than 5 %: a sentence that says so, with the likely reason. */
  readonly difference: string | null
  /** Since when Orderly counts in this month: ISO 8601. Days before it are unknown, not 0. */
  readonly countedFrom: string
  /** From the day of `countedFrom` to today, oldest first. */
  readonly days: readonly DayUsage[]
  /** Own commands, most first. */
  readonly purposes: readonly { readonly name: string; readonly commands: number }[]
  readonly commands: readonly { readonly name: string; readonly commands: number }[]
  readonly forecast: Forecast
  readonly orders: {
    /** Taken in this month, as far as counted. */
    readonly count: number
    /** Everything that Orderly spent, by the orders taken in; null before the first. */
    readonly commandsPerOrder: number | null
    /** On a usual day. */
    readonly usualPerDay: number | null
    /** What tomorrow will cost at that number. */
    readonly tomorrow: number | null
  }
  /** Of the database, as the provider tells. */
  readonly storage: { readonly usedBytes: number; readonly limitBytes: number | null } | null
  readonly bandwidth: {
    /** Values that sweeps read this month, in bytes. */
    readonly sweepBytes: number
    /** All of the month, as the provider tells. */
    readonly usedBytes: number | null
  }
  /** In saver mode everything optional stops; orders and cleanups go on. */
  readonly mode: 'normal' | 'saver'
  /** Whether the provider refuses commands since its limit was reached. */
  readonly isLimitReached: boolean
}

/** What admins are warned of, each once a month: a share of the limit in percent, a forecast beyond it, the provider's refusal. */
export type BudgetWarning = 80 | 90 | 95 | 'forecast' | 'limit'

/** Milliseconds by which the provider's month may begin after ours: it may count in another time zone. */
export const LATE_RESET_MS = 14 * 3_600_000
