import type { App } from '../app.ts'
import { systemClock } from '../clock.ts'
import { importLines } from '../orders/import.ts'
import { decodeInstant } from '../orders/instant.ts'
import { createMemoryConnection } from '../redis/memory.ts'
import type { SweepName } from '../sweeps/registry.ts'
import type { SweepRun } from '../sweeps/sweep.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { createProgress } from './progress.ts'
import { reportText } from './report-text.ts'
import { WrongUseError, type CommandResult } from './result.ts'
import { counted } from './text.ts'

export interface SweepOptions {
  readonly days?: number
  readonly asOf?: string
  readonly apply?: boolean
  readonly maxCommands?: number
  readonly file?: string
}

/** A rehearsal holds the whole file in memory. */
const MOST_REHEARSED_BYTES = 50_000_000

/** `orderly sweep <name>`: a dry run, or with `apply` the real one. With `file`, on a copy of an export in memory. */
export async function sweepCommand(name: SweepName, options: SweepOptions, io: Io): Promise<CommandResult> {
  if (options.file === undefined) return await withApp(io, (app) => sweep(app, name, { options, io }))
  const connection = createMemoryConnection({ clock: systemClock })
  await importLines(connection.send, options.file, { signal: io.signal, mostBytes: MOST_REHEARSED_BYTES })
  return await withApp(io, (app) => sweep(app, name, { options, io }), { connection })
}

interface Asked {
  readonly options: SweepOptions
  readonly io: Io
}

async function sweep(app: App, name: SweepName, { options, io }: Asked): Promise<CommandResult> {
  const { days, asOf, apply = false, maxCommands, file } = options
  const asOfMs = asOf === undefined ? undefined : readAsOf(app, asOf, apply)
  const progress = createProgress(io, app.clock)
  const run = await app.sweeps[name]({
    trigger: 'cli',
    dryRun: !apply,
    signal: io.signal,
    ...(days !== undefined && { days }),
    ...(asOfMs !== undefined && { asOfMs }),
    ...(maxCommands !== undefined && { maxCommands }),
    onProgress: ({ due, kept, keptOpen, unreadable, deleted }) =>
      progress.show(`${counted(due + kept + keptOpen + unreadable, 'order')} judged, ${due} due, ${deleted} deleted`),
  })
  progress.clear()
  return resultOf(run, file === undefined ? storeWarnings(app) : [REHEARSAL])
}

const REHEARSAL = 'This was a rehearsal on a copy of the file in memory: file and configured Redis are as they were.'

function readAsOf({ config, clock }: App, text: string, apply: boolean): number {
  const asOfMs = decodeInstant(text, config.zone)
  if (asOfMs === undefined)
    throw new WrongUseError('--as-of must be a date with a time, such as 2025-12-08T21:00:00+01:00.')
  if (apply && asOfMs > clock()) {
    throw new WrongUseError('--as-of must not lie ahead with --apply: it would delete orders before their time.')
  }
  if (asOfMs < EARLIEST_AS_OF_MS) throw new WrongUseError('--as-of must not lie before the year 2000.')
  return asOfMs
}

const EARLIEST_AS_OF_MS = Date.UTC(2000)

function resultOf({ report, code }: SweepRun, warnings: readonly string[]): CommandResult {
  const endedWell = report.outcome === 'done' || report.outcome === 'planned'
  const remarks = endedWell && report.because !== null ? [report.because] : []
  return {
    data: report,
    text: reportText(report),
    error: endedWell ? null : { code: code ?? 'UNEXPECTED', message: report.because ?? '' },
    warnings: [...warnings, ...remarks],
    cost: { billed: report.billedCommands, requests: report.requests },
  }
}
