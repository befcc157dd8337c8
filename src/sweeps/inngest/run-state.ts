import type { Transport } from '../../redis/transport.ts'
import { signsOfLife } from './signs-of-life.ts'

/**
 * Those of the runs that have a sign of life in Redis. Costs 3 EXISTS per run, about 900 a request. `ids` must be run ids, for
 * nothing is alive under another name.
 *
 * @throws RedisError when a single one was refused or is not 0 or 1: then nothing is known of anyone.
 */
export async function aliveRuns(send: Transport, prefix: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const signs = await signsOfLife(send, prefix, ids)
  return new Set(ids.filter((id) => signs.get(id)?.length !== 0))
}
