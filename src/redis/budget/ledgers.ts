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
  /** What keeping usage costs is worth no write, or whoever asks often would make one of his own. */
  charge(purpose: string, command: string): void
  noteOrder(): void
  noteSweepBytes(bytes: number): void
  /** The ledger of this month; begins it where it is not begun. */
  current(): Ledger
  /** This day, or the month's first where the clock went back a little behind it. */
  today(): string
  /** Other months with something unwritten, in the order in which they were begun. */
  ended(): readonly Ledger[]
  /** Lets the time stand still while a write is begun, so that what it costs is told in the month that it is charged to. */
  beginWrite<Result>(begin: () => Result): Result
}

export interface LedgersOptions extends MonthRule {
  readonly clock: Clock
  /** Told of a month that was left for another one, mostly because it ended. */
  readonly onTurn: (left: Ledger, begun: BudgetMonth) => void
}

/** How far the clock may go back behind a month's beginning and still count into it, in milliseconds. */
const BACK_MS = 86_400_000

/** The books of one boot, one for each month, which is gone on with when the clock comes back to it. */
export function createLedgers({ clock, onTurn, ...rule }: LedgersOptions): Ledgers {
  let stillMs: number | undefined
  const now = () => stillMs ?? clock()
  let ledger = openLedger(budgetMonthAt(now(), rule), now())
  const ledgers = new Map([[ledger.month.name, ledger]])

  const turnTo = (nowMs: number) => {
    const left = ledger
    const month = budgetMonthAt(nowMs, rule)
    // Our field of a month holds all that we counted in it, so it must never be begun anew.
    const fromMs = month.startMs < left.month.startMs ? nowMs : month.startMs
    ledger = ledgers.get(month.name) ?? openLedger(month, fromMs)
    ledgers.set(month.name, ledger)
    onTurn(left, month)
  }
  const today = eachMinute(now, (nowMs) => {
    const { startMs, endMs } = ledger.month
    if (nowMs >= endMs || nowMs < startMs - BACK_MS) turnTo(nowMs)
    const local = localDay(nowMs, rule.zone)
    const date = local < ledger.month.firstDay ? ledger.month.firstDay : local
    return { ledger, date, tally: ledger.tally.day(date) }
  })
  const change = ({ isWorthAWrite = true } = {}) => {
    const { ledger: changed, tally } = today()
    if (isWorthAWrite) changed.changes += 1
    return tally
  }

  return {
    charge: (purpose, command) => change({ isWorthAWrite: purpose !== 'usage' }).charge(purpose, command),
    noteOrder: () => change().add({ commands: {}, orders: 1, sweepBytes: 0 }),
    noteSweepBytes: (bytes) => change().add({ commands: {}, orders: 0, sweepBytes: bytes }),
    current: () => today().ledger,
    today: () => today().date,
    ended: () => {
      const { ledger: current } = today()
      return [...ledgers.values()].filter((one) => one !== current && isChanged(one))
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
