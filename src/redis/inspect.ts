import { InterruptedError } from '../errors.ts'
import type { Clock } from '../clock.ts'
import { figureOf, readInfo, versionOf, type Info } from './info.ts'
import { scanPages } from './scan.ts'
import { ask, type Connection, type Transport } from './transport.ts'

/** Keys that share the part of their name up to the first colon. */
export interface PrefixCount {
  /** Ends with the colon; empty for keys without one. */
  readonly prefix: string
  readonly keys: number
  /** Up to three of them. */
  readonly sample: readonly string[]
}

/** What a look at a Redis found. Figures that the server does not tell are null. */
export interface Inspection {
  /** Milliseconds of one PING on an open connection. */
  readonly latencyMs: number
  readonly server: string
  readonly version: string | null
  readonly usedBytes: number | null
  /** The memory or storage that the server may use; null where it sets no limit or tells none. */
  readonly limitBytes: number | null
  /** What the server does when the memory is full. */
  readonly evictionPolicy: string | null
  /** Keys counted below. */
  readonly keys: number
  /** False when there are more keys than one look counts. */
  readonly isComplete: boolean
  /** The most frequent prefixes, at most 20. */
  readonly prefixes: readonly PrefixCount[]
  readonly otherPrefixes: number
}

export interface InspectOptions {
  readonly send: Transport
  readonly kind: Connection['kind']
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress: (keys: number) => void
  /** How many keys are counted at most: each 1 000 cost a command. @default 100 000 */
  readonly mostKeys?: number
}

const SAMPLE_SIZE = 3
const MOST_PREFIXES = 20

/**
 * Looks at a Redis: latency, server, memory, and what its keys begin with. Costs 1 SCAN per 1 000 keys, at most 100; PING
 * and INFO are free.
 *
 * @throws RedisError, InterruptedError
 */
export async function inspectRedis(options: InspectOptions): Promise<Inspection> {
  const { send, kind, clock } = options
  await ask(send, ['PING'])
  const sentAtMs = clock()
  await ask(send, ['PING'])
  const latencyMs = clock() - sentAtMs
  const info = await readInfo(send)
  const { keys, isComplete, prefixes } = await countPrefixes(options)
  const byCount = [...prefixes.values()].toSorted((a, b) => b.keys - a.keys || a.prefix.localeCompare(b.prefix))
  return {
    latencyMs,
    server: serverOf(kind, info),
    version: versionOf(info),
    usedBytes: figureOf(info, 'total_data_size') ?? figureOf(info, 'used_memory'),
    limitBytes: figureOf(info, 'max_data_size') ?? (figureOf(info, 'maxmemory') || null),
    evictionPolicy: info.get('maxmemory_policy') ?? null,
    keys,
    isComplete,
    prefixes: byCount.slice(0, MOST_PREFIXES),
    otherPrefixes: Math.max(byCount.length - MOST_PREFIXES, 0),
  }
}

function serverOf(kind: Connection['kind'], info: Info): string {
  if (kind === 'memory') return 'embedded'
  if (kind === 'upstash') return 'upstash'
  return info.get('server_name') ?? 'redis'
}

async function countPrefixes({ send, signal, onProgress, mostKeys = 100_000 }: InspectOptions) {
  const prefixes = new Map<string, { prefix: string; keys: number; sample: string[] }>()
  const seen = new Set<string>()
  for await (const page of scanPages(send)) {
    if (signal.aborted) throw new InterruptedError()
    if (seen.size >= mostKeys) return { keys: seen.size, isComplete: false, prefixes }
    for (const key of page) {
      if (seen.has(key)) continue
      seen.add(key)
      const prefix = key.slice(0, key.indexOf(':') + 1)
      const found = prefixes.get(prefix) ?? { prefix, keys: 0, sample: [] }
      found.keys += 1
      if (found.sample.length < SAMPLE_SIZE) found.sample.push(key)
      prefixes.set(prefix, found)
    }
    onProgress(seen.size)
  }
  return { keys: seen.size, isComplete: true, prefixes }
}
