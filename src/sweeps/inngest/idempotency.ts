import { createFirstTime } from '../../redis/first-time.ts'
import { integerOf, type Transport } from '../../redis/transport.ts'
import { askAll } from './ask-all.ts'

/** What Inngest itself gives these keys today: after a day the same event may start another run. */
const EXPIRY_SECONDS = 86_400

export interface IdempotencyCounts {
  scanned: number
  /** Those without an expiry. */
  due: number
  /** 0 in a dry run. */
  expired: number
}

/**
 * Gives idempotency keys that have no expiry one of 24 hours, and counts; keys come page by page. Costs 1 TTL per key and 1
 * EXPIRE per key without an expiry, none of the latter in a dry run.
 *
 * The function that it returns throws RedisError.
 */
export function createIdempotencyLimiter(send: Transport, counts: IdempotencyCounts, isDryRun: boolean) {
  const isFirst = createFirstTime()
  return async (keys: readonly string[]): Promise<void> => {
    const fresh = keys.filter(isFirst)
    const left = (await askAll(send, fresh.map(ttlOf))).map(integerOf)
    const due = fresh.filter((_, at) => left[at] === FOR_EVER)
    counts.scanned += left.filter((seconds) => seconds !== GONE).length
    counts.due += due.length
    if (isDryRun) return
    const replies = await askAll(send, due.map(limit))
    counts.expired += replies.map(integerOf).filter((reply) => reply === 1).length
  }
}

const FOR_EVER = -1
const GONE = -2

const ttlOf = (key: string) => ['TTL', key] as const
const limit = (key: string) => ['EXPIRE', key, EXPIRY_SECONDS] as const
