import { isoInstant } from '../calendar.ts'
import type { InngestDatabase } from '../sweeps/inngest/database.ts'
import { createInspection, type Inspection } from '../sweeps/inngest/inspection.ts'
import { hourCutoffs, type Cutoffs } from '../sweeps/retention.ts'
import { readAsOf } from './as-of.ts'
import type { InngestParts } from './open-inngest.ts'

/** How a person wants runs to be judged. */
export interface JudgingOptions {
  /** @default the configured retention */
  readonly days?: number
  /** @default now */
  readonly asOf?: string
}

/** By what runs are judged. */
export interface Judging {
  readonly asOfMs: number
  readonly days: number
  readonly cutoffs: Cutoffs
  /** The same for scripts. */
  readonly told: {
    readonly asOf: string
    readonly zone: string
    readonly days: number
    readonly cutoff: string
    readonly extendedCutoff: string
  }
}

/**
 * The cutoffs of a sweep that ran now, or whenever a person wants.
 *
 * @throws WrongUseError
 */
export function readJudging({ app, config }: InngestParts, options: JudgingOptions): Judging {
  const { zone } = app.config
  const asOfMs = options.asOf === undefined ? app.clock() : readAsOf(app, options.asOf, { apply: false })
  const days = options.days ?? config.retentionDays
  const cutoffs = hourCutoffs({ days, factor: config.doubleRetention }, asOfMs)
  const told = {
    asOf: isoInstant(asOfMs, zone),
    zone,
    days,
    cutoff: isoInstant(cutoffs.cutoffMs, zone),
    extendedCutoff: isoInstant(cutoffs.extendedCutoffMs, zone),
  }
  return { asOfMs, days, cutoffs, told }
}

/** A look at the runs as the sweep sees them. */
export const inspectAs = (
  { asOfMs, cutoffs }: Judging,
  { parts: { app, config, account }, database }: { readonly parts: InngestParts; readonly database: InngestDatabase },
): Promise<Inspection> =>
  createInspection(database, { config, send: account?.send, cutoffs, nowMs: Math.max(asOfMs, app.clock()) })
