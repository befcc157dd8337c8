import { askBinary, type BinaryConnection, type BinaryReply, type BinaryValue, isRefused } from '../binary.ts'
import { isClusterNode, figureOf, readInfo, versionOf, type Info } from '../info.ts'
import type { Reply, Transport, Value } from '../transport.ts'
import { BackupError } from './errors.ts'

/** Keys of one database of a server or a file. */
export interface DatabaseCount {
  readonly database: number
  readonly keys: number
  readonly expiring: number
}

/** What a backup or restore must know of a server. Figures that it does not tell are null. */
export interface ServerFacts {
  readonly version: string
  readonly isUpstash: boolean
  readonly isReplica: boolean
  /** False for a replica that has lost its primary, or is getting its data from it. */
  readonly isInSync: boolean
  /** Of the process, on the server's machine; null where it tells none. */
  readonly processId: number | null
  /** Memory that the data takes. */
  readonly memoryBytes: number | null
  /** The memory that it may use; null where it has no limit. */
  readonly limitBytes: number | null
  readonly evictionPolicy: string | null
  /** Keys that it dropped for lack of memory since it started. */
  readonly evictedKeys: number
  /** Memory that it takes as a whole. */
  readonly usedBytes: number
  /** Those that hold keys. */
  readonly databases: readonly DatabaseCount[]
}

/** Major and minor version that DUMP, RESTORE and the dump file are known to work with. */
const OLDEST = [6, 2] as const

/**
 * Asks a server what it is. Free of charge, but for 1 command where it names no database.
 *
 * @throws BackupError `BACKUP_UNFIT` for a cluster, a sentinel, a server before 6.2, and one that does not say; RedisError
 */
export async function readServerFacts(connection: BinaryConnection): Promise<ServerFacts> {
  const info = await readInfo(textTransport(connection))
  const unfit = unfitBecause(info)
  if (unfit !== undefined) throw new BackupError('BACKUP_UNFIT', unfit)
  return {
    version: versionOf(info) ?? '',
    isUpstash: isUpstash(info),
    isReplica: info.get('role') === 'slave',
    isInSync: isInSync(info),
    processId: figureOf(info, 'process_id'),
    memoryBytes: figureOf(info, 'total_data_size') ?? figureOf(info, 'used_memory_dataset'),
    limitBytes: figureOf(info, 'max_data_size') ?? (figureOf(info, 'maxmemory') || null),
    evictionPolicy: info.get('maxmemory_policy') ?? null,
    evictedKeys: figureOf(info, 'evicted_keys') ?? 0,
    usedBytes: figureOf(info, 'total_data_size') ?? figureOf(info, 'used_memory') ?? 0,
    databases: await countDatabases(connection, info),
  }
}

/** Asks a server for the keys of its databases. Free of charge, but for 1 command where it names none. */
export const readDatabases = async (connection: BinaryConnection): Promise<readonly DatabaseCount[]> =>
  await countDatabases(connection, await readWholeInfo(connection))

/** Asks a server for everything that it tells. Free of charge. */
export const readWholeInfo = async (connection: BinaryConnection): Promise<Info> =>
  await readInfo(textTransport(connection))

/** What the reply of an INFO tells that was sent among other commands. */
export const infoIn = async (reply: BinaryReply): Promise<Info> => await readInfo(async () => [asReply(reply)])

/** Whether a version is at least the given one; false where it is none. */
export function isAtLeast(version: string, [major, minor]: readonly [major: number, minor: number]): boolean {
  const [, first, second] = /^(\d{1,4})\.(\d{1,4})/.exec(version) ?? []
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}

/** Keys of all databases together. */
export const totalOf = (databases: readonly DatabaseCount[]): number =>
  databases.reduce((sum, { keys }) => sum + keys, 0)

function unfitBecause(info: Info): string | undefined {
  const version = versionOf(info)
  if (version === null)
    return 'The server does not tell its version. Use a user that may run INFO, such as an administrator.'
  if (isClusterNode(info)) {
    return 'The server is a node of a cluster, which holds only a part of the keys. Save each primary by itself, with BGSAVE and a copy of its dump.rdb (docs/redis.md).'
  }
  if (info.get('redis_mode') === 'sentinel')
    return 'The server is a sentinel and holds no keys. Give the address of the primary that it watches.'
  if (!isAtLeast(version, OLDEST)) {
    return `The server's version is older than ${OLDEST.join('.')}, for which this is not made. Copy its dump.rdb by hand (docs/redis.md), or upgrade it.`
  }
  return undefined
}

const isInSync = (info: Info) =>
  info.get('role') !== 'slave' ||
  (info.get('master_link_status') === 'up' && info.get('master_sync_in_progress') !== '1')

const isUpstash = (info: Info) =>
  [...info.keys()].some((name) => name.startsWith('upstash')) ||
  (info.has('total_data_size') && info.has('max_data_size'))

async function countDatabases(connection: BinaryConnection, info: Info): Promise<readonly DatabaseCount[]> {
  const told = databasesIn(info)
  if (told.length > 0) return told
  const keys = Number(await askBinary(connection, ['DBSIZE']))
  if (keys === 0) return []
  if (isUpstash(info)) return [{ database: 0, keys, expiring: 0 }]
  // Written this very moment, or not told: INFO once more decides.
  const again = databasesIn(await readWholeInfo(connection))
  if (again.length > 0) return again
  const message =
    'The server does not tell how many keys each database has (INFO keyspace). Use a user that may run INFO.'
  throw new BackupError('BACKUP_UNFIT', message)
}

/** Keys of the databases that hold any, as INFO tells them. */
export function databasesIn(info: Info): readonly DatabaseCount[] {
  return [...info].flatMap(([name, text]) => {
    const [, database] = /^db(\d{1,5})$/.exec(name) ?? []
    const [, keys, expiring = '0'] = /^keys=(\d{1,15})(?:,expires=(\d{1,15}))?/.exec(text) ?? []
    if (database === undefined || keys === undefined || Number(keys) === 0) return []
    return [{ database: Number(database), keys: Number(keys), expiring: Number(expiring) }]
  })
}

/** The same connection for commands whose words and replies are text. */
const textTransport =
  ({ send }: BinaryConnection): Transport =>
  async (commands) =>
    (await send(commands)).map(asReply)

const asReply = (reply: BinaryReply): Reply => (isRefused(reply) ? reply.error : asText(reply))

function asText(value: BinaryValue): Value {
  if (Buffer.isBuffer(value)) return value.toString()
  return value === null || typeof value === 'number' ? value : value.map(asText)
}
