import type { Clock } from '../../clock.ts'
import type { JobRetention } from '../../config.ts'
import { isRedisError, RedisError } from '../../errors.ts'
import { worstOf } from '../../redis/status/lines.ts'
import type { QueueDepth, ReadDepths } from '../../redis/status/status.ts'
import { harmless } from '../../redis/status/words.ts'
import type { Command, Reply, Transport } from '../../redis/transport.ts'
import { jobStates, listStates, metaKey, stateKey, type JobState, type QueuePlace } from './keys.ts'
import { findQueues, type FoundQueues } from './queues.ts'

export interface DepthOptions {
  readonly prefix: string
  /** `all` finds them. */
  readonly queues: 'all' | readonly string[]
  readonly clock: Clock
  /** What a sweep keeps of finished jobs, where one is configured. */
  readonly completed?: Pick<JobRetention, 'keep'>
  readonly failed?: Pick<JobRetention, 'keep'>
}

/** How many queues are shown, of those that were found and of those that somebody named. */
const MOST_FOUND = 50
const MOST_NAMED = 500

/** Queues that one request is about. */
const QUEUES_A_REQUEST = 50

/** How many pages of 1 000 keys are looked through for queues: on a server of one's own seconds of requests at most. */
const MOST_PAGES = 10_000
const MOST_BILLED_PAGES = 100

/** Milliseconds for which the names that were found stand: queues come and go with a deployment. */
const NAMES_STAND_MS = 300_000

/**
 * Reads how many jobs of each queue are in which state. Costs 10 commands a queue, of at most 50 that are found or 500 that are
 * named, in requests of 50 queues; where the queues must be found, 1 SCAN for each 1 000 keys as well, at most 10 002 and where that is
 * billed 102, once in 5 minutes.
 *
 * The reader throws a RedisError when keys may not be listed or there was no answer; a state that may not be read is null.
 */
export function createDepthReader(options: DepthOptions): ReadDepths {
  const { prefix, queues, clock } = options
  const mostFinished = finishedBound(options)
  let known: { readonly atMs: number; readonly found: FoundQueues } | undefined
  const findNames: (...args: Parameters<ReadDepths>) => Promise<FoundQueues> = async (send, { isBilled }) => {
    const nowMs = clock()
    if (known === undefined || Math.abs(nowMs - known.atMs) >= NAMES_STAND_MS) {
      known = {
        atMs: nowMs,
        found: await findQueues(send, prefix, { mostPages: isBilled ? MOST_BILLED_PAGES : MOST_PAGES }),
      }
    }
    return known.found
  }
  return async (send, server) => {
    const { names, isWhole } =
      queues === 'all' ? await findNames(send, server) : { names: [...new Set(queues)], isWhole: true }
    const shown = names.slice(0, queues === 'all' ? MOST_FOUND : MOST_NAMED)
    const places = shown.map((queue) => ({ prefix, queue }))
    const replies = await repliesAbout(send, places)
    return {
      queues: places.map((place, at) => depthOf(place, replies[at] ?? [], mostFinished)),
      leftOut: names.length - shown.length,
      isSearchWhole: isWhole,
    }
  }
}

/** One request after another, each short: other clients are served in between. */
async function repliesAbout(send: Transport, places: readonly QueuePlace[]): Promise<readonly (readonly Reply[])[]> {
  const all: (readonly Reply[])[] = []
  for (let from = 0; from < places.length; from += QUEUES_A_REQUEST) {
    const some = places.slice(from, from + QUEUES_A_REQUEST)
    const replies = await send(some.flatMap(commandsOf))
    all.push(...some.map((_, at) => replies.slice(at * PER_QUEUE, (at + 1) * PER_QUEUE)))
  }
  return all
}

/** The two questions about the queue itself, then one for each state. */
const commandsOf = (place: QueuePlace): readonly Command[] => [
  ['EXISTS', metaKey(place)],
  ['HEXISTS', metaKey(place), 'paused'],
  ...jobStates.map((state): Command => [isList(state) ? 'LLEN' : 'ZCARD', stateKey(place, state)]),
]

const PER_QUEUE = 2 + jobStates.length

const isList = (state: JobState) => listStates.some((one) => one === state)

function depthOf(place: QueuePlace, replies: readonly Reply[], mostFinished: number): QueueDepth {
  const [exists = null, paused = null, ...counts] = replies
  const states = Object.fromEntries(jobStates.map((state, at) => [state, countOf(counts[at] ?? null)]))
  const troubles = troublesOf({
    prefix: place.prefix,
    states,
    exists: countOf(exists) !== 0,
    isPaused: countOf(paused) === 1,
    hasOtherType: replies.some((reply) => isRedisError(reply, 'REDIS_WRONG_TYPE')),
    isRefused: replies.some((reply) => isRedisError(reply, 'REDIS_REFUSED')),
    mostFinished,
  })
  const cure = troubles.map((one) => one.cure).join(' ')
  return { name: harmless(place.queue), states, verdict: worstOf(troubles), cure: cure === '' ? null : cure }
}

/** Null for a refusal: another type, or a right that is missing. No answer is no answer for all. */
function countOf(reply: Reply): number | null {
  if (reply instanceof RedisError && reply.code !== 'REDIS_REFUSED' && reply.code !== 'REDIS_WRONG_TYPE') throw reply
  return typeof reply === 'number' ? reply : null
}

/** What comes to a queue within an hour, when the sweep runs again, and what it keeps where nothing else is configured. */
const HOUR_OF_FINISHED = 4_000
const USUAL_KEPT = 6_000

const finishedBound = ({ completed, failed }: DepthOptions) =>
  HOUR_OF_FINISHED + (completed === undefined || failed === undefined ? USUAL_KEPT : completed.keep + failed.keep)

/** A batch that a producer adds at once may be as large; with no job in work, nobody takes them. */
const MANY_WAITING = 1_000

interface QueueFacts {
  readonly prefix: string
  readonly states: QueueDepth['states']
  readonly exists: boolean
  readonly isPaused: boolean
  readonly hasOtherType: boolean
  readonly isRefused: boolean
  readonly mostFinished: number
}

function troublesOf({ states, exists, isPaused, ...facts }: QueueFacts): readonly Trouble[] {
  if (!exists) return [look('There is no such queue. Check BULLMQ_QUEUES and BULLMQ_PREFIX.')]
  const count = (...names: readonly JobState[]) => names.reduce((sum, name) => sum + (states[name] ?? 0), 0)
  const waits = count('wait', 'paused', 'prioritized') > MANY_WAITING && states['active'] === 0
  return [
    facts.hasOtherType && look('A key of it has another type: something that is not BullMQ wrote it.'),
    facts.isRefused &&
      unknown(
        `Not all could be read. Give the user the rights ${RIGHTS}, and its keys (~${harmless(facts.prefix)}:*).`,
      ),
    isPaused && look('It is paused: no worker takes a job until somebody resumes it.'),
    !isPaused && waits && look('Jobs wait and none is in work. Look whether its workers run.'),
    count('completed', 'failed') > facts.mostFinished &&
      look('Finished jobs pile up. See orderly sweep bullmq, and its schedule BULLMQ_SWEEP_SCHEDULE.'),
  ].filter((one) => one !== false)
}

const RIGHTS = '+llen +zcard +exists +hexists'

type Trouble = { readonly verdict: 'look' | 'unknown'; readonly cure: string }
const look = (cure: string): Trouble => ({ verdict: 'look', cure })
const unknown = (cure: string): Trouble => ({ verdict: 'unknown', cure })
