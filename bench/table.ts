/** Lines of columns: text on the left, figures (which begin with a digit, a sign or a dash) on the right. */
export function alignTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const isFigures = head.map((_, column) => rows.every((row) => FIGURE.test(row[column] ?? '')))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (isFigures[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)]
}

const FIGURE = /^([-+]?\d[\d .]*|-|)$/

/** A whole number with spaces between thousands. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')

/** A figure with as many decimals as three digits need. */
export const threeDigits = (value: number): string =>
  value < 1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole(value)
