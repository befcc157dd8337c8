import { isRedisError, RedisError } from '../../errors.ts'
import { ask, optionalTextOf, valueOf, type Transport } from '../../redis/transport.ts'
import { observe, type ObservedTime, type ObserveOptions, type PassClock } from './observed-time.ts'
import { CLOCK_FIELD, expiryCommand, SIGHTINGS_KEY } from './sightings.ts'

export interface PassOptions extends ObserveOptions {
  readonly send: Transport
  readonly dryRun: boolean
  /** Days of 24 hours that the memory lasts at least. */
  readonly days: number
}

/** A pass that has begun. */
export interface Pass extends ObservedTime {
  /** Whether sightings of earlier passes can be trusted: not where nobody knows in which time they are dated. */
  readonly hasMemory: boolean
  /** False when there was no room for the time of this pass. */
  readonly isRemembered: boolean
}

/**
 * Tells the time of a pass, which an applied one remembers at once: cut off, it has looked nevertheless. Where the time of the
 * latest pass is missing or no text of ours, an applied pass drops all sightings.
 *
 * Costs 1 HGET; an applied pass also HSET and EXPIRE, and 1 UNLINK where it drops.
 *
 * @throws RedisError that names the memory where Redis refuses it.
 */
export async function beginPass(options: PassOptions): Promise<Pass> {
  try {
    const { send, dryRun } = options
    const earlier = decodeClock(optionalTextOf(await ask(send, ['HGET', SIGHTINGS_KEY, CLOCK_FIELD])))
    const time = observe(earlier, options)
    const hasMemory = earlier !== undefined
    if (!dryRun && !hasMemory) await ask(send, ['UNLINK', SIGHTINGS_KEY])
    return { ...time, hasMemory, isRemembered: dryRun || (await remember(time, options)) }
  } catch (error) {
    if (!isRedisError(error, 'REDIS_WRONG_TYPE') && !isRedisError(error, 'REDIS_REFUSED')) throw error
    const message = `${error.message} It was the key ${SIGHTINGS_KEY}, in which this sweep remembers what it saw.`
    throw new RedisError(error.code, message, { cause: error })
  }
}

/** What the time of a pass ends with that came after a gap. */
const AFTER_GAP = ' after a gap'

async function remember({ leftOutMs, isAfterGap }: ObservedTime, { send, nowMs, days }: PassOptions): Promise<boolean> {
  const [written = null, ...others] = await send([
    ['HSET', SIGHTINGS_KEY, CLOCK_FIELD, `${nowMs} ${leftOutMs}${isAfterGap ? AFTER_GAP : ''}`],
    expiryCommand(days),
  ])
  others.forEach(valueOf)
  if (isRedisError(written, 'REDIS_FULL')) return false
  valueOf(written)
  return true
}

function decodeClock(text = ''): PassClock | undefined {
  const [, latest, leftOut, gap] = /^(\d{1,15}) (-?\d{1,15})( after a gap)?$/.exec(text) ?? []
  if (latest === undefined) return undefined
  return { latestMs: Number(latest), leftOutMs: Number(leftOut), isAfterGap: gap === AFTER_GAP }
}
