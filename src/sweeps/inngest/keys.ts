import { literally } from '../../redis/pattern.ts'
import { isMangled } from '../../redis/scan.ts'
import { isLikelyRunId } from './ulid.ts'

/** The prefix of a run's state in every Inngest so far. */
export const USUAL_PREFIX = 'estate'

/** The hash of a run's metadata: it exists as long as the run's state does. */
export const metadataKey = (prefix: string, runId: string) => `{${prefix}:${runId}}:metadata:${runId}`

/** The set of the events and times that a run waits for. */
export const runPausesKey = (prefix: string, runId: string) => `{${prefix}}:pr:${runId}`

/** The sorted set of a run's jobs in the queue. Its prefix has never been another. */
export const runJobsKey = (runId: string) => `{queue}:idx:run:${runId}`

/** The function whose jobs a key of the queue sorts; undefined for another key. */
export function functionOfKey(key: string): string | undefined {
  const id = after('{queue}:queue:sorted:', key)
  return id !== undefined && UUID.test(id) ? id : undefined
}

/** The SCAN pattern of all keys whose hash tag begins with a state prefix; what else it finds, `readKey` tells apart. */
export const statePattern = (prefix: string) => `{${literally(prefix)}*`

/** The SCAN pattern of all keys that begin with a hash tag. */
export const TAGGED_PATTERN = '{*'

/** A part of a run's state; `other` is one that is not known yet. */
export type StatePart = (typeof PARTS)[number] | 'other'

/** What a key of the Redis that Inngest uses is. */
export type InngestKey =
  /** A part of one run's state, such as `metadata` or `stack`; all of them share the run's hash tag. */
  | { readonly kind: 'run-state'; readonly runId: string; readonly part: StatePart }
  | { readonly kind: 'run-pauses'; readonly runId: string }
  | { readonly kind: 'run-jobs'; readonly runId: string }
  /** Keeps a run from being started twice for a day. */
  | { readonly kind: 'idempotency' }
  /** Of Inngest, but of no single run: never touched. */
  | { readonly kind: 'other-state' | 'queue' | 'connect' | 'capacity' }
  | { readonly kind: 'foreign' }

export interface ReadKeyOptions {
  /** The state prefix. */
  readonly prefix: string
  /** Epoch milliseconds; an id of a time more than a day after that is no run's. */
  readonly nowMs: number
}

const FOREIGN = { kind: 'foreign' } as const

/** Hash tag and the rest of a key's name. */
const TAGGED = /^\{([^{}]+)\}:(.+)$/s
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** Tells what a key is by its name alone; a name that only looks like one of Inngest's is foreign. */
export function readKey(key: string, options: ReadKeyOptions): InngestKey {
  const [, tag, rest] = (isMangled(key) ? null : TAGGED.exec(key)) ?? []
  if (tag === undefined || rest === undefined) return FOREIGN
  if (tag === options.prefix) return readSharedKey(rest, options)
  if (tag.startsWith(`${options.prefix}:`)) return readOwnedKey(tag.slice(options.prefix.length + 1), rest, options)
  return readQueueKey(tag, rest, options)
}

/** A key that all runs share, or one of a run that lies beside those. */
function readSharedKey(rest: string, { nowMs }: ReadKeyOptions): InngestKey {
  const runId = after('pr:', rest)
  return runId !== undefined && isLikelyRunId(runId, nowMs) ? { kind: 'run-pauses', runId } : { kind: 'other-state' }
}

/** A key of the run or the account that its hash tag names. */
function readOwnedKey(owner: string, rest: string, { nowMs }: ReadKeyOptions): InngestKey {
  const isIdempotency = rest.startsWith('key:')
  if (UUID.test(owner)) return { kind: isIdempotency ? 'idempotency' : 'other-state' }
  if (isIdempotency || !isLikelyRunId(owner, nowMs)) return FOREIGN
  return { kind: 'run-state', runId: owner, part: partOf(rest) }
}

/** The part of a run's state that the rest of a key's name begins with. */
const partOf = (rest: string) => PARTS.find((part) => rest.startsWith(`${part}:`)) ?? 'other'

const PARTS = [
  'metadata',
  'bulk-events',
  'actions',
  'inputs',
  'stack',
  'pending',
  'defers-meta',
  'defers-input',
  'defers-control-meta',
] as const

const SIDES = [
  ['queue', 'queue'],
  ['connect', 'connect'],
  ['cs', 'capacity'],
] as const

function readQueueKey(tag: string, rest: string, { nowMs }: ReadKeyOptions): InngestKey {
  const [, kind] = SIDES.find(([name]) => tag === name || tag.startsWith(`${name}:`)) ?? []
  if (kind === undefined) return FOREIGN
  const runId = tag === 'queue' ? after('idx:run:', rest) : undefined
  return runId !== undefined && isLikelyRunId(runId, nowMs) ? { kind: 'run-jobs', runId } : { kind }
}

const after = (beginning: string, text: string) =>
  text.startsWith(beginning) ? text.slice(beginning.length) : undefined

/** Whether a key that was read under a prefix is evidence that this is the prefix of an Inngest. */
export const showsPrefix = ({ kind }: InngestKey): boolean =>
  kind === 'run-state' || kind === 'run-pauses' || kind === 'idempotency'

/** The state prefix that a key gives away by itself: that of a run's metadata, whose name holds the run's id twice. */
export function prefixShownBy(key: string, nowMs: number): { prefix: string; runId: string } | undefined {
  const [, prefix, runId = ''] = METADATA.exec(key) ?? []
  return prefix !== undefined && isLikelyRunId(runId, nowMs) ? { prefix, runId } : undefined
}

/** A prefix that is no plain word is not taken for one: it will be shown to people. */
const METADATA = /^\{([\w.:/-]{1,80}):([^:{}]{26})\}:metadata:\2$/

/** Whether a key is one of those of a queue that other software hardly has, however idle the server is. */
export const isQueueSign = (key: string): boolean => QUEUE_SIGN.test(key)

/** BullMQ's users often choose `{queue}` for their prefix, so the tag alone says little. */
const QUEUE_SIGN =
  /^\{queue\}:(?:idx:run:|accounts:sorted$|partition:(?:item|sorted)$|queue:(?:(?:seen|sorted|status):|(?:item|sequential|scavenger|instrument)$))/
