import { Buffer } from 'node:buffer'
import { executionKeys, readExecutionKey, type ExecutionPart } from '../../executions/keys.ts'
import { createFirstTime, REMEMBERED_NAMES } from '../../redis/first-time.ts'
import { isMangled } from '../../redis/scan.ts'

/** An execution that a key told of. */
export interface Candidate {
  readonly id: string
  /** It counts only where this is the first of its keys, for the others tell of it too; undefined where it counts anyhow. */
  readonly onlyAs: ExecutionPart | undefined
}

/** Tells the executions of a scan apart. */
export interface Sorter {
  /** The executions that a page tells of for the first time, and the names under the prefix that are no execution's. */
  take(page: readonly string[]): { readonly candidates: Candidate[]; readonly unreadable: readonly string[] }
  /** Whether there were more executions than are remembered. */
  isForgetful(): boolean
}

/** What somebody should know about the counts of a forgetful run. */
export const FORGETFUL = `There are more than ${REMEMBERED_NAMES} executions, so one may be counted twice; the number of deleted ones is exact.`

/** Remembers 200 000 names; a later execution comes again with each of its keys, of which only the first counts. */
export function createSorter(prefix: string): Sorter {
  let isForgetful = false
  const isNew = createFirstTime(() => void (isForgetful = true))

  return {
    take: (page) => {
      const candidates: Candidate[] = []
      const unreadable: string[] = []
      for (const key of page) {
        const read = isMangled(key) ? undefined : readExecutionKey(prefix, key)
        if (!isNew(read === undefined ? key : flat(executionKeys(prefix, read.id).execution))) continue
        if (read === undefined) unreadable.push(key)
        else candidates.push({ id: read.id, onlyAs: isForgetful ? read.part : undefined })
      }
      return { candidates, unreadable }
    },
    isForgetful: () => isForgetful,
  }
}

/** A copy of a name that does not keep in memory what it was put together from. */
const flat = (name: string) => Buffer.from(name).toString()
