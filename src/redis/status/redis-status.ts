import type { Clock } from '../../clock.ts'
import type { StatusStore, StoreStatus } from './status.ts'
import { createStoreWatch } from './store-watch.ts'

export interface RedisStatusOptions {
  readonly stores: readonly StatusStore[]
  readonly clock: Clock
  /** Milliseconds for which one answer of a server stands, however many ask. @default 15 000 */
  readonly shareMs?: number
  /** Milliseconds that a store is waited for. @default 5 000, half of what a Prometheus gives a scrape */
  readonly deadlineMs?: number
  /** Told of what is no failure of Redis; must log through the allow-list serializer. */
  readonly onDefect: (error: unknown) => void
}

/** How every configured Redis is. Neither function throws; a store that does not answer in time says so in its status. */
export interface RedisStatus {
  /**
   * Everything. Where commands are billed it costs at most 1 SCAN and 50 MEMORY USAGE a store, and once an hour at most;
   * elsewhere at most 20 SCAN and 500 MEMORY USAGE, once a minute at most, 1 SLOWLOG and 1 DBSIZE. Queues cost what `depths.ts` says.
   */
  look(): Promise<readonly StoreStatus[]>
  /** The same with families of keys as `look` counted them last, if in the last hour. Costs nothing where commands are billed. */
  figures(): Promise<readonly StoreStatus[]>
}

/** Looks at stores side by side, for everybody who asks. */
export function createRedisStatus(options: RedisStatusOptions): RedisStatus {
  const { clock, shareMs = 15_000, deadlineMs = 5_000, onDefect } = options
  const watches = options.stores.map((store) => createStoreWatch(store, { clock, shareMs, deadlineMs, onDefect }))
  return {
    look: async () => await Promise.all(watches.map((watch) => watch.look({ thorough: true }))),
    figures: async () => await Promise.all(watches.map((watch) => watch.look({ thorough: false }))),
  }
}
