import type { Connection, Transport } from '../transport.ts'
import type { Meter } from '../meter.ts'

/** What a person has to do about a line: nothing, look into it, act now; or nobody could tell. */
export type Verdict = 'ok' | 'look' | 'bad' | 'unknown'

/** One judged fact of a Redis. All of it is harmless to show: no key, no value, no control character. */
export interface StatusLine {
  readonly name: string
  readonly value: string
  readonly verdict: Verdict
  /** What to do, a sentence; of an unknown one which right is missing. Null where all is well. */
  readonly cure: string | null
}

/** What a server tells of itself; null is what it does not tell. */
export interface Figures {
  readonly version: string | null
  readonly role: 'primary' | 'replica' | null
  readonly isCluster: boolean | null
  readonly uptimeSeconds: number | null
  readonly usedMemoryBytes: number | null
  /** 0 where the server has no limit. */
  readonly maxMemoryBytes: number | null
  /** Memory of the process by what its data take. */
  readonly fragmentationRatio: number | null
  readonly connectedClients: number | null
  readonly maxClients: number | null
  readonly opsPerSecond: number | null
  /** Of all lookups since the start those that found a key, from 0 to 1; null before the first one, too. */
  readonly hitRatio: number | null
  readonly evictedKeys: number | null
  readonly expiredKeys: number | null
  readonly evictionPolicy: string | null
  /** In all databases. */
  readonly keys: number | null
  /** Whether the server saves by itself. */
  readonly rdbIsScheduled: boolean | null
  readonly rdbLastSaveOk: boolean | null
  /** The server's start counts as a save. */
  readonly rdbLastSaveAgeSeconds: number | null
  readonly rdbChangesSinceLastSave: number | null
  readonly aofEnabled: boolean | null
  readonly aofLastWriteOk: boolean | null
  readonly aofLastRewriteOk: boolean | null
  readonly aofSizeBytes: number | null
  /** Its size after the latest rewrite. */
  readonly aofBaseBytes: number | null
}

/** Keys whose names begin alike. Figures are extrapolated where not every key was looked at. */
export interface KeyFamily {
  readonly name: string
  readonly keys: number
  /** By a sample of MEMORY USAGE; null where that could not be asked. */
  readonly bytes: number | null
}

export interface KeyFamilies {
  /** The largest first, at most 12. */
  readonly largest: readonly KeyFamily[]
  /** How many more were met. */
  readonly others: number
  /** True when not every key was looked at. */
  readonly isEstimate: boolean
}

/** How many jobs of a queue are in each state. */
export interface QueueDepth {
  /** Harmless to show, at most 60 characters. */
  readonly name: string
  /** By the state's name, all states in a fixed order; null where it could not be read. */
  readonly states: Readonly<Record<string, number | null>>
  readonly verdict: Verdict
  readonly cure: string | null
}

/** An entry of the slow log: what was run but not on what, for arguments may be people's data. */
export interface SlowCommand {
  readonly atMs: number
  readonly micros: number
  readonly command: string
}

/** What a look at one Redis came to. */
export interface StoreStatus {
  readonly name: string
  /** Whether it answered. */
  readonly ok: boolean
  /** The worst of the lines; `bad` where there was no answer. */
  readonly verdict: Verdict
  /** Why there was no answer; null where there was one. */
  readonly error: { readonly code: string; readonly message: string } | null
  readonly lines: readonly StatusLine[]
  /** All null where there was no answer. */
  readonly figures: Figures
  /** As they were counted last; null where they were not counted lately. */
  readonly families: KeyFamilies | null
  readonly queues: readonly QueueDepth[]
  /** Whether these are all that there are, or all that were named; null where no queues are looked for. */
  readonly areQueuesComplete: boolean | null
  /** The latest first, at most 10. */
  readonly slowLog: readonly SlowCommand[]
  /** Spent on it by this process, for whatever purpose. */
  readonly billedCommands: number
}

/** What a look for queues came to. */
export interface QueueDepths {
  readonly queues: readonly QueueDepth[]
  /** Queues that were found or named but not looked at, for there were too many. */
  readonly leftOut: number
  /** Whether the whole database was looked through for them, as far as that was needed. */
  readonly isSearchWhole: boolean
}

/** Reads how deep the queues in a Redis are; `isBilled` says whether each command costs money. */
export type ReadDepths = (send: Transport, server: { readonly isBilled: boolean }) => Promise<QueueDepths>

/** A Redis to look at. */
export interface StatusStore {
  /** `orders`, `inngest`, `bullmq` or `executions`; another name where nobody knows what it is for. */
  readonly name: string
  readonly kind: Connection['kind']
  readonly meter: Meter
  /** Where queues live in it. */
  readonly queues?: { readonly prefix: string; readonly read: ReadDepths }
}
