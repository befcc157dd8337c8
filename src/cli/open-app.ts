import { pino } from 'pino'
import { createApp, type App, type Parts } from '../app.ts'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { InterruptedError, isRedisError } from '../errors.ts'
import { createLog } from '../log.ts'
import { connect } from '../redis/connect.ts'
import type { Connection } from '../redis/transport.ts'
import { interruptible } from './interruptible.ts'
import type { Io } from './io.ts'

/** Said wherever a command looked into an embedded store, which a person may have taken for a real one. */
const NO_REDIS =
  'No Redis is configured, so this used the embedded store, which is empty in every new process. Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL.'

/**
 * Reads the configuration, runs `work` with the app, and closes it whatever happens. A person at a terminal sees log lines
 * from warn on; otherwise, and wherever LOG_LEVEL is set, they are complete.
 *
 * @throws ConfigError
 */
export async function withApp<Result>(
  io: Io,
  work: (app: App) => Promise<Result>,
  given: Partial<Parts> = {},
): Promise<Result> {
  const config = readConfig(io.env)
  const level = config.logLevel ?? (io.isTerminal ? 'warn' : 'info')
  const log = createLog({ level, destination: pino.destination({ dest: 2, sync: true }) })
  const connection = given.connection ?? (await connect(config.redis, { clock: systemClock }))
  const wrap = (one: Connection) => interruptible(one, io.signal)
  const app = await createApp(config, log, { ...given, connection: wrap(connection), wrap })
  try {
    return await work(app)
  } finally {
    try {
      await keepUsage(app)
    } finally {
      await app.close()
    }
  }
}

/** Billed commands from which on a command tells the month's budget of them: to tell costs up to 2 more. */
const WORTH_TELLING = 100

/** Nobody runs a command for this: where it cannot be written, or nobody waits for it any more, it is left out. */
async function keepUsage({ meter, budget }: App): Promise<void> {
  if (meter.cost().billed < WORTH_TELLING) return
  await budget.end().catch((error: unknown) => {
    if (!isRedisError(error) && !(error instanceof InterruptedError)) throw error
  })
}

/** What a person should know about the store that was used. */
export const storeWarnings = ({ kind }: App): readonly string[] => (kind === 'memory' ? [NO_REDIS] : [])
