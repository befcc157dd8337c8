import type { Clock } from '../../clock.ts'
import { askBinary, type BinaryConnection } from '../binary.ts'
import { restoreKey } from '../keys.ts'
import type { Cost } from '../meter.ts'
import { createExpiry } from './dump-keys.ts'
import type { Entry } from './entries.ts'
import { BackupError } from './errors.ts'
import { createExpiryTally } from './expiry-tally.ts'
import { interruptibly, withBinary } from './interruption.ts'
import { loadLibraries, readLibraries, type Library } from './libraries.ts'
import { loadedEntries } from './loaded-entries.ts'
import { entriesIn, librariesIn } from './logical-file.ts'
import type { Manifest } from './manifest.ts'
import { startPrivateServer } from './private-server.ts'
import type { ProgramEnv } from './programs.ts'
import { readBackup, type Backup } from './read-backup.ts'
import { restoreEntries, type Counts } from './restore-entries.ts'
import { keepMark, markOf, setMark } from './restore-mark.ts'
import { finishTarget, judgeTarget, type RestoreTarget } from './restore-target.ts'
import { readServerFacts, totalOf, type DatabaseCount } from './server-facts.ts'
import { serverTimeMs } from './server-time.ts'

export interface RestoreOptions {
  /** The folder of the backup. */
  readonly backup: string
  readonly url: string
  /** Whether to restore, rather than to tell what that would do. */
  readonly apply: boolean
  readonly clock: Clock
  readonly env: ProgramEnv
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
  /** Counted up while it goes on, so that they hold also when it fails. */
  readonly counts: Counts
  /** Told once the target is marked: from then on a run that ends early can be continued. */
  readonly onBegun: () => void
}

/** What a restore came to, or would do. */
export interface Restored {
  readonly outcome: 'restored' | 'planned'
  readonly manifest: Manifest
  readonly target: RestoreTarget
  /** Keys in the target afterwards; null where nothing was done. */
  readonly databases: readonly DatabaseCount[] | null
  readonly cost: Pick<Cost, 'billed' | 'requests'>
}

/**
 * Copies a backup into an empty server that it reaches by its address only, and overwrites nothing. A run that ended early
 * is continued by the next one, which takes it over from one that still runs. Costs 1 command a key, 4 for each batch of up to
 * 500 keys or 1 MB and about 20 more; when resumed 3 for each key that is there already.
 *
 * @throws BackupError, RedisError, InterruptedError
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { url, signal, counts } = options
  const interrupted = () =>
    counts.restored + counts.existing === 0
      ? 'Interrupted before the first key was restored.'
      : `Interrupted after ${counts.restored + counts.existing} keys. They stay in the target.`
  return await interruptibly(signal, interrupted, async () => {
    const { file, manifest } = await readBackup(options.backup, signal)
    const planned = await withBinary({ url }, signal, async (connection) => {
      const target = await judgeTarget(connection, { manifest, clock: options.clock })
      return { outcome: 'planned', manifest, target, databases: null, cost: connection.cost() } as const
    })
    if (!options.apply) return planned
    return await withContent({ ...options, file, manifest }, async (content) => {
      // A connection of its own: to load a dump can take longer than a server keeps one that is silent.
      return await withBinary({ url }, signal, async (connection) => {
        const target = await judgeTarget(connection, { manifest, clock: options.clock })
        const databases = await fill(connection, { ...options, ...content, manifest, target })
        return { outcome: 'restored', manifest, target, databases, cost: sum(planned.cost, connection.cost()) } as const
      })
    })
  })
}

const sum = (one: Restored['cost'], other: Restored['cost']) => ({
  billed: one.billed + other.billed,
  requests: one.requests + other.requests,
})

/** What a backup holds, ready to be read. */
interface Content {
  readonly entries: AsyncIterable<Entry>
  readonly libraries: readonly Pick<Library, 'code'>[]
  /** Those that are left of it: what expired before it was loaded is not among them. */
  readonly databases: readonly DatabaseCount[]
}

interface Work extends RestoreOptions, Content {
  readonly manifest: Manifest
  readonly target: RestoreTarget
}

async function fill(connection: BinaryConnection, work: Work): Promise<readonly DatabaseCount[]> {
  const mark = markOf(work.manifest)
  await setMark(connection, mark)
  work.onBegun()
  try {
    return await fillMarked(connection, { ...work, mark })
  } catch (error) {
    // What looks like somebody else's writes may be those of a run that has taken over, or of programs after its end.
    if (error instanceof BackupError && error.code === 'TARGET_CHANGED') await keepMark(connection, mark)
    throw error
  }
}

async function fillMarked(
  connection: BinaryConnection,
  work: Work & { readonly mark: string },
): Promise<readonly DatabaseCount[]> {
  const { target, manifest, counts, clock, signal, entries, libraries, databases, mark } = work
  const { facts, isResumed } = target
  const total = totalOf(databases)
  await loadLibraries(connection, facts, libraries)
  const expiry = await createExpiry(connection, { facts, clock })
  const tally = createExpiryTally()
  const onProgress = () => work.onProgress(`${counts.restored + counts.existing} of ${total} keys restored`)
  await restoreEntries(entries, { connection, expiry, clock, signal, counts, mark, isResumed, tally, onProgress })
  // Keys expire by the target's clock, and we left out those that had by ours.
  const expiredByMs = Math.max(clock(), await serverTimeMs(connection)) + expiry.toleranceMs
  const found = await finishTarget(connection, target, { databases, tally, expiredByMs, mark })
  counts.expired = Math.max(counts.expired, (manifest.keys ?? total) - totalOf(found))
  return found
}

async function withContent<Result>(
  { file, manifest, signal, clock, env, onProgress }: RestoreOptions & Backup,
  use: (content: Content) => Promise<Result>,
): Promise<Result> {
  if (manifest.kind === 'logical') {
    const databases = manifest.databases ?? []
    return await use({ entries: entriesIn(file), libraries: await librariesIn(file), databases })
  }
  onProgress('loading the dump into a server of its own')
  const server = await startPrivateServer(file, { env, signal })
  try {
    return await withBinary({ path: server.path }, signal, async (connection) => {
      await refuseMarked(connection)
      const facts = await readServerFacts(connection)
      const libraries = await readLibraries(connection, facts)
      return await use({ entries: loadedEntries(connection, { facts, clock }), libraries, databases: facts.databases })
    })
  } finally {
    await server.stop()
  }
}

async function refuseMarked(connection: BinaryConnection): Promise<void> {
  if ((await askBinary(connection, ['EXISTS', restoreKey])) === 0) return
  const message = 'The dump was made while its server was being restored, so it is a part only. Use another backup.'
  throw new BackupError('BACKUP_BROKEN', message)
}
