import type { Clock } from '../../clock.ts'
import { binaryValueOf, type BinaryConnection } from '../binary.ts'
import type { Entry } from './entries.ts'
import { isAtLeast, type ServerFacts } from './server-facts.ts'
import { serverTimeMs } from './server-time.ts'

/** How a server tells when a key expires. */
export interface Expiry {
  readonly command: 'PEXPIRETIME' | 'PTTL'
  /** Epoch milliseconds; undefined for a key that stays. */
  readonly atMs: (reply: number) => number | undefined
  /** How far two such times of the same instant may lie apart. */
  readonly toleranceMs: number
}

/** Redis 7 tells the instant, for no further command; others the remaining time, which counts by their clock: 1 command. */
export async function createExpiry(
  connection: BinaryConnection,
  { facts, clock }: { readonly facts: Pick<ServerFacts, 'version' | 'isUpstash'>; readonly clock: Clock },
): Promise<Expiry> {
  if (!facts.isUpstash && isAtLeast(facts.version, [7, 0])) {
    return { command: 'PEXPIRETIME', atMs: (reply) => (reply < 0 ? undefined : reply), toleranceMs: 0 }
  }
  const aheadMs = (await serverTimeMs(connection)) - clock()
  return {
    command: 'PTTL',
    atMs: (reply) => (reply < 0 ? undefined : clock() + aheadMs + reply),
    toleranceMs: 60_000,
  }
}

/** Reads keys of the database that the connection is at; those that have gone are left out. Costs 2 commands a key. */
export async function dumpKeys(
  connection: BinaryConnection,
  keys: readonly Buffer[],
  { database, expiry }: { readonly database: number; readonly expiry: Expiry },
): Promise<readonly Entry[]> {
  const replies = await connection.send(
    keys.flatMap((key) => [
      ['DUMP', key],
      [expiry.command, key],
    ]),
  )
  return keys.flatMap((key, at) => {
    const payload = binaryValueOf(replies[2 * at] ?? null)
    const expires = Number(binaryValueOf(replies[2 * at + 1] ?? GONE))
    // A key that goes between the two replies may have left its value without its time.
    return Buffer.isBuffer(payload) && expires !== GONE
      ? [{ database, key, payload, expiresAtMs: expiry.atMs(expires) }]
      : []
  })
}

/** What both commands answer for a key that is not there. */
const GONE = -2
