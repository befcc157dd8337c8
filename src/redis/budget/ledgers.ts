import { type Clock, eachMinute } from '../../clock.ts'
import type { BudgetMonth } from './budget-report.ts'
import { budgetMonthAt, localDay, type MonthRule } from './month.ts'
import { createTally, type Tally } from './tally.ts'

/** What this boot counts in one month, and how much of it is stored. */
export interface Ledger {
  readonly month: BudgetMonth
  /** Since when it counts in this month, in epoch milliseconds. */
  readonly fromMs: number
  readonly tally: Tally
  /** How often something was counted that is worth a write. */
  changes: number
  /** `changes` as of what is surely stored. */
  storedChanges: number
  /** Whether our field is surely there. */
  isStored: boolean
  /** Whether its hash surely has an expiry. */
  hasExpiry: boolean
}

export interface Ledgers {
  charge(purpose: string, command: string): void
  noteOrder(): void
  noteSweepBytes(bytes: number): void
  /** The ledger of this month; begins it where it is not begun. */
  current(): Ledger
  /** This day, or the month's first where the clock went back behind it. */
  today(): string
  /** Months that ended with something unwritten, oldest first. */
  ended(): readonly Ledger[]
  /** Lets the time stand still while a write is begun, whose own charges call for no further one. */
  beginWrite<Result>(begin: () => Result): Result
}

export interface LedgersOptions extends MonthRule {
  readonly clock: Clock
  /** Told of a month that has ended, when the next has begun. */
  readonly onEnd: (ended: Ledger, begun: BudgetMonth) => void
}

/** The books of one boot. A month begins at its first instant, and never again when the clock goes back. */
export function createLedgers({ clock, onEnd, ...rule }: LedgersOptions): Ledgers {
  let stillMs: number | undefined
  const now = () => stillMs ?? clock()
  let ledger = openLedger(budgetMonthAt(now(), rule), now())
  let past: readonly Ledger[] = []

  const turnTo = (nowMs: number) => {
    const ended = ledger
    const month = budgetMonthAt(nowMs, rule)
    ledger = openLedger(month, month.startMs)
    past = [...past, ended]
    onEnd(ended, month)
  }
  const today = eachMinute(now, (nowMs) => {
    if (nowMs >= ledger.month.endMs) turnTo(nowMs)
    const local = localDay(nowMs, rule.zone)
    const date = local < ledger.month.firstDay ? ledger.month.firstDay : local
    return { ledger, date, tally: ledger.tally.day(date) }
  })
  const change = (isWorthAWrite = true) => {
    const { ledger: changed, tally } = today()
    if (isWorthAWrite) changed.changes += 1
    return tally
  }

  return {
    charge: (purpose, command) => change(stillMs === undefined || purpose !== 'usage').charge(purpose, command),
    noteOrder: () => change().add({ commands: {}, orders: 1, sweepBytes: 0 }),
    noteSweepBytes: (bytes) => change().add({ commands: {}, orders: 0, sweepBytes: bytes }),
    current: () => today().ledger,
    today: () => today().date,
    ended: () => {
      today()
      past = past.filter(isChanged)
      return past
    },
    beginWrite: (begin) => {
      stillMs = clock()
      try {
        return begin()
      } finally {
        stillMs = undefined
      }
    },
  }
}

const openLedger = (month: BudgetMonth, fromMs: number): Ledger => ({
  month,
  fromMs,
  tally: createTally(),
  changes: 0,
  storedChanges: 0,
  isStored: false,
  hasExpiry: false,
})

/** Whether a ledger holds something that may not be stored. */
export const isChanged = ({ changes, storedChanges }: Ledger) => changes > storedChanges
