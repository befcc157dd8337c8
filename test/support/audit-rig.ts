import type { AuditConfig, AuditTables } from '../../src/config.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { createAlertsSweep } from '../../src/sweeps/audit/alerts-sweep.ts'
import { createErrorLogSweep } from '../../src/sweeps/audit/error-log-sweep.ts'
import type { Limits } from '../../src/sweeps/audit/limits.ts'
import type { OpenDatabase } from '../../src/sweeps/audit/session.ts'
import type { SweepPart, SweepReport } from '../../src/sweeps/report.ts'
import { createSweepRunner } from '../../src/sweeps/runner.ts'
import type { SweepRequest, SweepRun } from '../../src/sweeps/sweep.ts'
import { fakeClock } from './clock.ts'

/** The instant that the sweeps of a rig judge from. */
export const AUDIT_NOW = '2026-03-29T04:00:00.000Z'

export const auditTables: AuditTables = {
  organization: { table: 'organization', columns: { id: 'id', retention_days: 'retention_days' } },
  alerts: {
    table: 'alerts',
    columns: { id: 'id', organization_id: 'organization_id', resolved: 'resolved', resolved_at: 'resolved_at' },
  },
  error_log: { table: 'error_log', columns: { id: 'id', timestamp: 'timestamp' } },
  error_aggregation: {
    table: 'error_aggregation',
    columns: { error_hash: 'error_hash', last_occurrence: 'last_occurrence' },
  },
}

export interface AuditRigOptions {
  readonly store: { readonly url: string; readonly open: OpenDatabase }
  readonly config?: Partial<AuditConfig>
  readonly limits?: Partial<Limits>
}

/** Told of each organization: the detail of the log's line. */
export type Told = Readonly<Record<string, unknown>>

/** The sweeps over an audit database with the real runner; they apply unless told otherwise. */
export function createAuditRig({ store, config: given, limits = { pausesMs: [1, 1, 1] } }: AuditRigOptions) {
  const clock = fakeClock(AUDIT_NOW)
  const defects: unknown[] = []
  const told: Told[] = []
  const config = auditConfig(store.url, given)
  const runner = createSweepRunner({
    meter: createMeter(createMemoryConnection({ clock }).send),
    clock,
    zone: 'Europe/Berlin',
    emit: () => undefined,
    onDefect: (error) => void defects.push(error),
  })
  const shared = { config, clock, open: store.open, limits }
  const alerts = runner(
    createAlertsSweep({
      ...shared,
      emit: (_, name, detail) => {
        if (name === 'sweep.part') told.push({ ...(typeof detail === 'function' ? detail() : detail) })
      },
    }),
  )
  const errors = runner(createErrorLogSweep(shared))
  const run = (sweep: typeof alerts) => async (request?: Partial<SweepRequest>) => {
    const ran = await sweep({ trigger: 'cli', dryRun: false, ...request })
    if (defects.length > 0) throw new Error('The sweep met a defect.', { cause: defects[0] })
    return ran
  }
  return {
    told,
    sweepAlerts: run(alerts),
    sweepErrors: run(errors),
    alerts: async (request?: Partial<SweepRequest>): Promise<SweepReport> => (await run(alerts)(request)).report,
    errors: async (request?: Partial<SweepRequest>): Promise<SweepReport> => (await run(errors)(request)).report,
  } satisfies Record<string, unknown> & {
    sweepAlerts: (request?: Partial<SweepRequest>) => Promise<SweepRun>
  }
}

export const auditConfig = (databaseUrl: string, given: Partial<AuditConfig> = {}): AuditConfig => ({
  databaseUrl,
  tables: auditTables,
  alertRetentionDays: 90,
  alertSchedule: { pattern: '0 5 * * *', zone: 'Europe/Lisbon' },
  deletesOrphans: false,
  errorRetentionDays: 90,
  errorSchedule: { pattern: '0 4 * * *', zone: 'Europe/Lisbon' },
  ...given,
})

/** A part of a report by its name. */
export function auditPart({ parts }: SweepReport, name: string): SweepPart {
  const part = parts?.find((one) => one.name === name)
  if (part === undefined) throw new Error(`The report has no part "${name}".`)
  return part
}
