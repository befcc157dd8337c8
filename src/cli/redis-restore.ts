import { systemClock } from '../clock.ts'
import { priceOfRestore } from '../redis/backup/price.ts'
import { restore, type Restored } from '../redis/backup/restore.ts'
import type { Io } from './io.ts'
import { createProgress } from './progress.ts'
import { restoreAddress } from './redis-backup-address.ts'
import { failed, type CommandResult } from './result.ts'
import { bytesText, counted } from './text.ts'

export interface RedisRestoreOptions {
  readonly to: string
  readonly apply?: boolean
}

/** `orderly redis restore <backup> --to <url>`: copies a backup into an empty Redis; a run that ended early is continued. */
export async function redisRestoreCommand(
  backup: string,
  { to, apply = false }: RedisRestoreOptions,
  io: Io,
): Promise<CommandResult> {
  const progress = createProgress(io, systemClock)
  const counts = { restored: 0, existing: 0, expired: 0 }
  let hasBegun = false
  try {
    const done = await restore({
      backup,
      url: restoreAddress(to, io),
      apply,
      clock: systemClock,
      env: io.env,
      signal: io.signal,
      onProgress: progress.show,
      counts,
      onBegun: () => void (hasBegun = true),
    })
    progress.clear()
    return resultOf(done, counts)
  } catch (error) {
    progress.clear()
    const result = failed(error)
    const canContinue = hasBegun && result.error?.code !== 'TARGET_TAKEN' && result.error?.code !== 'TARGET_CHANGED'
    return hasBegun
      ? { ...result, data: counts, warnings: [...result.warnings, ...(canContinue ? [CONTINUE] : [])] }
      : result
  }
}

const CONTINUE =
  'The target holds a part of the backup, and a mark. Once the cause is gone, the same command continues; do not use the target before.'

type Counts = Readonly<Record<'restored' | 'existing' | 'expired', number>>

function resultOf(done: Restored, counts: Counts): CommandResult {
  const { outcome, manifest, target, databases, cost } = done
  const server = { version: target.facts.version, isResumed: target.isResumed }
  const data = { outcome, manifest, target: server, ...counts, databases }
  const text = outcome === 'planned' ? planText(done) : restoredText(counts)
  return { data, text, error: null, warnings: target.warnings, cost }
}

function planText({ manifest, target: { facts, isResumed } }: Restored): string {
  const { keys, bytes, serverVersion, finishedAt } = manifest
  const what = keys === null ? 'all keys' : counted(keys, 'key')
  const price = priceOfRestore(keys ?? 0, bytes)
  return [
    `The backup of ${finishedAt} is intact: ${what}, ${bytesText(bytes)}, from version ${serverVersion}.`,
    isResumed
      ? `The target (version ${facts.version}) holds a part of it already; the rest would be added.`
      : `The target (version ${facts.version}) is empty.`,
    ...(facts.isUpstash
      ? [`About ${counted(price.commands, 'command')} would be billed: $${price.dollars.toFixed(2)}.`]
      : []),
    'Nothing was changed. --apply restores.',
  ].join('\n')
}

function restoredText({ restored, existing, expired }: Counts): string {
  return [
    `Restored ${counted(restored, 'key')}, each with its remaining time.`,
    ...(existing > 0 ? [`${counted(existing, 'key')} of an earlier run were there already, the same.`] : []),
    ...(expired > 0 ? [`${counted(expired, 'key')} expired since the backup.`] : []),
  ].join('\n')
}
