import { Buffer } from 'node:buffer'
import { isRedisError } from '../../errors.ts'
import { ask, listOf, type Transport, type Value } from '../../redis/transport.ts'
import { baseKey, listStates, stateKey, type QueuePlace } from './keys.ts'
import { judgeCommand, verdictsOf, type Mode, type Verdict } from './orphans-script.ts'
import { createOrphanTally, type OrphanCounts } from './orphans-tally.ts'

/** Keys that one call of the script looks at, and hashes that it judges to the end: a few milliseconds. */
const KEYS_PER_LOOK = 250
const JOBS_PER_JUDGEMENT = 50

/** Ids that one LRANGE reads. */
const IDS_PER_PAGE = 5_000

export interface OrphanQueueOptions {
  readonly send: Transport
  readonly cutoffMs: number
  readonly isDryRun: boolean
  /** Whether a key comes for the first time, for a scan may bring one twice. */
  readonly isFirstTime: (key: string) => boolean
}

/** One queue during a pass over orphans. */
export interface OrphanQueue {
  /**
   * Sorts out what is no job or surely a live one; the others become suspects. Costs 1 EVAL per 250 names: fewer wait for more, or
   * for `judge`.
   */
  look(names: readonly string[]): Promise<void>
  suspects(): number
  /** Forgets suspects that wait or are worked on. Costs 1 LRANGE per 5 000 of those, 0 without suspects. */
  thinOut(): Promise<void>
  /** From now on a new suspect is only noted. */
  takeNoMore(): void
  /** Asks the lists, judges the suspects to the end and deletes the orphans. Costs 1 EVAL per 50 or less, and 1. */
  judge(): AsyncGenerator<void>
  counts(): OrphanCounts
}

/** A queue of which nothing is known yet. */
export function createOrphanQueue(place: QueuePlace, options: OrphanQueueOptions): OrphanQueue {
  const { send, isDryRun, isFirstTime } = options
  const tally = createOrphanTally(options)
  const suspects = new Set<string>()
  const unseen: string[] = []
  let [hasStrangers, isFull] = [false, false]

  const note = (name: string, verdict: Verdict | undefined) => {
    if (verdict === 'strange') hasStrangers = true
    if (verdict === 'stray' && isFirstTime(baseKey(place) + name)) tally.add(verdict)
    if (verdict !== 'suspect') return
    if (isFull && !suspects.has(name)) tally.noteMore()
    else suspects.add(flat(name))
  }

  const lookAt = async (batch: readonly string[]) => {
    const verdicts = await verdictsOn(place, batch, { ...options, mode: 'look' })
    batch.forEach((name, index) => note(name, verdicts[index]))
  }

  const thinOut = async () => {
    for (const state of listStates) {
      for (let from = 0; suspects.size > 0; from += IDS_PER_PAGE) {
        const ids = await pageOf(send, stateKey(place, state), from)
        for (const id of ids) suspects.delete(String(id))
        if (ids.length < IDS_PER_PAGE) break
      }
    }
  }

  return {
    thinOut,
    suspects: () => suspects.size,
    takeNoMore: () => {
      isFull = true
    },
    counts: tally.counts,
    look: async (names) => {
      unseen.push(...names)
      while (unseen.length >= KEYS_PER_LOOK) await lookAt(unseen.splice(0, KEYS_PER_LOOK))
    },
    judge: async function* () {
      if (unseen.length > 0) await lookAt(unseen.splice(0))
      await thinOut()
      if (hasStrangers) tally.add('strange', suspects.size)
      const left = hasStrangers ? [] : [...suspects]
      while (left.length > 0) {
        const batch = left.slice(0, JOBS_PER_JUDGEMENT)
        const verdicts = await verdictsOn(place, batch, { ...options, mode: isDryRun ? 'judge' : 'delete' })
        const judged = verdicts.slice(0, verdicts.indexOf('again') >>> 0)
        judged.forEach((verdict) => tally.add(verdict))
        // The script always judges the first one; an answer without that is no answer to wait for.
        left.splice(0, Math.max(judged.length, 1))
        yield
      }
    },
  }
}

/** A copy of an id that does not keep the whole key in memory, of which it is a mere view. */
const flat = (id: string) => Buffer.from(id).toString()

/** Ids of a list; none where it is no list, for then nothing that its state has could be told apart anyway. */
async function pageOf(send: Transport, key: string, from: number): Promise<readonly Value[]> {
  const [reply = null] = await send([['LRANGE', key, from, from + IDS_PER_PAGE - 1]])
  return isRedisError(reply, 'REDIS_WRONG_TYPE') ? [] : listOf(reply)
}

const verdictsOn = async (
  place: QueuePlace,
  names: readonly string[],
  { send, cutoffMs, mode }: OrphanQueueOptions & { readonly mode: Mode },
): Promise<readonly Verdict[]> =>
  verdictsOf(await ask(send, judgeCommand(names, { mode, cutoffMs, base: baseKey(place) })))
