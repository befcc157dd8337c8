import type { Clock } from '../../clock.ts'
import type { ExecutionsConfig } from '../../config.ts'
import { ConfigError, RedisError } from '../../errors.ts'
import { isClusterNode, readInfo } from '../../redis/info.ts'
import type { Meter } from '../../redis/meter.ts'
import type { Transport } from '../../redis/transport.ts'
import { hourCutoffs } from '../retention.ts'
import type { Sweep } from '../sweep.ts'
import { SIGHTINGS_KEY } from './sightings.ts'
import { sweepExecutions } from './walk.ts'

export interface ExecutionsSweepOptions {
  readonly config: ExecutionsConfig
  readonly clock: Clock
  /** Of the Redis that holds the executions. */
  readonly meter: Meter
}

/**
 * The sweep over the state of workflow executions: removes those without an expiry that no run has seen change for long
 * enough, whole or partial. What has an expiry is left to it. No key holds a time, so an execution is judged by when a run
 * that deletes saw it first in the state in which it still is; such runs remember that in the same Redis. Between two of
 * them at most half of the greatest age counts: what nobody watched is no proof that an execution stands still.
 *
 * Costs 1 SCAN per 1 000 keys of the database, and per 100 executions 1 EVAL (in it 3 to 13 reads for each) and 1 HMGET; a
 * run that deletes also up to 3 commands per 100 executions for its memory, 1 EVAL where some are due (in it up to 15 for
 * each), and 1 EXISTS for each remembered one.
 *
 * @throws ConfigError for a prefix that keys of Orderly's own begin with.
 */
export const createExecutionsSweep = ({ config, clock, meter }: ExecutionsSweepOptions): Sweep => {
  checkPrefix(config.prefix)
  return {
    name: 'executions',
    defaultDays: config.maxAgeDays,
    // An execution may do nothing visible for as long as one of its tasks runs.
    leastDays: 1,
    meter,
    cutoffs: (days, asOfMs) => hourCutoffs({ days, factor: 1 }, asOfMs),
    run: async (job) => {
      await refuseCluster(job.send)
      await sweepExecutions({ job, clock, prefix: config.prefix, maxAgeDays: config.maxAgeDays })
    },
  }
}

/** What all keys of Orderly's own begin with. */
const OWN = SIGHTINGS_KEY.slice(0, SIGHTINGS_KEY.indexOf(':') + 1)

function checkPrefix(prefix: string): void {
  if (!OWN.startsWith(prefix) && !prefix.startsWith(OWN)) return
  throw new ConfigError(['EXECUTIONS_PREFIX must be a text that no key of Orderly itself begins with.'])
}

/** The keys of an execution lie in several hash slots, so no script could delete them together. Free of charge. */
async function refuseCluster(send: Transport): Promise<void> {
  if (!isClusterNode(await readInfo(send))) return
  throw new RedisError(
    'REDIS_REFUSED',
    'This is a Redis Cluster, in which the keys of an execution cannot be deleted together. Keep executions in a single server, or give their store a ttl.',
  )
}
