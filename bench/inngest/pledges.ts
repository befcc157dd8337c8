import type { Pledge } from '../pledges.ts'
import { threeDigits, whole } from '../table.ts'
import type { InngestMeasured, InngestRow } from './run.ts'

/** How many times fewer Redis commands, and from how many keys on that is promised: by SCAN it depends on their number. */
const TIMES_FEWER = 1_000
const FROM_KEYS = 200_000

const MOST_MEGABYTES = 200
const LONGEST_MS = 1_000

/** The promises about the sweep over Inngest, for the worse of its nights. */
export function checkInngestPledges(measured: InngestMeasured | null): readonly Pledge[] {
  const longest = (of: (row: InngestRow) => number) => Math.max(...(measured?.rows ?? []).map(of))
  return [
    fewerCommands(measured),
    atMost(measured, {
      promise: `Inngest: at most ${MOST_MEGABYTES} MB more resident memory than idle`,
      value: longest(({ extraMegabytes }) => extraMegabytes),
      most: MOST_MEGABYTES,
      unit: 'MB',
    }),
    atMost(measured, {
      promise: 'Inngest: no transaction longer than 1 s (VACUUM aside, for which nobody waits)',
      value: longest(({ longest: { ms } }) => ms),
      most: LONGEST_MS,
      unit: 'ms',
    }),
    atMost(measured, {
      promise: 'Inngest: a writer beside the sweep never waits longer than 1 s',
      value: longest(({ writer }) => writer.longestMs),
      most: LONGEST_MS,
      unit: 'ms',
    }),
  ]
}

interface Limit {
  readonly promise: string
  readonly value: number
  readonly most: number
  readonly unit: string
}

function atMost(measured: InngestMeasured | null, { promise, value, most, unit }: Limit): Pledge {
  if (measured === null) return { promise, measured: 'not run', isKept: null }
  return { promise, measured: `${Math.round(value)} ${unit}`, isKept: value <= most }
}

/** All Redis commands of a sweep, whatever they are for, for each unfinished run that is older than the retention. */
export const commandsPerRun = ({ commands, expected }: InngestRow): number =>
  Object.values(commands).reduce((sum, count) => sum + count, 0) / expected.checked

function fewerCommands(measured: InngestMeasured | null): Pledge {
  const promise = `Inngest: at least ${whole(TIMES_FEWER)} times fewer Redis commands per checked run than by SCAN`
  if (measured === null) return { promise, measured: 'not run', isKept: null }
  const [first] = measured.rows
  if (first === undefined) return { promise, measured: 'not run', isKept: null }
  const byScan = measured.scan.commands / measured.scan.runs
  const times = byScan / commandsPerRun(first)
  const figures = `${whole(times)} times (${whole(byScan)} and ${threeDigits(commandsPerRun(first))})`
  const isEnough = measured.store.keys >= FROM_KEYS
  return isEnough
    ? { promise, measured: figures, isKept: times >= TIMES_FEWER }
    : { promise, measured: `${figures}; promised for ${whole(FROM_KEYS)} keys`, isKept: null }
}
