import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { withRepeats } from './repeat.ts'
import { evalCommand, releaseLock } from './scripts.ts'
import { ask, integerOf, optionalTextOf, type Transport } from './transport.ts'

/** Seconds a lease lasts unless it is renewed: the longest that a crash can hold others up. */
export const LEASE_SECONDS = 120

/** A lock that is ours until the lease ends. */
export interface Lease {
  /** Milliseconds left by our own clock, counted from before the request that granted them. */
  leftMs(): number
  /**
   * Extends the lease to its full length. Costs 1 command. Only to be called while it is surely ours: a plain EXPIRE that
   * arrives late can then at worst prolong somebody else's lease, never take it over.
   *
   * @returns false when the lock has gone.
   */
  renew(): Promise<boolean>
  /** Gives the lock back if it is still ours. Costs 3 commands. */
  release(): Promise<void>
}

/** A taken lock is an expected outcome, not an error. */
export type Attempt =
  | { readonly held: true; readonly lease: Lease }
  /** `holder` is what the other one said of itself; undefined when it let go in between. */
  | { readonly held: false; readonly holder: string | undefined }

export interface LockOptions {
  readonly clock: Clock
  /** Who asks, in words for people: shown to whoever is refused meanwhile. No secrets. */
  readonly holder: string
  readonly leaseSeconds?: number
}

/**
 * Takes a lock or says who holds it. Costs 1 command, 2 when it is taken or when the first answer was lost (a repeated
 * SET NX whose nil is our own first try).
 *
 * @throws RedisError when Redis did not answer or refused; the lock, if it was taken after all, expires by itself.
 */
export async function tryLock(send: Transport, key: string, options: LockOptions): Promise<Attempt> {
  const { clock, holder, leaseSeconds = LEASE_SECONDS } = options
  const value = `${randomUUID()} ${holder}`
  // The lease counts from before the first try: that one may have taken the lock although its answer was lost.
  const askedAtMs = clock()
  const reply = await ask(withRepeats(send), ['SET', key, value, 'NX', 'EX', leaseSeconds])
  if (reply === null) {
    const current = optionalTextOf(await ask(withRepeats(send), ['GET', key]))
    if (current !== value) return { held: false, holder: current && holderOf(current) }
  }
  return { held: true, lease: createLease(send, key, { value, clock, leaseSeconds, askedAtMs }) }
}

/** What a lock's value says of its holder: text of the store, so without anything that could steer a terminal. */
const holderOf = (value: string) =>
  value
    .slice(value.indexOf(' ') + 1)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .slice(0, 200)

interface LeaseFacts {
  readonly value: string
  readonly clock: Clock
  readonly leaseSeconds: number
  readonly askedAtMs: number
}

function createLease(send: Transport, key: string, { value, clock, leaseSeconds, askedAtMs }: LeaseFacts): Lease {
  let endsAtMs = askedAtMs + leaseSeconds * 1_000
  return {
    leftMs: () => endsAtMs - clock(),
    renew: async () => {
      const renewedAtMs = clock()
      const renewed = integerOf(await ask(send, ['EXPIRE', key, leaseSeconds])) === 1
      if (renewed) endsAtMs = renewedAtMs + leaseSeconds * 1_000
      return renewed
    },
    release: async () => {
      await ask(send, evalCommand(releaseLock, key, value))
    },
  }
}
