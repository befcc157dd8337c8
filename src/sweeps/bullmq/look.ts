import { AppError } from '../../errors.ts'
import { integerOf, listOf, optionalTextOf, valueOf, type Command, type Transport } from '../../redis/transport.ts'
import type { Bounds, FinishedCounts } from './bounds.ts'
import { eventsKey, finishedStates, metaKey, stateKey, type FinishedState, type QueuePlace } from './keys.ts'

/** What a queue is found to be before anything is done to it. */
export interface QueueLook {
  readonly finished: Readonly<Record<FinishedState, FinishedCounts & { readonly unreadable: number }>>
  readonly events: {
    readonly length: number
    /** Events that the queue keeps, as its owner has set it. */
    readonly most: number
  }
}

/** A queue of a BullMQ that the installed package does not know. Nothing was done to it. */
export class UnknownQueueError extends AppError<'QUEUE_UNKNOWN'> {
  override readonly name = 'UnknownQueueError'

  constructor(why: string) {
    super('QUEUE_UNKNOWN', `${why} It was left alone.`)
  }
}

/** Events that BullMQ keeps where its owner has set nothing. */
const USUAL_EVENTS = 10_000

/**
 * Counts a queue's finished jobs and events. Costs 8 commands, in one request.
 *
 * @throws UnknownQueueError for a queue of another version; RedisError for one whose keys are not what they should be.
 */
export async function lookAt(
  send: Transport,
  { place, bounds }: { readonly place: QueuePlace; readonly bounds: Readonly<Record<FinishedState, Bounds>> },
): Promise<QueueLook> {
  const counting = finishedStates.flatMap((state): Command[] => {
    const key = stateKey(place, state)
    const { cutoffMs } = bounds[state]
    // A time before 1970 or beyond all dates is none; BullMQ's own clean does not see it either.
    return [
      ['ZCARD', key],
      ['ZCOUNT', key, 0, Number.MAX_SAFE_INTEGER],
      ['ZCOUNT', key, 0, `(${cutoffMs}`],
    ]
  })
  const replies = await send([
    ['HMGET', metaKey(place), 'version', 'opts.maxLenEvents'],
    ['XLEN', eventsKey(place)],
    ...counting,
  ])
  const [version = null, most = null] = listOf(valueOf(replies[0] ?? null))
  checkVersion(optionalTextOf(version))
  const counts = (at: number) => {
    const [all = 0, total = 0, older = 0] = replies.slice(at, at + 3).map(integerOf)
    return { total, older, unreadable: all - total }
  }
  return {
    finished: { completed: counts(2), failed: counts(5) },
    events: { length: integerOf(replies[1] ?? null), most: mostEvents(optionalTextOf(most)) },
  }
}

/** What the package of this file's scripts is made for. */
const OLDEST = 4
const NEWEST = 6

/** Other makes than the package itself (`bullmq-pro`) count their versions otherwise; old ones wrote none. */
function checkVersion(text: string | undefined): void {
  if (text === undefined || /^bullmq-[a-z-]+:\d/.test(text)) return
  const [, major] = /^bullmq:(\d{1,4})\./.exec(text) ?? []
  if (major === undefined) throw new UnknownQueueError('Its meta names no version of BullMQ.')
  if (Number(major) < OLDEST) throw new UnknownQueueError(`It is of BullMQ ${major}, which is too old.`)
  if (Number(major) > NEWEST) throw new UnknownQueueError(`It is of BullMQ ${major}, which is too new for bullmq@6.`)
}

const mostEvents = (text: string | undefined) =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : USUAL_EVENTS
