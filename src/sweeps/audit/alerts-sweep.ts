import type { Clock } from '../../clock.ts'
import type { AuditConfig } from '../../config.ts'
import { InputError } from '../../errors.ts'
import type { Emit } from '../../events.ts'
import { PartsFailedError } from '../failures.ts'
import { SweepStopped } from '../guard.ts'
import { createPacer, type Pacer } from '../pacer.ts'
import { hourCutoffs } from '../retention.ts'
import type { Sweep, SweepJob } from '../sweep.ts'
import { countAlerts, judge, type AlertCounts, type Judged } from './alert-plan.ts'
import { createAlertTally, named, type AlertTally, type TalliedPart } from './alert-tally.ts'
import { countedInTime } from './counting.ts'
import { MOST_ROWS } from './deletion.ts'
import { indexAdvice } from './index-advice.ts'
import { usualLimits, type Limits } from './limits.ts'
import { findOrganization, organizationPages, type Organization } from './organizations.ts'
import { workOn } from './organization-work.ts'
import { sweepOrphans } from './orphans.ts'
import { createSession, isLost, openPostgres, type OpenDatabase, type Session } from './session.ts'
import { needAlertTables, type AlertTables } from './tables.ts'

/** Organizations that are worked on at a time, each over a session of its own. */
const SESSIONS = 4

/** After so many organizations in a row whose connection failed, the run stops. */
const MOST_LOST = 5

export interface AlertsSweepOptions {
  readonly config: AuditConfig
  readonly clock: Clock
  /** Opens a session with the database. @default the PostgreSQL driver */
  readonly open?: OpenDatabase
  /** Told of each organization that was worked on. @default nobody */
  readonly emit?: Emit
  /** @default five minutes for each organization; attempts after 1, 3 and 9 seconds */
  readonly limits?: Partial<Limits>
}

/**
 * The sweep over the alerts of organizations: resolved ones older than their organization's retention go. Up to four
 * organizations at a time, each with its own deadline, failure and part in the report. Costs no command of Redis.
 */
export function createAlertsSweep(options: AlertsSweepOptions): Sweep {
  const { config } = options
  return {
    name: 'alerts',
    defaultDays: config.alertRetentionDays,
    leastDays: 1,
    cutoffs: (days, asOfMs) => hourCutoffs({ days, factor: 1 }, asOfMs),
    run: async (job) => {
      const run = beginRun(job, options)
      try {
        await job.during(sweep(run))
      } finally {
        run.tally.conclude()
        await Promise.all([run.reader, ...run.workers].map((session) => session.close()))
      }
    },
  }
}

/** A run under way. */
interface Run {
  readonly job: SweepJob
  readonly config: AuditConfig
  readonly clock: Clock
  readonly emit: Emit
  readonly limits: Limits
  readonly tally: AlertTally
  /** Lists and counts. */
  readonly reader: Session
  /** Delete, each for one organization at a time. */
  readonly workers: readonly Session[]
}

function beginRun(
  job: SweepJob,
  { config, clock, open = openPostgres, emit = () => {}, ...given }: AlertsSweepOptions,
) {
  const limits = { ...usualLimits, ...given.limits }
  const { deadlineMs: statementMs, pausesMs } = limits
  const shared = { url: config.databaseUrl, open, pausesMs, statementMs, goOn: job.goOn }
  const worker = () => createSession({ ...shared, isReadOnly: job.dryRun })
  return {
    job,
    config,
    clock,
    emit,
    limits,
    tally: createAlertTally({
      findings: job.findings,
      isDryRun: job.dryRun,
      usualDays: config.alertRetentionDays,
    }),
    reader: createSession({ ...shared, isReadOnly: true }),
    workers: Array.from({ length: SESSIONS }, worker),
  } satisfies Run
}

async function sweep(run: Run): Promise<void> {
  const { job, config, reader, tally } = run
  job.findings.mode =
    job.days === undefined
      ? `each organization by its own retention, ${config.alertRetentionDays} days where it has none`
      : `${job.days} days for ${job.organization === undefined ? 'every' : 'this'} organization`
  const tables = await reader.attempt((sql) => needAlertTables(sql, config.tables))
  job.findings.remarks.push(...adviceFor(tables))
  await sweepOrganizations(run, tables)
  if (job.organization === undefined) await sweepOthers(run, tables)
  const [failure] = tally.failures
  if (failure === undefined) return
  // Whoever asked for one organization decides by what went wrong with it.
  if (job.organization !== undefined) throw failure.error
  throw new PartsFailedError(named(tally.failures.map(({ name }) => name)))
}

