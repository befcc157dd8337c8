import type { Context } from 'grammy'
import type { Clock } from '../clock.ts'
import type { SweepReport } from '../sweeps/report.ts'
import type { RunSweep } from '../sweeps/sweep.ts'
import { byWhom } from './admin.ts'
import { confirmButton } from './cleanup-button.ts'
import { openProgress } from './cleanup-progress.ts'
import { cleanupText } from './cleanup-text.ts'

export interface InngestCleaning {
  /** Undefined for the sweep's own retention. */
  readonly days: number | undefined
  readonly isPreview: boolean
}

export interface InngestDeps {
  /** Undefined where no database of Inngest is configured; then that is the answer. */
  readonly sweepInngest: RunSweep | undefined
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Posts a progress message, cleans Inngest's database up or counts what that would take, and ends with the report. */
export async function cleanInngest(
  context: Context,
  { days, isPreview, sweepInngest, clock, onError, signal }: InngestCleaning & InngestDeps,
): Promise<void> {
  if (sweepInngest === undefined) {
    await context.reply(NOT_CONFIGURED)
    return
  }
  const text = isPreview ? `${COUNTING}…` : `${CLEANING}…`
  const progress = await openProgress(context, { text, clock, onError, signal })
  const { report } = await sweepInngest({
    ...byWhom(context),
    ...(days !== undefined && { days }),
    dryRun: isPreview,
    signal,
    onProgress: ({ due, deleted }) =>
      progress.show(
        isPreview ? `${COUNTING}: ${due} due so far…` : `${CLEANING}: ${due} due, ${deleted} deleted so far…`,
      ),
  })
  const isOffered = isPreview && report.outcome === 'planned' && isAnythingDue(report) && mayDelete(report)
  if (!isOffered) return await progress.end(cleanupText(report))
  // With the report's days, so that it deletes what was shown, whatever the configuration says by then.
  const confirmation = { sweep: 'inngest', days: report.days, askedBy: context.from?.id ?? 0, clock } as const
  await progress.end(cleanupText(report), confirmButton(confirmation))
}

const NOT_CONFIGURED = 'There is no Inngest to clean up: INNGEST_DATABASE_URL is not set.'
const CLEANING = '🧹 Cleaning up Inngest'
const COUNTING = '🔍 Counting what is due of Inngest'

/** Also where no run is due there may be events, or state in Redis. */
const isAnythingDue = ({ due, parts }: SweepReport) => due > 0 || (parts?.some((part) => part.due > 0) ?? false)

/** A button that could only count again is of no use; the report of such a run names the variable. */
const mayDelete = ({ because }: SweepReport) => because?.includes('INNGEST_DRY_RUN') !== true
