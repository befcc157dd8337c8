import type { RunSweep } from './sweep.ts'

/** The sweeps over what other systems keep, each of which has to be configured. */
export const otherSweepNames = ['inngest', 'alerts', 'errors', 'bullmq', 'executions'] as const

export type OtherSweepName = (typeof otherSweepNames)[number]

/** Every sweep there is. The CLI's choices, the help and the docs follow from it. */
export const sweepNames = ['orders', ...otherSweepNames] as const

export type SweepName = (typeof sweepNames)[number]

/** One runner for each name, so that a name without one does not compile; undefined where its store is not configured. */
export interface Sweeps extends Readonly<Record<SweepName, RunSweep | undefined>> {
  readonly orders: RunSweep
}
