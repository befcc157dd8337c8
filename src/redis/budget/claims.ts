import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { BudgetWarning } from './budget-report.ts'
import type { Usage } from './usage.ts'

/** Which warnings of a month somebody has taken upon himself to send, one instance of all. */
export interface Claims {
  /** Whether nothing is to be done about a warning now, as far as known. Costs nothing. */
  isTaken(warning: BudgetWarning): boolean
  /** True when it is ours to send. Costs 1 command, 2 where another instance was faster. @throws RedisError */
  take(warning: BudgetWarning): Promise<boolean>
  /** Notes that people were told. Costs 1 command. @throws RedisError */
  noteTold(warning: BudgetWarning): Promise<void>
}

/** Milliseconds after which somebody who took a warning and never told anybody is taken for dead. */
const DEAD_MS = 15 * 60_000

export interface ClaimsOptions {
  readonly usage: Pick<Usage, 'known' | 'putOnce' | 'put' | 'reload'>
  readonly clock: Clock
  /** Commands a month: who raises it wants to be warned anew. */
  readonly limit: number
}

/**
 * Claims are marks of the month's hash, put there by whoever is first. One that was never fulfilled, because its process
 * ended before anybody was told, can be taken once more: so a warning is told at least once, and at most twice.
 */
export function createClaims({ usage, clock, limit }: ClaimsOptions): Claims {
  // A mark whose reply was lost is known by its text, which is therefore no other process's.
  const own = randomBytes(9).toString('base64url')
  const texts = new Map<string, string>()
  /** Until when this process need not look at a warning again: for ever where it is its own. */
  const settledUntilMs = new Map<string, number>()
  const isSettled = (mark: string) => clock() < (settledUntilMs.get(mark) ?? -Infinity)
  // A month that begins on another day than it was to is another one, and so is a limit that was raised.
  const markOf = (state: 'warned' | 'warned-again' | 'told', warning: BudgetWarning) =>
    `${state}:${warning}:${limit}:${usage.known().month.firstDay}`

  const freeMark = (warning: BudgetWarning): string | undefined => {
    const { marks } = usage.known()
    const [first, second] = [markOf('warned', warning), markOf('warned-again', warning)]
    if (marks.has(markOf('told', warning)) || marks.has(second)) return undefined
    const takenAt = marks.get(first)
    const mark = takenAt === undefined ? first : second
    // A mark that makes no sense is nobody's.
    const isFree = takenAt === undefined || !(clock() - Number(takenAt.split(' ')[0]) < DEAD_MS)
    return isFree && !isSettled(first) && !isSettled(second) ? mark : undefined
  }

  return {
    isTaken: (warning) => freeMark(warning) === undefined,
    take: async (warning) => {
      const mark = freeMark(warning)
      if (mark === undefined) return false
      const text = texts.get(mark) ?? `${clock()} ${own}`
      texts.set(mark, text)
      const isOurs = await usage.putOnce(mark, text)
      settledUntilMs.set(mark, isOurs ? Infinity : clock() + DEAD_MS)
      // Whoever was faster may be killed before it told anybody: its mark says since when.
      if (!isOurs) await usage.reload()
      return isOurs
    },
    noteTold: (warning) => usage.put(markOf('told', warning), String(clock())),
  }
}
