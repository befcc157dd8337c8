import { Buffer } from 'node:buffer'
import { scanPages } from '../../redis/scan.ts'
import type { Transport } from '../../redis/transport.ts'
import { chunks } from './chunks.ts'
import { createDueState, type DueState } from './due-state.ts'
import { createIdempotencyLimiter } from './idempotency.ts'
import { idleRuns } from './idle-runs.ts'
import { readKey, statePattern } from './keys.ts'
import { createOrphanCounts, type OrphanCounts } from './orphan-counts.ts'
import { createOrphanMemory, type OrphanMemory } from './orphan-memory.ts'
import { ulidTimeMs } from './ulid.ts'

export interface OrphanOptions {
  /** Must not repeat by itself: deletions are among what is sent. */
  readonly send: Transport
  /** The state prefix, as `checkState` found it. */
  readonly prefix: string
  readonly asOfMs: number
  /** When the run began, by the real clock: names this pass in the memory of orphans. */
  readonly startedAtMs: number
  readonly isDryRun: boolean
  readonly database: {
    /** What the database knows of runs, at most 450 at a time; it does not know those that are absent. */
    stateOf(ids: readonly string[]): Promise<ReadonlyMap<string, 'finished' | 'unfinished'>>
  }
  /** Told after each batch; the same object each time. */
  readonly onProgress: (counts: Readonly<OrphanCounts>) => void
  /** Called between batches; may throw to stop. */
  readonly checkpoint: () => Promise<void>
  /** Keys of due runs that may wait for the end of the scan. @default 100 000 */
  readonly mostKeys?: number
}

/** State of a younger run is never orphaned: its row may not be written yet, or its queue not be filled. */
const GRACE_MS = 86_400_000

/** Runs that are judged together: two EXISTS of each make one request. */
const RUNS_PER_BATCH = 450

/**
 * Deletes state that no run needs: older than 24 hours, without a job and without a pause, finished or unknown in the
 * database, and found so by an earlier pass too. Gives idempotency keys without an expiry one of 24 hours.
 *
 * Costs 1 SCAN per 1 000 keys of the database, 2 EXISTS per run older than a day, 1 ZSCORE per orphan, 2 EXISTS and 1 UNLINK
 * per due one, 1 TTL per idempotency key, and a few more. Remembers about 100 bytes per run.
 *
 * @throws RedisError, and whatever `send`, `checkpoint` and the database throw. A pass that ends early has seen what it
 *   remembered, and leaves no run's state half deleted unless more was due than may wait.
 */
export async function sweepOrphans(options: OrphanOptions): Promise<OrphanCounts> {
  const { send, prefix, isDryRun, startedAtMs } = options
  const counts = createOrphanCounts()
  const goOn = async () => {
    options.onProgress(counts)
    await options.checkpoint()
  }
  const dueState = createDueState({ ...options, counts, checkpoint: goOn })
  const memory = createOrphanMemory(send, startedAtMs)
  const pass: Pass = { ...options, counts, dueState, memory, met: new Set() }
  const limitIdempotencyKeys = createIdempotencyLimiter(send, counts.idempotencyKeys, isDryRun)
  for await (const page of scanPages(send, { match: statePattern(prefix) })) {
    const { runs, idempotencyKeys } = sortPage(page, options)
    await judge(pass, [...runs.keys()])
    for (const [id, keys] of runs) dueState.add(id, keys)
    await limitIdempotencyKeys(idempotencyKeys)
    await goOn()
    if (dueState.isFull()) await dueState.deleteAll()
  }
  await dueState.deleteAll()
  if (!isDryRun) await memory.forgetEarlier()
  return counts
}

interface Pass extends OrphanOptions {
  readonly counts: OrphanCounts
  readonly dueState: DueState
  readonly memory: OrphanMemory
  /** Runs that were judged. */
  readonly met: Set<string>
}

function sortPage(page: readonly string[], { prefix, asOfMs, startedAtMs }: OrphanOptions) {
  const runs = new Map<string, string[]>()
  const idempotencyKeys: string[] = []
  for (const key of page) {
    const read = readKey(key, { prefix, nowMs: Math.max(asOfMs, startedAtMs) })
    if (read.kind === 'idempotency') idempotencyKeys.push(key)
    if (read.kind !== 'run-state') continue
    const keys = runs.get(read.runId) ?? []
    keys.push(key)
    runs.set(read.runId, keys)
  }
  return { runs, idempotencyKeys }
}

/** Decides on the runs that come for the first time. */
async function judge(pass: Pass, ids: readonly string[]): Promise<void> {
  const { met, counts, asOfMs } = pass
  const fresh = ids.filter((id) => !met.has(id)).map(flat)
  for (const id of fresh) met.add(id)
  const old = fresh.filter((id) => ulidTimeMs(id) < asOfMs - GRACE_MS)
  counts.runs.scanned += fresh.length - old.length
  counts.runs.kept += fresh.length - old.length
  for (const batch of chunks(old, RUNS_PER_BATCH)) await judgeOld(pass, batch)
}

/** A copy of an id that does not keep the whole key in memory, of which it is a mere view. */
const flat = (id: string) => Buffer.from(id, 'latin1').toString('latin1')

async function judgeOld(pass: Pass, ids: readonly string[]): Promise<void> {
  const { memory, dueState, counts, isDryRun } = pass
  const orphans = await findOrphans(pass, ids)
  const due = await memory.seenEarlier(orphans)
  const fresh = orphans.filter((id) => !due.has(id))
  if (!isDryRun && !(await memory.remember(fresh))) counts.hasRemembered = false
  dueState.expect([...due])
  counts.runs.scanned += ids.length
  counts.runs.due += due.size
  counts.runs.seenOnce += fresh.length
  counts.runs.kept += ids.length - orphans.length
}

async function findOrphans({ send, prefix, database }: Pass, ids: readonly string[]): Promise<readonly string[]> {
  const idle = await idleRuns(send, prefix, ids)
  if (idle.length === 0) return []
  const states = await database.stateOf(idle)
  return idle.filter((id) => states.get(id) !== 'unfinished')
}
