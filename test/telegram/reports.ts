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

export const aPart = (given: Partial<SweepPart> = {}): SweepPart => ({
  name: 'spans',
  scanned: 0,
  due: 0,
  deleted: 0,
  kept: 0,
  because: null,
  ...given,
})
