import { isWithin, overlaps, shareWithin, type Box, type Point } from './box.ts'

/** What a label has to keep clear of. */
export interface Surroundings {
  /** The label stays within. */
  readonly bounds: Box
  /** Other labels and marks: never covered. */
  readonly boxes: readonly Box[]
  /** Lines, each through its points: covered only where everything else is worse, and then as little as can be. */
  readonly lines: readonly (readonly Point[])[]
  /** What the label belongs to. */
  readonly near?: Point
}

/** As near as that is as near as can be. */
const NEAR_ENOUGH = 18

/** What a unit of further distance from its mark costs a label, where one of line behind it costs 1. */
const DISTANCE_COST = 0.6

/** The first of the places that cost least, by lines behind it and distance; undefined when none is free of boxes. */
export function placeLabel(places: readonly Box[], { bounds, boxes, lines, near }: Surroundings): Box | undefined {
  const free = places.filter((place) => isWithin(place, bounds) && !boxes.some((box) => overlaps(place, box)))
  const costs = free.map((place) => {
    const behind = lines.reduce((sum, line) => sum + lengthWithin(place, line), 0)
    return behind + (near === undefined ? 0 : DISTANCE_COST * Math.max(0, distance(place, near) - NEAR_ENOUGH))
  })
  return free[costs.indexOf(Math.min(...costs))]
}

const distance = ({ left, right, top, bottom }: Box, { x, y }: Point): number =>
  Math.hypot(Math.max(left - x, x - right, 0), Math.max(top - y, y - bottom, 0))

function lengthWithin(box: Box, points: readonly Point[]): number {
  return points.slice(1).reduce((sum, to, at) => {
    const from = points[at] ?? to
    return sum + shareWithin(box, [from, to]) * Math.hypot(to.x - from.x, to.y - from.y)
  }, 0)
}
