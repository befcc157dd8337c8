import type { Point } from './box.ts'
import type { Course } from './course.ts'
import { MONTH } from './frame.ts'
import { drawMonth, type MonthDrawing } from './month-drawing.ts'
import { monthLabels } from './month-labels.ts'
import { ticks } from './scale.ts'
import { element, pointList, type Attributes } from './svg.ts'
import type { Theme } from './theme.ts'
import { tickLabel } from './tick-label.ts'

/** A grid line so near to the limit's own would look like a second one. */
const TOO_NEAR = 6

/** Within it the marks of today and of the crossing would hide each other. */
const SAME_PLACE = 7

const LINE = { 'stroke-width': 3.6, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }
const DOTS = { ...LINE, 'stroke-dasharray': '0.1 8' }
const DASHES = { 'stroke-width': 2, 'stroke-dasharray': '9 6' }

/** The month's line, its limit and forecast, with their labels. */
export function monthPanel(course: Course, theme: Theme): string {
  const drawing = drawMonth(course)
  const { band, limit, ahead, line, now } = drawing
  return [
    ...grid(drawing, theme),
    band.length === 0 ? '' : element('polygon', { points: pointList(band), fill: theme.band }),
    stroke(limit, { stroke: theme.limit, ...DASHES }),
    stroke(ahead, { stroke: theme.line, ...DOTS }),
    stroke(line, { stroke: theme.line, ...LINE }),
    ring(drawing, theme),
    element('circle', { cx: now.x, cy: now.y, r: 7, fill: theme.line }),
    ...monthLabels(course, { drawing, theme }),
  ].join('')
}

function grid({ top, y, limit }: MonthDrawing, theme: Theme): readonly string[] {
  return ticks(top).flatMap((value) => {
    const at = y(value)
    const isNear = value > 0 && Math.abs(at - limit[0].y) < TOO_NEAR
    const line = { x1: MONTH.left, x2: MONTH.right, y1: at, y2: at, stroke: theme.grid, 'stroke-width': 1.5 }
    return [isNear ? '' : element('line', line), tickLabel(value, { at, theme })]
  })
}

const stroke = (points: readonly Point[], attributes: Attributes): string =>
  points.length < 2 ? '' : element('polyline', { points: pointList(points), fill: 'none', ...attributes })

/** Around the crossing, and wide enough to be seen behind today's mark. */
function ring({ crossing, now }: MonthDrawing, theme: Theme): string {
  if (crossing === null) return ''
  const r = Math.hypot(crossing.x - now.x, crossing.y - now.y) < SAME_PLACE ? 12 : 7
  const colours = { fill: theme.background, stroke: theme.limit, 'stroke-width': 3 }
  return element('circle', { cx: crossing.x, cy: crossing.y, r, ...colours })
}
