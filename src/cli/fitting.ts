import { stripVTControlCharacters } from 'node:util'

/** How much a terminal shows at once. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/**
 * As many lines of a text as a terminal shows at once, and a last one that says how many there are besides. A line that is longer
 * than a row takes several.
 */
export function fitting(text: string, { rows, columns }: TerminalSize): string {
  const lines = text.split('\n')
  const taken = lines.map((line) => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)))
  const sumUntil = (end: number) => taken.slice(0, end).reduce((sum, one) => sum + one, 0)
  // The cursor stands in a row of its own, below the text.
  if (sumUntil(lines.length) < rows) return text
  const shown = lines.findLastIndex((_, at) => sumUntil(at) < rows - 1)
  const rest = lines.length - Math.max(shown, 1)
  return [...lines.slice(0, Math.max(shown, 1)), `… and ${rest} more lines: see them without --watch`].join('\n')
}
