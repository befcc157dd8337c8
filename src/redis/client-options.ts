import type { RedisOptions } from 'ioredis'

/**
 * What every client of ours is told: connect when asked to, and send each request once, whatever becomes of it; ioredis by
 * itself sends an APPEND again whose reply was cut.
 */
export const sendsOnce = {
  protocol: 2,
  lazyConnect: true,
  disconnectTimeout: 100,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  disableClientInfo: true,
} as const satisfies RedisOptions
