import type { AuditConfig } from '../config.ts'
import { cronTrigger } from './cron-trigger.ts'
import { configured, dayAt, RETRIES, type EngineFunction, type FunctionParts } from './parts.ts'
import { decodePayload, eventNames } from './payloads.ts'
import type { StartRun } from './runs.ts'

/** `errors-cleanup-prepare` sends one event a day, `cleanup-old-errors` sweeps the error log as an event asks. */
export function errorFunctions(parts: FunctionParts, audit: AuditConfig): readonly EngineFunction[] {
  const { client, clock, appId, announce } = parts
  const { errorSchedule, errorRetentionDays } = audit
  const prepare = client.createFunction(
    { id: 'errors-cleanup-prepare', triggers: cronTrigger(errorSchedule), retries: RETRIES },
    async ({ step }) => {
      const day = await step.run('tell-the-day', async () => dayAt(clock(), errorSchedule.zone))
      await step.sendEvent('send-errors-cleanup', {
        name: eventNames.errors,
        id: `${appId}:errors:${day}`,
        data: { retention_days: errorRetentionDays, day },
      })
      return { day, sent: 1 }
    },
  )
  const cleanup = client.createFunction(
    {
      id: 'cleanup-old-errors',
      triggers: { event: eventNames.errors },
      concurrency: 1,
      retries: RETRIES,
      idempotency: 'event.data.day',
    },
    async ({ event, ...context }) => {
      const { retention_days: days } = decodePayload('errors', event.data)
      const start: StartRun = async (request) => {
        const sweep = configured(parts, 'errors')
        return await sweep({ trigger: 'engine', dryRun: false, ...(days !== undefined && { days }), ...request })
      }
      return await parts.runToEnd(context, { start, onFailed: ({ report }) => announce(report) })
    },
  )
  return [prepare, cleanup]
}
