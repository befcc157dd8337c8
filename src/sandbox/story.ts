import { firstInstantOf, isoInstant, localDateBefore } from '../calendar.ts'
import { LIFE_FIELD, type StoredObject } from '../orders/entries.ts'
import { neverExpiring, storeLines, type OrderLine } from '../orders/import.ts'
import { readIntake } from '../orders/intake.ts'
import { createOrderId } from '../orders/order.ts'
import { asha, lena, ravi } from './people.ts'
import { dayNumber, storyDay, type StoryDay, type StoryTime } from './story-days.ts'
import { createDice, type Dice } from './story-dice.ts'
import { entriesOf, fetched, usualSteps, type Step } from './story-moves.ts'
import { makeUpOrder } from './story-orders.ts'
import { openSteps, recentTime } from './story-today.ts'

/** Orders of yesterday, of the day before, and so on: 143 of them are older than two days before today. */
const ORDERS_OF_DAYS_AGO = [30, 31, 30, 29, 29, 28, 27]

/** Orders created today; the pre-order makes them 21. */
const ORDERS_OF_TODAY = 20

/** Numbers of orders that a day has at most. */
const NUMBERS_A_DAY = 37

/** The order of yesterday that a courier took and forgot. */
const FORGOTTEN = 28

/**
 * 225 orders of the last eight local days as they would be stored, the oldest day first: 27, 28, 29, 29, 30, 31, 30, and 21 of
 * today. So `/cleanup 2` finds 143 due at any time of any day, `/cleanup 1` 174 and `/cleanup 0` 204. (`/cleanup 1` finds others
 * where the zone skipped yesterday or the day before altogether.) One of the 21 is a pre-order for tomorrow at noon, made
 * yesterday; the others were created today. Seven are open: five of today, the pre-order, and one forgotten since
 * yesterday. No time lies after `nowMs` but the one the pre-order is wanted for.
 *
 * The same minute and zone give the same texts. The same local date gives the same orders of earlier days and the same
 * pre-order; only the other 20 of today depend on the time of day.
 */
export function tellStory(time: StoryTime): readonly OrderLine[] {
  const { earlier, preOrder, today } = chaptersOf(time)
  return [...earlier, preOrder, ...today]
}

/** What came of seeding. */
export interface Seeded {
  readonly seeded: number
  /** Orders that an earlier start had seeded on the same day; left as they are now. */
  readonly existing: number
}

/**
 * Stores the story without expiry; what is there is never overwritten. Costs 225 commands in 3 requests, 205 in 2 when it was
 * seeded before on the same local day: then only what is missing of earlier days comes back, and the pre-order tells that the
 * orders of today came before, under other times. On another day it adds that day's story to what is there.
 *
 * @throws RedisError when a request failed. Seeding again on the same day adds what is missing, but nothing of today once
 *   the pre-order is stored, so no order is ever there twice.
 */
export async function seedStory(send: Parameters<typeof storeLines>[0], time: StoryTime): Promise<Seeded> {
  const { earlier, preOrder, today } = chaptersOf(time)
  const before = await storeLines(send, earlier)
  const marker = await storeLines(send, [preOrder])
  const isFirst = marker.imported > 0
  const last = isFirst ? await storeLines(send, today) : { imported: 0, existing: today.length }
  return {
    seeded: before.imported + marker.imported + last.imported,
    existing: before.existing + marker.existing + last.existing,
  }
}

interface Chapters {
  readonly earlier: readonly OrderLine[]
  readonly preOrder: OrderLine
  readonly today: readonly OrderLine[]
}