function adviceFor({ alerts }: AlertTables): readonly string[] {
  const { organization_id: owner, resolved, resolved_at: time } = alerts.columns
  return [indexAdvice(alerts, { columns: [owner, time], resolved }) ?? []].flat()
}

/** Four sessions take organization after organization from one list. */
async function sweepOrganizations(run: Run, tables: AlertTables): Promise<void> {
  const list = dueOrganizations(run, tables)
  let lostInARow = 0
  const work = async (session: Session) => {
    const pacer = createPacer(MOST_ROWS)
    for await (const { judged, part } of list) {
      const lost = await workAndTell(run, { judged, part, session, tables, pacer })
      lostInARow = lost ? lostInARow + 1 : 0
      if (lostInARow >= MOST_LOST) throw new SweepStopped('unreachable')
    }
  }
  const ends = await Promise.allSettled(run.workers.map(work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

interface Due {
  readonly judged: Judged
  readonly part: TalliedPart
}

/** Judges and counts page by page, and hands out the organizations that something is to be deleted of. */
async function* dueOrganizations(run: Run, tables: AlertTables): AsyncGenerator<Due> {
  const { job, config, reader, tally } = run
  const judging = { asOfMs: job.asOfMs, days: job.days, usualDays: config.alertRetentionDays }
  // A dry run has nothing but its counts.
  const inTime = job.dryRun ? async <Counts>(count: Promise<Counts>) => await count : countedInTime
  let areCounted = true
  for await (const page of pagesOf(run, tables)) {
    await job.goOn()
    const judged = page.map((one) => judge(one, judging))
    const count = () => reader.attempt((sql) => countAlerts(sql, tables, judged))
    const counts: readonly AlertCounts[] | undefined = areCounted ? await inTime(count()) : undefined
    // What took too long once takes too long for each page.
    areCounted = counts !== undefined
    const due: Due[] = []
    for (const [at, one] of judged.entries()) {
      const part = tally.add(one, counts?.[at])
      const mayBeDue = counts === undefined ? one.cutoffMs !== undefined : part.due > 0
      if (mayBeDue && !job.dryRun) due.push({ judged: one, part })
    }
    tally.publish()
    job.onProgress()
    yield* due
  }
}

async function* pagesOf({ job, reader }: Run, tables: AlertTables): AsyncGenerator<readonly Organization[]> {
  const { organization: wanted } = job
  if (wanted === undefined) {
    yield* organizationPages(reader, tables)
    return
  }
  const found = await reader.attempt((sql) => findOrganization(sql, tables, wanted))
  if (found === undefined) throw new InputError('There is no organization of this id. Nothing was deleted.')
  yield [found]
}

interface Work extends Due {
  readonly session: Session
  readonly tables: AlertTables
  readonly pacer: Pacer
}

/** @returns whether the connection failed. */
async function workAndTell({ job, clock, emit, limits }: Run, { judged, part, ...work }: Work): Promise<boolean> {
  const startedAtMs = clock()
  const { goOn, onProgress } = job
  const { deadlineMs } = limits
  const { attempts, deleted, failure } = await workOn(judged, part, { ...work, clock, goOn, deadlineMs, onProgress })
  emit(failure === undefined ? 'info' : 'error', 'sweep.part', {
    sweep: 'alerts',
    part: part.name,
    startedAt: new Date(startedAtMs).toISOString(),
    durationMs: clock() - startedAtMs,
    attempts,
    deleted,
    because: failure?.message ?? null,
  })
  return isLost(failure)
}

async function sweepOthers({ job, config, clock, reader, workers, tally }: Run, tables: AlertTables): Promise<void> {
  const part = tally.addOther('alerts of organizations that are gone')
  await sweepOrphans(part, tables, {
    reader,
    worker: job.dryRun ? undefined : workers[0],
    areDue: config.deletesOrphans,
    organizations: tally.organizations,
    cutoffMs: hourCutoffs({ days: config.alertRetentionDays, factor: 1 }, job.asOfMs).cutoffMs,
    pacer: createPacer(MOST_ROWS),
    clock,
    goOn: job.goOn,
    onProgress: job.onProgress,
  })
  if (part.kept > 0 && !config.deletesOrphans) part.say('Kept, for ALERT_ORPHANS is not delete.')
}
