import { styleText } from 'node:util'
import type { BudgetReport, DayUsage } from '../redis/budget/budget-report.ts'
import { dayText } from '../redis/budget/day-text.ts'
import { grouped } from '../redis/budget/number-text.ts'
import { headline, subline, usageFacts } from '../redis/budget/sentences.ts'
import { columns, counted, printable } from './text.ts'

export interface UsageTextOptions {
  /** How wide a line may be. */
  readonly columns: number
  readonly isColoured: boolean
}

/** Purposes and commands that are told by name. */
const MOST_ROWS = 12

/** How long the bar of the busiest day may be, in columns; a shorter one would say nothing. */
const BAR = { least: 8, most: 60 }

/** Where the budget stands, for a person at a terminal: the sentence first, a bar for each day, tables, and facts. */
export function usageText(report: BudgetReport, options: UsageTextOptions): string {
  return [
    `${painted(headline(report), report, options)}\n${subline(report)}`,
    daysText(report, options),
    tableText('By purpose', report.purposes),
    tableText('By command', report.commands),
    usageFacts(report).join('\n'),
  ]
    .filter((block) => block !== '')
    .join('\n\n')
}

/** From the share on at which people are warned. */
function painted(text: string, { share, isLimitReached }: BudgetReport, { isColoured }: UsageTextOptions): string {
  if (!isColoured || (share < 0.8 && !isLimitReached)) return text
  return styleText(share < 0.95 && !isLimitReached ? 'yellow' : 'red', text, { validateStream: false })
}

/** A row for each day, with a bar where there is room for one. */
function daysText({ days, month }: BudgetReport, { columns: width }: UsageTextOptions): string {
  const [first] = days
  if (first === undefined) return ''
  const counts = aligned(days.map(({ own, others }) => own + others))
  const rows = days.map(({ date, cleanups }, at) => [dayText(date).padStart(6), counts[at] ?? '', markOf(cleanups)])
  const room = width - widthOf(columns(rows).split('\n')) - '  '.length
  const hasBars = room >= BAR.least
  const bars = hasBars ? barsOf(days, Math.min(room, BAR.most)) : []
  const shown = hasBars ? rows.map(([day = '', ...others], at) => [day, bars[at] ?? '', ...others]) : rows
  const since = first.date === month.firstDay ? '' : `, counted from ${dayText(first.date)} on`
  const legend = bars.some((bar) => bar.includes('░')) ? ' (█ Orderly, ░ others)' : ''
  return `Billed commands a day${since}${legend}:\n${columns(shown)}`
}

const markOf = (cleanups: number) => (cleanups === 0 ? '' : cleanups === 1 ? 'cleanup' : `${cleanups} cleanups`)

/** A bar for each day, the longest as long as `cells`. A day on which something was spent has one. */
function barsOf(days: readonly DayUsage[], cells: number): readonly string[] {
  const most = Math.max(...days.map(({ own, others }) => own + others))
  return days.map(({ own, others }) => {
    if (own + others === 0) return ''
    const length = Math.max(1, Math.round(((own + others) / most) * cells))
    const ownLength = Math.round((own / (own + others)) * length)
    return '█'.repeat(ownLength) + '░'.repeat(length - ownLength)
  })
}

/** The most first, and how much the others came to. */
function tableText(heading: string, counts: BudgetReport['purposes']): string {
  if (counts.length === 0) return ''
  const [told, rest] = [counts.slice(0, MOST_ROWS), counts.slice(MOST_ROWS)]
  const sum = rest.reduce((all, { commands }) => all + commands, 0)
  const shown = rest.length === 0 ? told : [...told, { name: `and ${counted(rest.length, 'other')}`, commands: sum }]
  const numbers = aligned(shown.map(({ commands }) => commands))
  return `${heading}:\n${columns(shown.map(({ name }, at) => [printable(name, 40), numbers[at] ?? '']))}`
}

/** Whole numbers under each other. */
function aligned(counts: readonly number[]): readonly string[] {
  const texts = counts.map(grouped)
  return texts.map((text) => text.padStart(widthOf(texts)))
}

const widthOf = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length))
