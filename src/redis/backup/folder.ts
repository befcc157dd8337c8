import { mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupError } from './errors.ts'

/** A folder that is filled under a name of its own, so that one of the final name is always complete. */
export interface BackupFolder {
  /** Where its files are written. */
  readonly part: string
  /** Where it will be. */
  readonly final: string
  /** @throws BackupError when so many bytes are not free. */
  needRoom(bytes: number): Promise<void>
  /** Puts everything on the disk and gives the folder its name. */
  complete(): Promise<void>
  /** Removes what was written. */
  drop(): Promise<void>
}

/**
 * Makes a folder `orderly-redis-<UTC time>` in `directory`, which is made as well where it is not there yet. Readable by its
 * owner only.
 *
 * @throws BackupError `BACKUP_UNWRITABLE`
 */
export async function createBackupFolder(directory: string, startedAtMs: number): Promise<BackupFolder> {
  const name = `orderly-redis-${new Date(startedAtMs).toISOString().replace(/[-:]|\.\d+/g, '')}`
  const [final, part] = [join(directory, name), join(directory, `.${name}.part`)]
  await mapped(async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await mkdir(part, { mode: 0o700 }).catch(async (error: unknown) => {
      throw (await exists(part)) ? new BackupError('BACKUP_UNWRITABLE', BEGUN, { cause: error }) : error
    })
  })
  return {
    part,
    final,
    needRoom: async (bytes) => {
      const { bavail, bsize } = await mapped(() => statfs(part))
      if (bavail * bsize < bytes) throw new BackupError('BACKUP_UNWRITABLE', tooSmall(bytes, bavail * bsize))
    },
    complete: () =>
      mapped(async () => {
        if (await exists(final))
          throw new BackupError('BACKUP_UNWRITABLE', `${name} is there already. Try again in a second.`)
        await sync(part)
        await rename(part, final)
        await sync(dirname(final))
      }),
    drop: () => rm(part, { recursive: true, force: true }).catch(() => undefined),
  }
}

/** Runs work on files; a failure of the system becomes a text that says what to do. @throws BackupError `BACKUP_UNWRITABLE` */
export async function mapped<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw writeFailure(error)
  }
}

/** Writes a small file for good. */
export async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Puts a file or folder on the disk. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function writeFailure(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error
  const [code, options] = [String(error.code), { cause: error }]
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  const message = isFull
    ? `There is no room left for the backup (${code}). Nothing was left behind. Free some, or choose another folder.`
    : `The backup's folder cannot be written (${code}). Check that it is a folder and whose it is, or choose another one.`
  return new BackupError('BACKUP_UNWRITABLE', message, options)
}

const tooSmall = (needed: number, free: number) =>
  `The backup may take ${megabytes(needed)}, but only ${megabytes(free)} are free there. Free some, or choose another folder.`

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`

const BEGUN = 'Another backup into this folder was begun in the same second. Try again in a second.'

const exists = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined
