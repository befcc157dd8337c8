import type { Point } from './box.ts'
import type { Course, KnownDay } from './course.ts'
import { dayLabels } from './day-labels.ts'
import { acrossDays, DAYS, MARGIN, MONTH, upTo } from './frame.ts'
import { legend, triangle, type LegendEntry } from './legend.ts'
import { roundBelow } from './scale.ts'
import { element, label, startOf } from './svg.ts'
import type { Theme } from './theme.ts'
import { tickLabel } from './tick-label.ts'

/** Base line of what stands above the bars. */
const HEAD = 402

/** Share of a day's width that its bar takes. */
const BAR_SHARE = 0.7

/** A day with any use at all has a bar that can be seen. */
const LOWEST_BAR = 1.5

/** Between a bar and the mark above it, and the mark's height. */
const MARK_ABOVE = 16

/** Name of the strokes in the drawing. */
const STROKES = 'not-counted'

/** The days as bars with a mark where a cleanup ran, their names, and what the signs mean. */
export function daysPanel(
  course: Course,
  { firstDay, theme }: { readonly firstDay: string; readonly theme: Theme },
): string {
  const top = Math.max(0, ...course.days.map(({ own, others }) => own + others))
  const muted = { fill: theme.muted, bold: false }
  const axis = {
    x1: MONTH.left,
    x2: MONTH.right,
    y1: DAYS.bottom,
    y2: DAYS.bottom,
    stroke: theme.axis,
    'stroke-width': 1.5,
  }
  return [
    strokes(theme),
    label('Commands per day', { x: MARGIN.left, y: HEAD }, muted),
    legend(entries(course, theme), { y: HEAD, theme }),
    ...grid(top, theme),
    ...course.unknown.map((run) => unknownRun(run, course.length)),
    ...course.days.map((day) => bar(day, { top, length: course.length, theme })),
    element('line', axis),
    ...dayLabels(firstDay, course.length).map(({ text, box }) => label(text, startOf(box), muted)),
  ].join('')
}

const square =
  (fill: string) =>
  ({ x, y }: Point): string =>
    element('rect', { x: x - 7, y, width: 14, height: 13, rx: 2, fill })

function entries({ days, unknown }: Course, theme: Theme): readonly LegendEntry[] {
  const all: readonly (readonly [isShown: boolean, entry: LegendEntry])[] = [
    [unknown.length > 0, { text: 'not counted', sign: square(`url(#${STROKES})`) }],
    [days.some(({ others }) => others > 0), { text: 'not by Orderly', sign: square(theme.others) }],
    [days.some(({ cleanups }) => cleanups > 0), { text: 'cleanup ran', sign: (at) => triangle(at, theme.cleanup) }],
  ]
  return all.filter(([isShown]) => isShown).map(([, entry]) => entry)
}

/** Slanted strokes to fill an area with. */
const strokes = (theme: Theme): string =>
  element(
    'pattern',
    { id: STROKES, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    element('rect', { width: 2.2, height: 6, fill: theme.unknown }),
  )

function grid(top: number, theme: Theme): string[] {
  const zero = tickLabel(0, { at: DAYS.bottom, theme })
  const value = roundBelow(top)
  if (value === 0) return [zero]
  const y = upTo(top, DAYS)
  const line = { x1: MONTH.left, x2: MONTH.right, y1: y(value), y2: y(value), stroke: theme.grid, 'stroke-width': 1.5 }
  return [element('line', line), tickLabel(value, { at: y(value), theme }), zero]
}

const unknownRun = ({ from, to }: Course['unknown'][number], length: number): string => {
  const [left, right] = [acrossDays(from, length), acrossDays(to, length)]
  return element('rect', {
    x: left,
    y: DAYS.top,
    width: right - left,
    height: DAYS.bottom - DAYS.top,
    fill: `url(#${STROKES})`,
  })
}

interface BarOptions {
  readonly top: number
  readonly length: number
  readonly theme: Theme
}

/** Others' commands stand on Orderly's own. */
function bar({ index, own, others, cleanups }: KnownDay, { top, length, theme }: BarOptions): string {
  const width = (acrossDays(1, length) - acrossDays(0, length)) * BAR_SHARE
  const middle = acrossDays(index + 0.5, length)
  const heightOf = (value: number) => (value === 0 ? 0 : Math.max(LOWEST_BAR, (value / top) * (DAYS.bottom - DAYS.top)))
  const all = heightOf(own + others)
  const below = Math.min(all, heightOf(own))
  const part = (height: number, fill: string) =>
    height === 0
      ? ''
      : element('rect', {
          x: middle - width / 2,
          y: DAYS.bottom - height,
          width,
          height,
          rx: Math.min(2.5, height / 2),
          fill,
        })
  const mark = cleanups === 0 ? '' : triangle({ x: middle, y: DAYS.bottom - all - MARK_ABOVE }, theme.cleanup)
  return [others === 0 ? '' : part(all, theme.others), part(below, theme.own), mark].join('')
}
