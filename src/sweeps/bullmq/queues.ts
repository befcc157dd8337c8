import { scanPages } from '../../redis/scan.ts'
import { integerOf, type Command, type Transport } from '../../redis/transport.ts'
import { idKey, jobStates, metaKey, metaPattern, readKey, stateKey, type QueuePlace } from './keys.ts'

export interface FoundQueues {
  /** Sorted. */
  readonly names: readonly string[]
  /** Whether the whole database was looked through. */
  readonly isWhole: boolean
}

/**
 * The queues that have a meta hash, as far as `mostPages` of 1 000 keys show them. Costs 1 SCAN a page, and 2 more where it ends early.
 *
 * @throws RedisError when a page failed.
 */
export async function findQueues(
  send: Transport,
  prefix: string,
  { mostPages }: { readonly mostPages: number },
): Promise<FoundQueues> {
  const names = new Set<string>()
  let pages = 0
  for await (const page of scanPages(send, { match: metaPattern(prefix) })) {
    if (pages >= mostPages) return { names: [...names].toSorted(), isWhole: false }
    pages += 1
    for (const key of page) {
      const { queue, rest } = readKey(key, prefix) ?? {}
      if (queue !== undefined && rest === 'meta') names.add(queue)
    }
  }
  return { names: [...names].toSorted(), isWhole: true }
}

/**
 * The names of the queues that have a meta hash, sorted. Costs 1 SCAN per 1 000 keys of the database.
 *
 * @throws RedisError when a page failed.
 */
export async function listQueues(send: Transport, prefix: string): Promise<readonly string[]> {
  const { names } = await findQueues(send, prefix, { mostPages: Number.POSITIVE_INFINITY })
  return names
}

/**
 * Those of the named queues of which anything is there, in their order: also one that lost its meta, or has no more than its counter
 * of ids. Costs 1 EXISTS each, in one request.
 *
 * @throws RedisError when there was no answer.
 */
export async function existingQueues(
  send: Transport,
  { prefix, names }: { readonly prefix: string; readonly names: readonly string[] },
): Promise<readonly string[]> {
  const wanted = [...new Set(names)].filter(isQueueName)
  const replies = await send(wanted.map((queue) => existsCommand({ prefix, queue })))
  return wanted.filter((_, at) => integerOf(replies[at] ?? null) > 0)
}

function existsCommand(place: QueuePlace): Command {
  const states = jobStates.map((state) => stateKey(place, state))
  return ['EXISTS', metaKey(place), idKey(place), ...states]
}

/** Whether BullMQ takes a text for a queue's name: one with a colon would be another queue's key. */
const isQueueName = (name: string) => name !== '' && !name.includes(':')
