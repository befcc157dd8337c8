import type { NoteMissing, ReadValue } from './config-variables.ts'
import type { ExecutionsConfig } from './config.ts'

/** Every variable is read, so that a wrong one is told although no store of executions is configured. */
export function readExecutions(
  value: ReadValue,
  serviceZone: string,
  missing: NoteMissing,
): ExecutionsConfig | undefined {
  const redisUrl = value('EXECUTIONS_REDIS_URL')
  const prefix = value('EXECUTIONS_PREFIX')
  const maxAgeDays = value('EXECUTIONS_MAX_AGE_DAYS') ?? 1
  const { pattern, zone = serviceZone } = value('EXECUTIONS_SCHEDULE') ?? { pattern: '37 * * * *' }
  if (redisUrl === undefined) return undefined
  if (prefix !== undefined) return { redisUrl, prefix, maxAgeDays, schedule: { pattern, zone } }
  missing('EXECUTIONS_PREFIX', 'EXECUTIONS_REDIS_URL: what the keys of executions begin with.')
  return undefined
}
