import type { PruneWay } from './job.ts'
import type { Measured, PruneFigures, PruneRow } from './run.ts'

/** Something that Orderly promises, held against what was measured. */
export interface Pledge {
  readonly promise: string
  readonly measured: string
  /** Null where this run could not check it. */
  readonly isKept: boolean | null
}

/** Every promise, for the worst of TCP and REST. */
export function checkPledges({ prunes }: Measured): readonly Pledge[] {
  const billed = { of: ({ billed: count }: PruneFigures) => count, unit: 'billed' }
  const memory = { of: ({ extraMegabytes }: PruneFigures) => Math.round(extraMegabytes), unit: 'MB' }
  return [
    atMost(rowsOf(prunes, 225, ['foreign']), { ...billed, most: 8, title: '225 foreign orders' }),
    atMost(rowsOf(prunes, 100_000, ['foreign']), { ...billed, most: 200, title: '100 000 foreign orders' }),
    atMost(rowsOf(prunes, 100_000, ['ulid']), { ...billed, most: 120, title: '100 000 ULID orders' }),
    atMost(rowsOf(prunes, 100_000, ['between']), { ...billed, most: 150, title: '100 000 half between the cutoffs' }),
    atMost(rowsOf(prunes, 100_000, ['foreign']), { ...memory, most: 150, title: '100 000 foreign orders' }),
    atMost(rowsOf(prunes, 1_000_000, ORDERLY), { ...memory, most: 150, title: '1 000 000 orders' }),
    faster(prunes),
  ]
}

const ORDERLY: readonly PruneWay[] = ['foreign', 'ulid', 'between']

const rowsOf = (rows: readonly PruneRow[], orders: number, ways: readonly PruneWay[]) =>
  rows.filter((row) => row.orders === orders && ways.includes(row.way))

interface Limit {
  readonly title: string
  readonly of: (figures: PruneFigures) => number
  readonly most: number
  readonly unit: string
}

function atMost(rows: readonly PruneRow[], { title, of, most, unit }: Limit): Pledge {
  const figures = rows.map((row) => row.figures).filter((row) => row !== null)
  const more = unit === 'MB' ? ' more resident memory than idle' : ''
  const promise = `${title}: at most ${most} ${unit}${more}`
  if (figures.length === 0) return { promise, measured: 'not run', isKept: null }
  const worst = Math.max(...figures.map(of))
  return { promise, measured: `${worst} ${unit}`, isKept: worst <= most }
}

const TIMES_FASTER = 20

function faster(prunes: readonly PruneRow[]): Pledge {
  const promise = `100 000 orders over REST: at least ${TIMES_FASTER} times faster than the former way`
  const secondsOf = (way: PruneWay) =>
    rowsOf(prunes, 100_000, [way]).find(({ via }) => via === 'rest')?.figures?.seconds
  const [former, ours] = [secondsOf('former'), secondsOf('foreign')]
  if (former === undefined || ours === undefined) return { promise, measured: 'not run', isKept: null }
  const times = former / ours
  return { promise, measured: `${times.toFixed(1)} times`, isKept: times >= TIMES_FASTER }
}
