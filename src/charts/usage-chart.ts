import { courseOf } from './course.ts'
import { daysPanel } from './days-panel.ts'
import { drawable, fitText } from './drawable.ts'
import { CANVAS, MARGIN } from './frame.ts'
import { monthPanel } from './month-panel.ts'
import { element, label, TEXT_SIZE } from './svg.ts'
import type { Theme } from './theme.ts'

/** What a picture of the month's use needs to know, in billed commands. The report of the budget has it all. */
export interface UsageFigures {
  /** Local dates are `yyyy-mm-dd`, instants epoch milliseconds; `endMs` is the first instant of the next month. */
  readonly month: {
    readonly firstDay: string
    readonly length: number
    readonly startMs: number
    readonly endMs: number
  }
  readonly atMs: number
  readonly limit: number
  /** So far this month; the month's line ends here. */
  readonly used: number
  /** The known days, oldest first. A day without an entry is unknown, never 0. */
  readonly days: readonly DayFigures[]
  readonly forecast: {
    /** At the end of the month, and the range it lies in. */
    readonly end: number
    readonly low: number
    readonly high: number
    /** When the limit was or will be reached; null where it is not within this month. */
    readonly limitAtMs: number | null
    /** Whether it is too early to draw it. */
    readonly isEarly: boolean
  }
}

/** One known day. */
export interface DayFigures {
  /** `yyyy-mm-dd`. */
  readonly date: string
  readonly own: number
  /** By others on the same database. */
  readonly others: number
  /** Applied cleanups. */
  readonly cleanups: number
}

/** What stands above the picture, and its colours. */
export interface UsageChartOptions {
  readonly title: string
  readonly subtitle: string
  readonly theme: Theme
}

/** The title's size. */
const TITLE_SIZE = 29

/**
 * The month's use as an SVG of 800 by 556 in the fonts of `fonts/`: its line with limit and forecast, and below it the days.
 * Title and subtitle are sentences for people; what the fonts lack is replaced, what is too long is set smaller or cut.
 */
export function usageChart(figures: UsageFigures, { title, subtitle, theme }: UsageChartOptions): string {
  const course = courseOf(figures)
  const { width, height } = CANVAS
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': 'Inter' },
    [
      element('rect', { width, height, fill: theme.background }),
      heading(title, { size: TITLE_SIZE, bold: true, y: 42, fill: theme.strong }),
      heading(subtitle, { size: TEXT_SIZE, bold: false, y: 74, fill: theme.muted }),
      monthPanel(course, theme),
      daysPanel(course, { firstDay: figures.month.firstDay, theme }),
    ].join(''),
  )
}

interface Heading {
  readonly size: number
  readonly bold: boolean
  readonly y: number
  readonly fill: string
}

function heading(sentence: string, { size, bold, y, fill }: Heading): string {
  const fitted = fitText(drawable(sentence), { size, bold, width: MARGIN.right - MARGIN.left })
  return fitted.text === '' ? '' : label(fitted.text, { x: MARGIN.left, y }, { fill, bold, size: fitted.size })
}
