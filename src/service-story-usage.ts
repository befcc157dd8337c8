import type { Config } from './config.ts'
import { bootField } from './redis/budget/month-hash.ts'
import { encodeBoot } from './redis/budget/boot-field.ts'
import type { DayCounts } from './redis/budget/counts.ts'
import { budgetMonthAt, daysBetween, localDay } from './redis/budget/month.ts'
import { usageKey } from './redis/keys.ts'
import { ask, type Transport } from './redis/transport.ts'

/** Orders of a day of the story, in turn: quieter on the seventh. */
const ORDERS = [30, 31, 30, 29, 29, 28, 21]

/** Moves, cards and edits of an order of the story. */
const CHANGES_PER_ORDER = 5

/**
 * Puts what the story's days before today would have cost into the month's hash, as one boot's field, so that there is a month to
 * look at. The same month gives the same counts. Costs 1 command.
 *
 * @throws RedisError
 */
export async function seedUsage(send: Transport, config: Config, nowMs: number): Promise<void> {
  const { zone, budget } = config
  const month = budgetMonthAt(nowMs, { zone, resetDay: budget.resetDay })
  const dates = daysBetween(month.firstDay, localDay(nowMs, zone)).slice(0, -1)
  const days = dates.map((date, at) => [date, dayOf(ORDERS[at % ORDERS.length] ?? 0)] as const)
  const text = encodeBoot({ fromMs: month.startMs, days: Object.fromEntries(days) })
  await ask(send, ['HSET', usageKey(month.name), bootField('story'), text])
}

/** Without cleanups, for the story's orders are still there. */
const dayOf = (orders: number): DayCounts => ({
  commands: {
    orders: { SET: orders, APPEND: CHANGES_PER_ORDER * orders, SCAN: 1, MGET: 1 },
    usage: { HSET: 48 },
  },
  orders,
  sweepBytes: 0,
})
