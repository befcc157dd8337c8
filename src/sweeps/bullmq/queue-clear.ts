import { ask, integerOf, type Transport } from '../../redis/transport.ts'
import { baseKey, listStates, repeatKey, stateKey, type JobState, type QueuePlace } from './keys.ts'
import { sweepOrphans } from './orphans.ts'
import type { OrphanCounts } from './orphans-tally.ts'
import { clearCommand, clearReplyOf, type ClearReply } from './queue-clear-script.ts'

export interface ClearOptions {
  /** Must not repeat by itself. */
  readonly send: Transport
  readonly place: QueuePlace
  readonly isDryRun: boolean
  /** Orphans that are not younger go, too. */
  readonly nowMs: number
  /** Told before the first request and after each; the same object each time. */
  readonly onProgress?: (clearance: Clearance) => void
}

/** What became of the jobs in one state: `jobs = due + scheduled + worked + awaited`. */
export interface ClearedState {
  readonly state: JobState
  jobs: number
  due: number
  /** 0 in a dry run. */
  cleared: number
  /** Next jobs of schedulers, which would die without. */
  scheduled: number
  /** Jobs that somebody works on in spite of their state. */
  worked: number
  /** Jobs that another job waits for: an active one, or one in another queue. */
  awaited: number
}

/** What emptying a queue came to, or would come to. */
export interface Clearance {
  readonly states: readonly ClearedState[]
  /** Jobs that are worked on. */
  active: number
  schedulers: number
  /** What the keys of the queues begin with whose jobs wait for jobs of this one. */
  readonly waitingBases: Set<string>
  orphans: OrphanCounts
}

/** Parents go before their children, so that none is left waiting for one that has gone. */
const ORDER = ['waiting-children', 'wait', 'paused', 'prioritized', 'delayed', 'completed', 'failed'] as const

/**
 * Empties a queue of all jobs that nobody works on, with all that BullMQ keeps beside them, and of hashes that nobody knows.
 * Active jobs, schedulers with their next jobs, and jobs that a job of another queue waits for stay, as do meta, metrics, events
 * and the counter of ids. Jobs that are added meanwhile may stay. Pauses nothing.
 *
 * Children of cleared jobs in other queues run on, as jobs without a parent.
 *
 * Costs 3 commands, for each state 1 more, 1 EVAL per 100 jobs, and what `sweepOrphans` costs.
 *
 * @throws RedisError, and whatever `send` throws. What has gone so far has gone whole; the next run goes on.
 */
export async function clearQueue(options: ClearOptions): Promise<Clearance> {
  const { send, place, isDryRun, nowMs, onProgress = () => undefined } = options
  const clearance: Clearance = {
    states: ORDER.map((state) => ({ state, jobs: 0, due: 0, cleared: 0, scheduled: 0, worked: 0, awaited: 0 })),
    active: 0,
    schedulers: 0,
    waitingBases: new Set(),
    orphans: NO_ORPHANS,
  }
  onProgress(clearance)
  for (const state of clearance.states) {
    await clearState(options, state, (reply) => {
      add(clearance, state, reply, isDryRun)
      onProgress(clearance)
    })
  }
  await sweepOrphans({
    send,
    prefix: place.prefix,
    queues: [place.queue],
    cutoffMs: nowMs + 1,
    isDryRun,
    onProgress: (counts) => {
      clearance.orphans = counts.get(place.queue) ?? NO_ORPHANS
      onProgress(clearance)
    },
  })
  clearance.active = await sizeOf(send, place, 'active')
  clearance.schedulers = integerOf(await ask(send, ['ZCARD', repeatKey(place)]))
  return clearance
}

const NO_ORPHANS: OrphanCounts = { scanned: 0, due: 0, deleted: 0, kept: 0, unreadable: 0, because: null }

const sizeOf = async (send: Transport, place: QueuePlace, state: JobState): Promise<number> => {
  const isList = listStates.some((list) => list === state)
  return integerOf(await ask(send, [isList ? 'LLEN' : 'ZCARD', stateKey(place, state)]))
}

/** Takes on as many jobs as there are at the beginning: producers may add more for ever. */
async function clearState(
  { send, place, isDryRun }: ClearOptions,
  { state }: ClearedState,
  onReply: (reply: ClearReply) => void,
): Promise<void> {
  let left = await sizeOf(send, place, state)
  let offset = 0
  while (left > 0) {
    const reply = clearReplyOf(await ask(send, clearCommand({ base: baseKey(place), state, isDryRun, offset })))
    if (reply.taken === 0) return
    onReply(reply)
    left -= reply.taken
    offset += isDryRun ? reply.taken : reply.taken - reply.gone
  }
}

function add(clearance: Clearance, state: ClearedState, reply: ClearReply, isDryRun: boolean): void {
  state.jobs += reply.taken
  state.due += reply.gone
  state.cleared += isDryRun ? 0 : reply.gone
  state.scheduled += reply.scheduled
  state.worked += reply.worked
  state.awaited += reply.awaited
  for (const base of reply.bases) clearance.waitingBases.add(base)
}
