import type { SweepReport } from '../sweeps/report.ts'
import { partLines } from './part-lines.ts'
import { columns, counted, printable } from './text.ts'

/** What a sweep judges and why it keeps what has not ended, in words. */
export interface ReportWords {
  /** One of what is judged. */
  readonly noun: string
  readonly openBecause: string
  /** Whether its parts may have retentions of their own: then no number of days stands for a run. */
  readonly variesByPart: boolean
}

/** The report of a sweep over what is not orders for a person at a terminal; of many parts the telling ones. */
export function storeReportText(report: SweepReport, { noun, openBecause, variesByPart }: ReportWords): string {
  const { mode, asOf, zone, days, cutoff, scanned, keptOpen, unreadable } = report
  const rows = [
    ...(mode === null ? [] : [['mode', printable(mode, 600)]]),
    ['judged as of', `${asOf} (${zone})`],
    ...(variesByPart ? [] : [[`${days} days reach back to`, cutoff]]),
    ['looked at', counted(scanned, noun)],
    ...(keptOpen > 0 ? [[`kept because ${openBecause}`, String(keptOpen)]] : []),
    ...(unreadable.count > 0 ? [['unreadable, kept', String(unreadable.count)]] : []),
    ['Redis commands', `${report.billedCommands} billed`],
    ['took', `${(report.durationMs / 1_000).toFixed(2)} s`],
  ]
  return [headline(report, noun), '', columns(rows), ...partLines(report)].join('\n')
}

function headline({ sweep, outcome, summary, due, deleted }: SweepReport, noun: string): string {
  const told = summary === null ? undefined : printable(summary, 600)
  if (outcome === 'planned') return told ?? `Sweep ${sweep}: would delete ${counted(due, noun)}.`
  const what = told ?? `Deleted ${counted(deleted, noun)}.`
  return outcome === 'done' ? what : `Sweep ${sweep} ${outcome}. ${what}`
}
