import type { Clock } from '../clock.ts'
import { isRedisError, type RedisError } from '../errors.ts'
import type { Lease } from '../redis/lock.ts'
import { worstCost, type Account } from '../redis/meter.ts'
import type { Transport } from '../redis/transport.ts'

/** Why a run must not go on. */
export type StopReason = 'cap' | 'interrupted' | 'lease'

/** Thrown between two requests of a sweep that must end early. Nothing is half done: the next run completes it. */
export class SweepStopped extends Error {
  override readonly name = 'SweepStopped'
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(reason)
    this.reason = reason
  }
}

/** Milliseconds after which a run renews its lease. */
const RENEW_AFTER_MS = 60_000

/** With less than this left, a request sent now could still be under way when the lease ends. */
const LEAST_LEFT_MS = 20_000

export interface GuardOptions {
  readonly account: Account
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** Billed commands that the whole run may spend. */
  readonly maxCommands: number
  /** Billed commands kept back for ending the run in order (record and release). */
  readonly reserve: number
  /** Undefined for a run without a lock. */
  readonly lease: Lease | undefined
}

/** The transport of a running sweep, which stops it at the next request when it must not go on. */
export interface Guard {
  readonly send: Transport
  /** Billed commands that may still be spent. */
  left(): number
}

/**
 * Looks, before each request, for an interruption, the cap and the lease; renews the lease each minute (1 command).
 *
 * @throws SweepStopped from `send`, before anything is sent.
 */
export function createGuard({ account, clock, signal, maxCommands, reserve, lease }: GuardOptions): Guard {
  const left = () => maxCommands - reserve - account.cost().billed
  let renewedAtMs = clock()
  let limit: RedisError | undefined

  /** Remembers the provider's limit: a page that was asked for ahead may meet it while other work goes on. */
  const noteLimit = (answer: unknown) => {
    if (isRedisError(answer, 'REDIS_LIMIT')) limit ??= answer
  }

  const keepLease = async (held: Lease) => {
    if (held.leftMs() < LEAST_LEFT_MS) throw new SweepStopped('lease')
    if (clock() - renewedAtMs < RENEW_AFTER_MS) return
    if (left() < 1) throw new SweepStopped('cap')
    const before = renewedAtMs
    renewedAtMs = clock()
    try {
      if (!(await held.renew())) throw new SweepStopped('lease')
    } catch (error) {
      // Without an answer the next request tries again, as long as enough of the lease is left.
      if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
      renewedAtMs = before
    }
  }

  return {
    left,
    send: async (commands) => {
      if (limit !== undefined) throw limit
      if (signal?.aborted === true) throw new SweepStopped('interrupted')
      if (lease !== undefined) await keepLease(lease)
      if (worstCost(commands) > left()) throw new SweepStopped('cap')
      try {
        const replies = await account.send(commands)
        replies.forEach(noteLimit)
        return replies
      } catch (error) {
        noteLimit(error)
        throw error
      }
    },
  }
}
