import { Client } from 'pg'
import { createApp } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { instantOf, USUAL_DAYS, type AuditStore } from './store.ts'

/** The two things that grow. */
export type Subject = 'alerts' | 'errors'

/** What a way says at the end: rows that went, and how it ended. */
export interface Done {
  readonly deleted: number
  readonly outcome: string
}

/** Deletes what is due. Opens its own sessions. */
export type Way = (url: string, subject: Subject, store: AuditStore) => Promise<Done>

/** The sweep as the product runs it, with its log thrown away. */
export const orderly: Way = async (url, subject, { asOfMs }) => {
  const config = readConfig({ AUDIT_DATABASE_URL: url })
  const log = createLog({ level: 'info', destination: { write: () => {} } })
  const connection = createMemoryConnection({ clock: systemClock })
  const { sweeps, close } = await createApp(config, log, { clock: systemClock, connection })
  const ran = await sweeps[subject]?.({ trigger: 'cli', dryRun: false, asOfMs })
  await close()
  return { deleted: ran?.report.deleted ?? 0, outcome: ran?.report.outcome ?? 'not configured' }
}

/** What most people write instead: one DELETE for each organization, one after another, and one for all errors. */
export const naive: Way = async (url, subject, store) => {
  const client = new Client({ connectionString: url, application_name: 'orderly' })
  await client.connect()
  try {
    return { deleted: await (subject === 'alerts' ? deleteAlerts : deleteErrors)(client, store), outcome: 'done' }
  } finally {
    await client.end()
  }
}

async function deleteAlerts(client: Client, store: AuditStore): Promise<number> {
  const { rows } = await client.query<{ id: string; days: number }>(
    `SELECT id, coalesce(retention_days, ${USUAL_DAYS}) AS days FROM organization`,
  )
  let deleted = 0
  for (const { id, days } of rows.filter((row) => row.days > 0)) {
    const { rowCount } = await client.query(
      `DELETE FROM alerts WHERE organization_id = $1 AND resolved AND resolved_at < ${instantOf(store)} - $2 * interval '24 hours'`,
      [id, days],
    )
    deleted += rowCount ?? 0
  }
  return deleted
}

async function deleteErrors(client: Client, store: AuditStore): Promise<number> {
  const { rowCount } = await client.query(
    `DELETE FROM error_log WHERE "timestamp" < ${instantOf(store)} - ${USUAL_DAYS} * interval '24 hours'`,
  )
  return rowCount ?? 0
}
