import { DateTime } from 'luxon'
import { scheduleKey } from '../redis/keys.ts'
import { withRepeats } from '../redis/repeat.ts'
import { ask, optionalTextOf, type Transport } from '../redis/transport.ts'
import { slotNameAt, type Timetable } from './timetable.ts'

/** The last completed slot of a schedule, as all instances know it. */
export interface SlotMemory {
  /** Its name; undefined when none was ever recorded, or nothing that is a slot's name. Costs 1 command. */
  lastDone(send: Transport): Promise<string | undefined>
  /** Records a slot as completed. To be called under the task's lock. Costs 1 command. */
  markDone(send: Transport, slot: string): Promise<void>
  /** Records a slot as completed unless one is recorded already. Costs 1 command. */
  markFirst(send: Transport, slot: string): Promise<void>
}

/** Each of these may be carried out twice without harm, so a lost answer is asked for again. */
export const createSlotMemory = (name: string): SlotMemory => ({
  lastDone: async (send) => {
    const text = optionalTextOf(await ask(withRepeats(send), ['GET', scheduleKey(name)]))
    return text !== undefined && isSlotName(text) ? text : undefined
  },
  markDone: async (send, slot) => {
    await ask(withRepeats(send), ['SET', scheduleKey(name), slot])
  },
  markFirst: async (send, slot) => {
    await ask(withRepeats(send), ['SET', scheduleKey(name), slot, 'NX'])
  },
})

export interface SlotLook {
  readonly memory: SlotMemory
  readonly timetable: Timetable
  readonly send: Transport
}

/**
 * The name of the last done slot. At the very first look the latest past slot is recorded as done, or that time itself where
 * no slot has passed yet. Costs 1 command; 2 at that first look.
 */
export async function learnLastDone({ memory, timetable, send }: SlotLook, nowMs: number): Promise<string> {
  const found = await memory.lastDone(send)
  if (found !== undefined) return found
  const past = timetable.latestSlot(nowMs)?.name ?? slotNameAt(timetable.zone, nowMs)
  await memory.markFirst(send, past)
  return past
}

/** Anything else would sort after every slot and end the schedule for good. */
const isSlotName = (text: string) =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid
