import { open, type FileHandle } from 'node:fs/promises'
import { BackupError } from './errors.ts'
import { runProgram, type RunOptions } from './programs.ts'
import { totalOf, type DatabaseCount } from './server-facts.ts'

/** What a dump file holds. */
export interface RdbContent {
  readonly keys: number
  readonly expiring: number
  /** Null where the file does not tell them apart. */
  readonly databases: readonly DatabaseCount[] | null
}

/**
 * Checks a dump file with redis-check-rdb, checksum included; undefined where the program is not installed or older than
 * the file.
 *
 * @throws BackupError `BACKUP_BROKEN` when the file is not intact.
 */
export async function checkRdb(file: string, options: RunOptions): Promise<RdbContent | undefined> {
  const run = await runProgram(['redis-check-rdb', file], options)
  options.signal.throwIfAborted()
  if (run === undefined || run.stdout.includes("Can't handle RDB format version")) return undefined
  const keys = figureIn(run.stdout, /^\[info\] (\d+) keys read$/m)
  const expiring = figureIn(run.stdout, /^\[info\] (\d+) expires$/m)
  if (run.code !== 0 || keys === undefined || expiring === undefined) {
    throw new BackupError('BACKUP_BROKEN', 'redis-check-rdb finds the dump broken. Nothing was left behind. Try again.')
  }
  const databases = await databasesIn(file, run.stdout)
  return { keys, expiring, databases: totalOf(databases) === keys ? databases : null }
}

/**
 * Counts the keys of each database. redis-check-rdb tells at which byte the part of a database begins; there stands how many
 * keys follow (RESIZEDB of the RDB format).
 */
async function databasesIn(file: string, stdout: string): Promise<readonly DatabaseCount[]> {
  const found: DatabaseCount[] = []
  const handle = await open(file, 'r')
  try {
    for (const [, offset, database] of stdout.matchAll(/^\[offset (\d+)\] Selecting DB ID (\d+)$/gm)) {
      const sizes = await readSizes(handle, Number(offset))
      if (sizes !== undefined) found.push({ database: Number(database), ...sizes })
    }
  } finally {
    await handle.close()
  }
  return found
}

const RESIZEDB = 0xfb

async function readSizes(handle: FileHandle, offset: number) {
  const bytes = Buffer.alloc(1 + 9 + 9)
  await handle.read(bytes, 0, bytes.length, offset)
  if (bytes[0] !== RESIZEDB) return undefined
  const keys = readLength(bytes.subarray(1))
  const expiring = readLength(bytes.subarray(1 + keys.bytes))
  return { keys: keys.value, expiring: expiring.value }
}

/** A length as the RDB format writes it: the two highest bits of the first byte say how. */
function readLength(bytes: Buffer): { readonly value: number; readonly bytes: number } {
  const first = bytes.readUInt8(0)
  if (first >> 6 === 0) return { value: first, bytes: 1 }
  if (first >> 6 === 1) return { value: bytes.readUInt16BE(0) & 0x3fff, bytes: 2 }
  if (first === 0x80) return { value: bytes.readUInt32BE(1), bytes: 5 }
  return { value: Number(bytes.readBigUInt64BE(1)), bytes: 9 }
}

function figureIn(text: string, pattern: RegExp): number | undefined {
  const [, figure] = pattern.exec(text) ?? []
  return figure === undefined ? undefined : Number(figure)
}
