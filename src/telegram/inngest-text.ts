import type { SweepPart, SweepReport } from '../sweeps/report.ts'
import { skippedText } from './skipped-text.ts'
import { counted, cut, minuteText } from './text.ts'

/** What a cleanup of Inngest came to, for the chat: fits one message, and what is cut of it is visibly cut. */
export function inngestText(report: SweepReport): string {
  if (report.outcome === 'skipped') return cut(skippedText(report, 'An Inngest cleanup'))
  const lines = [headline(report), '', `📊 ${report.summary ?? countText(report)}`]
  if (report.mode !== null) lines.push(`🧭 Mode: ${report.mode}`)
  lines.push(...cutoffLines(report), ...partLines(report), ...keptLines(report))
  if (report.because !== null && !isCutShort(report)) lines.push(`ℹ️ ${remark(report.because)}`)
  lines.push(`⏱ Took ${(report.durationMs / 1_000).toFixed(1)} s`)
  return cut(lines.join('\n'))
}

function headline(report: SweepReport): string {
  const { outcome, because, dryRun, days, due } = report
  if (isCutShort(report)) {
    const how = outcome === 'failed' ? 'failed' : 'stopped early'
    return `⚠️ The Inngest cleanup ${how}: ${remark(because ?? 'unknown reason')}`
  }
  if (!dryRun) return '✅ Inngest cleanup complete!'
  return `🔍 An Inngest cleanup that keeps ${counted(days, 'day')} would delete ${counted(due, 'run')}.`
}

const isCutShort = ({ outcome }: SweepReport) => outcome === 'failed' || outcome === 'stopped'

/** A remark may be long; the figures must have room beside it. */
const remark = (text: string) => cut(text, 2_000)

function countText(report: SweepReport): string {
  const what = report.dryRun ? 'Due' : 'Deleted'
  const count = counted(report.dryRun ? report.due : report.deleted, 'run')
  return `${what}${isCutShort(report) ? ' until then' : ''}: ${count}`
}

/** Days are of 24 hours here, so the time belongs to it. */
function cutoffLines({ cutoff, extendedCutoff }: SweepReport): readonly string[] {
  if (cutoff === extendedCutoff) return [`📅 Cutoff: ${minuteText(cutoff)}`]
  return [`📅 Cutoff: ${minuteText(cutoff)}`, `📅 Extended cutoff, for incomplete runs: ${minuteText(extendedCutoff)}`]
}

/** One line for each part in which something was to be done, or of which something is to be said. */
const partLines = ({ parts, dryRun }: SweepReport): readonly string[] =>
  (parts ?? [])
    .map((part) => ({ ...part, count: countOf(part, dryRun) }))
    .filter(({ count, because }) => count > 0 || because !== null)
    .map(({ name, count, because }) => `• ${name}: ${count}${because === null ? '' : ` (${because})`}`)

const countOf = ({ due, deleted }: SweepPart, isDryRun: boolean) => (isDryRun ? due : deleted)

function keptLines({ keptOpen, unreadable }: SweepReport): readonly string[] {
  const lines: string[] = []
  if (keptOpen > 0) lines.push(`🏃 Kept because incomplete: ${keptOpen}`)
  if (unreadable.count > 0) lines.push(`❓ Unreadable, kept: ${unreadable.count}`)
  return lines
}
