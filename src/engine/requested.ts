import { configured, RETRIES, type EngineFunction, type FunctionParts } from './parts.ts'
import { decodePayload, eventNames } from './payloads.ts'
import type { StartRun } from './runs.ts'

/** `sweep-requested` runs the sweep that an event names, one at a time of each name. */
export const requestedFunction = (parts: FunctionParts): EngineFunction =>
  parts.client.createFunction(
    {
      id: 'sweep-requested',
      triggers: { event: eventNames.requested },
      concurrency: { limit: 1, key: 'event.data.name' },
      retries: RETRIES,
    },
    async ({ event, ...context }) => {
      const { name, days, queue, dry_run: dryRun } = decodePayload('requested', event.data)
      const start: StartRun = async (request) => {
        const sweep = configured(parts, name)
        const which = { ...(days !== undefined && { days }), ...(queue !== undefined && { queue }) }
        return await sweep({ trigger: 'engine', dryRun, ...which, ...request })
      }
      const result = await parts.runToEnd(context, { start, onFailed: ({ report }) => parts.announce(report) })
      return { name, dry_run: dryRun, ...result }
    },
  )
