import { askBinary, binaryListOf, type BinaryConnection } from '../binary.ts'

/** The server's own clock, in epoch milliseconds. Costs 1 command. */
export async function serverTimeMs(connection: BinaryConnection): Promise<number> {
  const [seconds, micros] = binaryListOf(await askBinary(connection, ['TIME'])).map(Number)
  return (seconds ?? 0) * 1_000 + Math.floor((micros ?? 0) / 1_000)
}
