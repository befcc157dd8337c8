import { createWriteStream } from 'node:fs'
import { access, constants, open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { addressOf } from '../address.ts'
import { isRefused, type BinaryConnection, type BinaryReply } from '../binary.ts'
import { createDigest, type Digest } from './digest.ts'
import type { RdbContent } from './check-rdb.ts'
import { BackupError } from './errors.ts'
import type { Saved } from './save.ts'
import { totalOf, type DatabaseCount, type ServerFacts } from './server-facts.ts'

/** Seconds between the last byte of a dump and the moment at which the server counts it as saved: it flushes in between. */
const FLUSH_SECONDS = 30

/**
 * The path of the server's dump file where it can be read here; undefined where the server's process is not found at work in
 * that folder of this machine (an address of this machine may lead to another one), or it is not readable. Costs nothing.
 */
export async function findLocalDump(
  url: string,
  { connection, facts }: { readonly connection: BinaryConnection; readonly facts: Pick<ServerFacts, 'processId'> },
): Promise<string | undefined> {
  if (!/^(127(\.\d{1,3}){3}|localhost|::1)$/i.test(addressOf(url).host)) return undefined
  const replies = await connection.send([
    ['CONFIG', 'GET', 'dir'],
    ['CONFIG', 'GET', 'dbfilename'],
  ])
  const [directory, name] = replies.map(settingIn)
  if (directory === undefined || name === undefined || !isAbsolute(directory) || name.includes('/')) return undefined
  const isReadable = await access(directory, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  return isReadable && (await isAtWorkIn(directory, facts.processId)) ? join(directory, name) : undefined
}

/** Whether a process of that number is on this machine and has that folder as its own, as every redis-server its `dir`. */
async function isAtWorkIn(directory: string, processId: number | null): Promise<boolean> {
  if (processId === null) return false
  try {
    return (await readlink(`/proc/${processId}/cwd`)) === (await realpath(directory))
  } catch {
    return false
  }
}

/** Whether a file holds as many keys of each database as the server that saved it: another one may write to the same file. */
export function isContentOf(
  { keys, databases }: RdbContent,
  { before, after }: Pick<Saved, 'before' | 'after'>,
): boolean {
  if (databases === null) return isBetween(keys, totalOf(before), totalOf(after))
  const names = new Set([...databases, ...before, ...after].map(({ database }) => database))
  return [...names].every((database) =>
    isBetween(keysIn(databases, database), keysIn(before, database), keysIn(after, database)),
  )
}

const keysIn = (databases: readonly DatabaseCount[], database: number) =>
  databases.find((one) => one.database === database)?.keys ?? 0

const isBetween = (figure: number, one: number, other: number) =>
  figure >= Math.min(one, other) && figure <= Math.max(one, other)

export interface CopyOptions {
  /** When our save began and ended, in epoch seconds of the server. */
  readonly begunAtSeconds: number
  readonly savedAtSeconds: number
  readonly needRoom: (bytes: number) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Copies a dump file for its owner's eyes only; undefined where it is not the file that the server has just written, for an
 * address of this machine may lead to another one.
 *
 * @throws BackupError, InterruptedError, and what the system says.
 */
export async function copyDump(from: string, to: string, options: CopyOptions): Promise<Digest | undefined> {
  // The open file stays the same when the server saves again: it renames a new one over it.
  const handle = await open(from, 'r').catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    const { size, mtimeMs } = await handle.stat()
    const writtenAtSeconds = Math.floor(mtimeMs / 1_000)
    const { begunAtSeconds, savedAtSeconds } = options
    // One second of room, for the clock of files is coarser than the other.
    const isFresh = writtenAtSeconds >= begunAtSeconds - 1 && writtenAtSeconds <= savedAtSeconds + 1
    if (!isFresh || savedAtSeconds - writtenAtSeconds > FLUSH_SECONDS) return undefined
    await options.needRoom(size)
    return await copy(handle, to, { size, signal: options.signal })
  } finally {
    await handle.close()
  }
}

async function copy(
  from: FileHandle,
  to: string,
  { size, signal }: { readonly size: number; readonly signal: AbortSignal },
) {
  const digest = createDigest()
  const target = createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true })
  await pipeline(from.createReadStream({ autoClose: false }), digest.pass, target, { signal })
  const written = digest.end()
  if (written.bytes !== size) {
    throw new BackupError('BACKUP_FAILED', "The server's dump file changed while it was copied. Try again.")
  }
  return written
}

/** The value of a CONFIG GET of one name; undefined where it was refused. */
function settingIn(reply: BinaryReply): string | undefined {
  if (isRefused(reply) || !Array.isArray(reply)) return undefined
  const [, value] = reply
  return Buffer.isBuffer(value) ? value.toString() : undefined
}
