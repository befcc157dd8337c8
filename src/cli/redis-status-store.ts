import { queuesOf } from '../app-status-stores.ts'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { createMeter } from '../redis/meter.ts'
import type { StatusStore } from '../redis/status/status.ts'
import { createTcpConnection } from '../redis/tcp.ts'
import { REQUEST_DEADLINE_MS } from '../redis/transport.ts'
import { USUAL_PREFIX } from '../sweeps/bullmq/keys.ts'
import { givenAddress } from './given-address.ts'
import { interruptible } from './interruptible.ts'
import type { Io } from './io.ts'

/**
 * One Redis by its address, whatever it is for, with the queues that are found in it. To be closed.
 *
 * @throws WrongUseError, RedisError for an address that is none.
 */
export function statusStoreAt(url: string, { env, signal }: Pick<Io, 'env' | 'signal'>) {
  const tcp = createTcpConnection({ url: givenAddress('--url', url, { env }), deadlineMs: REQUEST_DEADLINE_MS })
  const { kind, send, close } = interruptible(tcp, signal)
  const prefix = env['BULLMQ_PREFIX']?.trim() || USUAL_PREFIX
  const queues = queuesOf({ prefix, queues: 'all', clock: systemClock })
  const store: StatusStore = { name: 'url', kind, meter: createMeter(send), queues }
  return { store, zone: readConfig({ TIME_ZONE: env['TIME_ZONE'] }).zone, close }
}
