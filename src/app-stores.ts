import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { connect } from './redis/connect.ts'
import { createMeter, type Meter } from './redis/meter.ts'
import type { Connection } from './redis/transport.ts'

/** A Redis in use: Orderly's own, which holds the orders, or one that a sweep works on. */
export interface Store {
  readonly name: 'orders' | 'inngest' | 'bullmq' | 'executions'
  readonly kind: Connection['kind']
  /** What is spent on it. */
  readonly meter: Meter
}

/** The Redis that sweeps work on besides Orderly's own, by the sweep; absent where none is configured. */
export type ForeignStores = { readonly [Name in Exclude<Store['name'], 'orders'>]?: OpenStore }

export interface OpenStore extends Store {
  close(): Promise<void>
}

export interface ForeignOptions {
  readonly clock: Clock
  /** Put around each connection. */
  readonly wrap: (connection: Connection) => Connection
}

/** Sends nothing yet. An address that is not configured is not guessed. */
export async function openForeignStores(
  { inngest, bullmq, executions }: Config,
  { clock, wrap }: ForeignOptions,
): Promise<ForeignStores> {
  const open = async (name: keyof ForeignStores, url: string): Promise<OpenStore> => {
    const { kind, send, close } = wrap(await connect({ kind: 'tcp', url }, { clock }))
    return { name, kind, meter: createMeter(send), close }
  }
  return {
    ...(inngest?.redisUrl !== undefined && { inngest: await open('inngest', inngest.redisUrl) }),
    ...(bullmq !== undefined && { bullmq: await open('bullmq', bullmq.redisUrl) }),
    ...(executions !== undefined && { executions: await open('executions', executions.redisUrl) }),
  }
}
