import type { App } from '../app.ts'
import { InterruptedError } from '../errors.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { dayText } from '../redis/budget/day-text.ts'
import { dueWarnings } from '../redis/budget/warnings.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { failed, type CommandError, type CommandResult } from './result.ts'
import { usageText } from './usage-text.ts'

export interface UsageOptions {
  /** A file to draw the report into. */
  readonly png?: string
}

/** Columns of a text that no terminal shows. */
const COLUMNS = 80

/**
 * `orderly usage`: where the month's budget stands and where it will end, for people, for scripts and as a picture. A picture
 * that cannot be written is an error, but the figures are told all the same. Costs 1 command, 2 in the first 14 days of a month.
 */
export async function usageCommand({ png }: UsageOptions, io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => ({ ...(await lookAt(app, { png, io })), cost: app.meter.cost() }))
}

interface How {
  readonly png: string | undefined
  readonly io: Io
}

async function lookAt(app: App, how: How): Promise<CommandResult> {
  const unread = await errorOf(app.budget.load())
  if (unread === null) return await shown(app.budget.known(), app, how)
  if (unread.code !== 'REDIS_LIMIT') return { data: null, text: '', error: unread, warnings: [] }
  const report = await app.budget.report()
  // Without the provider's count nobody knows what was spent, and no share of the limit can be told.
  if (report.provider === null) return { data: null, text: unreadText(report), error: unread, warnings: [] }
  const { error, warnings, ...told } = await shown(report, app, how)
  return { ...told, error: unread, warnings: [...warnings, ...(error === null ? [] : [error.message])] }
}

const unreadText = ({ month }: BudgetReport) =>
  `What was spent this month cannot be read before the reset on ${dayText(month.resetsOn)}.`

async function shown(report: BudgetReport, app: App, { png, io }: How): Promise<CommandResult> {
  if (io.signal.aborted) throw new InterruptedError()
  const undrawn = png === undefined ? null : await errorOf(draw(png, report))
  const picture = png === undefined || undrawn !== null ? null : png
  return {
    data: { ...report, picture },
    text: [usageText(report, appearanceOf(io)), ...(picture === null ? [] : ['', `Drawn into ${picture}`])].join('\n'),
    error: undrawn,
    warnings: [...storeWarnings(app), ...alarmsOf(report)],
  }
}

const errorOf = (work: Promise<unknown>): Promise<CommandError | null> =>
  work.then(
    () => null,
    (error: unknown) => failed(error).error,
  )

/** What draws is heavy, so it is loaded only when it is needed. */
async function draw(file: string, report: BudgetReport): Promise<void> {
  const { writePicture } = await import('./usage-picture.ts')
  await writePicture(file, { report })
}

/** What an admin would be warned of. */
const alarmsOf = (report: BudgetReport): readonly string[] =>
  dueWarnings(report, () => false).send.map((warning) =>
    warning === 'forecast'
      ? 'The month will end beyond its limit.'
      : `More than ${warning} % of the month's commands are used.`,
  )

const appearanceOf = ({ env, isOutTerminal = false, outSize }: Io) => ({
  columns: (isOutTerminal ? outSize?.().columns : undefined) ?? COLUMNS,
  isColoured: isOutTerminal && (env['NO_COLOR'] ?? '') === '',
})
