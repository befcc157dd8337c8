import type { Clock } from '../../clock.ts'
import { isRedisError, RedisError } from '../../errors.ts'
import { isRefused, type BinaryCommand, type BinaryConnection, type BinaryReply, type Refused } from '../binary.ts'
import { restoreCompareKey, restoreKey } from '../keys.ts'
import type { Expiry } from './dump-keys.ts'
import { batchesOf, type Entry } from './entries.ts'
import { BackupError } from './errors.ts'
import type { ExpiryTally } from './expiry-tally.ts'
import { keepMark, takenOver } from './restore-mark.ts'
import { compareEntries } from './same-entry.ts'

/** What has become of the keys of a backup so far. */
export interface Counts {
  /** Put into the target by this run. */
  restored: number
  /** In the target already, the same. */
  existing: number
  /** Not restored, for their time is over. */
  expired: number
}

export interface RestoreEntriesOptions {
  readonly connection: BinaryConnection
  readonly expiry: Expiry
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Counted up while it goes on. */
  readonly counts: Counts
  /** The mark of this run: nothing is restored under another one. */
  readonly mark: string
  /** Whether an earlier run may have restored some. */
  readonly isResumed: boolean
  /** What was put or found there is added to it. */
  readonly tally: ExpiryTally
  readonly onProgress: () => void
}

/**
 * Puts entries into the target, each with its time of expiry, and overwrites nothing. Costs 1 command a key, more for those
 * that are there already, and 4 for each batch of up to 500 keys or 1 MB.
 *
 * @throws BackupError `TARGET_CHANGED` when one of another value is there, `TARGET_TAKEN` when the mark is no longer this
 * run's; RedisError, `REDIS_FULL` among them.
 */
export async function restoreEntries(entries: AsyncIterable<Entry>, options: RestoreEntriesOptions): Promise<void> {
  const { connection, signal, clock, counts, onProgress } = options
  const mostBytes = await mostBytesOf(connection)
  for await (const batch of batchesOf(entries, ({ payload }) => payload.length)) {
    for (const part of byDatabase(batch)) {
      signal.throwIfAborted()
      const alive = part.filter(({ expiresAtMs }) => expiresAtMs === undefined || expiresAtMs > clock())
      counts.expired += part.length - alive.length
      if (alive.some(({ payload }) => payload.length > mostBytes)) throw tooLarge()
      await restoreBatch(alive.filter(isWanted), options)
      onProgress()
    }
  }
}

/**
 * The longest word that a server takes, in bytes, where it tells. Asked beforehand, because a server closes the connection on
 * a longer one, and its reason may be lost with what was still on its way. Free of charge.
 */
async function mostBytesOf(connection: BinaryConnection): Promise<number> {
  const [reply] = await connection.send([['CONFIG', 'GET', 'proto-max-bulk-len']])
  if (!Array.isArray(reply)) return Infinity
  const [, bytes] = reply.map(String)
  return /^[1-9]\d{0,15}$/.test(bytes ?? '') ? Number(bytes) : Infinity
}

/** Our own marks, which a dump of a target that was never finished may hold. */
const isWanted = ({ key }: Entry) => !OWN.has(key.toString('latin1'))
const OWN = new Set([restoreKey, restoreCompareKey])

/** Entries of one database, all in one transaction that comes to nothing where the mark is no longer ours. */
async function restoreBatch(entries: readonly Entry[], options: RestoreEntriesOptions): Promise<void> {
  const { connection, counts, mark, tally } = options
  const [first] = entries
  if (first === undefined) return
  await keepMark(connection, mark)
  await selectIn(connection, first.database)
  const replies = await transact(connection, entries.map(restoring))
  const taken: Entry[] = []
  let refused: Refused | undefined
  for (const [at, entry] of entries.entries()) {
    const reply = replies[at]
    if (!isRefused(reply)) {
      counts.restored += 1
      tally.add(entry)
    } else if (reply.words.startsWith('BUSYKEY')) taken.push(entry)
    else refused ??= reply
  }
  if (refused !== undefined) throw refusalOf(refused)
  await compare(taken, options)
}

const restoring = ({ key, payload, expiresAtMs }: Entry): BinaryCommand =>
  expiresAtMs === undefined ? ['RESTORE', key, 0, payload] : ['RESTORE', key, expiresAtMs, payload, 'ABSTTL']

async function transact(connection: BinaryConnection, commands: readonly BinaryCommand[]) {
  let replies: readonly BinaryReply[] | undefined
  try {
    replies = await connection.transact(commands)
  } catch (error) {
    if (isRedisError(error, 'REDIS_FULL')) throw full()
    throw isRedisError(error) && error.message.includes('Protocol error') ? tooLarge() : error
  }
  if (replies === undefined) throw takenOver()
  return replies
}

async function compare(
  entries: readonly Entry[],
  { connection, expiry, clock, counts, isResumed, tally }: RestoreEntriesOptions,
): Promise<void> {
  if (entries.length === 0) return
  const found = await compareEntries(connection, entries, expiry)
  for (const [at, entry] of entries.entries()) {
    const { expiresAtMs } = entry
    const isOver = expiresAtMs !== undefined && expiresAtMs <= clock() + expiry.toleranceMs
    if (found[at] === 'same') {
      counts.existing += 1
      // Else it comes a second time, and is in it.
      if (isResumed) tally.add(entry)
    } else if (found[at] === 'gone' && isOver) counts.expired += 1
    else throw changed()
  }
}

/** Selects a database of the target. Free of charge. @throws BackupError `BACKUP_UNFIT` where it has not that many. */
export async function selectIn(connection: BinaryConnection, database: number): Promise<void> {
  const [reply = null] = await connection.send([['SELECT', database]])
  if (!isRefused(reply)) return
  const message = `The backup has keys in database ${database}, which the target does not have. Give it more (\`databases\` in its configuration).`
  throw new BackupError('BACKUP_UNFIT', message)
}

function refusalOf({ error, words }: Refused): Error {
  if (error.code === 'REDIS_FULL') return full()
  if (/payload version|Bad data format/i.test(words)) {
    const message =
      'The target does not understand the values of this backup: it is older than the server that wrote them, or lacks its modules. Restore into the same version or a newer one.'
    return new BackupError('BACKUP_UNFIT', message)
  }
  return error
}

const tooLarge = () =>
  new BackupError(
    'BACKUP_UNFIT',
    'A value of the backup is larger than the target takes in one request. Raise its proto-max-bulk-len and run the same command again: it continues.',
  )

const full = () =>
  new RedisError(
    'REDIS_FULL',
    'The target has no room left (maxmemory). Give it more and run the same command again: it continues.',
  )

const changed = () =>
  new BackupError(
    'TARGET_CHANGED',
    'A key of the backup is in the target with another value or time of expiry: somebody else writes to it. Nothing of theirs was overwritten. Stop them, empty the target and begin anew.',
  )

/** A batch in runs of one database each. */
function byDatabase(batch: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts: Entry[][] = []
  for (const entry of batch) {
    const last = parts.at(-1)
    if (last?.[0]?.database === entry.database) last.push(entry)
    else parts.push([entry])
  }
  return parts
}
