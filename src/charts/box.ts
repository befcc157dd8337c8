/** A point of the drawing; y grows downwards. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A rectangle of the drawing. */
export interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Whether two rectangles share more than an edge. */
export const overlaps = (one: Box, other: Box): boolean =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom

/** Whether a rectangle lies within another. */
export const isWithin = (inner: Box, outer: Box): boolean =>
  inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom

/** A rectangle with `room` more on each side. */
export const withRoom = ({ left, right, top, bottom }: Box, room: number): Box => ({
  left: left - room,
  right: right + room,
  top: top - room,
  bottom: bottom + room,
})

/** How much of the straight line from a point to another lies within a rectangle: 0 is nothing, 1 all of it. */
export function shareWithin(box: Box, [from, to]: readonly [Point, Point]): number {
  const edges = [
    [from.x - to.x, from.x - box.left],
    [to.x - from.x, box.right - from.x],
    [from.y - to.y, from.y - box.top],
    [to.y - from.y, box.bottom - from.y],
  ] as const
  let [enters, leaves] = [0, 1]
  for (const [speed, distance] of edges) {
    if (speed === 0 && distance < 0) return 0
    if (speed < 0) enters = Math.max(enters, distance / speed)
    if (speed > 0) leaves = Math.min(leaves, distance / speed)
  }
  return Math.max(0, leaves - enters)
}
