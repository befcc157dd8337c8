import { DateTime } from 'luxon'
import { firstInstantOf, localDateBefore } from '../calendar.ts'
import type { Slot, Timetable } from './timetable.ts'

/** When a task is due: every so many calendar days at a local time, counted from an anchor. */
export interface Cadence {
  /** Calendar days between two slots. */
  readonly everyDays: number
  /** Local time of day, `HH:MM`. */
  readonly at: string
  /** The local date of the first slot, `YYYY-MM-DD`. */
  readonly anchor: string
  readonly zone: string
}

/**
 * The timetable of a cadence. A cron expression cannot say it: a step in its day field restarts every month, and an interval
 * in seconds drifts where a day has 23 or 25 hours. Its alarm rings daily.
 */
export function cadenceTimetable(cadence: Cadence): Timetable {
  const [hour, minute] = cadence.at.split(':').map(Number)
  return {
    zone: cadence.zone,
    alarm: `${minute} ${hour} * * *`,
    latestSlot: (nowMs) => latestSlot(cadence, nowMs),
    nextSlots: (nowMs, count) => nextSlots(cadence, nowMs, count),
    slotsSince: (since, slot) => slotsSince(cadence, since, slot),
  }
}

function latestSlot(cadence: Cadence, nowMs: number): Slot | undefined {
  // Today's slot may still lie ahead, and a zone may have skipped a whole day.
  const today = dayNumber(cadence, nowMs)
  const index = Math.floor((today + 1) / cadence.everyDays)
  return [index, index - 1, index - 2]
    .filter((candidate) => candidate >= 0)
    .map((candidate) => slotAt(cadence, candidate))
    .find(({ atMs }) => atMs <= nowMs)
}

function nextSlots(cadence: Cadence, nowMs: number, count: number): readonly Slot[] {
  const first = Math.max(Math.floor(dayNumber(cadence, nowMs) / cadence.everyDays) - 1, 0)
  const slots: Slot[] = []
  for (let index = first; slots.length < count; index++) {
    const slot = slotAt(cadence, index)
    if (slot.atMs > nowMs) slots.push(slot)
  }
  return slots
}

function slotsSince({ anchor, everyDays }: Cadence, since: string, slot: Slot): number {
  const days = (name: string) => dateOf(name.slice(0, 10)).diff(dateOf(anchor), 'days').days
  return Math.max(Math.ceil((days(slot.name) - Math.max(days(since), -everyDays)) / everyDays), 0)
}

/** Calendar days from the anchor to the local date of an instant. */
function dayNumber({ anchor, zone }: Cadence, ms: number): number {
  const { year, month, day } = localDateBefore(ms, 0, zone)
  return DateTime.utc(year, month, day).diff(dateOf(anchor), 'days').days
}

function slotAt({ anchor, everyDays, at, zone }: Cadence, index: number): Slot {
  const { year, month, day } = dateOf(anchor).plus({ days: index * everyDays })
  const [hour = 0, minute = 0] = at.split(':').map(Number)
  const date = DateTime.utc(year, month, day).toISODate()
  return { name: `${date}T${at}`, atMs: firstInstantOf({ year, month, day, hour, minute }, zone) }
}

const dateOf = (date: string) => DateTime.fromISO(date, { zone: 'utc' })
