import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { isRedisError } from '../../errors.ts'
import type { Transport } from '../transport.ts'
import type { BudgetMonth } from './budget-report.ts'
import type { Counts } from './counts.ts'
import { isChanged, type Ledger } from './ledgers.ts'
import { createMarks } from './marks.ts'
import { bootField } from './month-hash.ts'
import { storeLedger } from './store-ledger.ts'
import { createTurns } from '../../turns.ts'
import { createUsageView } from './usage-view.ts'

/** What all instances spent in a month, as far as this one knows. */
export interface MonthUsage {
  readonly month: BudgetMonth
  /** Since when anybody counts in this month, in epoch milliseconds; never before its start. */
  readonly countedFromMs: number
  /** Billed commands, orders and bytes by local day. */
  readonly days: Counts
  /** Billed commands of the last whole days before this month, oldest first, at most 14; empty where unknown. */
  readonly prior: readonly number[]
  /** The month's other facts by name: a baseline, warnings that were told. Text of the store, so to be validated. */
  readonly marks: ReadonlyMap<string, string>
}

/** Keeps what was spent, in a hash for each month. */
export interface Usage {
  /** Counts one billed command on the day and in the month of this moment; what the meter's hook is to call. */
  charge(purpose: string, command: string): void
  /** Counts an order that was taken in. */
  noteOrder(): void
  /** Counts bytes of values that a sweep read. */
  noteSweepBytes(bytes: number): void
  /**
   * Reads what all instances spent. Costs 1 command, 2 in a month's first 14 days while nobody has written what the days
   * before it cost.
   *
   * @throws RedisError; what was known stays known.
   */
  load(): Promise<void>
  /** Reads it again. Costs 1 command. @throws RedisError */
  reload(): Promise<void>
  /**
   * Stores what this boot counted, if anything but the purpose `usage` was counted since: may be called at any time, writes at
   * most every 15 minutes, the first time 15 minutes after the start, and at once where it is the final one. Costs 1
   * command, 2 at a boot's first write in a month, and up to 2 more where the month was not read yet: after another has
   * ended, or because `load` failed. A final one just after a month's end stores both, at one more.
   *
   * @throws RedisError; what was not surely stored is in the next write.
   */
  write(options?: { readonly isFinal?: boolean }): Promise<void>
  /** What is known without asking. Costs nothing. */
  known(): MonthUsage
  /**
   * Puts a mark into this month's hash unless it has one of that name. Costs 1 command, 2 before this boot's first write in
   * the month, 1 more to find out whose it is after an answer that was lost.
   *
   * @returns whether it is ours; the text of another's is known after the next `reload`.
   * @throws RedisError
   */
  putOnce(mark: string, text: string): Promise<boolean>
  /** Puts a mark, over one of that name too. Costs 1 command, 2 before this boot's first write. @throws RedisError */
  put(mark: string, text: string): Promise<void>
}

export interface UsageOptions {
  /** Of an account of the purpose `usage`, whose charges come back through `charge` before `send` returns. */
  readonly send: Transport
  readonly clock: Clock
  /** The business zone. */
  readonly zone: string
  readonly resetDay: number
  /** Names this boot's field, so no two may have the same. @default random */
  readonly bootId?: string
}

/** Milliseconds between two writes. */
const PAUSE_MS = 15 * 60_000

/**
 * Counts from now on. Each boot has a field of its own that holds all it counted in the month, so a write that arrives
 * twice does no harm, and instances add up. A write tells its own cost too.
 */
export function createUsage({ send, clock, zone, resetDay, bootId = newBootId() }: UsageOptions): Usage {
  const ownField = bootField(bootId)
  const view = createUsageView({ send, clock, rule: { zone, resetDay }, ownField })
  const { ledgers } = view
  const inTurn = createTurns()
  let triedAtMs = clock()

  const store = async (ledger: Ledger) => {
    const { owesPrior, prior } = view.others()
    const putsPrior = owesPrior && ledger === ledgers.current()
    await storeLedger(ledger, { send, ledgers, ownField, prior: putsPrior ? prior : undefined })
    if (putsPrior && ledger === ledgers.current()) view.note({ owesPrior: false })
  }
  const write = async (isFinal: boolean) => {
    const ledger = ledgers.current()
    const ended = ledgers.ended()
    const isDue = isFinal || !isWithin(PAUSE_MS, { sinceMs: triedAtMs, nowMs: clock() })
    if (!isDue || (ended.length === 0 && !isChanged(ledger))) return
    triedAtMs = clock()
    for (const one of ended) await store(one).catch(unlessLost(one))
    // Storing a month that has ended takes the turn of a write; the new month follows with the next.
    if (!isChanged(ledger) || (ended.length > 0 && !isFinal)) return
    if (!view.others().isLoaded && !isFinal) await view.look({ withPrior: true })
    await store(ledger)
  }
  const marks = createMarks({ send, view })

  return {
    charge: ledgers.charge,
    noteOrder: ledgers.noteOrder,
    noteSweepBytes: ledgers.noteSweepBytes,
    known: view.known,
    load: () => inTurn(() => view.look({ withPrior: true })),
    reload: () => inTurn(() => view.look({ withPrior: false })),
    write: ({ isFinal = false } = {}) => inTurn(() => write(isFinal)),
    putOnce: (mark, text) => inTurn(() => marks.putOnce(mark, text)),
    put: (mark, text) => inTurn(() => marks.put(mark, text)),
  }
}

/** Whether so short a time has passed. A clock that went back says nothing of it. */
const isWithin = (ms: number, { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number }) =>
  nowMs >= sinceMs && nowMs - sinceMs < ms

/** The counts of a past month whose key holds something else can never be stored, and must not keep the others from it. */
const unlessLost = (ledger: Ledger) => (error: unknown) => {
  if (!isRedisError(error, 'REDIS_WRONG_TYPE')) throw error
  ledger.storedChanges = ledger.changes
}

const newBootId = () => randomBytes(9).toString('base64url')
