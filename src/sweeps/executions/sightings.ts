import { isRedisError } from '../../errors.ts'
import { seenKey } from '../../redis/keys.ts'
import {
  ask,
  integerOf,
  listOf,
  textOf,
  valueOf,
  type Command,
  type Reply,
  type Transport,
} from '../../redis/transport.ts'
import type { Sighting } from './judge.ts'
import { keysOf } from './look.ts'

/** A hash in the Redis of the executions: execution key -> since when it was seen in which state. */
export const SIGHTINGS_KEY = seenKey('executions')

/** The field of that hash which is no sighting, but the time of the latest pass. No execution's key: those have a prefix. */
export const CLOCK_FIELD = ''

/** Sightings that are remembered at most, about 130 bytes each: a fraction of what the executions themselves take. */
const MOST_SIGHTINGS = 500_000

/** How much longer than the greatest age sightings last: longer than any sensible schedule has between two runs. */
const SPARE_DAYS = 35

/** The command that lets the memory outlast the greatest age. Costs 1 EXPIRE. */
export const expiryCommand = (days: number): Command => ['EXPIRE', SIGHTINGS_KEY, (days + SPARE_DAYS) * 86_400]

/** The command that reads what earlier runs saw of executions. Costs 1 HMGET. */
export const recallCommand = (keys: readonly string[]): Command => ['HMGET', SIGHTINGS_KEY, ...keys]

/** Reads its answer: a text that is none of ours proves nothing. */
export const readSightings = (reply: Reply): readonly (Sighting | undefined)[] => listOf(reply).map(decodeSighting)

/** What a run adds to and takes from the memory, by execution key. */
export interface SightingChanges {
  /** Of which what earlier runs saw is no longer true. */
  readonly stale: readonly string[]
  /** As they are from now on. */
  readonly seen: readonly (readonly [key: string, sighting: Sighting])[]
}

export interface SightingsOptions {
  readonly send: Transport
  /** Days of 24 hours after which an unchanged execution goes. */
  readonly days: number
  /** @default 500 000 */
  readonly most?: number
}

/** The memory as an applied run writes it. All of its functions throw RedisError. */
export interface Sightings {
  /**
   * Writes changes, and the memory's expiry with them. Costs 1 HDEL where something is stale, and HSET and EXPIRE where
   * something was seen.
   *
   * @returns false when not all was remembered, for the memory or Redis is full.
   */
  write(changes: SightingChanges): Promise<boolean>
  /**
   * Forgets executions that do not exist any more, and were seen before that observed time. Costs 1 HSCAN per 1 000 sightings, 1 EXISTS
   * for each of those, and 1 HDEL where some have gone.
   */
  forgetGone(beforeMs: number): Promise<void>
}

/** Begins with what earlier runs left. Costs 1 HLEN. */
export async function openSightings({ send, days, most = MOST_SIGHTINGS }: SightingsOptions): Promise<Sightings> {
  let room = most - integerOf(await ask(send, ['HLEN', SIGHTINGS_KEY]))

  const drop = async (keys: readonly string[]) => {
    if (keys.length > 0) room += integerOf(await ask(send, ['HDEL', SIGHTINGS_KEY, ...keys]))
  }

  return {
    write: async ({ stale, seen }) => {
      await drop(stale)
      const fitting = seen.slice(0, Math.max(room, 0))
      if (fitting.length > 0) {
        const fields = fitting.flatMap(([key, { sinceMs, state }]) => [key, `${sinceMs} ${state}`])
        const [added = null, ...others] = await send([['HSET', SIGHTINGS_KEY, ...fields], expiryCommand(days)])
        others.forEach(valueOf)
        if (isRedisError(added, 'REDIS_FULL')) return false
        room -= integerOf(added)
      }
      return fitting.length === seen.length
    },
    forgetGone: async (beforeMs) => {
      for await (const keys of keysSeenBefore(send, beforeMs)) await drop(await goneAmong(send, keys))
    },
  }
}

/** The keys of earlier sightings and of what is none, page by page; one may come twice. */
async function* keysSeenBefore(send: Transport, beforeMs: number): AsyncGenerator<readonly string[]> {
  let cursor = '0'
  do {
    const [next = null, page = null] = listOf(await ask(send, ['HSCAN', SIGHTINGS_KEY, cursor, 'COUNT', 1_000]))
    const words = listOf(page)
    const isEarlier = (at: number) => (decodeSighting(words[at] ?? null)?.sinceMs ?? 0) < beforeMs
    const keys = words.filter((_, at) => at % 2 === 0 && isEarlier(at + 1)).map(textOf)
    yield keys.filter((key) => key !== CLOCK_FIELD)
    cursor = textOf(next)
  } while (cursor !== '0')
}

/** Those of the executions of which no key exists. Each is asked for by itself, so that no answer stands for several. */
async function goneAmong(send: Transport, keys: readonly string[]): Promise<readonly string[]> {
  const counts = keys.length === 0 ? [] : await send(keys.map((key) => ['EXISTS', ...keysOf('', key)]))
  return keys.filter((_, at) => integerOf(counts[at] ?? null) === 0)
}

function decodeSighting(reply: Reply): Sighting | undefined {
  const value = valueOf(reply)
  const [, since, state] = (value === null ? null : /^(\d{1,15}) ([012]=[\da-f]{16})$/.exec(textOf(value))) ?? []
  return since === undefined || state === undefined ? undefined : { sinceMs: Number(since), state }
}
