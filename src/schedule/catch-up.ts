import type { Slot, Timetable } from './timetable.ts'

/** A slot that is due and not done. */
export interface DueSlot {
  readonly slot: Slot
  /** `schedule` around its time, `catch-up` later. */
  readonly trigger: 'schedule' | 'catch-up'
  /** How many slots this one run stands for: several missed ones become one. */
  readonly stands: number
}

/** How late a run may begin and still count as on time, in milliseconds. */
const ON_TIME_MS = 5 * 60_000

/**
 * The slot to run now: the latest due one, if it is later than the last done one. Slot names sort as their times do.
 *
 * @param lastDone the name of the last done slot; undefined when there is none.
 */
export function dueSlot(timetable: Timetable, lastDone: string | undefined, nowMs: number): DueSlot | undefined {
  const slot = timetable.latestSlot(nowMs)
  if (slot === undefined || (lastDone !== undefined && slot.name <= lastDone)) return undefined
  const trigger = nowMs - slot.atMs <= ON_TIME_MS ? 'schedule' : 'catch-up'
  return { slot, trigger, stands: lastDone === undefined ? 1 : Math.max(timetable.slotsSince(lastDone, slot), 1) }
}

/** Milliseconds to wait after the given number of failures in a row: one minute, doubling to an hour. */
export const pauseAfter = (failures: number): number => Math.min(60_000 * 2 ** (failures - 1), 3_600_000)

/** Milliseconds to wait where another run holds the lock: after a crash its lease ends within two minutes. */
export const BUSY_PAUSE_MS = 30_000
