import type { Findings, SweepPart } from '../report.ts'
import type { OrphanCounts } from './orphan-counts.ts'
import type { RowCounts } from './runs.ts'
import type { Step } from './step.ts'
import { runTables, tableNames, type TableName } from './tables.ts'
import { reasonTexts, type Reason } from './verdict.ts'

/** What a run of the sweep counted, as the parts of its report. */
export interface Tally {
  addRun(run: { readonly isFinished: boolean; readonly isDue: boolean; readonly reason: Reason }): void
  /** Runs that turned out not to be due after all. */
  takeBack(kind: RunKind, count: number): void
  addDeleted(kind: RunKind, count: number): void
  addRows(rows: RowCounts, isDryRun: boolean): void
  add(name: string, step: Step): void
  addOrphans(counts: OrphanCounts): void
  /** Tables of which rows went. */
  touched(): readonly TableName[]
  /** Puts what is known so far into the findings. */
  publish(findings: Findings, isDryRun: boolean): void
}

export type RunKind = 'completed' | 'incomplete'

interface Counts {
  scanned: number
  due: number
  deleted: number
  kept?: number
  because?: string
}

/** @param incomplete what unfinished runs that go are called in this mode. */
export function createTally(incomplete: string): Tally {
  const names: Record<RunKind, string> = { completed: 'completed runs', incomplete }
  const parts = new Map<string, Counts>([
    [names.completed, { scanned: 0, due: 0, deleted: 0 }],
    [names.incomplete, { scanned: 0, due: 0, deleted: 0 }],
  ])
  const reasons = new Map<Reason, number>()
  const part = (name: string): Counts => {
    const found = parts.get(name) ?? { scanned: 0, due: 0, deleted: 0 }
    parts.set(name, found)
    return found
  }
  const add = (name: string, { scanned, due, deleted }: Step) => {
    const counts = part(name)
    counts.scanned += scanned
    counts.due += due
    counts.deleted += deleted
  }
  const runsOf = (kind: RunKind) => part(names[kind])

  return {
    add,
    addRun: ({ isFinished, isDue, reason }) => {
      add(isFinished ? names.completed : names.incomplete, { scanned: 1, due: isDue ? 1 : 0, deleted: 0 })
      if (!isDue) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    },
    takeBack: (kind, count) => void (runsOf(kind).due -= count),
    addDeleted: (kind, count) => void (runsOf(kind).deleted += count),
    addRows: (rows, isDryRun) => {
      for (const table of runTables) {
        const due = rows[table]
        if (due !== undefined) add(`rows of ${table}`, { scanned: due, due, deleted: isDryRun ? 0 : due })
      }
    },
    addOrphans: ({ runs, keys, idempotencyKeys }) => {
      const seenOnce = runs.seenOnce === 0 ? {} : { because: `${runs.seenOnce} seen once, due at the next pass` }
      parts.set('orphaned state in Redis', { ...runs, kept: runs.scanned - runs.due, ...seenOnce })
      parts.set('keys of orphaned state', { scanned: keys.due, ...keys })
      const { scanned, due, expired } = idempotencyKeys
      parts.set('idempotency keys given an expiry', { scanned, due, deleted: expired })
    },
    touched: () => {
      const gone = new Set([...parts].filter(([, { deleted }]) => deleted > 0).map(([name]) => name))
      return tableNames.filter((table) => partsOf(table).some((name) => gone.has(name)))
    },
    publish: (findings, isDryRun) => {
      const [completed, abandoned] = [runsOf('completed'), runsOf('incomplete')]
      findings.parts = [...parts].map(([name, counts]) => partOf(name, counts, reasonsOf(name)))
      findings.due = completed.due + abandoned.due
      findings.deleted = completed.deleted + abandoned.deleted
      findings.unreadable = reasons.get('unreadable') ?? 0
      findings.keptOpen = abandoned.scanned - abandoned.due
      findings.kept = completed.scanned - completed.due - findings.unreadable
      const counted = (counts: Counts) => (isDryRun ? counts.due : counts.deleted)
      findings.summary = `${isDryRun ? 'Would delete' : 'Deleted'} ${counted(completed)} completed runs and ${counted(abandoned)} ${names.incomplete}.`
    },
  }

  function reasonsOf(name: string): string | undefined {
    if (name !== names.completed && name !== names.incomplete) return undefined
    const isFinished = name === names.completed
    const told = [...reasons].filter(([reason]) => FINISHED.has(reason) === isFinished)
    return told.map(([reason, count]) => `${count} kept: ${reasonTexts[reason]}`).join('; ') || undefined
  }
}

/** The parts in which rows of a table are counted. */
const partsOf = (table: TableName): readonly string[] => [`rows of ${table}`, OTHER_PARTS[table] ?? '']

const OTHER_PARTS: Readonly<Partial<Record<TableName, string>>> = {
  traces: 'run-less traces',
  events: 'events',
  worker_connections: 'worker connections',
  queue_snapshot_chunks: 'queue snapshots',
}

/** Reasons to keep a run that has finished. */
const FINISHED: ReadonlySet<Reason> = new Set(['finished-later', 'unreadable'])

const partOf = (name: string, { scanned, due, deleted, kept, because }: Counts, reasons?: string): SweepPart => ({
  name,
  scanned,
  due,
  deleted,
  kept: kept ?? scanned - due,
  because: because ?? reasons ?? null,
})
