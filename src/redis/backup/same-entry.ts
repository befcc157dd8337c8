import { askBinary, binaryListOf, bytesOf, isRefused, type BinaryConnection, type BinaryValue } from '../binary.ts'
import { restoreCompareKey } from '../keys.ts'
import type { Expiry } from './dump-keys.ts'
import type { Entry } from './entries.ts'

/** How a key of the target compares with that of the backup. */
export type Comparison = 'same' | 'different' | 'gone'

/** Milliseconds after which a value that was put there to be compared goes by itself. */
const COMPARE_MS = 60_000

/**
 * Compares keys of the database that the connection is at with those of a backup, time of expiry included. Costs 2 commands
 * a key, at most 9 where the bytes of DUMP differ: one value may be written in several ways.
 */
export async function compareEntries(
  connection: BinaryConnection,
  entries: readonly Entry[],
  expiry: Expiry,
): Promise<readonly Comparison[]> {
  const replies = await connection.send(
    entries.flatMap(({ key }) => [
      ['DUMP', key],
      [expiry.command, key],
    ]),
  )
  const found: Comparison[] = []
  // One after another, for they share one key to compare with.
  for (const [at, entry] of entries.entries()) {
    const [payload, expires] = [replies[2 * at], replies[2 * at + 1]]
    if (isRefused(payload)) throw payload.error
    if (!Buffer.isBuffer(payload)) found.push('gone')
    else if (!isSameTime(expiry.atMs(Number(expires)), entry.expiresAtMs, expiry)) found.push('different')
    else if (payload.equals(entry.payload) || (await isSameValue(connection, entry))) found.push('same')
    else found.push('different')
  }
  return found
}

function isSameTime(one: number | undefined, other: number | undefined, { toleranceMs }: Expiry): boolean {
  if (one === undefined || other === undefined) return one === other
  return Math.abs(one - other) <= toleranceMs
}

async function isSameValue(connection: BinaryConnection, { key, payload }: Entry): Promise<boolean> {
  const [, restored, type, otherType, dump, other] = await connection.send([
    ['UNLINK', restoreCompareKey],
    ['RESTORE', restoreCompareKey, COMPARE_MS, payload],
    ['TYPE', restoreCompareKey],
    ['TYPE', key],
    ['DUMP', restoreCompareKey],
    ['DUMP', key],
  ])
  if (isRefused(restored)) throw restored.error
  try {
    const name = bytesOf(type).toString()
    if (name !== bytesOf(otherType).toString()) return false
    if (Buffer.isBuffer(dump) && Buffer.isBuffer(other) && dump.equals(other)) return true
    return await isSameUnordered(connection, name, key)
  } finally {
    await askBinary(connection, ['UNLINK', restoreCompareKey])
  }
}

/** Sets and hashes have no order, so that two servers write the same one in two ways. Of all others DUMP is the proof. */
async function isSameUnordered(connection: BinaryConnection, type: string, key: Buffer): Promise<boolean> {
  if (type !== 'set' && type !== 'hash') return false
  const command = type === 'set' ? 'SMEMBERS' : 'HGETALL'
  const [one, other] = await connection.send([
    [command, restoreCompareKey],
    [command, key],
  ])
  const width = type === 'set' ? 1 : 2
  const [some, others] = [one, other].map((reply) => sortedRows(binaryListOf(reply), width))
  return (
    some !== undefined &&
    others !== undefined &&
    some.length === others.length &&
    some.every((row, at) => row === others[at])
  )
}

function sortedRows(values: readonly BinaryValue[], width: number): readonly string[] {
  const rows = Array.from({ length: values.length / width }, (_, at) =>
    // The length first, so that no two rows of different fields read the same.
    values
      .slice(at * width, (at + 1) * width)
      .map((value) => (Buffer.isBuffer(value) ? `${value.length}:${value.toString('latin1')}` : ''))
      .join(''),
  )
  return rows.toSorted()
}
