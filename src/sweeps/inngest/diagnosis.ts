import { chunks } from './chunks.ts'
import type { Inspection } from './inspection.ts'
import { createReasonTally, type ReasonCount } from './reason-tally.ts'
import type { Runs } from './runs.ts'

/** What became of the runs, and what a sweep would do with them now. */
export interface RunFigures {
  readonly finished: number
  readonly unfinished: number
  /** Unfinished runs with a sign of life in Redis, and without one; undefined where Redis could not be asked of all. */
  readonly signs: { readonly alive: number; readonly idle: number } | undefined
  readonly reasons: readonly ReasonCount[]
}

/** What the database says of runs that have keys in Redis. */
export interface StateFigures {
  readonly finished: number
  readonly unfinished: number
  readonly unknown: number
}

/**
 * Counts all runs by what became of them and by the verdict of a sweep. Costs 3 EXISTS per unfinished run.
 *
 * @param onProgress told how many were counted so far.
 * @throws DatabaseError
 */
export async function diagnoseRuns(
  { judged, liveness }: Inspection,
  onProgress: (runs: number) => void,
): Promise<RunFigures> {
  let [finished, unfinished, alive] = [0, 0, 0]
  const reasons = createReasonTally()
  for await (const page of judged()) {
    for (const run of page) {
      if (run.isFinished) finished += 1
      else unfinished += 1
      if (!run.isFinished && run.isAlive === true) alive += 1
      reasons.add(run)
    }
    onProgress(finished + unfinished)
  }
  const awareness = liveness.awareness()
  const signs = awareness === 'aware' ? { alive, idle: unfinished - alive } : undefined
  return { finished, unfinished, signs, reasons: reasons.counts(awareness) }
}

/** Runs of one question to the database. */
const RUNS_PER_QUESTION = 500

/**
 * What the database says of some runs.
 *
 * @throws DatabaseError
 */
export async function diagnoseState(runs: Runs, ids: readonly string[]): Promise<StateFigures> {
  let [finished, known] = [0, 0]
  for (const some of chunks(ids, RUNS_PER_QUESTION)) {
    finished += (await runs.finishTimes(some)).size
    known += (await runs.known(some)).size
  }
  return { finished, unfinished: known - finished, unknown: ids.length - known }
}
