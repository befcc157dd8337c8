import type { Runs } from './runs.ts'
import { runSources, type RunTable } from './tables.ts'

export interface WalkOptions {
  /** Only runs that started before this, in epoch milliseconds. */
  readonly beforeMs: number
  /** Runs a page, and rows that one statement reads. */
  readonly limit: number
  /** Told how many rows name no run; they are left alone. */
  readonly onUnreadable: (count: number, table: RunTable) => void
}

/** What was read ahead of one table. */
interface Source {
  readonly table: RunTable
  ids: readonly string[]
  at: number
  after: unknown
  isAtEnd: boolean
}

/**
 * Every run that one of the four tables knows, once each, in the order of their ids: a merge of the tables by their indexes,
 * which reads each of them once and holds one page of each.
 */
export async function* walkRuns(runs: Runs, options: WalkOptions): AsyncGenerator<readonly string[]> {
  const sources = runSources.map((table): Source => ({ table, ids: [], at: 0, after: undefined, isAtEnd: false }))
  let page: string[] = []
  for (;;) {
    for (const source of sources) await refill(runs, source, options)
    const filled = sources.filter(hasNext)
    if (filled.length === 0) break
    while (filled.every(hasNext) && page.length < options.limit) {
      const id = smallest(filled)
      for (const source of filled) if (source.ids[source.at] === id) source.at += 1
      page.push(id)
    }
    if (page.length < options.limit) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

async function refill(runs: Runs, source: Source, { beforeMs, limit, onUnreadable }: WalkOptions): Promise<void> {
  while (!hasNext(source) && !source.isAtEnd) {
    const { ids, unreadable, next } = await runs.page(source.table, { after: source.after, beforeMs, limit })
    if (unreadable > 0) onUnreadable(unreadable, source.table)
    source.ids = ids
    source.at = 0
    source.after = next
    source.isAtEnd = next === undefined
  }
}

const hasNext = ({ ids, at }: Source) => at < ids.length

const smallest = (sources: readonly Source[]) =>
  sources.map(({ ids, at }) => ids[at] ?? '').reduce((least, id) => (id < least ? id : least))
