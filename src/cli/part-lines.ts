import type { SweepPart, SweepReport } from '../sweeps/report.ts'
import { columns, counted, printable } from './text.ts'

/** How many parts are told one by one. */
const MOST_PARTS = 20

/** The parts of a report as a table under an empty line; of many the telling ones. No lines where nothing was found. */
export function partLines({ parts, dryRun }: SweepReport): readonly string[] {
  const found = (parts ?? []).filter(({ scanned, because }) => scanned > 0 || because !== null)
  if (found.length === 0) return []
  const told = found.length > MOST_PARTS ? found.toSorted(byTelling).slice(0, MOST_PARTS) : found
  const rest = found.filter((part) => !told.includes(part))
  const figures = ({ scanned, due, deleted }: Figures) => (dryRun ? [scanned, due] : [scanned, due, deleted])
  const heading = dryRun ? ['', 'looked at', 'would be deleted', ''] : ['', 'looked at', 'due', 'deleted', '']
  const rows = told.map((part) => [
    printable(part.name, 60),
    ...figures(part).map(String),
    printable(part.because ?? '', 400),
  ])
  const others = rest.length === 0 ? [] : [[`and ${counted(rest.length, 'other')}`, ...figures(sum(rest)).map(String)]]
  return ['', columns([heading, ...rows, ...others])]
}

type Figures = Pick<SweepPart, 'scanned' | 'due' | 'deleted'>

/** Those of which something is to be said come first, then those with the most. */
const byTelling = (a: SweepPart, b: SweepPart) =>
  Number(b.because !== null) - Number(a.because !== null) || b.due - a.due || b.scanned - a.scanned

const sum = (parts: readonly Figures[]): Figures =>
  parts.reduce(
    (all, { scanned, due, deleted }) => ({
      scanned: all.scanned + scanned,
      due: all.due + due,
      deleted: all.deleted + deleted,
    }),
    { scanned: 0, due: 0, deleted: 0 },
  )
