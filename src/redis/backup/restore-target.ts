import type { Clock } from '../../clock.ts'
import { askBinary, type BinaryConnection } from '../binary.ts'
import { restoreCompareKey } from '../keys.ts'
import { BackupError } from './errors.ts'
import type { ExpiryTally } from './expiry-tally.ts'
import { readLibraries } from './libraries.ts'
import type { Manifest } from './manifest.ts'
import { selectIn } from './restore-entries.ts'
import { dropMark, isMarkOf, keepMark, watchMark } from './restore-mark.ts'
import { readDatabases, readServerFacts, totalOf, type DatabaseCount, type ServerFacts } from './server-facts.ts'
import { serverTimeMs } from './server-time.ts'

/** A server that a backup may be restored into. */
export interface RestoreTarget {
  readonly facts: ServerFacts
  /** Whether an earlier run of the same restore was not finished. */
  readonly isResumed: boolean
  readonly warnings: readonly string[]
}

/**
 * Looks whether a server may be restored into: a primary, and empty, but for what an earlier run of the same restore left.
 * Costs at most 6 commands and changes nothing. The mark is watched from before the keys are counted on.
 *
 * @throws BackupError `BACKUP_UNFIT`, also for one that may drop keys for lack of memory; `TARGET_NOT_EMPTY`; RedisError
 */
export async function judgeTarget(
  connection: BinaryConnection,
  { manifest, clock }: { readonly manifest: Manifest; readonly clock: Clock },
): Promise<RestoreTarget> {
  const facts = await readServerFacts(connection)
  if (facts.isReplica) {
    throw new BackupError(
      'BACKUP_UNFIT',
      'The target is a replica, which takes writes from its primary only. Restore into the primary.',
    )
  }
  await refuseFastClock(connection, { manifest, clock })
  for (const { database } of manifest.databases ?? []) await selectIn(connection, database)
  const mark = await watchMark(connection)
  const isResumed = isMarkOf(mark, manifest)
  if (mayEvict(facts) && !isRoomy(facts, manifest, isResumed)) throw new BackupError('BACKUP_UNFIT', EVICTING)
  const warnings = warningsFor(facts, manifest)
  if (isResumed) return { facts, isResumed, warnings }
  const libraries = await readLibraries(connection, facts)
  if (totalOf(await readDatabases(connection)) > 0 || libraries.length > 0) {
    throw new BackupError('TARGET_NOT_EMPTY', mark === undefined ? NOT_EMPTY : ANOTHER_RESTORE)
  }
  return { facts, isResumed: false, warnings }
}

/** Milliseconds by which our clock may be ahead of the target's. */
const MOST_AHEAD_MS = 60_000

/** What has expired is left out by our own clock, also where the dump is loaded. Costs 1 command if anything expires. */
async function refuseFastClock(
  connection: BinaryConnection,
  { manifest, clock }: { readonly manifest: Manifest; readonly clock: Clock },
): Promise<void> {
  if (manifest.expiring === 0) return
  if (clock() - (await serverTimeMs(connection)) <= MOST_AHEAD_MS) return
  throw new BackupError('BACKUP_UNFIT', AHEAD)
}

const AHEAD =
  "The clock of this machine is more than a minute ahead of the target's, so keys would be left out as expired that are not. Set it right and try again."

/** What a target must hold once everything is in it. */
export interface Expected {
  readonly databases: readonly DatabaseCount[]
  /** Of the keys that were put there. */
  readonly tally: ExpiryTally
  /** By when a key may have expired, in epoch milliseconds. */
  readonly expiredByMs: number
  readonly mark: string
}

/**
 * Compares the number of keys with those of the backup and removes the mark. Costs 5 commands, and 1 for each database of a
 * restore that was resumed.
 *
 * @throws BackupError `TARGET_CHANGED` when they differ by more than what may have expired, or keys were dropped for lack of
 * memory: the mark stays. `TARGET_TAKEN` when the mark is no longer this run's.
 */
