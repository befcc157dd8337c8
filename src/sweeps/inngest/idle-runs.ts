import type { Transport } from '../../redis/transport.ts'
import { existing } from './existing.ts'
import { runJobsKey, runPausesKey } from './keys.ts'

/**
 * Those of the runs that have no job in the queue and wait for nothing: whatever state they have, nobody will come for it.
 * Costs 2 EXISTS per run, at most 900 a request.
 *
 * @throws RedisError when a single one was refused or is not 0 or 1.
 */
export async function idleRuns(send: Transport, prefix: string, ids: readonly string[]): Promise<readonly string[]> {
  const signs = (id: string) => [runJobsKey(id), runPausesKey(prefix, id)]
  const found = await existing(send, ids.flatMap(signs))
  return ids.filter((id) => !signs(id).some((key) => found.has(key)))
}
