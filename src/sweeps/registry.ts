import type { RunSweep } from './sweep.ts'

/** Every sweep there is. The CLI's choices, the help and the docs follow from it. */
export const sweepNames = ['orders'] as const

export type SweepName = (typeof sweepNames)[number]

/** One runner for each name: a name without a sweep does not compile. */
export type Sweeps = Readonly<Record<SweepName, RunSweep>>
