import type { Context } from 'grammy'
import type { Clock } from '../clock.ts'
import type { OtherSweepName, Sweeps } from '../sweeps/registry.ts'
import type { SweepReport } from '../sweeps/report.ts'
import { byWhom } from './admin.ts'
import { confirmButton } from './cleanup-button.ts'
import { openProgress } from './cleanup-progress.ts'
import { cleanupText } from './cleanup-text.ts'
import { sweepWords } from './sweep-words.ts'

export interface OtherCleaning {
  readonly sweep: OtherSweepName
  /** Undefined for the sweep's own retention. */
  readonly days: number | undefined
  readonly isPreview: boolean
}

export interface OtherDeps {
  /** One that is not configured is answered with what is missing. */
  readonly sweeps: Sweeps
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Posts a progress message, cleans up what is not orders or counts what that would take, and ends with the report. */
export async function cleanOther(
  context: Context,
  { sweep, days, isPreview }: OtherCleaning,
  { sweeps, clock, onError, signal }: OtherDeps,
): Promise<void> {
  const { missing, cleaning, counting, variesByPart } = sweepWords[sweep]
  const runSweep = sweeps[sweep]
  if (runSweep === undefined) {
    await context.reply(missing)
    return
  }
  const text = isPreview ? `${counting}…` : `${cleaning}…`
  const progress = await openProgress(context, { text, clock, onError, signal })
  const { report } = await runSweep({
    ...byWhom(context),
    ...(days !== undefined && { days }),
    dryRun: isPreview,
    signal,
    onProgress: ({ due, deleted }) =>
      progress.show(
        isPreview ? `${counting}: ${due} due so far…` : `${cleaning}: ${due} due, ${deleted} deleted so far…`,
      ),
  })
  const isOffered = isPreview && report.outcome === 'planned' && isAnythingDue(report) && mayDelete(report)
  if (!isOffered) return await progress.end(cleanupText(report))
  // With the report's days, so that it deletes what was shown, whatever the configuration says by then. A retention of
  // each organization's own is no such number.
  const shownDays = variesByPart ? days : report.days
  const confirmation = { sweep, days: shownDays, askedBy: context.from?.id ?? 0, clock }
  await progress.end(cleanupText(report), confirmButton(confirmation))
}

/** Also where nothing that is counted is due there may be something in a part. */
const isAnythingDue = ({ due, parts }: SweepReport) => due > 0 || (parts?.some((part) => part.due > 0) ?? false)

/** A button that could only count again is of no use; the report of such a run names the variable. */
const mayDelete = ({ because }: SweepReport) => because?.includes('INNGEST_DRY_RUN') !== true
