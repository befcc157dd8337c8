import { readInfo } from '../redis/info.ts'
import { ask, type Transport } from '../redis/transport.ts'
import { survey, type Survey } from '../sweeps/inngest/survey.ts'
import type { InngestParts } from './open-inngest.ts'
import { counted } from './text.ts'

/** What a look at the Redis of an Inngest found out. */
export interface RedisFacts extends Survey {
  /** Milliseconds of one PING on an open connection. */
  readonly latencyMs: number
  readonly server: string
}

/**
 * Looks at the Redis of an Inngest. Costs 1 SCAN per 1 000 keys; PING and INFO are free.
 *
 * @throws RedisError, InterruptedError
 */
export async function readRedisFacts(send: Transport, parts: InngestParts): Promise<RedisFacts> {
  const { clock } = parts.app
  await ask(send, ['PING'])
  const sentAtMs = clock()
  await ask(send, ['PING'])
  const latencyMs = clock() - sentAtMs
  const server = (await readInfo(send)).get('server_name') ?? 'redis'
  return { latencyMs, server, ...(await surveyKeys(send, parts)) }
}

/**
 * Counts the keys of an Inngest by their kinds, with progress. Costs 1 SCAN per 1 000 keys; INFO is free.
 *
 * @throws RedisError, InterruptedError
 */
export const surveyKeys = (send: Transport, { app, config, signal, progress }: InngestParts): Promise<Survey> =>
  survey(send, {
    prefix: config.keyPrefix,
    nowMs: app.clock(),
    signal,
    onProgress: (keys) => progress.show(`${counted(keys, 'key')} counted`),
  })
