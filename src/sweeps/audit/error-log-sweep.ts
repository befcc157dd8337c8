import type { Clock } from '../../clock.ts'
import type { AuditConfig } from '../../config.ts'
import { DatabaseError } from '../../errors.ts'
import type { Queryable } from '../../postgres/queryable.ts'
import { createPacer } from '../pacer.ts'
import type { SweepPart } from '../report.ts'
import { hourCutoffs } from '../retention.ts'
import type { Sweep, SweepJob } from '../sweep.ts'
import { instantText, isBefore } from './alert-plan.ts'
import { countedInTime } from './counting.ts'
import { countLeft, deleteDue, MOST_ROWS, newWalk, numberIn, stayed, UNCOUNTED, type Deletion } from './deletion.ts'
import { hasIndex, indexAdvice } from './index-advice.ts'
import { usualLimits, type Limits } from './limits.ts'
import { createSession, openPostgres, type OpenDatabase, type Session } from './session.ts'
import { needErrorTables, type Column, type Table } from './tables.ts'

export interface ErrorLogSweepOptions {
  readonly config: AuditConfig
  readonly clock: Clock
  /** Opens a session with the database. @default the PostgreSQL driver */
  readonly open?: OpenDatabase
  /** @default five minutes for each statement; attempts after 1, 3 and 9 seconds */
  readonly limits?: Partial<Limits>
}

/** The sweep over the error log and the aggregation of errors: rows older than the retention go. Costs no command of Redis. */
export function createErrorLogSweep({ config, clock, open = openPostgres, limits }: ErrorLogSweepOptions): Sweep {
  const { pausesMs, deadlineMs } = { ...usualLimits, ...limits }
  return {
    name: 'errors',
    defaultDays: config.errorRetentionDays,
    leastDays: 1,
    cutoffs: (days, asOfMs) => hourCutoffs({ days, factor: 1 }, asOfMs),
    run: async (job) => {
      const session = createSession({
        url: config.databaseUrl,
        open,
        pausesMs,
        isReadOnly: job.dryRun,
        statementMs: deadlineMs,
        goOn: job.goOn,
      })
      try {
        await job.during(sweep(job, { config, clock, session }))
      } finally {
        await session.close()
      }
    },
  }
}

interface Means {
  readonly config: AuditConfig
  readonly clock: Clock
  readonly session: Session
}

/** A table whose rows go by their time alone. */
interface Aging {
  readonly table: Table
  readonly key: Column
  readonly time: Column
}

type Counted = { -readonly [Key in keyof SweepPart]: SweepPart[Key] }

async function sweep(job: SweepJob, means: Means): Promise<void> {
  const { findings } = job
  const tables = await means.session.attempt((sql) => agingTables(sql, means.config, findings.remarks))
  const parts: Counted[] = []
  findings.parts = parts
  const tell = () => {
    const counts = parts.map(({ name, due, deleted }) => `${job.dryRun ? due : deleted} rows of ${name}`)
    findings.summary = `${job.dryRun ? 'Would delete' : 'Deleted'} ${counts.join(' and ')}.`
  }
  const failures: DatabaseError[] = []
  try {
    for (const aging of tables) {
      findings.remarks.push(...[indexAdvice(aging.table, { columns: [aging.time] }) ?? []].flat())
      const part: Counted = { name: aging.table.name, scanned: 0, due: 0, deleted: 0, kept: 0, because: null }
      parts.push(part)
      try {
        await sweepTable(job, part, { ...means, ...aging })
      } catch (error) {
        // What is wrong with one table keeps no other from its turn.
        if (!(error instanceof DatabaseError)) throw error
        say(part, error.message)
        failures.push(error)
      }
    }
  } finally {
    tell()
  }
  if (failures[0] !== undefined) throw failures[0]
}

/** The tables that there are. */
async function agingTables(sql: Queryable, { tables }: AuditConfig, remarks: string[]): Promise<readonly Aging[]> {
  const { log, sums, remarks: found } = await needErrorTables(sql, tables)
  remarks.push(...found)
  return [
    { table: log, key: log.columns.id, time: log.columns.timestamp },
    ...(sums === undefined ? [] : [{ table: sums, key: sums.columns.error_hash, time: sums.columns.last_occurrence }]),
  ]
}

/** @throws DatabaseError `DATABASE_BUSY` for rows that stayed. */
async function sweepTable(job: SweepJob, part: Counted, { session, clock, ...aging }: Means & Aging): Promise<void> {
  const { findings, goOn, onProgress } = job
  const deletion = deletionOf(aging, job.cutoffMs)
  await goOn()
  const counting = session.attempt((sql) => count(sql, deletion))
  const counts = await (job.dryRun ? counting : countedInTime(counting))
  const found = ({ due, kept }: Counts) => {
    Object.assign(part, { scanned: part.scanned + due + kept, due: part.due + due, kept: part.kept + kept })
    findings.due += due
    findings.kept += kept
  }
  if (counts === undefined) say(part, 'Its rows could not be counted in time, so what is kept is not known.')
  else found(counts)
  onProgress()
  if (job.dryRun || counts?.due === 0) return
  const walk = newWalk()
  const pacer = createPacer(MOST_ROWS)
  const onDeleted = (deleted: number) => {
    part.deleted += deleted
    findings.deleted += deleted
    // Rows that were not counted before are counted now.
    found({ due: Math.max(part.deleted - part.due, 0), kept: 0 })
    onProgress()
  }
  const work = async (sql: Queryable) => {
    await deleteDue(sql, deletion, { walk, pacer, clock, goOn, onDeleted })
    const left = counts !== undefined && walk.deleted < counts.due ? await countLeft(sql, deletion) : 0
    if (left > 0) throw stayed(left, 'rows')
  }
  const onAttempt = (attempt: number) => {
    if (attempt === 2) say(part, 'The connection was lost on the way.')
  }
  try {
    await session.attempt(work, { onAttempt })
  } finally {
    if (walk.isUncounted && walk.deleted < (counts?.due ?? Infinity)) say(part, UNCOUNTED)
  }
}

const say = (part: Counted, because: string) => {
  part.because = [part.because, because].filter(Boolean).join(' ')
}

/** Without an index on the time the rows are walked by key, which leads to every row: then no page has to sort them all. */
const deletionOf = ({ table, key, time }: Aging, cutoffMs: number): Deletion => ({
  table,
  key,
  walk: hasIndex(table, { columns: [time] }) || !key.isRequired ? time : key,
  isDue: isBefore(time, 1),
  values: [instantText(cutoffMs)],
})

interface Counts {
  readonly due: number
  readonly kept: number
}

async function count(sql: Queryable, { table, isDue, values }: Deletion): Promise<Counts> {
  const { rows } = await sql.query(
    `SELECT count(*) AS found, count(*) FILTER (WHERE ${isDue}) AS due FROM ${table.sql} t`,
    values,
  )
  const [found, due] = [numberIn(rows[0]?.['found']), numberIn(rows[0]?.['due'])]
  return { due, kept: found - due }
}
