import type { Clock } from '../clock.ts'
import { isRedisError, type RedisError } from '../errors.ts'
import type { Lease } from '../redis/lock.ts'
import { worstCost, type Account } from '../redis/meter.ts'
import type { Transport } from '../redis/transport.ts'

/** Why a run must not go on. */
export type StopReason = 'cap' | 'interrupted' | 'lease' | 'locked-out' | 'unreachable'

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

/** Milliseconds between two looks at the lease during long work that sends nothing. */
const LOOK_EVERY_MS = 10_000

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
  /** Whether the run may go on when Redis cannot renew the lease, for another lock keeps others out. @default false */
  readonly canLoseLease?: boolean
}

/** The transport of a running sweep, which stops it at the next request when it must not go on. */
export interface Guard {
  readonly send: Transport
  /** The same look as before a request, for work that sends none. */
  goOn(): Promise<void>
  /** Waits for such work and keeps the lease meanwhile; the next look tells whether that went well. */
  during<Result>(work: Promise<Result>): Promise<Result>
  /** Billed commands that may still be spent. */
  left(): number
}

/**
 * Looks, before each request, for an interruption, the cap and the lease; renews the lease each minute (1 command).
 *
 * @throws SweepStopped from `send` and `goOn`, before anything is sent.
 */
export function createGuard(options: GuardOptions): Guard {
  const { account, clock, signal, maxCommands, reserve, canLoseLease = false } = options
  let { lease } = options
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
      if (canLoseLease && isRedisError(error)) lease = undefined
      // Without an answer the next request tries again, as long as enough of the lease is left.
      else if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
      renewedAtMs = before
    }
  }

  const goOn = async () => {
    if (signal?.aborted === true) throw new SweepStopped('interrupted')
    if (lease !== undefined) await keepLease(lease)
  }

  return {
    left,
    goOn,
    during: async (work) => {
      const timer = setInterval(() => void goOn().catch(() => undefined), LOOK_EVERY_MS).unref()
      try {
        return await work
      } finally {
        clearInterval(timer)
      }
    },
    send: async (commands) => {
      if (limit !== undefined) throw limit
      await goOn()
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
