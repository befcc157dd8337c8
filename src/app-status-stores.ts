import type { App } from './app.ts'
import type { StatusStore } from './redis/status/status.ts'
import { createDepthReader, type DepthOptions } from './sweeps/bullmq/depths.ts'

/** Every configured Redis as one to look at, with the queues of the one for BullMQ. */
export function statusStoresOf({ stores, clock, config: { bullmq } }: App): readonly StatusStore[] {
  return stores.map(({ name, kind, meter }) => ({
    name,
    kind,
    meter,
    ...(name === 'bullmq' && bullmq !== undefined && { queues: queuesOf({ ...bullmq, clock }) }),
  }))
}

/** Where queues live, with a reader of their depths. */
export const queuesOf = (options: DepthOptions): NonNullable<StatusStore['queues']> => ({
  prefix: options.prefix,
  read: createDepthReader(options),
})