/** The whole story; told by the minute, so that it does not change with every look. */
function chaptersOf({ nowMs, zone }: StoryTime): Chapters {
  const today = storyDay({ nowMs, zone }, 0)
  const tellMs = Math.max(today.fromMs, Math.floor(nowMs / 60_000) * 60_000)
  const time = { nowMs: tellMs, zone }
  return {
    earlier: ORDERS_OF_DAYS_AGO.map((count, at) => ({ count, day: storyDay(time, at + 1) }))
      .toReversed()
      .flatMap(({ count, day }) => numbers(count).map((number) => pastOrder(time, day, number))),
    preOrder: preOrderOf(time, today),
    today: numbers(ORDERS_OF_TODAY).map((number) => todaysOrder(time, today, number)),
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

interface Event {
  readonly day: StoryDay
  /** Its place among the orders of its day, from 1 on; 0 for the pre-order. */
  readonly number: number
  readonly createdAtMs: number
  readonly wantedAtMs?: number
  readonly isPickup?: boolean
  readonly steps: readonly Step[]
  readonly pace?: number
}

/** An order with its history as the desk and the store would have written them. */
function lineOf({ nowMs, zone }: StoryTime, dice: Dice, event: Event): OrderLine {
  const { day, number, createdAtMs, wantedAtMs, steps, pace = 1, isPickup = false } = event
  const running = dayNumber(day.date) * NUMBERS_A_DAY + number
  const payload = {
    source: 'shopify',
    source_id: String(6_900_000_000_000 + running),
    name: `#${1_000 + (running % 9_000)}`,
    created_at: isoInstant(createdAtMs, zone),
    ...(wantedAtMs === undefined ? {} : { wanted_at: isoInstant(wantedAtMs, zone) }),
    ...makeUpOrder(dice, { isPickup }),
  }
  const { order, source, orderTimeMs } = readIntake(payload, { nowMs, zone, cutoffMs: 0 })
  const received: StoredObject = { ...order, status: 'new', [LIFE_FIELD]: dice.letters(6 + dice.roll(12)) }
  const entries = entriesOf(steps, dice, { createdAtMs, latestMs: nowMs, pace, zone })
  return neverExpiring(createOrderId(source, orderTimeMs), received, entries)
}

const orderSeed = ({ date }: StoryDay, number: number) => JSON.stringify([date, number])

/** Orders around noon, and then from five in the afternoon on; each at its own time, whatever the day's count is. */
function pastOrder(time: StoryTime, day: StoryDay, number: number): OrderLine {
  const dice = createDice(orderSeed(day, number))
  const minutes = number <= 10 ? 11 * 60 + 18 * number : 16 * 60 + 50 + 13 * (number - 10)
  const createdAtMs = day.at(minutes, dice.roll(12 * 60) * 1_000)
  const courier = dice.pick([ravi.id, ravi.id, lena.id])
  const isForgotten = day.daysAgo === 1 && number === FORGOTTEN
  const isPickup = !isForgotten && number % 12 === 7
  const forgotten: readonly Step[] = [{ minutes: 6, by: lena.id, to: 'assigned' }]
  const usual = () => (isPickup ? fetched(dice) : usualSteps(dice, courier))
  return lineOf(time, dice, { day, number, createdAtMs, isPickup, steps: isForgotten ? forgotten : usual() })
}

function todaysOrder(time: StoryTime, day: StoryDay, number: number): OrderLine {
  const dice = createDice(orderSeed(day, number))
  const back = ORDERS_OF_TODAY - number
  const isPickup = back === 9
  const { createdAtMs, pace } = recentTime(time, day, { back, of: ORDERS_OF_TODAY, dice })
  const finished = () => (isPickup ? fetched(dice) : usualSteps(dice, dice.pick([ravi.id, ravi.id, lena.id])))
  return lineOf(time, dice, { day, number, createdAtMs, pace, isPickup, steps: openSteps[back] ?? finished() })
}

/** Made yesterday evening for tomorrow at noon: its order time lies ahead, so no cleanup takes it before its day has passed. */
function preOrderOf(time: StoryTime, day: StoryDay): OrderLine {
  const createdAtMs = storyDay(time, 1).at(20 * 60 + 47)
  const wantedAtMs = firstInstantOf({ ...localDateBefore(time.nowMs, -1, time.zone), hour: 12, minute: 0 }, time.zone)
  const steps: readonly Step[] = [{ minutes: 7, by: asha.id, to: 'confirmed' }]
  return lineOf(time, createDice(orderSeed(day, 0)), { day, number: 0, createdAtMs, wantedAtMs, steps })
}
