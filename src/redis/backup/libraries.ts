import { askBinary, binaryListOf, bytesOf, isRefused, type BinaryConnection, type BinaryValue } from '../binary.ts'
import { BackupError } from './errors.ts'
import { isAtLeast, type ServerFacts } from './server-facts.ts'

/** A library of functions, which servers keep beside their keys since Redis 7. */
export interface Library {
  readonly name: string
  readonly code: Buffer
}

/** The libraries of a server; none where it knows no functions. Costs 1 command from Redis 7 on. */
export async function readLibraries(
  connection: BinaryConnection,
  { version, isUpstash }: Pick<ServerFacts, 'version' | 'isUpstash'>,
): Promise<readonly Library[]> {
  if (isUpstash || !isAtLeast(version, [7, 0])) return []
  return binaryListOf(await askBinary(connection, ['FUNCTION', 'LIST', 'WITHCODE'])).map((library) => ({
    name: bytesOf(fieldOf(library, 'library_name')).toString(),
    code: bytesOf(fieldOf(library, 'library_code')),
  }))
}

/**
 * Adds libraries to a server; one that is there with the same code is left alone. Costs 1 command each, and 1 to look.
 *
 * @throws BackupError `TARGET_CHANGED` when one of that name is there with other code, `BACKUP_UNFIT` for an older server.
 */
export async function loadLibraries(
  connection: BinaryConnection,
  facts: Pick<ServerFacts, 'version' | 'isUpstash'>,
  libraries: readonly Pick<Library, 'code'>[],
): Promise<void> {
  if (libraries.length === 0) return
  if (facts.isUpstash || !isAtLeast(facts.version, [7, 0])) {
    const message =
      'The backup holds functions, which the target does not know. Restore into a Redis from version 7 on.'
    throw new BackupError('BACKUP_UNFIT', message)
  }
  const existing = await readLibraries(connection, facts)
  for (const { code } of libraries) {
    if (existing.some((library) => library.code.equals(code))) continue
    const [reply = null] = await connection.send([['FUNCTION', 'LOAD', code]])
    if (!isRefused(reply)) continue
    if (/already exists/.test(reply.words)) {
      const message =
        'The target holds other functions of the same name: somebody else writes to it. Empty it and begin anew.'
      throw new BackupError('TARGET_CHANGED', message)
    }
    throw reply.error
  }
}

/** A field of a map, which comes as a list of names and values. */
function fieldOf(map: BinaryValue, name: string): BinaryValue {
  const parts = binaryListOf(map)
  const at = parts.findIndex((part, index) => index % 2 === 0 && Buffer.isBuffer(part) && part.toString() === name)
  return parts[at + 1] ?? null
}
