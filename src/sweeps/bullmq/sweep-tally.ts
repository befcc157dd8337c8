import type { Findings, SweepPart } from '../report.ts'
import type { OrphanCounts } from './orphans-tally.ts'
import { createQueueTally, type QueueTally } from './queue-tally.ts'

/** What a run of the sweep found and did, as the findings of its report. */
export interface SweepTally {
  /** Begins the part of a queue. */
  add(queue: string): QueueTally
  /** Notes a queue that was named and is not there. */
  addMissing(queue: string): void
  setOrphans(counts: ReadonlyMap<string, OrphanCounts>): void
  /** Puts what is known so far into the findings. */
  publish(): void
}

export interface SweepTallyOptions {
  readonly findings: Findings
  readonly isDryRun: boolean
}

/** The tally of a run that begins. */
export function createSweepTally({ findings, isDryRun }: SweepTallyOptions): SweepTally {
  const queues: QueueTally[] = []
  const missing: SweepPart[] = []
  let orphans: ReadonlyMap<string, OrphanCounts> = new Map()

  return {
    add: (queue) => {
      const tally = createQueueTally(queue, { isDryRun })
      queues.push(tally)
      return tally
    },
    addMissing: (queue) => {
      const nothing = { scanned: 0, due: 0, deleted: 0, kept: 0 }
      missing.push({ name: queue, ...nothing, because: 'There is no such queue.' })
    },
    setOrphans: (counts) => {
      orphans = counts
    },
    publish: () => {
      const counts = [...queues.map((queue) => queue.counts()), ...orphans.values()]
      const all = (of: 'due' | 'deleted' | 'kept' | 'unreadable') => sum(counts.map((one) => one[of]))
      findings.due = all('due')
      findings.deleted = all('deleted')
      findings.kept = all('kept')
      findings.unreadable = all('unreadable')
      findings.keptOpen = sum(queues.map((queue) => queue.counts().keptOpen))
      findings.parts = [...queues.flatMap((queue) => queue.parts()), ...orphanParts(orphans), ...missing]
      findings.summary = queues.length === 0 ? null : summaryOf(queues, { orphans, isDryRun })
    },
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

function orphanParts(orphans: ReadonlyMap<string, OrphanCounts>): readonly SweepPart[] {
  return [...orphans]
    .filter(([, { scanned }]) => scanned > 0)
    .map(([queue, { scanned, due, deleted, kept, unreadable, because }]) => ({
      name: `orphaned job hashes of ${queue}`,
      scanned,
      due,
      deleted,
      kept: kept + unreadable,
      because,
    }))
}

interface SummaryOptions {
  readonly orphans: ReadonlyMap<string, OrphanCounts>
  readonly isDryRun: boolean
}

function summaryOf(queues: readonly QueueTally[], { orphans, isDryRun }: SummaryOptions): string {
  const what = isDryRun ? 'due' : 'deleted'
  const kinds = [
    [sum(queues.map(({ finished }) => finished.completed[what])), 'completed'],
    [sum(queues.map(({ finished }) => finished.failed[what])), 'failed'],
    [sum([...orphans.values()].map((one) => one[what])), 'orphaned'],
  ] as const
  const total = sum(kinds.map(([count]) => count))
  const listed = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${count} ${kind}`)
  const jobs = `${total} ${total === 1 ? 'job' : 'jobs'} of ${queues.length} ${queues.length === 1 ? 'queue' : 'queues'}`
  return `${isDryRun ? 'Would delete' : 'Deleted'} ${jobs}${total === 0 ? '' : `: ${listed.join(', ')}`}.`
}
