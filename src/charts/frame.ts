import type { Box } from './box.ts'

/** The drawing. */
export const CANVAS = { width: 800, height: 556 }

/** Left and right edge of what is written above and between the two panels. */
export const MARGIN = { left: 22, right: 778 }

/** The panel of the month: its line, limit and forecast. */
export const MONTH: Box = { left: 76, right: 722, top: 122, bottom: 375 }

/** The panel of the days: their bars. */
export const DAYS: Box = { left: MONTH.left, right: MONTH.right, top: 430, bottom: 518 }

/** Horizontal place of a time in days from the month's start. */
export const acrossDays = (day: number, length: number): number =>
  MONTH.left + (day / length) * (MONTH.right - MONTH.left)

/** Vertical place of a value in a panel that reaches from 0 to `top`. */
export const upTo =
  (top: number, { top: highest, bottom }: Box) =>
  (value: number): number =>
    bottom - (Math.min(value, top) / top) * (bottom - highest)
