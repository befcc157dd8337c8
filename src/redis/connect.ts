import type { Clock } from '../clock.ts'
import type { RedisTarget } from '../config.ts'
import { type Connection, REQUEST_DEADLINE_MS } from './transport.ts'

export interface ConnectOptions {
  /** What the embedded store measures expiry by. */
  readonly clock: Clock
  /** Milliseconds a request may take before it counts as unanswered. @default REQUEST_DEADLINE_MS */
  readonly deadlineMs?: number
}

/**
 * Opens the driver that a target names, and loads only that one. Sends nothing: the first request connects.
 *
 * @throws RedisError when the address is not usable.
 */
export async function connect(
  target: RedisTarget,
  { clock, deadlineMs = REQUEST_DEADLINE_MS }: ConnectOptions,
): Promise<Connection> {
  switch (target.kind) {
    case 'upstash': {
      const { createUpstashConnection } = await import('./upstash.ts')
      return createUpstashConnection({ url: target.url, token: target.token, deadlineMs })
    }
    case 'tcp': {
      const { createTcpConnection } = await import('./tcp.ts')
      return createTcpConnection({ url: target.url, deadlineMs })
    }
    case 'memory': {
      const { createMemoryConnection } = await import('./memory.ts')
      return createMemoryConnection({ clock })
    }
    default:
      return target satisfies never
  }
}
