import type { Box } from './box.ts'
import { acrossDays, CANVAS, DAYS } from './frame.ts'
import { labelBox, TEXT_SIZE } from './svg.ts'
import { textWidth } from './text-width.ts'

/** A day's name below its bar. */
export interface DayLabel {
  readonly text: string
  readonly box: Box
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Between two names, and between a name and the edge. */
const GAP = 10

interface Day {
  readonly index: number
  /** Of its calendar month. */
  readonly day: number
  readonly month: string
  readonly isLast: boolean
}

/** Which days have a name, most important first. */
const ranks: readonly ((day: Day) => boolean)[] = [
  ({ index }) => index === 0,
  ({ day }) => day === 1,
  ({ day }) => day % 5 === 0,
  ({ isLast }) => isLast,
]

/**
 * The names below the days of a month of the budget: its first day and the first of a calendar month with their month, every
 * fifth and the last day, without those that would come too close to one of a higher rank. None where `firstDay` is no date.
 */
export function dayLabels(firstDay: string, length: number): readonly DayLabel[] {
  const days = daysOf(firstDay, length)
  const chosen: DayLabel[] = []
  for (const day of ranks.flatMap((isOfRank) => days.filter(isOfRank))) {
    const wanted = place(day, length)
    const isFree = ({ box }: DayLabel) => wanted.box.right + GAP <= box.left || box.right + GAP <= wanted.box.left
    if (chosen.every(isFree)) chosen.push(wanted)
  }
  return chosen
}

function daysOf(firstDay: string, length: number): readonly Day[] {
  const first = new Date(`${firstDay}T00:00:00Z`)
  if (Number.isNaN(first.getTime())) return []
  return Array.from({ length }, (_, index) => {
    const date = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate() + index))
    return { index, day: date.getUTCDate(), month: MONTHS[date.getUTCMonth()] ?? '', isLast: index === length - 1 }
  })
}

function place({ index, day, month }: Day, length: number): DayLabel {
  const text = index === 0 || day === 1 ? `${day} ${month}` : `${day}`
  const width = textWidth(text, { size: TEXT_SIZE, bold: false })
  const centred = acrossDays(index + 0.5, length) - width / 2
  const x = Math.min(centred, CANVAS.width - GAP - width)
  return { text, box: labelBox(text, { x, y: DAYS.bottom + 26 }, false) }
}
