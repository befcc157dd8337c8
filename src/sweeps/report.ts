import type { Clock } from '../clock.ts'
import { isoInstant } from '../calendar.ts'
import type { Cost } from '../redis/meter.ts'
import type { Ending } from './ending.ts'
import type { Cutoffs } from './retention.ts'

/** What started a sweep. */
export type Trigger = 'command' | 'schedule' | 'catch-up' | 'cli' | 'engine'

/**
 * How a run ended: `done`; `planned` (a dry run); `skipped` (another run holds the lock); `stopped` (a cap, the provider's
 * limit, an interruption or a lost lease); `failed` (an error). After `stopped` and `failed` the next run completes it.
 */
export type Outcome = 'done' | 'planned' | 'skipped' | 'stopped' | 'failed'

/** What one organization, table, queue or rule contributed: `scanned = due + kept`. */
export interface SweepPart {
  readonly name: string
  readonly scanned: number
  readonly due: number
  /** 0 in a dry run. */
  readonly deleted: number
  readonly kept: number
  readonly because: string | null
}

/**
 * The report of one run. `scanned = due + kept + keptOpen + unreadable.count`. Times are ISO 8601 with milliseconds and the
 * zone's offset; absent values are null.
 */
export interface SweepReport {
  /** A ULID of the start. */
  readonly id: string
  readonly startedAt: string
  /** 1 for the first run of a slot, one more for each retry. */
  readonly attempt: number
  readonly sweep: string
  readonly trigger: Trigger
  /** The user who asked, where one did. */
  readonly by: string | null
  readonly dryRun: boolean
  /** The instant that the run judged from. */
  readonly asOf: string
  readonly zone: string
  readonly days: number
  /** The first instant that is kept. */
  readonly cutoff: string
  /** The same for unfinished things. */
  readonly extendedCutoff: string
  readonly outcome: Outcome
  /** In which of its ways the sweep worked, in words; null where it has one only. */
  readonly mode: string | null
  /** What came of it in a sentence; null where the counts say it all. */
  readonly summary: string | null
  /** Why it did not end well; of a run that did, what somebody should know about its numbers. */
  readonly because: string | null
  /** Distinct things judged. */
  readonly scanned: number
  /** Things past their cutoff. */
  readonly due: number
  /** Things deleted, as the store counted them. 0 in a dry run. */
  readonly deleted: number
  readonly kept: number
  /** Kept only because they are unfinished. */
  readonly keptOpen: number
  /** Things whose time or status nobody can tell; `sample` names up to five. */
  readonly unreadable: { readonly count: number; readonly sample: readonly string[] }
  readonly parts: readonly SweepPart[] | null
  /** Commands sent, by upper-case name, free ones included. */
  readonly commands: Readonly<Record<string, number>>
  readonly billedCommands: number
  readonly requests: number
  /** Bytes of values read. */
  readonly valueBytes: number
  readonly durationMs: number
}

/** The counts of a report, filled in while a sweep runs, so that a run that ends early still tells what it did. */
export interface Findings {
  due: number
  deleted: number
  kept: number
  keptOpen: number
  unreadable: number
  readonly unreadableSample: string[]
  valueBytes: number
  mode: string | null
  summary: string | null
  parts: readonly SweepPart[] | null
  /** What somebody should know about the numbers of a run that ended well. */
  readonly remarks: string[]
}

export const createFindings = (): Findings => ({
  due: 0,
  deleted: 0,
  kept: 0,
  keptOpen: 0,
  unreadable: 0,
  unreadableSample: [],
  valueBytes: 0,
  mode: null,
  summary: null,
  parts: null,
  remarks: [],
})

/** How many unreadable things a report names. */
const SAMPLE_SIZE = 5

/** Counts a thing that cannot be judged and is therefore kept. */
export function countUnreadable(findings: Findings, name: string): void {
  findings.unreadable += 1
  if (findings.unreadableSample.length < SAMPLE_SIZE) findings.unreadableSample.push(name)
}

/** What a report tells of a run besides its findings, ending and cost. */
export interface RunFacts {
  readonly id: string
  readonly sweep: { readonly name: string }
  readonly request: {
    readonly trigger: Trigger
    readonly by?: string
    readonly dryRun: boolean
    readonly attempt?: number
  }
  readonly clock: Clock
  readonly zone: string
  readonly startedAtMs: number
  readonly asOfMs: number
  readonly days: number
  readonly cutoffs: Cutoffs
  readonly findings: Readonly<Findings>
}

/** The report of a run as it stands. */
export function createReport(run: RunFacts, { outcome, because }: Ending, cost: Cost): SweepReport {
  const { sweep, request, zone, startedAtMs, findings } = run
  const { due, deleted, kept, keptOpen, unreadable } = findings
  return {
    id: run.id,
    startedAt: isoInstant(startedAtMs, zone),
    attempt: request.attempt ?? 1,
    sweep: sweep.name,
    trigger: request.trigger,
    by: request.by ?? null,
    dryRun: request.dryRun,
    asOf: isoInstant(run.asOfMs, zone),
    zone,
    days: run.days,
    cutoff: isoInstant(run.cutoffs.cutoffMs, zone),
    extendedCutoff: isoInstant(run.cutoffs.extendedCutoffMs, zone),
    outcome,
    mode: findings.mode,
    summary: findings.summary,
    because: [because, ...findings.remarks].filter(Boolean).join(' ') || null,
    scanned: due + kept + keptOpen + unreadable,
    due,
    deleted,
    kept,
    keptOpen,
    unreadable: { count: unreadable, sample: [...findings.unreadableSample] },
    parts: findings.parts,
    commands: cost.commands,
    billedCommands: cost.billed,
    requests: cost.requests,
    valueBytes: findings.valueBytes,
    durationMs: run.clock() - startedAtMs,
  }
}
