import { compact } from './compact.ts'
import { MONTH } from './frame.ts'
import { label, TEXT_SIZE } from './svg.ts'
import { textWidth } from './text-width.ts'
import type { Theme } from './theme.ts'

/** A value beside its height on the left of a panel. */
export function tickLabel(value: number, { at, theme }: { readonly at: number; readonly theme: Theme }): string {
  const text = compact(value)
  const x = MONTH.left - 14 - textWidth(text, { size: TEXT_SIZE, bold: false })
  return label(text, { x, y: at + 7 }, { fill: theme.muted, bold: false })
}
