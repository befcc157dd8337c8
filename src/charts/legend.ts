import { MARGIN } from './frame.ts'
import { element, label, pointList, TEXT_SIZE } from './svg.ts'
import { textWidth } from './text-width.ts'
import type { Point } from './box.ts'
import type { Theme } from './theme.ts'

/** What a sign means. */
export interface LegendEntry {
  readonly text: string
  /** Draws the sign, 14 wide, with the middle of its upper edge at a point. */
  readonly sign: (at: Point) => string
}

const SIGN_WIDTH = 14

/** Between a sign and its text, and between two entries. */
const [NEAR, APART] = [7, 22]

/** Entries on one base line, the last of them at the right margin. */
export function legend(
  entries: readonly LegendEntry[],
  { y, theme }: { readonly y: number; readonly theme: Theme },
): string {
  let right = MARGIN.right
  const drawn = entries.toReversed().map(({ text, sign }) => {
    const left = right - textWidth(text, { size: TEXT_SIZE, bold: false })
    right = left - NEAR - SIGN_WIDTH - APART
    return (
      sign({ x: left - NEAR - SIGN_WIDTH / 2, y: y - 13 }) +
      label(text, { x: left, y }, { fill: theme.muted, bold: false })
    )
  })
  return drawn.join('')
}

/** A triangle that points down: a cleanup ran. */
export const triangle = ({ x, y }: Point, fill: string): string =>
  element('polygon', {
    points: pointList([
      { x: x - 8, y },
      { x: x + 8, y },
      { x, y: y + 12 },
    ]),
    fill,
  })
