import { styleText } from 'node:util'
import { isoInstant } from '../calendar.ts'
import type { KeyFamilies, SlowCommand, StatusLine, StoreStatus, Verdict } from '../redis/status/status.ts'
import { memoryText, microsText } from '../redis/status/words.ts'
import { columns, counted, printable } from './text.ts'

export interface StatusTextOptions {
  readonly zone: string
  readonly isColoured: boolean
  /** Whether what to do comes before the facts, for who may not see the end. */
  readonly isCuresFirst?: boolean
  readonly nowMs: number
}

const marks = { ok: '✓', look: '!', bad: '✗', unknown: '?' } as const satisfies Record<Verdict, string>
const colours = { ok: 'green', look: 'yellow', bad: 'red', unknown: 'cyan' } as const satisfies Record<Verdict, string>
const words = {
  ok: 'well',
  look: 'worth a look',
  bad: 'bad',
  unknown: 'well as far as it tells',
} as const satisfies Record<Verdict, string>

/** The statuses for a person at a terminal: when it was looked, a block for each Redis, and what to do. */
export function statusText(statuses: readonly StoreStatus[], options: StatusTextOptions): string {
  const { zone, nowMs } = options
  return [isoInstant(nowMs, zone), ...statuses.map((status) => blockOf(status, options))].join('\n\n')
}

function blockOf(status: StoreStatus, options: StatusTextOptions): string {
  const { name, verdict, error, lines, families, slowLog } = status
  const paint = (text: string, as: Verdict) =>
    options.isColoured ? styleText(colours[as], text, { validateStream: false }) : text
  if (error !== null) return `${paint(marks.bad, 'bad')} Redis of ${name} does not answer: ${error.message}`
  const facts = ['', ...lineRows(lines, paint), ...familyRows(families), ...slowRows(slowLog, options.zone)]
  const cures = cureRows(lines, paint)
  const head = `${paint(marks[verdict], verdict)} Redis of ${name}: ${words[verdict]}`
  return [head, ...(options.isCuresFirst === true ? [...cures, ...facts] : [...facts, ...cures])].join('\n')
}

type Paint = (text: string, as: Verdict) => string

function lineRows(lines: readonly StatusLine[], paint: Paint): readonly string[] {
  const rows = lines.map(({ name, value, verdict }) => [marks[verdict], printable(name, 80), printable(value, 200)])
  // Painted after they are aligned, for a colour has a length, too.
  return columns(rows)
    .split('\n')
    .map((row, at) => {
      const verdict = lines[at]?.verdict ?? 'ok'
      return row.replace(marks[verdict], paint(marks[verdict], verdict))
    })
}

function familyRows(families: KeyFamilies | null): readonly string[] {
  if (families === null || families.largest.length === 0) return []
  const about = families.isEstimate ? 'about ' : ''
  const rows = families.largest.map(({ name, keys, bytes }) => [
    printable(name, 80),
    `${about}${counted(keys, 'key')}`,
    // The memory of a family is always a sample's mean times its keys.
    bytes === null ? '' : `about ${memoryText(bytes)}`,
  ])
  const rest = families.others > 0 ? [`  and ${families.others} more`] : []
  return ['', 'Families of keys:', columns(rows), ...rest]
}

function slowRows(entries: readonly SlowCommand[], zone: string): readonly string[] {
  if (entries.length === 0) return []
  const rows = entries.map(({ atMs, micros, command }) => [isoInstant(atMs, zone), command, microsText(micros)])
  return ['', 'Slow commands:', columns(rows)]
}

function cureRows(lines: readonly StatusLine[], paint: Paint): readonly string[] {
  const cures = lines.flatMap(({ name, verdict, cure }) =>
    cure === null ? [] : [`  ${paint(marks[verdict], verdict)} ${printable(name, 80)}: ${printable(cure, 300)}`],
  )
  return cures.length === 0 ? [] : ['', 'What to do:', ...cures]
}
