import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { askBinary, type BinaryConnection } from '../binary.ts'
import { restoreKey } from '../keys.ts'
import type { Cost } from '../meter.ts'
import { checkRdb, type RdbContent } from './check-rdb.ts'
import { digestOf, type Digest } from './digest.ts'
import { BackupError } from './errors.ts'
import { createBackupFolder, mapped, writeSynced, type BackupFolder } from './folder.ts'
import { interruptibly, withBinary } from './interruption.ts'
import { copyDump, findLocalDump, isContentOf } from './local-dump.ts'
import { writeLogicalDump } from './logical-dump.ts'
import { backupFiles, encodeManifest, MANIFEST_FILE, type Manifest } from './manifest.ts'
import { priceOfDump, type Price } from './price.ts'
import type { ProgramEnv } from './programs.ts'
import { fetchDump } from './replicated-dump.ts'
import { saveDump } from './save.ts'
import { readServerFacts, totalOf, type ServerFacts } from './server-facts.ts'
import { serverTimeMs } from './server-time.ts'

export interface BackUpOptions {
  readonly url: string
  /** Where the backup's folder is made. */
  readonly directory: string
  /** Whether to go on where each key costs commands. */
  readonly apply: boolean
  readonly clock: Clock
  readonly env: ProgramEnv
  /** Orderly's own. */
  readonly version: string
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
  /** Milliseconds that the server may take to save. */
  readonly deadlineMs?: number
}

/** A backup that was written, or what one would cost. */
export type BackUp = { readonly cost: Pick<Cost, 'billed' | 'requests'>; readonly keys: number | null } & (
  | { readonly outcome: 'written'; readonly folder: string; readonly manifest: Manifest; readonly isReplica: boolean }
  | { readonly outcome: 'priced'; readonly price: Price }
)

/**
 * Copies a whole Redis into a new folder: the server's own dump where it hands one over, else every key by DUMP. The folder
 * is complete or not there at all. An own dump costs at most 4 commands, the other way 2 a key.
 *
 * @throws BackupError, RedisError, InterruptedError
 */
export async function backUp(options: BackUpOptions): Promise<BackUp> {
  const { url, signal } = options
  return await interruptibly(
    signal,
    () => 'Interrupted. Nothing was left behind.',
    () =>
      withBinary({ url }, signal, async (connection) => {
        const facts = await readServerFacts(connection)
        const done = await backUpFrom({ ...options, connection, facts })
        return { ...done, cost: connection.cost() }
      }),
  )
}

interface Work extends BackUpOptions {
  readonly connection: BinaryConnection
  readonly facts: ServerFacts
}

/** What stands in the manifest about the file. */
type Filled = Digest & Pick<Manifest, 'kind' | 'keys' | 'expiring' | 'databases'>

async function backUpFrom(work: Work) {
  const { apply, clock, facts, connection, directory } = work
  const keys = totalOf(facts.databases)
  refuseOutOfSync(facts, 'BACKUP_UNFIT')
  if (facts.isUpstash && !apply) return { outcome: 'priced', keys, price: priceOfDump(keys) } as const
  await refuseUnfinishedRestore(connection)
  const startedAtMs = clock()
  const folder = await createBackupFolder(directory, startedAtMs)
  try {
    const filled =
      (facts.isUpstash ? undefined : await fillRdb(work, folder)) ??
      (apply ? await fillLogical(work, folder) : undefined)
    if (filled === undefined) return { outcome: 'priced', keys, price: priceOfDump(keys) } as const
    // It may have lost its primary meanwhile, and thrown its data away to take others.
    if (facts.isReplica) refuseOutOfSync(await readServerFacts(connection), 'BACKUP_FAILED')
    const manifest = manifestOf(work, filled, startedAtMs)
    await mapped(() => writeSynced(join(folder.part, MANIFEST_FILE), encodeManifest(manifest)))
    await folder.complete()
    return {
      outcome: 'written',
      keys: filled.keys,
      folder: folder.final,
      manifest,
      isReplica: facts.isReplica,
    } as const
  } finally {
    await folder.drop()
  }
}

