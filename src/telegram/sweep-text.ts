import type { SweepPart, SweepReport } from '../sweeps/report.ts'
import { skippedText } from './skipped-text.ts'
import type { SweepWords } from './sweep-words.ts'
import { counted, cut, minuteText } from './text.ts'

/** How many parts are told one by one. */
const MOST_PARTS = 20

/** What a cleanup of anything but orders came to, for the chat: fits one message, and what is cut of it is visibly cut. */
export function sweepText(report: SweepReport, words: SweepWords): string {
  const { title, article } = words
  if (report.outcome === 'skipped') return cut(skippedText(report, `${article} ${title}`))
  const lines = [headline(report, words), '', `📊 ${report.summary ?? countText(report, words)}`]
  if (report.mode !== null) lines.push(`🧭 Mode: ${report.mode}`)
  lines.push(...cutoffLines(report, words), ...partLines(report, words), ...keptLines(report, words))
  if (report.because !== null && !isCutShort(report)) lines.push(`ℹ️ ${remark(report.because)}`)
  lines.push(`⏱ Took ${(report.durationMs / 1_000).toFixed(1)} s`)
  return cut(lines.join('\n'))
}

function headline(report: SweepReport, { title, article, unit, variesByPart }: SweepWords): string {
  const { outcome, because, dryRun, days, due } = report
  if (isCutShort(report)) {
    const how = outcome === 'failed' ? 'failed' : 'stopped early'
    return `⚠️ The ${title} ${how}: ${remark(because ?? 'unknown reason')}`
  }
  if (!dryRun) return `✅ ${title.charAt(0).toUpperCase()}${title.slice(1)} complete!`
  const what = variesByPart ? title : `${title} that keeps ${counted(days, 'day')}`
  return `🔍 ${article} ${what} would delete ${counted(due, unit)}.`
}

const isCutShort = ({ outcome }: SweepReport) => outcome === 'failed' || outcome === 'stopped'

/** A remark may be long; the figures must have room beside it. */
const remark = (text: string) => cut(text, 2_000)

function countText(report: SweepReport, { unit }: SweepWords): string {
  const what = report.dryRun ? 'Due' : 'Deleted'
  const count = counted(report.dryRun ? report.due : report.deleted, unit)
  return `${what}${isCutShort(report) ? ' until then' : ''}: ${count}`
}

/** Days are of 24 hours here, so the time belongs to it. */
function cutoffLines({ days, cutoff, extendedCutoff }: SweepReport, words: SweepWords): readonly string[] {
  if (!words.hasCutoff) return []
  const which = words.variesByPart ? ` of ${counted(days, 'day')}` : ''
  const lines = [`📅 Cutoff${which}: ${minuteText(cutoff)}`]
  if (cutoff !== extendedCutoff) {
    lines.push(`📅 Extended cutoff, for ${words.openBecause} ${words.unit}s: ${minuteText(extendedCutoff)}`)
  }
  return lines
}

/** One line for each part in which something was to be done, or of which something is to be said; of many the telling ones. */
function partLines({ parts, dryRun }: SweepReport, { unit }: SweepWords): readonly string[] {
  const found = (parts ?? [])
    .map((part) => ({ ...part, count: countOf(part, dryRun) }))
    .filter(({ count, because }) => count > 0 || because !== null)
  const told = found.length > MOST_PARTS ? found.toSorted(byTelling).slice(0, MOST_PARTS) : found
  const lines = told.map(
    ({ name, count, because }) => `• ${cut(name, 80)}: ${count}${because === null ? '' : ` (${because})`}`,
  )
  const rest = found.filter((part) => !told.includes(part))
  if (rest.length === 0) return lines
  const count = rest.reduce((sum, part) => sum + part.count, 0)
  return [...lines, `• and ${rest.length} more: ${counted(count, unit)}`]
}

const countOf = ({ due, deleted }: SweepPart, isDryRun: boolean) => (isDryRun ? due : deleted)

/** Those of which something is to be said come first, then those with the most. */
const byTelling = (a: Counted, b: Counted) =>
  Number(b.because !== null) - Number(a.because !== null) || b.count - a.count

type Counted = SweepPart & { readonly count: number }

function keptLines({ keptOpen, unreadable }: SweepReport, { openBecause }: SweepWords): readonly string[] {
  const lines: string[] = []
  if (keptOpen > 0) lines.push(`🏃 Kept because ${openBecause}: ${keptOpen}`)
  if (unreadable.count > 0) lines.push(`❓ Unreadable, kept: ${unreadable.count}`)
  return lines
}
