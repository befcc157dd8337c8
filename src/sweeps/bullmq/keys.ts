import { literally } from '../../redis/pattern.ts'
import { isMangled } from '../../redis/scan.ts'

/** The prefix that BullMQ gives its keys unless it is told another. */
export const USUAL_PREFIX = 'bull'

/** Where the ids of a queue's jobs stand, by state. `paused` is of BullMQ before 6. */
export const jobStates = [
  'wait',
  'paused',
  'active',
  'delayed',
  'prioritized',
  'waiting-children',
  'completed',
  'failed',
] as const
export type JobState = (typeof jobStates)[number]

/** The states of jobs that will not run again by themselves: sorted sets by the time of the end, in epoch milliseconds. */
export const finishedStates = ['completed', 'failed'] as const satisfies readonly JobState[]
export type FinishedState = (typeof finishedStates)[number]

/** The states that are lists; all others are sorted sets. */
export const listStates = ['wait', 'paused', 'active'] as const satisfies readonly JobState[]

/** One queue, by what all of its keys begin with. */
export interface QueuePlace {
  /** May hold colons and a cluster's braces. */
  readonly prefix: string
  /** Never holds a colon: BullMQ refuses it. */
  readonly queue: string
}

/** What every key of a queue begins with: what follows is a job's id or one of BullMQ's own words. */
export const baseKey = ({ prefix, queue }: QueuePlace) => `${prefix}:${queue}:`

/** The list or sorted set of the jobs in a state. */
export const stateKey = (place: QueuePlace, state: JobState) => `${baseKey(place)}${state}`

/** The hash of what the queue is: its version, its limits, whether it is paused. For BullMQ a queue without it does not exist. */
export const metaKey = (place: QueuePlace) => `${baseKey(place)}meta`

/** The counter of ids. */
export const idKey = (place: QueuePlace) => `${baseKey(place)}id`

/** The stream of the queue's events. */
export const eventsKey = (place: QueuePlace) => `${baseKey(place)}events`

/** The sorted set of the queue's job schedulers. */
export const repeatKey = (place: QueuePlace) => `${baseKey(place)}repeat`

/** The hash of one job. */
export const jobKey = (place: QueuePlace, id: string) => `${baseKey(place)}${id}`

/** The SCAN pattern of the meta hashes of all queues; what else it finds, `readKey` tells apart. */
export const metaPattern = (prefix: string) => `${literally(prefix)}:*:meta`

/** The SCAN pattern of all keys of one queue. */
export const queuePattern = (place: QueuePlace) => `${literally(baseKey(place))}*`

/** A key of a queue: `rest` is what follows the queue's name, such as `meta`, `17` or `17:logs`. */
export interface QueueKey extends QueuePlace {
  readonly rest: string
}

/** Takes `<prefix>:<queue>:<rest>` apart; undefined for a key that is none, or whose bytes no command could name. */
export function readKey(key: string, prefix: string): QueueKey | undefined {
  if (isMangled(key) || !key.startsWith(`${prefix}:`)) return undefined
  const name = key.slice(prefix.length + 1)
  const end = name.indexOf(':')
  if (end < 1) return undefined
  return { prefix, queue: name.slice(0, end), rest: name.slice(end + 1) }
}