function refuseOutOfSync({ isInSync }: ServerFacts, code: 'BACKUP_UNFIT' | 'BACKUP_FAILED'): void {
  if (isInSync) return
  const message =
    'The server is a replica that has lost its primary or is still getting its data (master_link_status), so that it may hold nothing or what is long gone. Back up the primary, or wait until the link is up.'
  throw new BackupError(code, message)
}

async function refuseUnfinishedRestore(connection: BinaryConnection): Promise<void> {
  if ((await askBinary(connection, ['EXISTS', restoreKey])) === 0) return
  const message =
    'The server holds a restore that is not finished, so a backup of it would be a part only. Finish the restore first.'
  throw new BackupError('BACKUP_UNFIT', message)
}

/** The server's own dump, checked; undefined where it hands none over. */
async function fillRdb(work: Work, folder: BackupFolder): Promise<Filled | undefined> {
  const file = join(folder.part, backupFiles.rdb)
  const copied = await copyLocal(work, folder, file)
  if (copied !== undefined && copied.isOwn) return filledOf(copied.digest, copied.content)
  if (copied !== undefined) await rm(file, { force: true })
  const digest = await replicate(work, folder, file)
  if (digest !== undefined) return filledOf(digest, await mapped(() => checkRdb(file, work)))
  if (copied !== undefined) throw new BackupError('BACKUP_FAILED', FOREIGN)
  return undefined
}

const FOREIGN =
  "The file that the server says it saved to does not hold the server's keys: another server writes to it, or many keys came and went at that moment. Give each server a `dir` of its own, or try again."

const filledOf = (digest: Digest, content: RdbContent | undefined): Filled => ({
  ...digest,
  kind: 'rdb',
  ...(content ?? { keys: null, expiring: null, databases: null }),
})

/** The file that the server saves, and whether it is the server's own as far as can be told. */
async function copyLocal(work: Work, folder: BackupFolder, file: string) {
  const { url, connection, signal } = work
  const from = await findLocalDump(url, work)
  if (from === undefined) return undefined
  const begunAtSeconds = Math.floor((await serverTimeMs(connection)) / 1_000)
  const saved = await saveDump(work)
  if (saved === undefined) return undefined
  const options = { ...saved, begunAtSeconds, needRoom: folder.needRoom, signal }
  const digest = await mapped(() => copyDump(from, file, options))
  if (digest === undefined) return undefined
  const content = await mapped(() => checkRdb(file, work))
  return { digest, content, isOwn: content === undefined || isContentOf(content, saved) }
}

async function replicate(work: Work, folder: BackupFolder, file: string): Promise<Digest | undefined> {
  await folder.needRoom(work.facts.memoryBytes ?? 0)
  const refusal = await fetchDump(work.url, file, work)
  if (refusal === undefined) return await mapped(() => digestOf(file, work.signal))
  await rm(file, { force: true })
  return undefined
}

async function fillLogical(work: Work, folder: BackupFolder): Promise<Filled> {
  // Base64 makes four bytes of three.
  await folder.needRoom(Math.ceil(((work.facts.memoryBytes ?? 0) * 4) / 3))
  const file = join(folder.part, backupFiles.logical)
  const { databases, sha256, bytes } = await mapped(() => writeLogicalDump(file, work))
  const expiring = databases.reduce((sum, one) => sum + one.expiring, 0)
  return { kind: 'logical', sha256, bytes, databases, keys: totalOf(databases), expiring }
}

function manifestOf({ facts, clock, version }: Work, filled: Filled, startedAtMs: number): Manifest {
  const { kind, sha256, bytes, keys, expiring, databases } = filled
  const file = backupFiles[kind]
  const times = { startedAt: isoOf(startedAtMs), finishedAt: isoOf(clock()) }
  const server = { serverVersion: facts.version, memoryBytes: facts.memoryBytes }
  return { format: 1, kind, file, sha256, bytes, keys, expiring, databases, ...server, ...times, orderly: version }
}

const isoOf = (ms: number) => new Date(ms).toISOString()
