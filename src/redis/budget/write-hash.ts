import { usageKey } from '../keys.ts'
import { type Command, integerOf, type Transport } from '../transport.ts'
import type { Ledger } from './ledgers.ts'

/** Longer than anybody looks back: 400 days. */
const EXPIRY_SECONDS = 400 * 86_400

export interface HashWrite {
  readonly send: Transport
  /** A command whose reply is a number, without its key. */
  readonly words: readonly [name: 'HSET' | 'HSETNX', ...fields: string[]]
}

/** What `writeHash` will cost, by name. */
export const costOfWrite = ({ hasExpiry }: Ledger): Readonly<Record<string, number>> =>
  hasExpiry ? { HSET: 1 } : { HSET: 1, EXPIRE: 1 }

/**
 * Writes to the hash of a ledger's month, and lets it expire where this boot has not done so. Costs 1 command, or 2.
 *
 * @throws RedisError
 */
export async function writeHash(ledger: Ledger, { send, words: [name, ...fields] }: HashWrite): Promise<number> {
  const key = usageKey(ledger.month.name)
  const commands: Command[] = [[name, key, ...fields]]
  if (!ledger.hasExpiry) commands.push(['EXPIRE', key, EXPIRY_SECONDS])
  const [written = null, expiry] = await send(commands)
  const count = integerOf(written)
  if (expiry !== undefined) ledger.hasExpiry = integerOf(expiry) === 1
  return count
}
