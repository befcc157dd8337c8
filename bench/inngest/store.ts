import { firstRunIdAt } from '../../src/sweeps/inngest/ulid.ts'
import type { Extent } from '../plan.ts'

/** How large the store of a made-up Inngest server is, and what it is judged from. */
export interface InngestStore {
  readonly runs: number
  /** Keys in its Redis. */
  readonly keys: number
  /** The instant of the first sweep, in epoch milliseconds; the youngest run began before. */
  readonly asOfMs: number
}

const SIZES: Readonly<Record<Extent, Omit<InngestStore, 'asOfMs'>>> = {
  short: { runs: 5_000, keys: 10_000 },
  default: { runs: 20_000, keys: 40_000 },
  full: { runs: 100_000, keys: 200_000 },
}

export const DAY_MS = 86_400_000

/** The store for an extent. As of the day before yesterday, so that the next night's sweep is not in the future either. */
export const inngestStore = (extent: Extent, nowMs: number): InngestStore => ({
  ...SIZES[extent],
  asOfMs: nowMs - 2 * DAY_MS,
})

/** Runs began evenly over so many days. */
export const HISTORY_DAYS = 120

/** Rows of one run in the tables that have several; every other table has one. */
export const ROWS = { spans: 14, traces: 7, history: 7 } as const

/** Of this many runs one has not finished; every second of those is alive, the others were abandoned. */
export const UNFINISHED_EVERY = 20
export const UNFINISHED_AT = 7

export const RETENTION_DAYS = 30
export const FACTOR = 2

/** Milliseconds that a run took. */
export const RUN_MS = 60_000

/** What a run is, by its number from 0, the oldest first. */
export const isUnfinished = (run: number): boolean => run % UNFINISHED_EVERY === UNFINISHED_AT
export const isAlive = (run: number): boolean => run % (2 * UNFINISHED_EVERY) === UNFINISHED_AT

/** Whether a finished run left its state in Redis. */
export const isOrphaned = (run: number): boolean => run % 200 === 11

/** What a sweep must find at an instant. */
export interface Expected {
  /** Finished runs that go. */
  readonly completed: number
  /** Unfinished runs that go. */
  readonly abandoned: number
  /** Unfinished runs older than the retention: those whose life is in question. */
  readonly checked: number
}

/** What a sweep must find as of an instant; a later one where there was one as of `sweptMs` before. */
export function expectedAt(store: InngestStore, asOfMs: number, sweptMs = 0): Expected {
  let [completed, abandoned, checked] = [0, 0, 0]
  for (let run = 0; run < store.runs; run++) {
    const startedMs = startOf(run, store)
    if (isDue(run, startedMs, sweptMs)) continue
    if (isUnfinished(run) && startedMs < asOfMs - RETENTION_MS) checked += 1
    if (!isDue(run, startedMs, asOfMs)) continue
    if (isUnfinished(run)) abandoned += 1
    else completed += 1
  }
  return { completed, abandoned, checked }
}

const startOf = (run: number, { runs, asOfMs }: InngestStore) =>
  asOfMs - HISTORY_DAYS * DAY_MS + Math.floor(((run + 0.5) * HISTORY_DAYS * DAY_MS) / runs)

const RETENTION_MS = RETENTION_DAYS * DAY_MS

function isDue(run: number, startedMs: number, asOfMs: number): boolean {
  if (isUnfinished(run)) return !isAlive(run) && startedMs < asOfMs - FACTOR * RETENTION_MS
  return startedMs + RUN_MS < asOfMs - RETENTION_MS
}

/** Every made-up run has an id below this one; every one that the writer adds has one above it. */
export const endOfStore = ({ asOfMs }: InngestStore): string => firstRunIdAt(asOfMs)
