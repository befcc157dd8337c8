import type { Clock } from '../../clock.ts'
import type { Transport } from '../transport.ts'
import type { BudgetMonth } from './budget-report.ts'
import { sumCounts } from './counts.ts'
import { createLedgers, type Ledger, type Ledgers } from './ledgers.ts'
import type { MonthRule } from './month.ts'
import { nobody, type Others, readOthers } from './others.ts'
import { priorOf } from './prior.ts'
import type { MonthUsage } from './usage.ts'

/** Our own counts and what is known of the others'. */
export interface UsageView {
  readonly ledgers: Ledgers
  /** Both as one. Costs nothing. */
  known(): MonthUsage
  /** Of the others, in this month. */
  others(): Others
  /** Notes what is known of this month's hash without reading it. */
  note(change: Partial<Others>): void
  /** Reads this month's hash, as `readOthers` does. @throws RedisError */
  look(options: { readonly withPrior: boolean }): Promise<void>
}

export interface UsageViewOptions {
  readonly send: Transport
  readonly clock: Clock
  readonly rule: MonthRule
  readonly ownField: string
}

/** Knows our own counts from now on, and nobody else's until it looks. */
export function createUsageView({ send, clock, rule, ownField }: UsageViewOptions): UsageView {
  let others = nobody([])

  const knownOf = (ledger: Ledger): MonthUsage => ({
    month: ledger.month,
    countedFromMs: Math.min(ledger.fromMs, others.countedFromMs),
    days: sumCounts([others.days, ledger.tally.counts()]),
    prior: others.prior,
    marks: others.marks,
  })
  const onTurn = (left: Ledger, { firstDay }: BudgetMonth) => {
    others = nobody(left.month.resetsOn === firstDay ? priorOf(knownOf(left), rule.zone) : [])
  }
  const ledgers = createLedgers({ clock, ...rule, onTurn })

  return {
    ledgers,
    known: () => knownOf(ledgers.current()),
    others: () => {
      ledgers.current()
      return others
    },
    note: (change) => {
      others = { ...others, ...change }
    },
    look: async ({ withPrior }) => {
      const { month } = ledgers.current()
      const read = await readOthers(others, { send, month, today: ledgers.today(), rule, ownField, withPrior })
      if (ledgers.current().month === month) others = read
    },
  }
}
