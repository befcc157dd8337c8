import type { App } from '../app.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { ConfigError } from '../errors.ts'
import { importLines } from '../orders/import.ts'
import { createMemoryConnection } from '../redis/memory.ts'
import type { SweepName } from '../sweeps/registry.ts'
import type { Findings, SweepReport } from '../sweeps/report.ts'
import type { SweepRun } from '../sweeps/sweep.ts'
import { readAsOf } from './as-of.ts'
import { inngestReportText } from './inngest-report-text.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { noInngest } from './open-inngest.ts'
import { createProgress } from './progress.ts'
import { reportText } from './report-text.ts'
import { WrongUseError, type CommandResult } from './result.ts'
import { storeReportText, type ReportWords } from './store-report-text.ts'
import { counted, printable } from './text.ts'

export interface SweepOptions {
  readonly days?: number
  readonly asOf?: string
  readonly apply?: boolean
  readonly maxCommands?: number
  readonly file?: string
  /** The only organization whose alerts are looked at. */
  readonly organization?: string
  /** The only queue that is looked at. */
  readonly queue?: string
  /** What a person is told after a dry run. @default to add --apply */
  readonly toApply?: string
}

/** A rehearsal holds the whole file in memory. */
const MOST_REHEARSED_BYTES = 50_000_000

/** `orderly sweep <name>`: a dry run, or with `apply` the real one. With `file`, on a copy of an export in memory. */
export async function sweepCommand(name: SweepName, options: SweepOptions, io: Io): Promise<CommandResult> {
  const { file, organization, queue } = options
  if (name !== 'alerts' && organization !== undefined) {
    throw new WrongUseError('--organization is for the sweep over alerts only.')
  }
  if (name !== 'bullmq' && queue !== undefined) throw new WrongUseError('--queue is for the sweep over bullmq only.')
  if (file === undefined) return await withApp(io, (app) => sweep(app, name, { options, io }))
  if (name !== 'orders') throw new WrongUseError('--file is for the sweep over orders only.')
  const connection = createMemoryConnection({ clock: systemClock })
  await importLines(connection.send, file, { signal: io.signal, mostBytes: MOST_REHEARSED_BYTES })
  return await withApp(io, (app) => sweep(app, name, { options, io }), { connection })
}

interface Asked {
  readonly options: SweepOptions
  readonly io: Io
}

async function sweep(app: App, name: SweepName, { options, io }: Asked): Promise<CommandResult> {
  const { days, asOf, apply = false, maxCommands, file, organization, queue } = options
  const runSweep = app.sweeps[name]
  if (runSweep === undefined) throw notConfigured(name)
  const asOfMs = asOf === undefined ? undefined : readAsOf(app, asOf, { apply })
  const progress = createProgress(io, app.clock)
  const run = await runSweep({
    trigger: 'cli',
    dryRun: !apply,
    signal: io.signal,
    ...(days !== undefined && { days }),
    ...(organization !== undefined && { organization }),
    ...(queue !== undefined && { queue }),
    ...(asOfMs !== undefined && { asOfMs }),
    ...(maxCommands !== undefined && { maxCommands }),
    onProgress: (findings) => progress.show(progressText(findings, name)),
  })
  progress.clear()
  const text = `${textOf(run.report, name)}${closing(app.config, run.report, options.toApply)}`
  return resultOf(run, { text, warnings: file === undefined ? warningsOf(app, run.report) : [REHEARSAL] })
}

const REHEARSAL = 'This was a rehearsal on a copy of the file in memory: file and configured Redis are as they were.'

const progressText = ({ due, kept, keptOpen, unreadable, deleted }: Readonly<Findings>, name: SweepName) =>
  `${counted(due + kept + keptOpen + unreadable, words[name].noun)} judged, ${due} due, ${deleted} deleted`

/** How the report of each sweep is worded. */
const words = {
  orders: { noun: 'order', openBecause: 'unfinished', variesByPart: false },
  inngest: { noun: 'run', openBecause: 'unfinished', variesByPart: false },
  alerts: { noun: 'alert', openBecause: 'unresolved', variesByPart: false },
  errors: { noun: 'row', openBecause: 'unresolved', variesByPart: false },
  bullmq: { noun: 'job', openBecause: 'a live job needs them', variesByPart: true },
  executions: { noun: 'execution', openBecause: 'in progress', variesByPart: false },
} as const satisfies Record<SweepName, ReportWords>

/** The variable without which there is nothing to sweep. */
const stores = {
  orders: 'REDIS_URL',
  inngest: 'INNGEST_DATABASE_URL',
  alerts: 'AUDIT_DATABASE_URL',
  errors: 'AUDIT_DATABASE_URL',
  bullmq: 'BULLMQ_REDIS_URL',
  executions: 'EXECUTIONS_REDIS_URL',
} as const satisfies Record<SweepName, string>

const notConfigured = (name: SweepName) =>
  name === 'inngest' ? noInngest() : new ConfigError([`${stores[name]} is required for the sweep over ${name}.`])

function textOf(report: SweepReport, name: SweepName): string {
  if (name === 'orders') return reportText(report)
  return name === 'inngest' ? inngestReportText(report) : storeReportText(report, words[name])
}

/** What a person should know who wanted to see something go. */
function closing({ inngest }: Config, { sweep: name, dryRun, outcome }: SweepReport, toApply = ADD_APPLY): string {
  if (!dryRun) return ''
  const isAlwaysDry = name === 'inngest' && inngest?.isDryRun === true
  if (isAlwaysDry) return '\n\nNothing was deleted: INNGEST_DRY_RUN=true.'
  return `\n\nNothing was deleted.${outcome === 'planned' ? ` ${toApply}` : ''}`
}

const ADD_APPLY = 'Add --apply to delete.'

function warningsOf(app: App, { sweep: name, dryRun }: SweepReport): readonly string[] {
  if (name === 'orders') return storeWarnings(app)
  return app.kind === 'memory' && !dryRun ? [NO_HISTORY] : []
}

const NO_HISTORY = 'No Redis of Orderly itself is configured, so this run is in no history. Set REDIS_URL to keep one.'

function resultOf(
  { report, code }: SweepRun,
  { text, warnings }: Pick<CommandResult, 'text' | 'warnings'>,
): CommandResult {
  const endedWell = report.outcome === 'done' || report.outcome === 'planned'
  // It may name organizations, by what the database holds.
  const because = printable(report.because ?? '', 4_000)
  const remarks = endedWell && because !== '' ? [because] : []
  return {
    data: report,
    text,
    error: endedWell ? null : { code: code ?? 'UNEXPECTED', message: because },
    warnings: [...warnings, ...remarks],
    cost: { billed: report.billedCommands, requests: report.requests },
  }
}
