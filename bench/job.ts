import type { RedisTarget } from '../src/config.ts'

/** How a worker reaches the one redis-server: directly, or through an Upstash-compatible REST server. */
export const vias = ['tcp', 'rest'] as const
export type Via = (typeof vias)[number]

/** Ways to delete the old half of the orders. */
export const pruneWays = ['former', 'naive', 'foreign', 'ulid', 'between'] as const
export type PruneWay = (typeof pruneWays)[number]

/** Ways to change one order once. */
export const changeWays = ['append', 'compare-and-set', 'get-and-set'] as const
export type ChangeWay = (typeof changeWays)[number]

/** Calendar days that the pruner keeps in every row. */
export const RETENTION_DAYS = 2

/** The business zone of the made-up orders and of the app that prunes them. */
export const ZONE = 'Europe/Berlin'

/** What one worker process is for. */
export type Job = JobFacts &
  (
    | { readonly kind: 'idle' }
    | { readonly kind: 'prune'; readonly way: PruneWay }
    | { readonly kind: 'change'; readonly way: ChangeWay; readonly changes: number }
    | { readonly kind: 'inngest'; readonly inngest: InngestTarget }
  )

/** The stores of an Inngest server to sweep. */
export interface InngestTarget {
  readonly databaseUrl: string
  readonly redisUrl: string
  /** Gets ready and does nothing, for comparison. */
  readonly isIdle: boolean
}

interface JobFacts {
  readonly target: RedisTarget
  /** The instant that orders are judged from, in epoch milliseconds. */
  readonly asOfMs: number
}

/** What Orderly says of its own run. */
export interface OwnAccount {
  /** Calls by upper-case command name, free ones included. */
  readonly commands: Readonly<Record<string, number>>
  readonly billed: number
  readonly requests: number
  /** How the run ended; `done` unless something is wrong. */
  readonly outcome: string
  /** What the report says in sentences, where it says any. */
  readonly said?: string
}

/** What a worker measured between `go` and its end. */
export interface Result {
  /** Orders deleted or changed, as the replies told. */
  readonly done: number
  readonly requests: number
  readonly ms: number
  /** Resident memory in bytes: the highest while it worked. */
  readonly peakBytes: number
  /** Bytes on the wire, protocol overhead included. */
  readonly sentBytes: number
  readonly receivedBytes: number
  /** Null for ways that are not Orderly's. */
  readonly own: OwnAccount | null
}

/** What a worker tells the bench. */
export type Message = { readonly kind: 'ready' } | { readonly kind: 'done'; readonly result: Result }