export async function finishTarget(
  connection: BinaryConnection,
  { facts, isResumed }: RestoreTarget,
  expected: Expected,
): Promise<readonly DatabaseCount[]> {
  await keepMark(connection, expected.mark)
  if (isResumed) await forgetCompared(connection, expected.databases)
  const now = await readServerFacts(connection)
  if (now.evictedKeys > facts.evictedKeys) throw new BackupError('TARGET_CHANGED', EVICTED)
  const found = withoutMark(now.databases)
  const databases = new Set([...expected.databases, ...found].map(({ database }) => database))
  const isComplete = [...databases].every((database) =>
    isAsExpected(countIn(found, database), expected, facts.isUpstash),
  )
  if (!isComplete) throw new BackupError('TARGET_CHANGED', MISCOUNTED)
  await askBinary(connection, ['SELECT', 0])
  await dropMark(connection)
  return found
}

/** Keys without expiry are all there; of the others those may have gone whose time is over. Upstash does not tell them apart. */
function isAsExpected(found: DatabaseCount, { databases, tally, expiredByMs }: Expected, isUpstash: boolean): boolean {
  const { keys, expiring } = countIn(databases, found.database)
  const later = tally.after(found.database, expiredByMs)
  if (isUpstash) return found.keys >= keys - expiring + later && found.keys <= keys
  return found.keys - found.expiring === keys - expiring && found.expiring >= later && found.expiring <= expiring
}

/** What an earlier run may have left when it was killed while it compared. */
async function forgetCompared(connection: BinaryConnection, databases: readonly DatabaseCount[]): Promise<void> {
  for (const { database } of databases) {
    await askBinary(connection, ['SELECT', database])
    await askBinary(connection, ['UNLINK', restoreCompareKey])
  }
}

const withoutMark = (databases: readonly DatabaseCount[]) =>
  databases.map((one) => (one.database === 0 ? { ...one, keys: one.keys - 1 } : one)).filter(({ keys }) => keys > 0)

const countIn = (databases: readonly DatabaseCount[], database: number): DatabaseCount =>
  databases.find((one) => one.database === database) ?? { database, keys: 0, expiring: 0 }

const mayEvict = ({ limitBytes, evictionPolicy }: ServerFacts): boolean =>
  limitBytes !== null && evictionPolicy !== null && evictionPolicy !== 'noeviction'

/** What a server takes for a key beside its value, at most: its name's place in the tables, and its time of expiry. */
const BYTES_PER_KEY = 150

/** How many times its size a dump may take in memory, where it is not known what it took. */
const UNPACKED = 5

/** Whether the data fits with half as much again to spare: another server may take more for the same. */
function isRoomy({ limitBytes, usedBytes }: ServerFacts, manifest: Manifest, isResumed: boolean): boolean {
  const dataBytes = manifest.memoryBytes ?? UNPACKED * manifest.bytes
  const neededBytes = 1.5 * dataBytes + BYTES_PER_KEY * (manifest.keys ?? 0)
  // A part of the data is there already, nobody knows how much.
  return limitBytes === null || limitBytes >= neededBytes + (isResumed ? 0 : usedBytes)
}

function warningsFor(facts: ServerFacts, manifest: Manifest): readonly string[] {
  const { limitBytes, evictionPolicy, version } = facts
  const { memoryBytes, serverVersion } = manifest
  const isTight = limitBytes !== null && limitBytes < (memoryBytes ?? manifest.bytes)
  return [
    ...(isTight ? [TIGHT] : []),
    ...(mayEvict(facts)
      ? [`maxmemory-policy of the target is ${evictionPolicy}: a full one drops keys. Set noeviction for the restore.`]
      : []),
    ...(Number.parseInt(version) < Number.parseInt(serverVersion)
      ? [
          `The target's version ${version} is older than ${serverVersion}, which wrote the backup, and may refuse its values.`,
        ]
      : []),
  ]
}

const TIGHT =
  'The data took more memory in the server that it comes from than maxmemory allows the target. Give it more; a restore that ends for lack of room can be continued.'

const NOT_EMPTY =
  'The target is not empty, and a restore overwrites nothing. Restore into an empty server (all databases, functions too), then let your programs use that one.'

const ANOTHER_RESTORE =
  'The target holds an unfinished restore of another backup. Finish that one, or empty the target and begin anew.'

const MISCOUNTED =
  'The target does not hold as many keys as the backup: somebody else writes to it. Stop them, empty the target and begin anew.'

const EVICTING =
  'The target drops keys when it is full (its maxmemory-policy is not noeviction), and it may be too small for the data. Set noeviction for the restore, or give it more memory (maxmemory).'

const EVICTED =
  'The target dropped keys for lack of memory while it was restored (evicted_keys). Set its maxmemory-policy to noeviction, give it more memory, and run the same command again: it adds what is missing.'
