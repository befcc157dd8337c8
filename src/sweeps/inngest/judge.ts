import type { Liveness } from './liveness.ts'
import type { Runs } from './runs.ts'
import { judgeRun, type Bounds, type RunFacts, type Verdict } from './verdict.ts'
import { walkRuns, type WalkOptions } from './walk.ts'

export interface JudgedRun extends Verdict, RunFacts {
  readonly isFinished: boolean
}

export interface JudgeOptions extends Omit<WalkOptions, 'beforeMs'> {
  readonly bounds: Omit<Bounds, 'awareness'>
  readonly liveness: Liveness
}

/**
 * Every run that started before the cutoff with its verdict, page by page. Costs 3 EXISTS for each unfinished one where
 * Redis is asked.
 */
export async function* judgeRuns(runs: Runs, options: JudgeOptions): AsyncGenerator<readonly JudgedRun[]> {
  const walk = walkRuns(runs, { ...options, beforeMs: options.bounds.cutoffMs })
  for await (const ids of walk) yield await judgePage(runs, ids, options)
}

/** The verdicts of some runs, as things stand now. */
export async function judgePage(
  runs: Runs,
  ids: readonly string[],
  { bounds, liveness }: Pick<JudgeOptions, 'bounds' | 'liveness'>,
): Promise<readonly JudgedRun[]> {
  const finished = await runs.finishTimes(ids)
  const alive = await liveness.aliveAmong(ids.filter((id) => !finished.has(id)))
  return ids.map((id) => {
    const isFinished = finished.has(id)
    const facts = {
      id,
      finished: isFinished ? (finished.get(id) ?? ('unknown' as const)) : ('unfinished' as const),
      isAlive: alive?.has(id),
    }
    return { ...facts, isFinished, ...judgeRun(facts, { ...bounds, awareness: liveness.awareness() }) }
  })
}
