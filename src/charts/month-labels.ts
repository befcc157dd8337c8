import { withRoom, type Box, type Point } from './box.ts'
import { compact } from './compact.ts'
import type { Course } from './course.ts'
import { MONTH } from './frame.ts'
import type { MonthDrawing } from './month-drawing.ts'
import { placeLabel } from './place-label.ts'
import { label, labelBox, startOf, TEXT_SIZE } from './svg.ts'
import { textWidth } from './text-width.ts'
import type { Theme } from './theme.ts'

/** Labels stay within the panel, but for the room that one needs above a limit at its top. */
const BOUNDS: Box = { left: MONTH.left + 4, right: MONTH.right, top: 92, bottom: MONTH.bottom - 4 }

/** Around a mark's middle, however wide the mark is, and between two labels. */
const [MARK_ROOM, LABEL_ROOM] = [13, 5]

export interface MonthLabelsOptions {
  readonly drawing: MonthDrawing
  readonly theme: Theme
}

/** The labels of the limit, of today and of the forecast's end. None covers another or a mark. */
export function monthLabels(
  { limit, now, forecast }: Course,
  { drawing, theme }: MonthLabelsOptions,
): readonly string[] {
  const style = { fill: theme.strong, bold: true, halo: theme.background }
  const marks = [drawing.now, ...(drawing.crossing === null ? [] : [drawing.crossing])].map(({ x, y }) =>
    withRoom({ left: x, right: x, top: y, bottom: y }, MARK_ROOM),
  )
  const lines = [drawing.line, drawing.ahead]
  const limitText = `Monthly limit ${compact(limit)}`
  const limitBox = placeLabel(limitPlaces(limitText, drawing.limit[0].y), { bounds: BOUNDS, boxes: marks, lines })
  const nowText = `today ${compact(now.value)}`
  const nowBox = placeLabel(nowPlaces(nowText, drawing.now), {
    bounds: BOUNDS,
    boxes: limitBox === undefined ? marks : [...marks, withRoom(limitBox, LABEL_ROOM)],
    lines: [...lines, drawing.limit],
    near: drawing.now,
  })
  return [
    limitBox === undefined ? '' : label(limitText, startOf(limitBox), { ...style, fill: theme.limit }),
    nowBox === undefined ? '' : label(nowText, startOf(nowBox), style),
    forecast === null ? '' : label(compact(forecast.end), endPlace(drawing), style),
  ]
}

const widthOf = (text: string) => textWidth(text, { size: TEXT_SIZE, bold: true })

/** Above the limit's line, from left to right, else below it. */
function limitPlaces(text: string, y: number): readonly Box[] {
  const room = BOUNDS.right - BOUNDS.left - 8 - widthOf(text)
  const lefts = [0, 0.25, 0.5, 0.75, 1].map((share) => BOUNDS.left + 4 + share * room)
  return [y - 9, y + 24].flatMap((base) => lefts.map((x) => labelBox(text, { x, y: base }, true)))
}

/** Base lines below and above today's mark, nearest first. */
const NOW_HEIGHTS = [25, -13, 10, 45, -33, 65, -53, 85, -73, 105, -93]

/** Right and left of today's mark, nearest first. */
const NOW_ASIDE = [13, 40, 80, 120]

/** Around today's mark. */
function nowPlaces(text: string, { x, y }: Point): readonly Box[] {
  const width = widthOf(text)
  const lefts = NOW_ASIDE.flatMap((aside) => [x + aside, x - aside - width])
  const within = lefts.map((left) => Math.min(BOUNDS.right - width, Math.max(BOUNDS.left, left)))
  return NOW_HEIGHTS.flatMap((height) => within.map((left) => labelBox(text, { x: left, y: y + height }, true)))
}

/** Right of the panel and of any mark at its edge, where nothing else is. */
const endPlace = ({ ahead }: MonthDrawing): Point => ({
  x: MONTH.right + MARK_ROOM,
  y: (ahead.at(-1)?.y ?? MONTH.top) + 7,
})
