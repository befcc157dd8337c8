import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from './digest.ts'
import { BackupError } from './errors.ts'
import { MANIFEST_FILE, parseManifest, type Manifest } from './manifest.ts'

/** A backup whose file is the one that its manifest names. */
export interface Backup {
  readonly file: string
  readonly manifest: Manifest
}

/** Characters that a manifest has at most: a database takes about 60. */
const MOST_MANIFEST_BYTES = 1_000_000

/** Reads and verifies a backup, checksum included. @throws BackupError `BACKUP_BROKEN`, and AbortError */
export async function readBackup(folder: string, signal: AbortSignal): Promise<Backup> {
  const manifest = parseManifest(await readSmall(join(folder, MANIFEST_FILE), signal))
  const file = join(folder, manifest.file)
  const found = await readable(file, signal, () => digestOf(file, signal))
  if (found.bytes !== manifest.bytes || found.sha256 !== manifest.sha256) {
    const message = `${manifest.file} is not the file that ${MANIFEST_FILE} describes: it was changed or not copied whole. Use another backup.`
    throw new BackupError('BACKUP_BROKEN', message)
  }
  return { file, manifest }
}

const readSmall = async (file: string, signal: AbortSignal): Promise<string> =>
  await readable(file, signal, async (size) =>
    size > MOST_MANIFEST_BYTES ? '' : await readFile(file, { encoding: 'utf8', signal }),
  )

/** Reads a file, and nothing that would wait for somebody to write to it. */
async function readable<Result>(
  file: string,
  signal: AbortSignal,
  read: (size: number) => Promise<Result>,
): Promise<Result> {
  try {
    const found = await stat(file)
    if (!found.isFile()) throw unreadable(undefined)
    return await read(found.size)
  } catch (error) {
    signal.throwIfAborted()
    throw unreadable(error)
  }
}

const unreadable = (error: unknown) =>
  new BackupError(
    'BACKUP_BROKEN',
    `There is no readable backup: ${MANIFEST_FILE} and the file that it names must both be there. Give the folder that \`orderly redis backup\` named.`,
    { cause: error },
  )
