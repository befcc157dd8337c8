import { DateTime } from 'luxon'

/** A due time. */
export interface Slot {
  /** Its local date and time, `YYYY-MM-DDTHH:MM`. Names sort as their times do. */
  readonly name: string
  /** The instant in epoch milliseconds: the first one at which the clocks show that time, or the first after a gap. */
  readonly atMs: number
}

/** When a task is due. Pure: the same question has the same answer in every process. */
export interface Timetable {
  readonly zone: string
  /** The pattern of an alarm clock in that zone that rings at each slot; it may ring more often. */
  readonly alarm: string
  /** The latest slot at or before an instant; undefined before the first. */
  latestSlot(nowMs: number): Slot | undefined
  /** The next slots after an instant, the soonest first. */
  nextSlots(nowMs: number, count: number): readonly Slot[]
  /** How many slots lie after `since`, a slot's name or a time in that form, up to and including `slot`. */
  slotsSince(since: string, slot: Slot): number
}

/** A local time in the form of a slot's name: it sorts after the slots before it and before those after it. */
export const slotNameAt = (zone: string, ms: number): string =>
  DateTime.fromMillis(ms, { zone }).toFormat("yyyy-MM-dd'T'HH:mm")
