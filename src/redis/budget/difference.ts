import type { BudgetReport } from './budget-report.ts'
import { dayText } from './day-text.ts'
import { localDay } from './month.ts'
import { figure } from './number-text.ts'

export interface Difference {
  readonly own: number
  /** The provider's count. */
  readonly used: number
  /** Since when the provider's count holds everything. */
  readonly coversFromMs: number
  readonly countedFromMs: number
  readonly zone: string
}

/** The share of the larger count from which on a difference is told. */
const TOLD_SHARE = 0.05

/** A difference in commands that is not worth a word, whatever its share. */
const MOST_UNTOLD = 100

/** Commands that the CLI and killed processes may leave uncounted, 100 each (DESIGN.md 5). */
const MOST_UNCOUNTED = 1_000

const HOUR_MS = 3_600_000

/** A sentence where the provider's count and Orderly's own differ by more than 5 %, with the likely reason. */
export function differenceText({ own, used, ...since }: Difference): BudgetReport['difference'] {
  const difference = Math.abs(used - own)
  if (difference <= MOST_UNTOLD || difference <= TOLD_SHARE * Math.max(used, own)) return null
  const because = used < own ? 'its figures lag behind' : surplusReason(used - own, since)
  return `The provider counts ${figure(used)} commands, Orderly ${figure(own)}: most likely ${because}.`
}

function surplusReason(surplus: number, since: Omit<Difference, 'own' | 'used'>): string {
  const { coversFromMs, countedFromMs, zone } = since
  if (countedFromMs - coversFromMs > HOUR_MS)
    return `Orderly counts only since ${dayText(localDay(countedFromMs, zone))}`
  if (surplus <= MOST_UNCOUNTED) return 'its console, short commands of the CLI or a killed process'
  return "another client of this database or the provider's console"
}
