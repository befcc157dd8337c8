import type { AuditConfig } from '../config.ts'
import type { SweepRun } from '../sweeps/sweep.ts'
import { cronTrigger } from './cron-trigger.ts'
import { configured, dayAt, RETRIES, type EngineFunction, type FunctionParts } from './parts.ts'
import { decodePayload, eventNames } from './payloads.ts'
import type { StartRun } from './runs.ts'

/** An organization as its table has it; `null` where the default counts, `refused` where nobody can tell. */
export interface Organization {
  readonly id: string
  readonly retentionDays: number | null | 'refused'
}

/** Every organization, page by page. */
export type ListOrganizations = () => AsyncIterable<readonly Organization[]>

/** How many events one step sends. */
const BATCH_SIZE = 500

/** The engine keeps at most 4 MB of a step's result. */
const MOST_BYTES = 3_500_000

/** How many organizations the result of a listing names. */
const SAMPLE_SIZE = 5

/** How many organizations are swept at a time, over all instances. */
const CONCURRENCY = 4

/**
 * `alerts-cleanup-prepare` sends one event for each organization, `cleanup-resolved-alerts` sweeps the organization of an
 * event. The engine takes each organization once a day, however often the former runs.
 */
export function alertFunctions(
  parts: FunctionParts,
  { audit, organizations }: { readonly audit: AuditConfig; readonly organizations: ListOrganizations },
): readonly EngineFunction[] {
  const { client } = parts
  const announce = oncePerDay(parts, audit.alertSchedule.zone)
  const prepare = client.createFunction(
    { id: 'alerts-cleanup-prepare', triggers: cronTrigger(audit.alertSchedule), retries: RETRIES },
    async ({ step }) => {
      // Kept by the engine: a repetition after midnight sends what is left with the same day.
      const listing = await step.run('list-organizations', () => listAll(parts, audit, organizations))
      for (let from = 0; from < listing.due.length; from += BATCH_SIZE) {
        const batch = listing.due.slice(from, from + BATCH_SIZE)
        const events = batch.map(([id, days]) => alertEvent(parts.appId, { id, days, day: listing.day }))
        await step.sendEvent(`send-alerts-cleanup-${from / BATCH_SIZE + 1}`, events)
      }
      return { day: listing.day, sent: listing.due.length, defaulted: listing.defaulted, refused: listing.refused }
    },
  )
  const cleanup = client.createFunction(
    {
      id: 'cleanup-resolved-alerts',
      triggers: { event: eventNames.alerts },
      concurrency: CONCURRENCY,
      retries: RETRIES,
      // Held for 24 hours, which alone would take the next morning's event for a repetition.
      idempotency: "event.data.organization_id + '-' + event.data.day",
    },
    async ({ event, ...context }) => {
      const { organization_id: organization, retention_days, stored: isStored } = decodePayload('alerts', event.data)
      // What the listing saw may have been changed since; only days that somebody chose count in its place.
      const days = isStored === true ? undefined : retention_days
      const asked = { organization, ...(days !== undefined && { days }), isPart: true }
      const start: StartRun = async (request) => {
        const sweep = configured(parts, 'alerts')
        return await sweep({ trigger: 'engine', dryRun: false, ...asked, ...request })
      }
      const result = await parts.runToEnd(context, { start, onFailed: announce })
      return { organization_id: organization, ...result }
    },
  )
  return [prepare, cleanup]
}

interface Listing {
  readonly day: string
  /** Id and days of each organization that is to be swept: pairs, for the engine stores them. */
  readonly due: [id: string, days: number][]
  /** Organizations without a retention of their own. */
  readonly defaulted: number
  readonly refused: { readonly count: number; readonly sample: string[] }
}

async function listAll({ clock, log, failures }: FunctionParts, audit: AuditConfig, organizations: ListOrganizations) {
  const day = dayAt(clock(), audit.alertSchedule.zone)
  const due: [string, number][] = []
  const refused: string[] = []
  let defaulted = 0
  for await (const page of organizations()) {
    for (const { id, retentionDays } of page) {
      if (retentionDays === null) defaulted += 1
      if (retentionDays === 'refused') refused.push(id)
      else due.push([id, retentionDays ?? audit.alertRetentionDays])
    }
  }
  if (refused.length > 0) log.warn({ event: 'engine.refused', organizations: refused.length }, REFUSED)
  if (Buffer.byteLength(JSON.stringify(due)) > MOST_BYTES) throw failures.final(TOO_MANY)
  return {
    day,
    due,
    defaulted,
    refused: { count: refused.length, sample: refused.slice(0, SAMPLE_SIZE) },
  } satisfies Listing
}

const REFUSED = 'Organizations whose retention is no whole number from 1 to 365 are not swept.'
const TOO_MANY = 'There are more organizations than the engine can keep. Sweep them in-process: unset INNGEST_APP_ID.'

/** The id makes the same organization on the same day the same event, whoever sends it how often. */
const alertEvent = (
  appId: string,
  { id, days, day }: { readonly id: string; readonly days: number; readonly day: string },
) => ({
  name: eventNames.alerts,
  id: `${appId}:alerts:${day}:${id}`,
  data: { organization_id: id, retention_days: days, stored: true, day },
})

/**
 * People are told of the first organization that fails on a day; the engine and the log have them all. One that was deleted
 * since the listing is no failure of the sweep.
 */
function oncePerDay({ clock, announce }: FunctionParts, zone: string) {
  let told = ''
  return ({ report, code }: SweepRun): void => {
    const today = dayAt(clock(), zone)
    if (told === today || code === 'BAD_INPUT') return
    told = today
    announce(report)
  }
}
