import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { ConfigError, InputError, InterruptedError } from '../errors.ts'
import { connect } from '../redis/connect.ts'
import { isClusterNode, readInfo } from '../redis/info.ts'
import { createMeter, type Account } from '../redis/meter.ts'
import type { Transport } from '../redis/transport.ts'
import { givenAddress } from './given-address.ts'
import { interruptible } from './interruptible.ts'
import type { Io } from './io.ts'
import { failed, type CommandResult } from './result.ts'

/** A Redis with queues. */
export interface QueueRedis {
  /** Throws InterruptedError once the person has pressed Ctrl-C. */
  readonly send: Transport
  /** What the keys of all queues begin with. */
  readonly prefix: string
}

/**
 * Runs `work` on the Redis that `url` names, else BULLMQ_REDIS_URL, tells what it spent even when it fails, and closes the
 * connection.
 *
 * @throws ConfigError, WrongUseError for an address that is none.
 */
export async function withQueueRedis(
  url: string | undefined,
  work: (redis: QueueRedis) => Promise<CommandResult>,
  io: Io,
): Promise<CommandResult> {
  const target = targetOf(url, io)
  const connection = await connect({ kind: 'tcp', url: target.redisUrl }, { clock: systemClock })
  const account = createMeter(interruptible(connection, io.signal).send).open('sweep:bullmq')
  try {
    const send = stoppable(account, io.signal)
    await refuseCluster(send)
    return { ...(await work({ send, prefix: target.prefix })), cost: account.cost() }
  } catch (error) {
    return { ...failed(error), cost: account.cost() }
  } finally {
    await connection.close()
  }
}

/** Of the configuration only address and prefix count here: the queue is named by who calls. */
function targetOf(url: string | undefined, { env }: Io) {
  const given = url === undefined ? {} : { BULLMQ_REDIS_URL: givenAddress('--url', url, { env }) }
  const { bullmq } = readConfig({ ...env, ...given, BULLMQ_QUEUES: '*' })
  if (bullmq !== undefined) return bullmq
  throw new ConfigError(['BULLMQ_REDIS_URL is required, or --url: it names the Redis of the queue.'])
}

async function refuseCluster(send: Transport): Promise<void> {
  if (!isClusterNode(await readInfo(send))) return
  throw new InputError(
    'This is a node of a cluster, which holds only a part of the keys. A queue is emptied on a single server only.',
  )
}

const stoppable =
  ({ send }: Account, signal: AbortSignal): Transport =>
  async (commands) => {
    if (signal.aborted) throw new InterruptedError('Interrupted. What has gone is gone whole; run it again to go on.')
    return await send(commands)
  }
