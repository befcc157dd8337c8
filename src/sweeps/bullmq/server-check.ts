import { RedisError } from '../../errors.ts'
import { isClusterNode, readInfo, versionOf } from '../../redis/info.ts'
import type { Transport } from '../../redis/transport.ts'

/**
 * Makes sure of a server on which BullMQ's scripts work as they are used here. Free of charge (INFO).
 *
 * @throws RedisError for a cluster, whose scripts may not reach a parent in another queue, and for a Redis before 5.
 */
export async function checkServer(send: Transport): Promise<void> {
  const info = await readInfo(send)
  if (isClusterNode(info)) {
    throw new RedisError('REDIS_REFUSED', 'The Redis of BULLMQ_REDIS_URL is a cluster, which this sweep does not know.')
  }
  const [, major] = /^(\d{1,4})\./.exec(versionOf(info) ?? '') ?? []
  if (major !== undefined && Number(major) < 5) {
    throw new RedisError('REDIS_REFUSED', `BullMQ needs Redis 5 or later; BULLMQ_REDIS_URL is Redis ${major}.`)
  }
}
