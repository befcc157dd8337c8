import { changeWays, pruneWays, vias, type ChangeWay, type PruneWay, type Via } from './job.ts'

/** How much of the bench to run. */
export type Extent = 'short' | 'default' | 'full'

export interface PlannedPrune {
  readonly orders: number
  readonly way: PruneWay
  readonly via: Via
  /** Why the row is not measured; null where it is. */
  readonly leftOut: string | null
}

export interface PlannedChange {
  readonly way: ChangeWay
  readonly via: Via
  readonly changes: number
}

const SIZES: Readonly<Record<Extent, readonly number[]>> = {
  short: [225, 10_000, 100_000],
  default: [225, 10_000, 100_000],
  full: [225, 10_000, 100_000, 1_000_000],
}

/** The longest that a bench may take, in minutes: several times what it takes on two busy cores. */
export const LIMIT_MINUTES: Readonly<Record<Extent, number>> = { short: 10, default: 40, full: 60 }

/** Changes of each row of the second table. */
const CHANGES = 2_000

/** Rows of the first table, those that are left out included, in the order of the table. */
export const planPrunes = (extent: Extent): readonly PlannedPrune[] =>
  SIZES[extent].flatMap((orders) =>
    vias.flatMap((via) => pruneWays.map((way) => ({ orders, way, via, leftOut: reasonAgainst(extent, orders, way) }))),
  )

/** Rows of the second table. */
export const planChanges = (): readonly PlannedChange[] =>
  vias.flatMap((via) => changeWays.map((way) => ({ way, via, changes: CHANGES })))

function reasonAgainst(extent: Extent, orders: number, way: PruneWay): string | null {
  if (way !== 'former' && way !== 'naive') return null
  if (orders >= 1_000_000) return 'left out: 1 500 000 requests, one by one'
  return extent === 'short' && orders > 10_000 ? 'left out of --short' : null
}
