import type { SweepPart, SweepReport } from '../../src/sweeps/report.ts'

/** The report of a run over orders. */
export const aReport = (given: Partial<SweepReport> = {}): SweepReport => ({
  id: '01KMQF6WW00000000000000001',
  startedAt: '2025-12-08T21:00:00.000+01:00',
  attempt: 1,
  sweep: 'orders',
  trigger: 'command',
  by: '5',
  dryRun: false,
  asOf: '2025-12-08T21:00:00.000+01:00',
  zone: 'Europe/Berlin',
  days: 2,
  cutoff: '2025-12-06T00:00:00.000+01:00',
  extendedCutoff: '2025-12-04T00:00:00.000+01:00',
  outcome: 'done',
  mode: null,
  summary: null,
  because: null,
  scanned: 225,
  due: 143,
  deleted: 143,
  kept: 82,
  keptOpen: 0,
  unreadable: { count: 0, sample: [] },
  parts: null,
  commands: {},
  billedCommands: 0,
  requests: 0,
  valueBytes: 0,
  durationMs: 400,
  ...given,
})

/** The report of a run over Inngest's database. */
export const anInngestReport = (given: Partial<SweepReport> = {}): SweepReport =>
  aReport({
    sweep: 'inngest',
    days: 30,
    cutoff: '2025-11-08T21:00:00.000+01:00',
    extendedCutoff: '2025-10-09T21:00:00.000+02:00',
    mode: 'aware of Redis (prefix estate)',
    summary: 'Deleted 107 completed runs and 3 abandoned incomplete runs.',
    scanned: 500,
    due: 110,
    deleted: 110,
    kept: 390,
    parts: [
      aPart({ name: 'completed runs', due: 107, deleted: 107 }),
      aPart({ name: 'abandoned incomplete runs', due: 3, deleted: 3 }),
      aPart({ name: 'events', due: 0, deleted: 0, scanned: 9, kept: 9 }),
    ],
    durationMs: 1_234,
    ...given,
  })

/** The report of a dry run over Inngest's database. */
export const anInngestPlan = (given: Partial<SweepReport> = {}): SweepReport =>
  anInngestReport({
    dryRun: true,
    outcome: 'planned',
    deleted: 0,
    summary: 'Would delete 107 completed runs and 3 abandoned incomplete runs.',
    parts: [
      aPart({ name: 'completed runs', due: 107 }),
      aPart({ name: 'abandoned incomplete runs', due: 3 }),
      aPart({ name: 'events' }),
    ],
    ...given,
  })

/** The report of a run over alerts, of organizations with retentions of their own. */
export const anAlertReport = (given: Partial<SweepReport> = {}): SweepReport =>
  aReport({
    sweep: 'alerts',
    days: 90,
    cutoff: '2025-09-09T21:00:00.000+02:00',
    extendedCutoff: '2025-09-09T21:00:00.000+02:00',
    summary: 'Deleted 42 alerts of 2 organizations (3 looked at).',
    scanned: 100,
    due: 42,
    deleted: 42,
    kept: 58,
    parts: [
      aPart({ name: 'acme', scanned: 60, due: 40, deleted: 40, kept: 20 }),
      aPart({ name: 'initech', scanned: 10, due: 2, deleted: 2, kept: 8 }),
      aPart({ name: 'umbrella', scanned: 30, kept: 30 }),
    ],
    ...given,
  })

/** The report of a dry run over alerts. */
export const anAlertPlan = (given: Partial<SweepReport> = {}): SweepReport =>
  anAlertReport({
    dryRun: true,
    outcome: 'planned',
    deleted: 0,
    summary: 'Would delete 42 alerts of 2 organizations (3 looked at).',
    parts: [aPart({ name: 'acme', scanned: 60, due: 40, kept: 20 }), aPart({ name: 'initech', scanned: 10, due: 2 })],
    ...given,
  })

/** The report of a run over the error log. */
export const anErrorReport = (given: Partial<SweepReport> = {}): SweepReport =>
  anAlertReport({
    sweep: 'errors',
    summary: 'Deleted 40 rows of error_log and 2 rows of error_aggregation.',
    parts: [
      aPart({ name: 'error_log', due: 40, deleted: 40 }),
      aPart({ name: 'error_aggregation', due: 2, deleted: 2 }),
    ],
    ...given,
  })

export const aPart = (given: Partial<SweepPart> = {}): SweepPart => ({
  name: 'spans',
  scanned: 0,
  due: 0,
  deleted: 0,
  kept: 0,
  because: null,
  ...given,
})
