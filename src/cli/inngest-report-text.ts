import type { SweepReport } from '../sweeps/report.ts'
import { partLines } from './part-lines.ts'
import { columns, counted, printable } from './text.ts'

/** The report of a sweep over Inngest for a person at a terminal. Parts in which nothing was found are left out. */
export function inngestReportText(report: SweepReport): string {
  const { mode, asOf, zone, days, cutoff, extendedCutoff, unreadable, commands } = report
  const spent = Object.entries(commands).map(([name, count]) => `${name} ${count}`)
  const rows = [
    ...(mode === null ? [] : [['mode', printable(mode, 600)]]),
    ['judged as of', `${asOf} (${zone})`],
    ['finished kept from', `${cutoff} on (${days} x 24 hours before)`],
    ['unfinished kept from', `${extendedCutoff} on at least`],
    ...(unreadable.count > 0 ? [['unreadable, kept', counted(unreadable.count, 'run')]] : []),
    ['Redis commands', `${report.billedCommands} billed${spent.length > 0 ? ` (${spent.join(', ')})` : ''}`],
    ['took', `${(report.durationMs / 1_000).toFixed(2)} s`],
  ]
  return [headline(report), '', columns(rows), ...partLines(report)].join('\n')
}

function headline({ outcome, summary, deleted }: SweepReport): string {
  if (outcome === 'done' || outcome === 'planned') return summary ?? `Sweep inngest ${outcome}.`
  return `Sweep inngest ${outcome}. ${summary ?? `Deleted ${counted(deleted, 'run')}.`}`
}
