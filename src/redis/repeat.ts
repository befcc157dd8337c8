import { setTimeout as sleep } from 'node:timers/promises'
import { isRedisError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** Milliseconds to wait before each repetition of a request that got no answer. */
const PAUSES_MS = [200, 1_000]

export interface RepeatOptions {
  readonly pausesMs?: readonly number[]
  /** Told before each repetition. */
  readonly onRepeat?: () => void
}

/**
 * Sends a request again when it got no answer, at most twice. Only for requests that do no harm when carried out twice:
 * reads, an APPEND of entries with the same ids, a SET NX whose nil the caller then resolves. Each repetition is charged.
 *
 * @throws RedisError of the last try.
 */
export const withRepeats =
  (send: Transport, { pausesMs = PAUSES_MS, onRepeat }: RepeatOptions = {}): Transport =>
  async (commands) => {
    for (const pauseMs of pausesMs) {
      try {
        return await send(commands)
      } catch (error) {
        if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
      }
      await sleep(pauseMs)
      onRepeat?.()
    }
    return await send(commands)
  }
