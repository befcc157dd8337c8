import type { RedisQueueBackend } from 'bullmq'
import type { Transport } from '../../redis/transport.ts'
import { createBullmqClient, type ClientOptions } from './client.ts'
import type { QueuePlace } from './keys.ts'
import type { BullmqPackage } from './load.ts'

export interface OpenQueueOptions extends ClientOptions {
  readonly bullmq: BullmqPackage
  readonly send: Transport
  readonly place: QueuePlace
}

/** A queue as BullMQ sees it. */
export interface OpenQueue {
  /** BullMQ's own functions on the queue, without those that read or add jobs: see `createBullmqClient`. */
  readonly backend: RedisQueueBackend
  close(): Promise<void>
}

/**
 * Opens a queue through BullMQ without touching it: its meta stays as its owner wrote it, and no connection is made. Costs
 * nothing.
 */
export async function openQueue({ bullmq, send, place, ...options }: OpenQueueOptions): Promise<OpenQueue> {
  const queue = new bullmq.Queue(place.queue, {
    prefix: place.prefix,
    connection: createBullmqClient(send, options),
    skipMetasUpdate: true,
    // Asked by ourselves: BullMQ would write what it thinks of the server to the console.
    skipVersionCheck: true,
  })
  await queue.waitUntilReady()
  return { backend: queue.getBackend(), close: async () => await queue.close() }
}
