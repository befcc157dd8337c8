import { styleText } from 'node:util'
import type { Check, Verdict } from './doctor-check.ts'
import { counted, printable } from './text.ts'

const marks = { ok: '✓', warn: '!', fail: '✗', off: '–' } as const satisfies Record<Verdict, string>
const colours = { ok: 'green', warn: 'yellow', fail: 'red', off: 'gray' } as const satisfies Record<Verdict, string>

/** The checks for a person at a terminal: a line for each, below it what puts it right, and a sum. */
export function doctorText(checks: readonly Check[], { isColoured }: { readonly isColoured: boolean }): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const mark = (verdict: Verdict) =>
    isColoured ? styleText(colours[verdict], marks[verdict], { validateStream: false }) : marks[verdict]
  const lines = checks.flatMap(({ name, verdict, detail, fix }) => [
    `${mark(verdict)} ${name.padEnd(width)}  ${printable(detail, 600)}`,
    ...(fix === null ? [] : [`  ${' '.repeat(width)}  → ${printable(fix, 600)}`]),
  ])
  return [...lines, '', sumOf(checks)].join('\n')
}

function sumOf(checks: readonly Check[]): string {
  const count = (verdict: Verdict) => checks.filter((check) => check.verdict === verdict).length
  const [failures, warnings] = [count('fail'), count('warn')]
  if (failures + warnings === 0) return 'All is well.'
  return `${counted(failures, 'failure')}, ${counted(warnings, 'warning')}. Each is explained in docs/doctor.md.`
}
