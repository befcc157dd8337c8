import type { SweepReport } from '../sweeps/report.ts'
import { skippedText } from './skipped-text.ts'
import { sweepText } from './sweep-text.ts'
import { isOtherSweepName, sweepWords } from './sweep-words.ts'
import { counted, cut } from './text.ts'

/** What a cleanup came to, for the chat, whatever it cleaned up. */
export const cleanupText = (report: SweepReport): string =>
  isOtherSweepName(report.sweep) ? sweepText(report, sweepWords[report.sweep]) : cut(orderText(report))

/** Whether admins are told of a run that nobody watched: of some sweeps only where something went wrong. */
export const isWorthTelling = ({ sweep, outcome }: SweepReport): boolean =>
  !isOtherSweepName(sweep) || sweepWords[sweep].tellsGoodNews || outcome === 'failed' || outcome === 'stopped'

/** The five first lines are what scripts and habits rely on: they never change. */
function orderText(report: SweepReport): string {
  switch (report.outcome) {
    case 'done':
      return [...firstLines(report), ...detailLines(report)].join('\n')
    case 'planned':
      return [
        `🔍 A cleanup that keeps ${daysText(report.days)} would delete ${ordersText(report.due)}.`,
        '',
        ...detailLines(report),
      ].join('\n')
    case 'skipped':
      return skippedText(report, 'A cleanup')
    case 'stopped':
    case 'failed':
      return [
        `⚠️ The cleanup ${report.outcome === 'failed' ? 'failed' : 'stopped early'}: ${report.because ?? 'unknown reason'}`,
        '',
        `📊 Deleted until then: ${ordersText(report.deleted)}`,
        ...detailLines(report),
      ].join('\n')
    default:
      return report.outcome satisfies never
  }
}

function firstLines({ deleted, cutoff }: SweepReport): readonly string[] {
  const date = cutoff.slice(0, 10)
  return [
    '✅ Redis cleanup complete!',
    '',
    `📊 Deleted: ${deleted} orders`,
    `📅 Cutoff date: ${date}`,
    `📅 Kept: Orders from ${date} onwards`,
  ]
}

/** Orderly's own lines; those that would say zero are left out. */
function detailLines({ keptOpen, extendedCutoff, unreadable, commands, billedCommands, durationMs }: SweepReport) {
  const kinds = Object.entries(commands).map(([name, count]) => `${name} ${count}`)
  const lines: string[] = []
  if (keptOpen > 0) lines.push(`🛵 Kept because open: ${keptOpen} (open ones go before ${extendedCutoff.slice(0, 10)})`)
  if (unreadable.count > 0) lines.push(`❓ Unreadable, kept: ${unreadable.count}`)
  if (billedCommands > 0) lines.push(`🧮 Redis commands: ${billedCommands} (${kinds.join(', ')})`)
  lines.push(`⏱ Took ${(durationMs / 1_000).toFixed(1)} s`)
  return lines
}

/** `1 order`, `2 orders`. */
export const ordersText = (count: number) => counted(count, 'order')

const daysText = (days: number) => (days === 0 ? 'only today' : `today and ${counted(days, 'day')} before`)
