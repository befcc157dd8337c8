import type { SweepReport } from '../sweeps/report.ts'
import { partLines } from './part-lines.ts'
import { columns, counted, printable } from './text.ts'

/** The report of a sweep over the audit database for a person at a terminal; of many organizations the telling ones. */
export function auditReportText(report: SweepReport, noun: string): string {
  const { mode, asOf, zone, days, cutoff, scanned, keptOpen, unreadable } = report
  const rows = [
    ...(mode === null ? [] : [['mode', printable(mode, 600)]]),
    ['judged as of', `${asOf} (${zone})`],
    [`${days} days reach back to`, cutoff],
    ['looked at', counted(scanned, noun)],
    ...(keptOpen > 0 ? [['kept because unresolved', String(keptOpen)]] : []),
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
