import { RedisError } from '../../errors.ts'
import { askAll } from './ask-all.ts'
import type { Transport } from '../../redis/transport.ts'

/**
 * Those of the keys that exist. Costs 1 EXISTS per key, about 900 a request: one for each, so that no answer stands for
 * several keys and keys of different hash slots can be asked together.
 *
 * @throws RedisError when a single answer is an error or neither 0 nor 1.
 */
export async function existing(send: Transport, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const replies = await askAll(
    send,
    keys.map((key) => ['EXISTS', key]),
  )
  return new Set(keys.filter((_, at) => isYes(replies[at])))
}

function isYes(reply: unknown): boolean {
  if (reply === 0 || reply === 1) return reply === 1
  throw new RedisError('REDIS_REFUSED', 'Redis answered EXISTS with neither 0 nor 1. Is something between it and us?')
}
