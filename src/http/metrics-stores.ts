import { Counter, Gauge, type Registry } from 'prom-client'
import type { Figures, StoreStatus } from '../redis/status/status.ts'

/** A gauge of each store that answers; null is what it does not tell, which is left out. */
interface StoreGauge {
  readonly name: string
  readonly help: string
  readonly of: (figures: Figures) => number | boolean | null
}

const gauges: readonly StoreGauge[] = [
  { name: 'uptime_seconds', help: 'Seconds since the server started.', of: (one) => one.uptimeSeconds },
  { name: 'used_memory_bytes', help: 'Memory, or storage of a plan, in use.', of: (one) => one.usedMemoryBytes },
  { name: 'max_memory_bytes', help: 'Memory that it may use; 0 is no limit.', of: (one) => one.maxMemoryBytes },
  { name: 'fragmentation_ratio', help: 'Memory of the process by its data.', of: (one) => one.fragmentationRatio },
  { name: 'connected_clients', help: 'Connections of clients.', of: (one) => one.connectedClients },
  { name: 'ops_per_second', help: 'Commands a second, lately.', of: (one) => one.opsPerSecond },
  { name: 'hit_ratio', help: 'Lookups since the start that found a key, 0 to 1.', of: (one) => one.hitRatio },
  { name: 'keys', help: 'Keys in all databases.', of: (one) => one.keys },
  { name: 'evicted_keys', help: 'Keys dropped for lack of room since the start.', of: (one) => one.evictedKeys },
  { name: 'expired_keys', help: 'Keys that expired since the start.', of: (one) => one.expiredKeys },
  { name: 'aof_enabled', help: 'Whether each write goes to the append-only file.', of: (one) => one.aofEnabled },
  { name: 'aof_size_bytes', help: 'Size of the append-only file.', of: (one) => one.aofSizeBytes },
  { name: 'aof_last_write_ok', help: 'Whether the last write to it succeeded.', of: (one) => one.aofLastWriteOk },
  { name: 'rdb_last_save_age_seconds', help: 'Age of the last snapshot.', of: (one) => one.rdbLastSaveAgeSeconds },
  { name: 'rdb_last_save_ok', help: 'Whether the last snapshot succeeded.', of: (one) => one.rdbLastSaveOk },
]

/** Collects how each Redis is, as metrics with the label `store`. Costs what asking costs. */
export const storeMetrics =
  (stores: () => Promise<readonly StoreStatus[]>) =>
  async (registry: Registry): Promise<void> => {
    const statuses = await stores()
    addReach(registry, statuses)
    for (const { name, help, of } of gauges) {
      const gauge = gaugeOf(registry, { name, help, labels: ['store'] })
      for (const { name: store, figures } of statuses) {
        const value = of(figures)
        if (value !== null) gauge.set({ store }, Number(value))
      }
    }
    addFamilies(registry, statuses)
    addQueues(registry, statuses)
  }

interface GaugeOptions<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labels: readonly Label[]
}

const gaugeOf = <Label extends string>(registry: Registry, { name, help, labels }: GaugeOptions<Label>) =>
  new Gauge({ name: `orderly_redis_${name}`, help, labelNames: [...labels], registers: [registry] })

function addReach(registry: Registry, statuses: readonly StoreStatus[]): void {
  const up = gaugeOf(registry, { name: 'up', help: 'Whether it answered in time.', labels: ['store'] })
  const billed = new Counter({
    name: 'orderly_redis_commands_billed',
    help: 'Commands sent since this process started that a provider would bill.',
    labelNames: ['store'],
    registers: [registry],
  })
  for (const { name: store, ok, billedCommands } of statuses) {
    up.set({ store }, Number(ok))
    billed.inc({ store }, billedCommands)
  }
}

function addFamilies(registry: Registry, statuses: readonly StoreStatus[]): void {
  const labels = ['store', 'family'] as const
  const keys = gaugeOf(registry, { name: 'family_keys', help: 'Keys of a family, about.', labels })
  const bytes = gaugeOf(registry, { name: 'family_bytes', help: 'Memory of a family of keys, about.', labels })
  for (const { name: store, families } of statuses) {
    for (const { name: family, ...count } of families?.largest ?? []) {
      keys.set({ store, family }, count.keys)
      if (count.bytes !== null) bytes.set({ store, family }, count.bytes)
    }
  }
}

function addQueues(registry: Registry, statuses: readonly StoreStatus[]): void {
  const labels = ['store', 'queue', 'state'] as const
  const jobs = gaugeOf(registry, { name: 'queue_jobs', help: 'Jobs of a queue in a state.', labels })
  const help = 'Whether every queue is told: 0 where some were left out, or none could be counted.'
  const complete = gaugeOf(registry, { name: 'queues_complete', help, labels: ['store'] })
  for (const { name: store, queues, areQueuesComplete } of statuses) {
    if (areQueuesComplete !== null) complete.set({ store }, Number(areQueuesComplete))
    // Names that are harmless to show may have become one.
    for (const { name: queue, states } of queues) {
      for (const [state, count] of Object.entries(states)) if (count !== null) jobs.inc({ store, queue, state }, count)
    }
  }
}
