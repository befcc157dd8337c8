import type { NoteMissing, ReadValue } from './config-variables.ts'
import type { BullmqConfig } from './config.ts'

/**
 * Every variable is read, so that a wrong one is told although no queue is configured. Which queues must be said: Orderly
 * deletes nothing that nobody named.
 */
export function readBullmq(value: ReadValue, serviceZone: string, missing: NoteMissing): BullmqConfig | undefined {
  const redisUrl = value('BULLMQ_REDIS_URL')
  const queues = value('BULLMQ_QUEUES')
  const { pattern, zone = serviceZone } = value('BULLMQ_SWEEP_SCHEDULE') ?? { pattern: '17 * * * *' }
  const bullmq = {
    prefix: value('BULLMQ_PREFIX') ?? 'bull',
    completed: {
      keep: value('BULLMQ_COMPLETED_KEEP') ?? 1_000,
      ageSeconds: value('BULLMQ_COMPLETED_AGE') ?? 86_400,
    },
    failed: { keep: value('BULLMQ_FAILED_KEEP') ?? 5_000, ageSeconds: value('BULLMQ_FAILED_AGE') ?? 604_800 },
    schedule: { pattern, zone },
  }
  if (redisUrl === undefined) return undefined
  if (queues !== undefined) return { redisUrl, queues, ...bullmq }
  missing('BULLMQ_QUEUES', 'BULLMQ_REDIS_URL: the names of the queues, or * for all of them.')
  return undefined
}
