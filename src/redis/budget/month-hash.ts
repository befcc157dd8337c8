import { usageKey } from '../keys.ts'
import { ask, listOf, type Transport } from '../transport.ts'
import { type BootCounts, decodeBoot } from './boot-field.ts'
import type { BudgetMonth } from './budget-report.ts'
import { decodePrior, PRIOR } from './prior.ts'

/** What the hash of a month holds, as far as it can be read. */
export interface MonthHash {
  /** What each boot counted, by its field; only days of the month. */
  readonly boots: ReadonlyMap<string, BootCounts>
  readonly prior: readonly number[] | undefined
  /** All other fields. */
  readonly marks: ReadonlyMap<string, string>
}

/** The field of a boot. */
export const bootField = (id: string) => `${BOOT}${id}`

const BOOT = 'boot:'

/** Characters of a mark's name and text, and how many there are: more than Orderly writes in a month. */
const LONGEST_MARK = { name: 100, text: 4_000 }
const MOST_MARKS = 200

/**
 * Reads a month's hash, which anybody can write to: what does not decode counts as nothing. Costs 1 command. 600 boots of
 * half an hour each are about 150 KB.
 *
 * @throws RedisError
 */
export async function readMonthHash(send: Transport, month: BudgetMonth): Promise<MonthHash> {
  const words = listOf(await ask(send, ['HGETALL', usageKey(month.name)]))
  const boots = new Map<string, BootCounts>()
  const marks = new Map<string, string>()
  let prior: readonly number[] | undefined
  for (let at = 0; at < words.length; at += 2) {
    const [field, text] = [words[at], words[at + 1]]
    if (typeof field !== 'string' || typeof text !== 'string') continue
    if (field === PRIOR) prior = decodePrior(text)
    else if (field.startsWith(BOOT)) {
      const boot = ofMonth(decodeBoot(text), month)
      if (boot !== undefined) boots.set(field, boot)
    } else if (isShort(field, text) && marks.size < MOST_MARKS) marks.set(field, text)
  }
  return { boots, prior, marks }
}

const isShort = (name: string, text: string) => name.length <= LONGEST_MARK.name && text.length <= LONGEST_MARK.text

/** The reset's day may have been another one when a field was written, so that it tells of days of two months. */
function ofMonth(boot: BootCounts | undefined, month: BudgetMonth): BootCounts | undefined {
  if (boot === undefined || boot.fromMs >= month.endMs) return undefined
  const days = Object.entries(boot.days).filter(([date]) => date >= month.firstDay && date <= month.lastDay)
  return { fromMs: Math.max(boot.fromMs, month.startMs), days: Object.fromEntries(days) }
}
