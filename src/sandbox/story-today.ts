import { asha, ravi } from './people.ts'
import type { StoryDay, StoryTime } from './story-days.ts'
import type { Dice } from './story-dice.ts'
import type { Step } from './story-moves.ts'

/** How the newest orders stand, the newest first: these are open. */
export const openSteps: readonly (readonly Step[])[] = [
  [],
  [],
  [{ minutes: 4, by: asha.id, to: 'confirmed' }],
  [{ minutes: 5, by: ravi.id, to: 'assigned' }],
  [
    { minutes: 3, by: ravi.id, to: 'assigned' },
    { minutes: 14, by: ravi.id, to: 'picked-up' },
  ],
]

/** Minutes since each of them came in. */
const OPEN_MINUTES = [3, 8, 15, 22, 32]

/** Minutes since the newest finished order came in: time enough to be delivered. */
const FINISHED_MINUTES = 52

/** Minutes between two finished orders: as many as the day has room for. */
const LEAST_GAP = 4
const LARGEST_GAP = 40

/** When the kitchens open, in minutes since midnight, and for how long before the orders are told to lie after that. */
const OPENING = 11 * 60
const WARMED_UP_MS = 120 * 60_000

/** Which order of today it is. */
export interface RecentOrder {
  /** How many came in after it. */
  readonly back: number
  readonly of: number
  readonly dice: Dice
}

/** When an order came in, and what a minute of its story counts for. */
export interface RecentTime {
  readonly createdAtMs: number
  readonly pace: number
}

/**
 * Spreads the orders of today over the hours that are open, over the whole day when those have hardly begun, and faster than
 * life where even the day has: never before midnight, never after now.
 */
export function recentTime({ nowMs }: StoryTime, day: StoryDay, { back, of, dice }: RecentOrder): RecentTime {
  const opensMs = day.at(OPENING)
  const fromMs = nowMs - opensMs >= WARMED_UP_MS ? opensMs : day.fromMs
  const roomMinutes = (nowMs - fromMs) / 60_000
  const gaps = of - OPEN_MINUTES.length
  const gap = Math.min(LARGEST_GAP, Math.max(LEAST_GAP, (roomMinutes - FINISHED_MINUTES) / gaps))
  const pace = Math.min(1, roomMinutes / (FINISHED_MINUTES + gaps * gap))
  const minutes = OPEN_MINUTES[back] ?? FINISHED_MINUTES + (back - OPEN_MINUTES.length + dice.roll(1_000) / 1_000) * gap
  const createdAtMs = nowMs - Math.floor(minutes * 60_000 * pace)
  // Shops tell whole seconds.
  return { createdAtMs: Math.max(day.fromMs, Math.floor(createdAtMs / 1_000) * 1_000), pace }
}
