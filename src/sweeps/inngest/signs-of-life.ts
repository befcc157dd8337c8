import type { Transport } from '../../redis/transport.ts'
import { existing } from './existing.ts'
import { metadataKey, runJobsKey, runPausesKey } from './keys.ts'

/** What shows that a run is alive: its state, something it waits for, a job in the queue. */
const lifeSigns = ['metadata', 'pauses', 'jobs'] as const

export type LifeSign = (typeof lifeSigns)[number]

/**
 * The signs of life of each run. Costs 3 EXISTS per run. `ids` must be run ids.
 *
 * @throws RedisError when a single one was refused or is not 0 or 1.
 */
export async function signsOfLife(
  send: Transport,
  prefix: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly LifeSign[]>> {
  const keysOf = (id: string) =>
    ({
      metadata: metadataKey(prefix, id),
      pauses: runPausesKey(prefix, id),
      jobs: runJobsKey(id),
    }) satisfies Record<LifeSign, string>
  const found = await existing(
    send,
    ids.flatMap((id) => Object.values(keysOf(id))),
  )
  return new Map(ids.map((id) => [id, lifeSigns.filter((sign) => found.has(keysOf(id)[sign]))]))
}
