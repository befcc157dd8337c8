import { askBinary, binaryListOf, bytesOf, type BinaryConnection } from '../binary.ts'

/** Keys that one SCAN looks at. */
const KEYS_PER_SCAN = 1_000

/**
 * The keys of a database as bytes, page by page; a key may come twice. Costs 1 command per 1 000 keys. The connection stays
 * at that database.
 */
export async function* scanKeys(connection: BinaryConnection, database: number): AsyncGenerator<readonly Buffer[]> {
  await askBinary(connection, ['SELECT', database])
  let cursor = '0'
  do {
    const [next, keys] = binaryListOf(await askBinary(connection, ['SCAN', cursor, 'COUNT', KEYS_PER_SCAN]))
    cursor = bytesOf(next).toString()
    yield binaryListOf(keys).map(bytesOf)
  } while (cursor !== '0')
}
