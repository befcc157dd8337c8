import { createFirstTime } from '../../redis/first-time.ts'
import type { Transport } from '../../redis/transport.ts'
import { literally } from '../../redis/pattern.ts'
import { scanPages } from '../../redis/scan.ts'
import { queuePattern, readKey } from './keys.ts'
import { OWN_WORDS } from './orphans-own-words.ts'
import { createOrphanQueue, type OrphanQueue } from './orphans-queue.ts'
import type { OrphanCounts } from './orphans-tally.ts'

export interface OrphanOptions {
  /** Must not repeat by itself: deletions are among what is sent. */
  readonly send: Transport
  readonly prefix: string
  readonly queues: readonly string[]
  /** The first instant whose jobs are kept, in epoch milliseconds. */
  readonly cutoffMs: number
  readonly isDryRun: boolean
  /** Told before the first request and after each that counted something: the counts by queue. */
  readonly onProgress?: (counts: ReadonlyMap<string, OrphanCounts>) => void
  /** Jobs of all queues that may wait for the end of the scan. @default 50 000 */
  readonly mostSuspects?: number
}

/**
 * Deletes the hashes of jobs that nobody knows (no list or set of their queue, no worker, no scheduler, no live job of their
 * flow) and that are older than the cutoff by the newest of their own times, with all that BullMQ keeps beside them. Such
 * hashes stay behind when somebody deletes a queue's lists with DEL. Nothing of a queue with a list or set of an unknown kind
 * is deleted.
 *
 * Costs 1 SCAN per 1 000 keys of the database, 1 EVAL per 250 keys of a queue, for each queue with suspects 1 LRANGE per
 * 5 000 waiting or active jobs, and 1 EVAL per 50 orphans or less. Remembers about 100 bytes per suspect.
 *
 * @throws RedisError, and whatever `send` throws; the next pass goes on.
 */
export async function sweepOrphans(options: OrphanOptions): Promise<ReadonlyMap<string, OrphanCounts>> {
  const { send, prefix, onProgress = () => undefined, mostSuspects = 50_000 } = options
  const each = { ...options, isFirstTime: createFirstTime() }
  const queues = new Map(options.queues.map((queue) => [queue, createOrphanQueue({ prefix, queue }, each)]))
  const counts = () => new Map([...queues].map(([name, queue]) => [name, queue.counts()]))
  const tell = () => onProgress(counts())
  tell()
  if (queues.size === 0) return counts()
  for await (const page of scanPages(send, { match: patternOf(prefix, options.queues) })) {
    for (const [queue, names] of sortPage(queues, page, prefix)) await queue.look(names)
    if (suspectsOf(queues) > mostSuspects) await thinOut(queues, mostSuspects)
    tell()
  }
  for (const queue of queues.values()) {
    for await (const _ of queue.judge()) tell()
    tell()
  }
  return counts()
}

type Queues = ReadonlyMap<string, OrphanQueue>

/** One scan does for any number of queues: it looks at the whole database anyway. */
function patternOf(prefix: string, queues: readonly string[]): string {
  const [only = ''] = queues
  return queues.length === 1 ? queuePattern({ prefix, queue: only }) : `${literally(prefix)}:*`
}

/** The keys of each queue by what follows its base. */
function sortPage(
  queues: Queues,
  page: readonly string[],
  prefix: string,
): ReadonlyMap<OrphanQueue, readonly string[]> {
  const sorted = new Map<OrphanQueue, string[]>()
  for (const key of page) {
    const { queue: name = '', rest = '' } = readKey(key, prefix) ?? {}
    const queue = queues.get(name)
    if (queue === undefined || rest === '' || OWN_WORDS.has(rest)) continue
    const names = sorted.get(queue) ?? []
    names.push(rest)
    sorted.set(queue, names)
  }
  return sorted
}

const suspectsOf = (queues: Queues) => [...queues.values()].reduce((sum, queue) => sum + queue.suspects(), 0)

/** Asks the lists early. What is left are orphans, so where that is much, this pass has enough to do. */
async function thinOut(queues: Queues, most: number): Promise<void> {
  for (const queue of queues.values()) await queue.thinOut()
  if (suspectsOf(queues) > most / 2) queues.forEach((queue) => queue.takeNoMore())
}
