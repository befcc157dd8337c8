import type { InngestConfig } from '../../config.ts'
import { isRedisError } from '../../errors.ts'
import type { Transport } from '../../redis/transport.ts'
import { aliveRuns } from './run-state.ts'
import type { Runs } from './runs.ts'
import { checkState } from './state-check.ts'
import type { Awareness } from './verdict.ts'

/** What a run of the sweep knows of Inngest's Redis. Knowledge is only ever lost: after the first error nothing is asked. */
export interface Liveness {
  awareness(): Awareness
  /** The mode in words, for the report. */
  text(): string
  /** The prefix of the state's keys; undefined unless Redis is there to be asked. */
  prefix(): string | undefined
  /** Those of the runs that show a sign of life; undefined where nobody can tell. Costs 3 EXISTS a run. */
  aliveAmong(ids: readonly string[]): Promise<ReadonlySet<string> | undefined>
  /**
   * Looks once more whether Redis may be believed. To be called before open runs are taken for dead: the first look may have
   * known of no open run, and Redis may have lost everything since.
   */
  confirm(): Promise<void>
  /** Works on state after all runs are decided, and gives Redis up where it fails. */
  attempt<Result>(work: (send: Transport, prefix: string) => Promise<Result>): Promise<Result | undefined>
}

export interface LivenessOptions {
  readonly config: Pick<InngestConfig, 'isRedisAware' | 'redisUrl' | 'keyPrefix'>
  /** Epoch milliseconds; an id of a time more than a day after that is no run's. */
  readonly nowMs: number
  /** To the Redis of Inngest. */
  readonly send: Transport
  readonly runs: Pick<Runs, 'known' | 'hasUnfinished' | 'knowsFunction'>
}

/**
 * Finds out whether Redis can and may be believed.
 *
 * Costs a few SCAN, the whole keyspace's worth (1 per 1 000 keys) at most; INFO is free. A failure of Redis is an answer.
 */
export async function createLiveness({ config, nowMs, send, runs }: LivenessOptions): Promise<Liveness> {
  if (!config.isRedisAware) return blind('off', SWITCHED_OFF)
  if (config.redisUrl === undefined) return blind('missing', without('INNGEST_REDIS_URL is not set.'))
  let lost: string | undefined
  let prefix = ''
  let server: string | undefined
  let text = (because: string) => without(because)

  const attempt = async <Result>(work: (send: Transport, prefix: string) => Promise<Result>) => {
    if (lost !== undefined) return undefined
    try {
      return await work(send, prefix)
    } catch (error) {
      if (!isRedisError(error)) throw error
      lost = error.message
      return undefined
    }
  }

  const check = async (hasOpenRuns: boolean): Promise<void> =>
    await attempt(async () => {
      const options = {
        prefix: config.keyPrefix,
        nowMs,
        hasOpenRuns,
        knownRuns: runs.known,
        knowsFunction: runs.knowsFunction,
      }
      const found = await checkState(send, options)
      if (!found.ok) lost = found.because
      else if (server !== undefined && found.server !== server) lost = ANOTHER_SERVER
      else ({ prefix, server } = found)
    })

  await check(await runs.hasUnfinished())
  return {
    attempt: async (work) => {
      if (lost === undefined) text = (because) => `${aware(prefix)} until it failed among orphaned state. ${because}`
      return await attempt(work)
    },
    awareness: () => (lost === undefined ? 'aware' : 'missing'),
    text: () => (lost === undefined ? aware(prefix) : text(lost)),
    prefix: () => (lost === undefined ? prefix : undefined),
    confirm: () => check(true),
    aliveAmong: (ids) => attempt(() => aliveRuns(send, prefix, ids)),
  }
}

const blind = (awareness: Awareness, text: string): Liveness => ({
  awareness: () => awareness,
  text: () => text,
  prefix: () => undefined,
  confirm: async () => undefined,
  aliveAmong: async () => undefined,
  attempt: async () => undefined,
})

const aware = (prefix: string) => `aware of Redis (key prefix ${prefix})`

const without = (because: string) =>
  `without Redis: finished runs go by age, every unfinished run and all state is kept. ${because}`

const ANOTHER_SERVER = 'Redis was restarted, or another server took its place, while the sweep was at work.'

const SWITCHED_OFF =
  'Redis awareness switched off (USE_REDIS_AWARE_CLEANUP=false): every run older than the retention goes by age alone, ' +
  'finished or not. Runs that still wait or sleep lose their rows: they vanish from the list of runs and leave stray rows ' +
  'when they go on.'
