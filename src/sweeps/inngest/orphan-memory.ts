import { isRedisError } from '../../errors.ts'
import { seenKey } from '../../redis/keys.ts'
import { optionalTextOf, valueOf, type Transport } from '../../redis/transport.ts'
import { askAll } from './ask-all.ts'

const KEY = seenKey('inngest')

/** 35 days, longer than any sensible schedule has between two passes: a monthly one included. */
const EXPIRY_SECONDS = 35 * 86_400

/** Which runs earlier passes saw as orphans: a sorted set whose scores are the starts of those passes. */
export interface OrphanMemory {
  /** Those of the runs that a pass before this one saw. Costs 1 ZSCORE per run. */
  seenEarlier(ids: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Remembers that this pass saw them; once more does no harm. Costs 2 commands, 0 for no run.
   *
   * @returns false when Redis has no room for it.
   */
  remember(ids: readonly string[]): Promise<boolean>
  /** Forgets what earlier passes saw, for this one has dealt with it. Costs 1 command. */
  forgetEarlier(): Promise<void>
}

/**
 * The memory of orphans as of the pass that began at `startedAtMs`, by which it is told from others.
 *
 * All of its functions throw RedisError.
 */
export const createOrphanMemory = (send: Transport, startedAtMs: number): OrphanMemory => ({
  seenEarlier: async (ids) => {
    const scores = await askAll(
      send,
      ids.map((id) => ['ZSCORE', KEY, id]),
    )
    return new Set(ids.filter((_, at) => isEarlier(optionalTextOf(scores[at] ?? null), startedAtMs)))
  },
  remember: async (ids) => {
    if (ids.length === 0) return true
    // A score of a later pass, which only a clock that was set back explains, is replaced by this one.
    const [added = null, ...others] = await send([
      ['ZADD', KEY, ...ids.flatMap((id) => [startedAtMs, id])],
      ['EXPIRE', KEY, EXPIRY_SECONDS],
    ])
    others.forEach(valueOf)
    if (isRedisError(added, 'REDIS_FULL')) return false
    valueOf(added)
    return true
  },
  forgetEarlier: async () => {
    await askAll(send, [['ZREMRANGEBYSCORE', KEY, '-inf', `(${startedAtMs}`]])
  },
})

/** A score that is no plain number of milliseconds is not one of ours and proves nothing. */
const isEarlier = (score: string | undefined, startedAtMs: number) =>
  score !== undefined && /^\d{1,15}$/.test(score) && Number(score) < startedAtMs
