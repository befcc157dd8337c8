import { isRedisError, RedisError } from '../../errors.ts'
import { integerOf, type Reply, type Transport } from '../../redis/transport.ts'
import { chunks } from './chunks.ts'
import { idleRuns } from './idle-runs.ts'
import type { OrphanCounts } from './orphan-counts.ts'

/** Keys that wait for the end of the scan, about 20 MB. Beyond, the state of one run may be deleted in two steps. */
const MOST_KEYS = 100_000

/** Runs that are deleted together: two EXISTS of each make one request. */
const RUNS_PER_BATCH = 450

/** The state of runs that is due, until it is deleted: all keys of a run at once. */
export interface DueState {
  /** Names runs whose state is due. */
  expect(runIds: readonly string[]): void
  /** Takes keys of a run; where that is not due, nothing happens. */
  add(runId: string, keys: readonly string[]): void
  /** Whether more has been added than may wait. */
  isFull(): boolean
  /**
   * Deletes what was added, except of runs that have come to life meanwhile; in a dry run only counts it. Costs 2 EXISTS and
   * 1 UNLINK per run.
   *
   * @throws RedisError, and whatever `checkpoint` throws.
   */
  deleteAll(): Promise<void>
}

export interface DueStateOptions {
  readonly send: Transport
  readonly prefix: string
  readonly isDryRun: boolean
  readonly counts: OrphanCounts
  /** Called after each batch. */
  readonly checkpoint: () => Promise<void>
  /** How many keys may wait. @default 100 000 */
  readonly mostKeys?: number
}

/** Begins empty. Counts into `counts`. */
export function createDueState({ mostKeys = MOST_KEYS, ...options }: DueStateOptions): DueState {
  const { send, prefix, isDryRun, counts, checkpoint } = options
  const due = new Set<string>()
  const deleted = new Set<string>()
  const waiting = new Map<string, Set<string>>()
  let waitingKeys = 0

  /** After the scan saw it without a sign of life: the last look before it is too late. */
  const spareRevived = async (batch: readonly string[]) => {
    const idle = new Set(await idleRuns(send, prefix, batch))
    for (const id of batch) if (!idle.has(id)) due.delete(id)
    counts.runs.due -= batch.length - idle.size
    counts.runs.kept += batch.length - idle.size
    return batch.filter((id) => idle.has(id))
  }

  const unlink = async (ids: readonly string[]) => {
    const replies = await sendDeletion(
      send,
      ids.map((id) => [...(waiting.get(id) ?? [])]),
    )
    for (const [at, id] of ids.entries()) {
      const keys = countOf(replies[at])
      counts.keys.deleted += keys
      if (keys === 0 || deleted.has(id)) continue
      deleted.add(id)
      counts.runs.deleted += 1
    }
    for (const at of ids.keys()) integerOf(replies[at] ?? null)
  }

  const deleteBatch = async (batch: readonly string[]) => {
    const ids = await spareRevived(batch)
    for (const id of ids) counts.keys.due += waiting.get(id)?.size ?? 0
    if (!isDryRun && ids.length > 0) await unlink(ids)
    for (const id of batch) waiting.delete(id)
    await checkpoint()
  }

  return {
    expect: (runIds) => {
      for (const id of runIds) due.add(id)
    },
    add: (runId, keys) => {
      if (!due.has(runId)) return
      const all = waiting.get(runId) ?? new Set()
      waitingKeys -= all.size
      for (const key of keys) all.add(key)
      waitingKeys += all.size
      waiting.set(runId, all)
    },
    isFull: () => waitingKeys >= mostKeys,
    deleteAll: async () => {
      for (const batch of chunks([...waiting.keys()], RUNS_PER_BATCH)) await deleteBatch(batch)
      waitingKeys = 0
    },
  }
}

/** One UNLINK for each run, so that none loses a part of its state only. */
async function sendDeletion(send: Transport, runs: readonly (readonly string[])[]): Promise<readonly Reply[]> {
  try {
    return await send(runs.map((keys) => ['UNLINK', ...keys]))
  } catch (error) {
    if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
    const message = `Redis did not answer a deletion. It is unknown of how many of the last ${runs.length} runs the state went. The next run completes it.`
    throw new RedisError('REDIS_UNREACHABLE', message, { cause: error })
  }
}

/** The keys that an UNLINK deleted, as far as its reply tells. */
const countOf = (reply: Reply = null) => (typeof reply === 'number' ? reply : 0)
