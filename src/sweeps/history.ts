import { sweepsKey } from '../redis/keys.ts'
import type { Cost } from '../redis/meter.ts'
import { withRepeats } from '../redis/repeat.ts'
import { ask, listOf, type Transport } from '../redis/transport.ts'
import type { Ending } from './ending.ts'
import { createReport, type RunFacts, type SweepReport } from './report.ts'

/** How many reports are kept of each sweep. */
const HISTORY_LENGTH = 20

/** How many parts of a report are kept, those with something to say first. */
const RECORDED_PARTS = 50

/** Billed commands of `record`. */
export const RECORD_COST = 1

export interface RecordOptions {
  /** To Orderly's own Redis. */
  readonly send: Transport
  /** What the run has spent so far. */
  readonly spent: Cost
  /** The commands that are still to come after the record, so that the stored report tells the whole cost. */
  readonly upcoming: Counts
}

/** Appends a run's report to the sweep's history, a stream of bounded length. Costs 1 command. */
export async function record(run: RunFacts, ending: Ending, { send, spent, upcoming }: RecordOptions): Promise<void> {
  const commands: Record<string, number> = { ...spent.commands }
  for (const [name, count] of Object.entries({ XADD: RECORD_COST, ...upcoming })) {
    commands[name] = (commands[name] ?? 0) + count
  }
  const added = RECORD_COST + Object.values(upcoming).reduce((sum, count) => sum + count, 0)
  const requests = spent.requests + (added > RECORD_COST ? 2 : 1)
  const report = createReport(run, ending, { commands, billed: spent.billed + added, requests })
  const key = sweepsKey(run.sweep.name)
  await ask(send, ['XADD', key, 'MAXLEN', HISTORY_LENGTH, '*', 'report', JSON.stringify(withFewParts(report))])
}

function withFewParts(report: SweepReport): SweepReport {
  if (report.parts === null || report.parts.length <= RECORDED_PARTS) return report
  const telling = report.parts.toSorted((a, b) => Number(b.because !== null) - Number(a.because !== null))
  return { ...report, parts: telling.slice(0, RECORDED_PARTS) }
}

type Counts = Readonly<Record<string, number>>

/** The latest recorded report; undefined when there is none or nobody can read it. Costs 1 command. */
export async function lastReport(send: Transport, sweep: string): Promise<SweepReport | undefined> {
  const [entry] = listOf(await ask(withRepeats(send), ['XREVRANGE', sweepsKey(sweep), '+', '-', 'COUNT', 1]))
  const fields = Array.isArray(entry) ? entry[1] : undefined
  const text: unknown = Array.isArray(fields) ? fields[fields.indexOf('report') + 1] : undefined
  return typeof text === 'string' ? decodeReport(text) : undefined
}

/** A stored report of any version; what is needed to show it must be there, and be what it should be. */
function decodeReport(text: string): SweepReport | undefined {
  try {
    const report = JSON.parse(text) as SweepReport | null
    return report !== null && isShowable(report) ? report : undefined
  } catch {
    return undefined
  }
}

const isShowable = ({ startedAt, outcome, deleted, because, parts }: SweepReport): boolean =>
  /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(startedAt) &&
  /^[a-z-]{1,20}$/.test(outcome) &&
  Number.isInteger(deleted) &&
  isTextOrNone(because) &&
  (parts ?? []).every((part) => typeof part.name === 'string' && isTextOrNone(part.because))

const isTextOrNone = (value: unknown) => value === undefined || value === null || typeof value === 'string'
