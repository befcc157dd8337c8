import type { Point } from './box.ts'
import type { Course, Moment } from './course.ts'
import { acrossDays, MONTH, upTo } from './frame.ts'

/** A course in the coordinates of the month's panel. */
export interface MonthDrawing {
  /** The value at the panel's top. */
  readonly top: number
  /** Height of a value. */
  readonly y: (value: number) => number
  readonly limit: readonly [Point, Point]
  readonly line: readonly Point[]
  readonly now: Point
  readonly crossing: Point | null
  /** From now to the end, by way of the crossing; empty where there is nothing to forecast. */
  readonly ahead: readonly Point[]
  /** The corners of the forecast's range. */
  readonly band: readonly Point[]
}

/** How far above everything that is sure a wide range may press the panel's top. */
const RANGE_ABOVE = 1.25

/** Puts a course into the panel, whose scale has room for the limit and all that is used or expected. */
export function drawMonth(course: Course): MonthDrawing {
  const { length, limit, line, now, forecast, crossing } = course
  const sure = Math.max(1, limit, now.value, forecast?.end ?? 0)
  const top = Math.max(sure, Math.min(forecast?.high ?? 0, sure * RANGE_ABOVE))
  const y = upTo(top, MONTH)
  const point = ({ day, value }: Moment): Point => ({ x: acrossDays(day, length), y: y(value) })
  return {
    top,
    y,
    limit: [point({ day: 0, value: limit }), point({ day: length, value: limit })],
    line: line.map(point),
    now: point(now),
    crossing: crossing === null ? null : point(crossing),
    ahead: wayAhead(course).map(point),
    band: rangeBelow(top, course).map(point),
  }
}

function wayAhead({ length, now, forecast, crossing }: Course): readonly Moment[] {
  if (forecast === null) return []
  const by = crossing !== null && crossing.day > now.day ? [crossing] : []
  return [now, ...by, { day: length, value: forecast.end }]
}

/** The range from now to the end, cut off at a value. */
function rangeBelow(top: number, { length, now, forecast }: Course): readonly Moment[] {
  if (forecast === null) return []
  const { low, high } = forecast
  if (high <= top) return [now, { day: length, value: high }, { day: length, value: low }]
  const cutAt = now.day + ((top - now.value) / (high - now.value)) * (length - now.day)
  return [now, { day: cutAt, value: top }, { day: length, value: top }, { day: length, value: low }]
}
