import { isoInstant } from '../calendar.ts'
import { RedisError } from '../errors.ts'
import type { InngestDatabase } from '../sweeps/inngest/database.ts'
import { diagnoseRuns, diagnoseState, type RunFigures, type StateFigures } from '../sweeps/inngest/diagnosis.ts'
import { tableFigures, type TableFigures } from '../sweeps/inngest/table-figures.ts'
import type { Survey } from '../sweeps/inngest/survey.ts'
import { reasonTexts } from '../sweeps/inngest/verdict.ts'
import { diagnosisText } from './inngest-diagnosis-text.ts'
import { inspectAs, readJudging, type Judging, type JudgingOptions } from './inngest-judging.ts'
import { surveyKeys } from './inngest-redis-facts.ts'
import type { Io } from './io.ts'
import { withDatabase, withInngest, type InngestParts } from './open-inngest.ts'
import type { CommandResult } from './result.ts'
import { counted } from './text.ts'

/** What a diagnosis found. Times are ISO 8601; what Redis alone could tell is null where it could not be asked. */
export interface Diagnosis {
  readonly judging: Judging['told']
  /** In which mode a sweep would run, in words. */
  readonly mode: string
  readonly database: 'postgres' | 'sqlite'
  readonly tables: readonly {
    readonly name: string
    readonly rows: number
    readonly oldest: string | null
    readonly newest: string | null
  }[]
  readonly runs: RunFigures
  readonly keys: Pick<Survey, 'keys' | 'kinds'> | null
  /** Of the runs that have keys in Redis, at most 1 000 of them. */
  readonly state: StateFigures | null
}

/** `orderly inngest diagnose`: what is in both stores, whether they agree, and what a sweep would delete now. */
export async function inngestDiagnoseCommand(options: JudgingOptions, io: Io): Promise<CommandResult> {
  return await withInngest(io, async (parts) => {
    const judging = readJudging(parts, options)
    const { surveyed, remarks } = await surveyIfAny(parts)
    return await withDatabase(parts, async (database) => {
      const diagnosis = await diagnose(judging, { parts, database, surveyed })
      const warnings = [...remarks, ...database.schema.remarks]
      return { data: dataOf(diagnosis), text: diagnosisText(diagnosis), error: null, warnings }
    })
  })
}

interface Looked {
  readonly parts: InngestParts
  readonly database: InngestDatabase
  /** Undefined where Redis could not be looked at. */
  readonly surveyed: Survey | undefined
}

async function diagnose(judging: Judging, { parts, database, surveyed }: Looked): Promise<Diagnosis> {
  const { app, progress } = parts
  const inspection = await inspectAs(judging, { parts, database })
  const tables: Diagnosis['tables'][number][] = []
  for await (const figures of tableFigures(database, Math.max(judging.asOfMs, app.clock()))) {
    tables.push(tableOf(figures, judging.told.zone))
    progress.show(`Table ${figures.name} counted`)
  }
  const runs = await diagnoseRuns(inspection, (count) => progress.show(`${counted(count, 'run')} judged`))
  return {
    judging: judging.told,
    mode: inspection.liveness.text(),
    database: database.sql.kind,
    tables,
    runs,
    keys: surveyed === undefined ? null : { keys: surveyed.keys, kinds: surveyed.kinds },
    state: surveyed === undefined ? null : await diagnoseState(inspection.runs, surveyed.runIds),
  }
}

function tableOf({ name, rows, oldestMs, newestMs }: TableFigures, zone: string) {
  const isoOf = (ms: number | undefined) => (ms === undefined ? null : isoInstant(ms, zone))
  return { name, rows, oldest: isoOf(oldestMs), newest: isoOf(newestMs) }
}

/** A Redis that cannot be read is told of, and the database is looked at all the same. */
async function surveyIfAny(parts: InngestParts) {
  if (parts.account === undefined) return { surveyed: undefined, remarks: [] }
  try {
    return { surveyed: await surveyKeys(parts.account.send, parts), remarks: [] }
  } catch (error) {
    if (!(error instanceof RedisError)) throw error
    return { surveyed: undefined, remarks: [`Redis could not be read: ${error.message}`] }
  }
}

/** Absent values are null for scripts, and each verdict says why. */
const dataOf = ({ judging, runs: { finished, unfinished, signs, reasons }, ...rest }: Diagnosis) => ({
  ...judging,
  ...rest,
  runs: { finished, unfinished, withSignOfLife: signs?.alive ?? null, withoutSignOfLife: signs?.idle ?? null },
  verdicts: reasons.map((one) => ({ ...one, because: reasonTexts[one.reason] })),
})
