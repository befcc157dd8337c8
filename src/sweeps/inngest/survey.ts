import { createFirstTime } from '../../redis/first-time.ts'
import { InterruptedError } from '../../errors.ts'
import { figureOf, readInfo, versionOf } from '../../redis/info.ts'
import { lockKey, seenKey } from '../../redis/keys.ts'
import { scanPages } from '../../redis/scan.ts'
import type { Transport } from '../../redis/transport.ts'
import { prefixShownBy, readKey, showsPrefix, USUAL_PREFIX, type InngestKey } from './keys.ts'

/** Keys of one kind. */
export interface KindCount {
  /** In words for people. */
  readonly name: string
  readonly keys: number
  /** Up to three of them. */
  readonly sample: readonly string[]
}

/** What a look at the Redis of an Inngest found. Figures that the server does not tell are null. */
export interface Survey {
  readonly version: string | null
  readonly evictionPolicy: string | null
  /** The memory that the server may use; null where it sets no limit or tells none. */
  readonly maxMemoryBytes: number | null
  /** Distinct ones; exact up to 200 000. */
  readonly keys: number
  /** The most frequent first. */
  readonly kinds: readonly KindCount[]
  /** State prefixes, with the keys that show each: the one that the kinds were told by, then others, at most 20. */
  readonly prefixes: readonly { readonly prefix: string; readonly keys: number }[]
  /** Up to 1 000 runs that have a key. */
  readonly runIds: readonly string[]
}

export interface SurveyOptions {
  /** The state prefix that is configured; found out where undefined. */
  readonly prefix: string | undefined
  /** The real time, or what the caller judges from if that is later; epoch milliseconds. */
  readonly nowMs: number
  readonly signal: AbortSignal
  readonly onProgress: (keys: number) => void
}

const SAMPLE_SIZE = 3
const MOST_PREFIXES = 20
const MOST_RUNS = 1_000

/**
 * Looks at all keys of the Redis that an Inngest uses, for people to see. Costs 1 SCAN per 1 000 keys of the database, twice
 * where the prefix is neither configured nor the usual one; INFO is free.
 *
 * @throws RedisError, InterruptedError
 */
export async function survey(send: Transport, options: SurveyOptions): Promise<Survey> {
  const info = await readInfo(send)
  const first = await countKeys(send, options, options.prefix ?? USUAL_PREFIX)
  const other = options.prefix === undefined && first.prefixKeys === 0 ? [...first.others.keys()][0] : undefined
  const { keys, kinds, runIds, ...found } = other === undefined ? first : await countKeys(send, options, other)
  const own = { prefix: found.prefix, keys: found.prefixKeys }
  const others = [...found.others].map(([prefix, count]) => ({ prefix, keys: count }))
  return {
    version: versionOf(info),
    evictionPolicy: info.get('maxmemory_policy') ?? null,
    maxMemoryBytes: figureOf(info, 'maxmemory') || null,
    keys,
    kinds: [...kinds.values()].toSorted((a, b) => b.keys - a.keys || a.name.localeCompare(b.name)),
    prefixes: [own, ...others].filter((one) => one.keys > 0),
    runIds: [...runIds],
  }
}

interface Count {
  readonly prefix: string
  keys: number
  /** Keys that show the prefix. */
  prefixKeys: number
  readonly kinds: Map<string, { name: string; keys: number; sample: string[] }>
  readonly others: Map<string, number>
  readonly runIds: Set<string>
}

async function countKeys(send: Transport, options: SurveyOptions, prefix: string): Promise<Count> {
  const count: Count = { prefix, keys: 0, prefixKeys: 0, kinds: new Map(), others: new Map(), runIds: new Set() }
  const isFirst = createFirstTime()
  for await (const page of scanPages(send)) {
    if (options.signal.aborted) throw new InterruptedError()
    for (const key of page) if (isFirst(key)) countKey(count, key, options.nowMs)
    options.onProgress(count.keys)
  }
  return count
}

function countKey(count: Count, key: string, nowMs: number): void {
  const read = readKey(key, { prefix: count.prefix, nowMs })
  count.keys += 1
  if ('runId' in read && count.runIds.size < MOST_RUNS) count.runIds.add(read.runId)
  if (showsPrefix(read)) count.prefixKeys += 1
  if (read.kind === 'foreign') countOther(count.others, prefixShownBy(key, nowMs)?.prefix)
  const name = nameOf(key, read)
  const kind = count.kinds.get(name) ?? { name, keys: 0, sample: [] }
  kind.keys += 1
  if (kind.sample.length < SAMPLE_SIZE) kind.sample.push(key)
  count.kinds.set(name, kind)
}

function countOther(others: Map<string, number>, prefix: string | undefined): void {
  if (prefix === undefined || (others.size >= MOST_PREFIXES && !others.has(prefix))) return
  others.set(prefix, (others.get(prefix) ?? 0) + 1)
}

const OWN_KEYS = new Set([lockKey('inngest'), seenKey('inngest')])

function nameOf(key: string, read: InngestKey): string {
  if (read.kind === 'run-state') return `state of runs: ${read.part}`
  return read.kind === 'foreign' && OWN_KEYS.has(key) ? 'of Orderly' : NAMES[read.kind]
}

const NAMES = {
  'run-pauses': 'pauses of runs',
  'run-jobs': 'jobs of runs',
  idempotency: 'idempotency keys',
  'other-state': 'other state',
  queue: 'queue',
  connect: 'connect',
  capacity: 'capacity',
  foreign: 'not of Inngest',
} as const satisfies Record<Exclude<InngestKey['kind'], 'run-state'>, string>
