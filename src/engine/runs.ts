import { setTimeout as sleep } from 'node:timers/promises'
import type { GetStepTools, Inngest } from 'inngest'
import type { SweepReport } from '../sweeps/report.ts'
import type { SweepRun } from '../sweeps/sweep.ts'
import type { Failures } from './failures.ts'
import { RETRIES } from './parts.ts'

/** What a function is handed by the engine, as far as runs need it. */
export interface RunContext {
  readonly runId: string
  readonly step: Pick<GetStepTools<Inngest>, 'run' | 'sleep'>
  /** 0 for the first one. */
  readonly attempt: number
  readonly maxAttempts?: number | undefined
}

/** Runs a sweep until it ends or the signal asks it to. Undefined: nothing was due. */
export type StartRun = (request: {
  readonly attempt: number
  readonly signal: AbortSignal
}) => Promise<SweepRun | undefined>

/** What the engine keeps of a run: counts only. */
export interface RunResult {
  readonly outcome: SweepReport['outcome'] | 'not-due'
  readonly due: number
  readonly deleted: number
  readonly kept: number
  readonly unreadable: number
}

export interface RunOptions {
  readonly start: StartRun
  /** Told of a run that failed and is not repeated any more. */
  readonly onFailed: (ran: SweepRun) => void
}

/** Runs a sweep for one run of a function. */
export type RunToEnd = (context: RunContext, options: RunOptions) => Promise<RunResult>

interface LookOptions extends RunOptions {
  /** Whether nobody waits for the lock any longer. */
  readonly isLast: boolean
}

export interface RunsOptions {
  readonly failures: Failures
  /** Ends the runs under way. */
  readonly stopping: AbortSignal
  /** Milliseconds that one step waits for its run: servers and proxies cut a request that is silent for a minute. */
  readonly waitMs: number
}

/** An hour of waiting for a run; the run itself goes on. */
const MOST_WAITS = 90

/** An hour of waiting for a lock, minute by minute. */
const MOST_PAUSES = 60
const PAUSE = '1m'

/** What a step saw of a run: its result, that it goes on, or that another run keeps it out. */
type Seen = RunResult | 'running' | 'locked'

/** Milliseconds for which an ended run is kept for an engine that asks again. */
const KEPT_MS = 600_000

/**
 * A run takes as long as it takes, while each step waits for it for a while only: the next step, or a repeated one, finds
 * the run that is under way here. At another instance it is kept out by the lock until that run has ended, and then finds
 * what is left. Throws what `Failures` makes of a run that did not end well.
 */
export function createRuns({ failures, stopping, waitMs }: RunsOptions): RunToEnd {
  const underWay = new Map<string, Promise<SweepRun | undefined>>()

  const begin = ({ runId, attempt }: RunContext, start: StartRun) => {
    const run = start({ attempt: attempt + 1, signal: stopping })
    const forget = () => underWay.get(runId) === run && underWay.delete(runId)
    const expire = () => void setTimeout(forget, KEPT_MS).unref()
    run.then(expire, expire)
    underWay.set(runId, run)
    return run
  }

  const look = async (context: RunContext, { start, onFailed, isLast }: LookOptions): Promise<Seen> => {
    const { runId, attempt, maxAttempts = RETRIES + 1 } = context
    const run = underWay.get(runId) ?? begin(context, start)
    const late: PromiseSettledResult<SweepRun | undefined>[] = []
    const [ended] = await Promise.race([Promise.allSettled([run]), sleep(waitMs, late, { ref: false })])
    if (ended === undefined) return 'running'
    underWay.delete(runId)
    if (ended.status === 'rejected') throw ended.reason
    const ran = ended.value
    if (ran === undefined) return NOT_DUE
    const { report, code } = ran
    if (code === null || code === 'ALREADY_DONE') return resultOf(report)
    if (code === 'LOCKED' && !isLast) return 'locked'
    const because = report.because ?? 'The run did not end well.'
    const failure = code === 'LOCKED' ? failures.final(because) : failures.ofRun(code, because)
    if (failure.name === 'NonRetriableError' || attempt + 1 >= maxAttempts) onFailed(ran)
    throw failure
  }

  return async (context, options) => {
    let [waits, pauses] = [0, 0]
    while (waits < MOST_WAITS) {
      const isLast = pauses === MOST_PAUSES
      const seen = await context.step.run(`sweep-${waits + pauses + 1}`, () => look(context, { ...options, isLast }))
      if (typeof seen === 'object') return seen
      if (seen === 'running') waits += 1
      else await context.step.sleep(`locked-${++pauses}`, PAUSE)
    }
    throw failures.final('The run has taken an hour and goes on. The log tells how it ends.')
  }
}

const NOT_DUE: RunResult = { outcome: 'not-due', due: 0, deleted: 0, kept: 0, unreadable: 0 }

const resultOf = ({ outcome, due, deleted, kept, keptOpen, unreadable }: SweepReport): RunResult => ({
  outcome,
  due,
  deleted,
  kept: kept + keptOpen,
  unreadable: unreadable.count,
})
