import type { Transport } from '../transport.ts'
import { encodeBoot } from './boot-field.ts'
import { sumCounts } from './counts.ts'
import type { Ledger, Ledgers } from './ledgers.ts'
import { PRIOR } from './prior.ts'
import { costOfWrite, writeHash } from './write-hash.ts'

export interface StoreOptions {
  readonly send: Transport
  readonly ledgers: Ledgers
  /** Our own field. */
  readonly ownField: string
  /** What the days before the month cost, where it is to be put along. */
  readonly prior: readonly number[] | undefined
}

/**
 * Stores a ledger with what storing it costs, which is charged to this month only when it is sent. Costs 1 command, or 2.
 *
 * @throws RedisError; the ledger then counts as not stored.
 */
export async function storeLedger(ledger: Ledger, options: StoreOptions): Promise<void> {
  const { send, ledgers, ownField, prior } = options
  const { changes, written } = ledgers.beginWrite(() => {
    const days = ledger === ledgers.current() ? withCost(ledger, ledgers.today()) : ledger.tally.counts()
    const own = [ownField, encodeBoot({ fromMs: ledger.fromMs, days })]
    const words = ['HSET', ...own, ...(prior === undefined ? [] : [PRIOR, JSON.stringify(prior)])] as const
    return { changes: ledger.changes, written: writeHash(ledger, { send, words }) }
  })
  const added = await written
  // A field of ours that is new again was removed with its hash, and so was the expiry.
  if (ledger.isStored && added > 0) ledger.hasExpiry = false
  ledger.isStored = true
  ledger.storedChanges = changes
}

function withCost(ledger: Ledger, today: string) {
  const cost = { commands: { usage: costOfWrite(ledger) }, orders: 0, sweepBytes: 0 }
  return sumCounts([ledger.tally.counts(), { [today]: cost }])
}
