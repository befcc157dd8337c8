import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { BudgetWarning } from './budget-report.ts'
import type { Usage } from './usage.ts'

/** Which warnings of a month somebody has taken upon himself to send, one instance of all. */
export interface Claims {
  /** Whether nothing is to be done about a warning now, as far as known. Costs nothing. */
  isTaken(warning: BudgetWarning): boolean
  /** True when it is ours to send. Costs 1 command. @throws RedisError */
  take(warning: BudgetWarning): Promise<boolean>
  /** Notes that people were told. Costs 1 command. @throws RedisError */
  noteTold(warning: BudgetWarning): Promise<void>
}

/** Milliseconds after which somebody who took a warning and never told anybody is taken for dead. */
const DEAD_MS = 15 * 60_000

export interface ClaimsOptions {
  readonly usage: Pick<Usage, 'known' | 'putOnce' | 'put'>
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
  /** Warnings of a month that this process need not look at again: they are its own, or another instance was faster. */
  const settled = new Set<string>()
  const nameOf = (mark: string) => `${usage.known().month.name} ${mark}`
  const markOf = (state: 'warned' | 'warned-again' | 'told', warning: BudgetWarning) => `${state}:${warning}:${limit}`

  const freeMark = (warning: BudgetWarning): string | undefined => {
    const { marks } = usage.known()
    const [first, second] = [markOf('warned', warning), markOf('warned-again', warning)]
    if (marks.has(markOf('told', warning)) || marks.has(second)) return undefined
    const takenAt = marks.get(first)
    const mark = takenAt === undefined ? first : second
    // A mark that makes no sense is nobody's.
    const isFree = takenAt === undefined || !(clock() - Number(takenAt.split(' ')[0]) < DEAD_MS)
    return isFree && !settled.has(nameOf(first)) && !settled.has(nameOf(second)) ? mark : undefined
  }

  return {
    isTaken: (warning) => freeMark(warning) === undefined,
    take: async (warning) => {
      const mark = freeMark(warning)
      if (mark === undefined) return false
      const text = texts.get(nameOf(mark)) ?? `${clock()} ${own}`
      texts.set(nameOf(mark), text)
      const isOurs = await usage.putOnce(mark, text)
      settled.add(nameOf(mark))
      return isOurs
    },
    noteTold: (warning) => usage.put(markOf('told', warning), String(clock())),
  }
}
