import { systemClock } from '../clock.ts'
import { ownVersion } from '../own-version.ts'
import { backUp, type BackUp } from '../redis/backup/back-up.ts'
import type { Manifest } from '../redis/backup/manifest.ts'
import type { Price } from '../redis/backup/price.ts'
import { backupAddress } from './redis-backup-address.ts'
import type { Io } from './io.ts'
import { createProgress } from './progress.ts'
import { failed, type CommandResult } from './result.ts'
import { bytesText, counted } from './text.ts'

export interface RedisBackupOptions {
  readonly url?: string
  readonly apply?: boolean
}

/** `orderly redis backup <dir>`: a new folder with a checked copy of a whole Redis, complete or not there at all. */
export async function redisBackupCommand(
  directory: string,
  { url, apply = false }: RedisBackupOptions,
  io: Io,
): Promise<CommandResult> {
  const progress = createProgress(io, systemClock)
  try {
    const done = await backUp({
      url: backupAddress(url, io),
      directory,
      apply,
      clock: systemClock,
      env: io.env,
      version: ownVersion(),
      signal: io.signal,
      onProgress: progress.show,
    })
    progress.clear()
    return resultOf(done)
  } catch (error) {
    progress.clear()
    return failed(error)
  }
}

function resultOf(done: BackUp): CommandResult {
  const { outcome, keys, cost } = done
  if (outcome === 'priced') {
    const { price } = done
    return { data: { outcome, keys, price }, text: priceText(price, keys ?? 0), error: null, warnings: [], cost }
  }
  const { folder, manifest, isReplica } = done
  const data = { outcome, keys, folder, manifest }
  return { data, text: writtenText(folder, manifest), error: null, warnings: warningsOf(manifest, isReplica), cost }
}

function priceText({ commands, dollars, shareOfFreePlan }: Price, keys: number): string {
  const share = `${(shareOfFreePlan * 100).toFixed(1)} % of a free month's 500000`
  return [
    `This server hands over no dump, so ${counted(keys, 'key')} must be read one by one: about ${counted(commands, 'command')},`,
    `$${dollars.toFixed(2)} where each is billed at $0.20 per 100000, or ${share}.`,
    'Nothing was written. --apply does it.',
  ].join('\n')
}

function writtenText(folder: string, { keys, expiring, bytes, kind }: Manifest): string {
  const what = keys === null ? 'a dump' : `${counted(keys, 'key')} (${expiring ?? 0} of them expire)`
  const how = kind === 'rdb' ? "the server's own dump" : 'read key by key'
  return [
    `Backed up ${what} in ${bytesText(bytes)}, ${how}.`,
    `  ${folder}`,
    'It holds all data of the server: keep it safe, and on another machine. Try now and then that it can be restored.',
  ].join('\n')
}

const warningsOf = ({ kind, keys }: Manifest, isReplica: boolean): readonly string[] => [
  ...(kind === 'logical' ? ['What was written meanwhile may be in it or not: it is no picture of one moment.'] : []),
  ...(keys === null ? [UNCHECKED] : []),
  ...(keys === 0 ? [EMPTY] : []),
  ...(isReplica ? [LAGGING] : []),
]

const EMPTY =
  'The server holds no keys, so this backup holds none. Check that it is the right server, and keep older ones.'

const LAGGING =
  'The server is a replica: what its primary had confirmed shortly before may not be in the backup. Back up the primary to be sure.'

const UNCHECKED =
  'The dump was not checked, for redis-check-rdb is not installed here or older than the server. Restore it into an empty server to see that it can be read.'
