import { isoInstant } from '../calendar.ts'
import type { Entry } from '../orders/entries.ts'
import type { OrderStatus } from '../orders/status.ts'
import { asha, kofi } from './people.ts'
import type { Dice } from './story-dice.ts'

/** Something that somebody did with an order. */
export interface Step {
  /** Since the step before, or since the order was created. */
  readonly minutes: number
  readonly by: number
  /** The new status, or that the step before is taken back. */
  readonly to: OrderStatus | 'undo'
}

const delivered = (dice: Dice, courier: number): readonly Step[] => [
  { minutes: 2 + dice.roll(6), by: courier, to: 'assigned' },
  { minutes: 8 + dice.roll(12), by: courier, to: 'picked-up' },
  { minutes: 8 + dice.roll(14), by: courier, to: 'delivered' },
]

/** The same with a wrong tap: delivered too early, taken back, delivered. */
const deliveredTwice = (dice: Dice, courier: number): readonly Step[] => [
  ...delivered(dice, courier),
  { minutes: 1, by: courier, to: 'undo' },
  { minutes: 5 + dice.roll(5), by: courier, to: 'delivered' },
]

/** The guest came for it. */
export const fetched = (dice: Dice): readonly Step[] => [
  { minutes: 1 + dice.roll(4), by: kofi.id, to: 'confirmed' },
  { minutes: 18 + dice.roll(15), by: asha.id, to: 'delivered' },
]

const cancelled = (dice: Dice): readonly Step[] => [{ minutes: 3 + dice.roll(8), by: asha.id, to: 'cancelled' }]

/** Mostly delivered; now and then cancelled, or with a wrong tap. */
export function usualSteps(dice: Dice, courier: number): readonly Step[] {
  const luck = dice.roll(40)
  if (luck <= 1) return cancelled(dice)
  return luck === 2 ? deliveredTwice(dice, courier) : delivered(dice, courier)
}

export interface StepTimes {
  readonly createdAtMs: number
  /** No step is later. */
  readonly latestMs: number
  /** What a minute counts for, so that a story fits into a day that has only begun. @default 1 */
  readonly pace?: number
  readonly zone: string
}

/** The entries of an order that went these steps, each decided on the one before. */
export function entriesOf(steps: readonly Step[], dice: Dice, { createdAtMs, latestMs, pace = 1, zone }: StepTimes) {
  let atMs = createdAtMs
  let after: string | null = null
  return steps.map(({ minutes, by, to }): Entry => {
    atMs = Math.min(latestMs, atMs + Math.floor((minutes * 60_000 + dice.roll(60_000)) * pace))
    const facts = { id: dice.letters(10), at: isoInstant(atMs, zone), by }
    const entry: Entry = to === 'undo' ? { ...facts, undo: after ?? '', after } : { ...facts, move: to, after }
    after = facts.id
    return entry
  })
}
