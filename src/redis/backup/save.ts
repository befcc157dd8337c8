import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import { InterruptedError } from '../../errors.ts'
import { isMissing, isRefused, type BinaryConnection } from '../binary.ts'
import { figureOf, type Info } from '../info.ts'
import { BackupError } from './errors.ts'
import { databasesIn, infoIn, readWholeInfo, type DatabaseCount } from './server-facts.ts'

export interface SaveOptions {
  readonly connection: BinaryConnection
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
  /** Milliseconds that the server may take, a save that it is at included. @default one hour */
  readonly deadlineMs?: number
}

/** A save that the server has completed. */
export interface Saved {
  /** The server's own time of it, in epoch seconds. */
  readonly savedAtSeconds: number
  /** Keys right before it began and right after: those in the file lie between. */
  readonly before: readonly DatabaseCount[]
  readonly after: readonly DatabaseCount[]
}

const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 200

/**
 * Has the server write its dump file and waits for the end; a save or a rewrite that is under way is waited for first.
 * Undefined where the server has no BGSAVE. Costs 1 command; INFO is free.
 *
 * @throws BackupError `BACKUP_FAILED` when the server cannot save or takes too long, InterruptedError, RedisError
 */
export async function saveDump(options: SaveOptions): Promise<Saved | undefined> {
  const untilMs = options.clock() + (options.deadlineMs ?? HOUR_MS)
  let counts: Pick<Saved, 'before' | 'after'>
  for (;;) {
    await idle(options, untilMs)
    // In one request, so that hardly a write comes between.
    const [before = null, reply = null, after = null] = await options.connection.send([['INFO'], ['BGSAVE'], ['INFO']])
    counts = { before: databasesIn(await infoIn(before)), after: databasesIn(await infoIn(after)) }
    if (!isRefused(reply)) break
    if (isMissing(reply)) return undefined
    // Somebody else began a save or a rewrite since we looked.
    if (!/in progress|active/.test(reply.words)) throw reply.error
  }
  const info = await idle(options, untilMs)
  if (info.get('rdb_last_bgsave_status') === 'err') throw new BackupError('BACKUP_FAILED', UNSAVED)
  return { savedAtSeconds: figureOf(info, 'rdb_last_save_time') ?? 0, ...counts }
}

const UNSAVED =
  'The server could not save (rdb_last_bgsave_status:err). Its log says why: mostly no room left on its disk, no right to write its dir, or no memory to fork.'

/** Waits until the server neither saves nor rewrites; resolves with what it told then. */
async function idle({ connection, clock, signal, onProgress }: SaveOptions, untilMs: number): Promise<Info> {
  for (;;) {
    const info = await readWholeInfo(connection)
    if (BUSY.every((name) => info.get(name) !== '1')) return info
    if (clock() > untilMs) {
      const message =
        'The server was still saving when the time for it was over. It goes on; try again when `redis-cli info persistence` shows rdb_bgsave_in_progress:0.'
      throw new BackupError('BACKUP_FAILED', message)
    }
    onProgress(progressText(info))
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {
      throw new InterruptedError(
        'Interrupted. The server may still be saving its own dump file; no backup was written.',
      )
    })
  }
}

function progressText(info: Info): string {
  const [done, total] = [figureOf(info, 'current_save_keys_processed'), figureOf(info, 'current_save_keys_total')]
  return done !== null && total ? `the server saves: ${done} of ${total} keys` : 'the server saves'
}

const BUSY = ['rdb_bgsave_in_progress', 'aof_rewrite_in_progress', 'aof_rewrite_scheduled']
