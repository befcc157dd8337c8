import { DateTime } from 'luxon'
import type { App } from '../app.ts'
import { isoInstant } from '../calendar.ts'
import { isRedisError } from '../errors.ts'
import { ask, listOf, type Transport } from '../redis/transport.ts'
import { dueSlot } from '../schedule/catch-up.ts'
import { createSlotMemory } from '../schedule/slots.ts'
import type { Slot, Timetable } from '../schedule/timetable.ts'
import { timetablesOf } from '../schedule/timetables.ts'
import { sweepNames, type SweepName } from '../sweeps/registry.ts'
import { fail, ok, off, warn, type Finding } from './doctor-check.ts'

/** Milliseconds after which a due slot should be done, and after which somebody should act: the host may sleep. */
const LATE_MS = 60 * 60_000
const VERY_LATE_MS = 24 * 60 * 60_000

/** A sweep with a schedule. */
interface Planned {
  readonly name: SweepName
  readonly timetable: Timetable
  readonly isKnown: boolean
  /** The first slot that is due and not done; undefined where all are. */
  readonly missed: Slot | undefined
}

/**
 * When the sweeps run next, and whether one is overdue. Costs 1 command for each sweep with a schedule, 0 with the embedded
 * store.
 *
 * @throws RedisError
 */
export async function checkSchedule(app: App): Promise<Finding> {
  const nowMs = app.clock()
  const planned = await Promise.all(sweepNames.flatMap((name) => planOf(app, name)))
  if (planned.length === 0) return off('switched off by SWEEP_ENABLED=false, and no other sweep is configured')
  const next = planned.map(({ name, timetable }) => {
    const [slot] = timetable.nextSlots(nowMs, 1)
    return `${name} ${slot === undefined ? 'never again' : isoInstant(slot.atMs, timetable.zone)}`
  })
  const told = `next: ${next.join(', ')}`
  const late = planned.flatMap(({ name, timetable, missed }) =>
    missed !== undefined && nowMs - missed.atMs > LATE_MS ? [{ name, timetable, slot: missed }] : [],
  )
  if (late.length > 0) {
    const overdue = late.map(({ name, timetable, slot }) => `${name} since ${isoInstant(slot.atMs, timetable.zone)}`)
    const isVery = late.some(({ slot }) => nowMs - slot.atMs > VERY_LATE_MS)
    const by = late.map(({ name }) => `orderly sweep ${name} --apply`).join(' && ')
    const fix = `Wake the service (${wakeUp(app)}): it catches up by itself. At once, without it: ${by}`
    return (isVery ? fail : warn)(`overdue: ${overdue.join(', ')}; ${told}`, fix)
  }
  const isNew = app.kind !== 'memory' && planned.some(({ isKnown }) => !isKnown)
  return ok(isNew ? `${told}; a sweep was never scheduled here yet, its first slot is the next one` : told)
}

const wakeUp = ({ config }: App) =>
  config.telegram?.publicUrl === undefined ? 'npm start' : 'open /healthz of its public address'

function planOf({ config, clock, meter, kind }: App, name: SweepName): readonly Promise<Planned>[] {
  const timetable = timetablesOf(config)[name]
  if (timetable === undefined) return []
  const look = async (): Promise<Planned> => {
    // The embedded store is empty in every new process, so it knows of no slot.
    const lastDone = kind === 'memory' ? undefined : await createSlotMemory(name).lastDone(meter.open('schedule').send)
    const missed = lastDone === undefined ? undefined : firstMissed(timetable, { lastDone, nowMs: clock() })
    return { name, timetable, isKnown: lastDone !== undefined, missed }
  }
  return [look()]
}

/** Of many missed slots the latest is never old where they come often: only the first tells since when nothing runs. */
function firstMissed(
  timetable: Timetable,
  { lastDone, nowMs }: { readonly lastDone: string; readonly nowMs: number },
): Slot | undefined {
  const latest = dueSlot(timetable, lastDone, nowMs)?.slot
  if (latest === undefined) return undefined
  const [first = latest] = timetable.nextSlots(DateTime.fromISO(lastDone, { zone: timetable.zone }).toMillis(), 1)
  return first.atMs < latest.atMs ? first : latest
}

const MOST_APART_MS = 60_000

/** What this machine's clock is held against. */
export interface OtherClocks {
  /** Of Telegram, in milliseconds ahead of ours; undefined where it is not known. */
  readonly telegramAheadMs: number | undefined
  /** To Orderly's own Redis; undefined where it has no clock of its own or does not answer. */
  readonly send: Transport | undefined
}

/**
 * Whether this machine's clock is right, by Telegram's or else by that of Redis, which costs 1 command.
 *
 * @throws RedisError
 */
export async function checkClock(
  { clock }: Pick<App, 'clock'>,
  { telegramAheadMs, send }: OtherClocks,
): Promise<Finding> {
  if (telegramAheadMs !== undefined) return apart(telegramAheadMs, 'Telegram')
  const ahead = send === undefined ? undefined : await redisAheadMs(send, clock)
  return ahead === undefined ? off('there is no other clock to compare with') : apart(ahead, 'Redis')
}

function apart(aheadMs: number, whose: string): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  if (Math.abs(aheadMs) <= MOST_APART_MS) return ok(`as ${whose} has it, within ${Math.max(seconds, 1)} s`)
  return fail(
    `${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} ${whose}`,
    'Let the system keep the time: timedatectl set-ntp true',
  )
}

async function redisAheadMs(send: Transport, clock: App['clock']): Promise<number | undefined> {
  const sentAtMs = clock()
  try {
    const [seconds] = listOf(await ask(send, ['TIME']))
    const told = typeof seconds === 'string' && /^\d{1,11}$/.test(seconds) ? 1_000 * Number(seconds) : undefined
    return told === undefined ? undefined : told - (sentAtMs + clock()) / 2
  } catch (error) {
    // A user who may not ask for the time may do all that matters.
    if (isRedisError(error, 'REDIS_REFUSED')) return undefined
    throw error
  }
}
