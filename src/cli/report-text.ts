import type { SweepReport } from '../sweeps/report.ts'
import { bytesText, columns, counted, printable } from './text.ts'

/** The report of the order pruner for a person at a terminal. Lines that would say zero are left out. */
export function reportText(report: SweepReport): string {
  const { scanned, due, kept, keptOpen, unreadable, commands } = report
  const spent = Object.entries(commands).map(([name, count]) => `${name} ${count}`)
  const rows = [
    ['judged as of', `${report.asOf} (${report.zone})`],
    ['kept from', `${report.cutoff} on (${counted(report.days, 'day')} and today)`],
    ...(keptOpen > 0 ? [['open kept from', `${report.extendedCutoff} on`]] : []),
    ['looked at', counted(scanned, 'order')],
    ['past the cutoff', String(due)],
    ['kept', String(kept)],
    ...(keptOpen > 0 ? [['kept because open', String(keptOpen)]] : []),
    ...(unreadable.count > 0
      ? [['unreadable, kept', `${unreadable.count}: ${unreadable.sample.map((key) => printable(key, 60)).join(', ')}`]]
      : []),
    ['Redis commands', `${report.billedCommands} billed${spent.length > 0 ? ` (${spent.join(', ')})` : ''}`],
    ...(report.valueBytes > 0 ? [['read', bytesText(report.valueBytes)]] : []),
    ['took', `${(report.durationMs / 1_000).toFixed(2)} s`],
  ]
  return `${headline(report)}\n\n${columns(rows)}`
}

function headline({ sweep, outcome, deleted, due }: SweepReport): string {
  switch (outcome) {
    case 'done':
      return `Sweep ${sweep}: deleted ${deleted}.`
    case 'planned':
      return `Sweep ${sweep}: would delete ${due}.`
    case 'skipped':
    case 'stopped':
    case 'failed':
      return `Sweep ${sweep} ${outcome}; deleted ${deleted}.`
    default:
      return outcome satisfies never
  }
}
