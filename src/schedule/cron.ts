import { Cron } from 'croner'
import { IANAZone } from 'luxon'
import { firstInstantOf } from '../calendar.ts'
import type { CronConfig } from '../config.ts'
import type { Slot, Timetable } from './timetable.ts'

/** More slots than these are not counted one by one: a task due each minute has half a million in a year asleep. */
const MOST_COUNTED = 1_000

/**
 * The timetable of a cron pattern: a slot at each local time that it names, at the instant that the calendar gives that time.
 * Of the slots that a gap of the clocks puts on one instant, the last stands for all. `slotsSince` counts up to 1 000.
 */
export function cronTimetable({ pattern, zone }: CronConfig): Timetable {
  // Asked in UTC, which has no gaps and repeats nothing: what it answers are the wall clock's times.
  const cron = new Cron(pattern, { timezone: 'UTC', paused: true })
  const slotsAfter = (wallMs: number) => distinct(slotsFrom(cron, zone, wallMs))
  return {
    zone,
    // An alarm of the pattern itself would leave out what the clocks skip.
    alarm: '* * * * *',
    latestSlot: (nowMs) => {
      // The time that is asked about is itself left out.
      let slot = slotBefore(cron, zone, latestWall(zone, nowMs) + 1_000)
      while (slot !== undefined && slot.atMs > nowMs) slot = slotBefore(cron, zone, Date.parse(`${slot.name}:00Z`))
      return slot
    },
    nextSlots: (nowMs, count) => {
      const slots: Slot[] = []
      for (const slot of slotsAfter(wallAt(zone, nowMs))) {
        if (slots.length >= count) break
        if (slot.atMs > nowMs) slots.push(slot)
      }
      return slots
    },
    slotsSince: (since, slot) => {
      let count = 0
      for (const { name } of slotsAfter(Date.parse(`${since}:00Z`))) {
        if (name > slot.name || count === MOST_COUNTED) break
        count += 1
      }
      return count
    },
  }
}

/** The last slot whose local time is earlier than the given one. */
function slotBefore(cron: Cron, zone: string, wallMs: number): Slot | undefined {
  const [date] = cron.previousRuns(1, new Date(wallMs))
  return date && slotOf(date, zone)
}

/** The slots whose local time is later than the given one, without end. */
function* slotsFrom(cron: Cron, zone: string, wallMs: number): Generator<Slot> {
  for (let date = cron.nextRun(new Date(wallMs)); date !== null; date = cron.nextRun(date)) yield slotOf(date, zone)
}

/** Of slots at the same instant the last one. */
function* distinct(slots: Iterable<Slot>): Generator<Slot> {
  let held: Slot | undefined
  for (const slot of slots) {
    if (held !== undefined && held.atMs !== slot.atMs) yield held
    held = slot
  }
  if (held !== undefined) yield held
}

/** The slot of a local time, which comes as the instant at which UTC shows it. */
function slotOf(date: Date, zone: string): Slot {
  const local = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  }
  return { name: date.toISOString().slice(0, 16), atMs: firstInstantOf(local, zone) }
}

/** What the clocks of a zone show at an instant, as the epoch milliseconds at which UTC shows it. */
const wallAt = (zone: string, ms: number) => ms + IANAZone.create(zone).offset(ms) * 60_000

/** Longer than clocks that went back repeat what they showed, in milliseconds. */
const REPEAT_MS = 36 * 3_600_000

/** The latest local time that the clocks have shown so far: after they went back it is ahead of the present one. */
const latestWall = (zone: string, ms: number) => Math.max(wallAt(zone, ms), wallAt(zone, ms - REPEAT_MS) + REPEAT_MS)
