import type { ReasonCount } from '../sweeps/inngest/reason-tally.ts'
import { reasonTexts } from '../sweeps/inngest/verdict.ts'
import type { Diagnosis } from './inngest-diagnose.ts'
import { columns, printable } from './text.ts'

/** A diagnosis for a person at a terminal. */
export function diagnosisText({ judging, mode, database, tables, runs, keys, state }: Diagnosis): string {
  const { asOf, zone, days } = judging
  const { finished, unfinished, signs, reasons } = runs
  const tableRows = tables.map(({ name, rows, oldest, newest }) => [name, String(rows), oldest ?? '-', newest ?? '-'])
  const runRows = [
    ['finished', String(finished)],
    ['unfinished', String(unfinished)],
    ...(signs === undefined
      ? []
      : [
          ['unfinished, with a sign of life in Redis', String(signs.alive)],
          ['unfinished, without one', String(signs.idle)],
        ]),
  ]
  const stateRows = state === null ? [] : Object.entries(state).map(([what, count]) => [what, String(count)])
  return [
    `Mode: ${printable(mode, 600)}`,
    '',
    `Tables (${database}):`,
    columns([['', 'rows', 'oldest', 'newest'], ...tableRows]),
    '',
    'Runs:',
    columns(runRows),
    ...(keys === null ? [] : ['', `Keys in Redis (${keys.keys}):`, columns(kindRows(keys))]),
    ...(state === null
      ? []
      : ['', 'Runs with keys in Redis (at most 1000), as the database knows them:', columns(stateRows)]),
    '',
    `A sweep as of ${asOf} (${zone}) that keeps ${days} x 24 hours:`,
    columns(reasonRows(reasons)),
  ].join('\n')
}

const kindRows = ({ kinds }: NonNullable<Diagnosis['keys']>) => kinds.map(({ name, keys }) => [name, String(keys)])

/** How many runs go or stay, and why. */
export function reasonRows(reasons: readonly ReasonCount[]): readonly (readonly string[])[] {
  if (reasons.length === 0) return [['no run']]
  return reasons.map(({ isDue, reason, runs }) => [isDue ? 'delete' : 'keep', String(runs), reasonTexts[reason]])
}
