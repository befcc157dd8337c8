import { isRedisError } from '../../errors.ts'
import { isBilled } from '../meter.ts'
import type { Transport } from '../transport.ts'

/** A transport that remembers whether the provider refuses commands because the month's limit is reached. */
export interface LimitWatch {
  readonly send: Transport
  /** True from the first refusal on, until a billed command is carried out again. */
  isReached(): boolean
}

/**
 * Watches what goes through a transport anyway; asks nothing itself. `onReached` is told of each change from carried out to
 * refused: whoever begins while commands are refused has no news, for somebody else was there before.
 */
export function watchLimit(send: Transport, onReached: () => void): LimitWatch {
  let [isReached, isCarryingOut] = [false, false]
  const note = (isRefused: boolean) => {
    const isNews = isRefused && isCarryingOut
    isReached = isRefused
    isCarryingOut = !isRefused
    if (isNews) onReached()
  }
  return {
    isReached: () => isReached,
    send: async (commands) => {
      try {
        const replies = await send(commands)
        // What is free may be answered beyond the limit too, and another refusal says nothing of it.
        const isCarriedOut = commands.some(([name], at) => isBilled(name) && !isRedisError(replies[at]))
        if (replies.some((reply) => isRedisError(reply, 'REDIS_LIMIT'))) note(true)
        else if (isCarriedOut) note(false)
        return replies
      } catch (error) {
        if (isRedisError(error, 'REDIS_LIMIT')) note(true)
        throw error
      }
    },
  }
}
