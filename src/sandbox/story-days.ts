import { firstInstantOf, localDateBefore, type LocalTime } from '../calendar.ts'

/** Where a story is told, and when. */
export interface StoryTime {
  readonly nowMs: number
  /** The business zone, whose days these are. */
  readonly zone: string
}

type LocalDate = Pick<LocalTime, 'year' | 'month' | 'day'>

/** A day on which orders of the story were created. */
export interface StoryDay {
  readonly daysAgo: number
  /** The date that the calendar gives it, even where the zone skipped that day: ids are made of it. */
  readonly date: LocalDate
  /** The first instant of the day that its orders lie on, in epoch milliseconds. */
  readonly fromMs: number
  /** The instant so many milliseconds after a local time, which is given in minutes since midnight; always within the day. */
  at(minutes: number, afterMs?: number): number
}

/**
 * A local day, today or so many days before. The orders of a day that the zone skipped altogether (Apia, 30 December 2011)
 * move to the day before it, those of the day before yesterday to the day after, so that what `/cleanup 2` and `/cleanup 0`
 * find stays the same.
 */
export function storyDay({ nowMs, zone }: StoryTime, daysAgo: number): StoryDay {
  const startOf = (days: number) => firstInstantOf({ ...localDateBefore(nowMs, days, zone), hour: 0, minute: 0 }, zone)
  const isSkipped = startOf(daysAgo) === startOf(daysAgo - 1)
  const held = isSkipped ? daysAgo + (daysAgo === 2 ? -1 : 1) : daysAgo
  const [fromMs, untilMs] = [startOf(held), startOf(held - 1)]
  const heldDate = localDateBefore(nowMs, held, zone)
  return {
    daysAgo,
    date: localDateBefore(nowMs, daysAgo, zone),
    fromMs,
    at: (minutes, afterMs = 0) => {
      const local = { ...heldDate, hour: Math.floor(minutes / 60), minute: minutes % 60 }
      return Math.min(Math.max(firstInstantOf(local, zone) + afterMs, fromMs), untilMs - 1)
    },
  }
}

/** Counts calendar days, so that each date has a number of its own. */
export const dayNumber = ({ year, month, day }: LocalDate): number => Date.UTC(year, month - 1, day) / 86_400_000
