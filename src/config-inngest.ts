import type { ReadValue } from './config-variables.ts'
import type { InngestConfig } from './config.ts'

/** Every variable is read, so that a wrong one is told although the sweep is not configured. */
export function readInngest(value: ReadValue, serviceZone: string): InngestConfig | undefined {
  const database = value('INNGEST_DATABASE_URL')
  const { pattern, zone = serviceZone } = value('CLEANUP_SCHEDULE') ?? { pattern: '0 2 * * *' }
  const inngest = {
    redisUrl: value('INNGEST_REDIS_URL'),
    keyPrefix: value('INNGEST_REDIS_KEY_PREFIX'),
    retentionDays: value('INNGEST_RETENTION_DAYS') ?? 30,
    doubleRetention: value('INNGEST_DOUBLE_RETENTION') ?? 2,
    batchSize: value('INNGEST_BATCH_SIZE') ?? 1_000,
    isDryRun: value('INNGEST_DRY_RUN') ?? false,
    isRedisAware: value('USE_REDIS_AWARE_CLEANUP') ?? true,
    schedule: { pattern, zone },
  }
  return database === undefined ? undefined : { database, ...inngest }
}
