import { once } from 'node:events'
import { pino, type Logger } from 'pino'
import { createApp, type App } from '../app.ts'
import { isoInstant } from '../calendar.ts'
import { readConfig, type InngestConfig } from '../config.ts'
import { createLifecycle, type Lifecycle } from '../lifecycle.ts'
import { createEmit, createLog } from '../log.ts'
import type { Transport } from '../redis/transport.ts'
import { timetablesOf } from '../schedule/timetables.ts'
import { createScheduledSweep } from '../scheduled-sweep.ts'
import { openInngestDatabase } from '../sweeps/inngest/database.ts'
import { createLiveness } from '../sweeps/inngest/liveness.ts'
import { createRuns } from '../sweeps/inngest/runs.ts'
import type { Io } from './io.ts'
import { noInngest } from './open-inngest.ts'
import type { CommandResult } from './result.ts'

/** Milliseconds that stopping may take in all, and after which requests to Redis are given up. */
const STOP_MS = 20_000
const GIVE_UP_REDIS_MS = 14_000

/** `orderly inngest cron`: runs CLEANUP_SCHEDULE until a signal asks it to stop, with JSON log lines on stdout. */
export async function inngestCronCommand({ env, signal }: Pick<Io, 'env' | 'signal'>): Promise<CommandResult> {
  const config = readConfig(env)
  if (config.inngest === undefined) throw noInngest()
  const log = createLog({ level: config.logLevel ?? 'info', destination: pino.destination({ dest: 1, sync: true }) })
  const app = await createApp(config, log)
  const cron = createCron(app, log)
  // Node would print such an error as it is, with what it holds.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'An error that nothing caught.'))
  await cron.start()
  void tellMode({ app, config: config.inngest }, log)
  await untilAborted(signal)
  log.info({ event: 'cron.stopping' }, 'Stopping.')
  const giveUp = setTimeout(() => void app.close(), GIVE_UP_REDIS_MS)
  await cron.stop().finally(() => clearTimeout(giveUp))
  log.info({ event: 'cron.stopped' }, 'Stopped.')
  return { data: null, text: '', error: null, warnings: [] }
}

function createCron(app: App, log: Logger): Lifecycle {
  const { config, clock, sweeps } = app
  const timetable = timetablesOf(config).inngest
  if (config.inngest === undefined || sweeps.inngest === undefined || timetable === undefined) throw noInngest()
  const { pattern, zone } = config.inngest.schedule
  const { isDryRun } = config.inngest
  const schedule = createScheduledSweep({
    app,
    name: 'inngest',
    timetable,
    sweep: sweeps.inngest,
    emit: createEmit(log),
    onDefect: (error) => log.error({ err: error }, 'failed'),
    // The log has told it.
    announce: () => undefined,
  })
  const greet = async () => {
    const [next] = timetable.nextSlots(clock(), 1)
    const nextSlot = next === undefined ? null : isoInstant(next.atMs, zone)
    const text = `Sweeping inngest by ${pattern} (${zone})${isDryRun ? ', dry runs only' : ''}; next at ${nextSlot}.`
    log.info({ event: 'cron.started', schedule: pattern, zone, nextSlot, isDryRun }, text)
    if (app.kind === 'memory') log.info({ event: 'cron.forgetful' }, FORGETFUL)
    void schedule.start()
  }
  const redis = { name: 'redis', start: async () => undefined, stop: app.close }
  return createLifecycle([redis, { name: 'schedule', start: greet, stop: schedule.stop }], {
    stopWithinMs: STOP_MS,
    onFailure: (part, error) => log.error({ event: 'cron.part-failed', part, err: error }, 'cron.part-failed'),
  })
}

const FORGETFUL =
  'No Redis of Orderly itself is configured (REDIS_URL): a slot that is missed while this does not run is not caught up.'

interface Cleaner {
  readonly app: App
  readonly config: InngestConfig
}

/** Tells at once what would otherwise come to light at the first slot, at night. */
async function tellMode(cleaner: Cleaner, log: Logger): Promise<void> {
  try {
    log.info({ event: 'cron.checked', mode: await findMode(cleaner) }, 'The database answers.')
  } catch (error) {
    log.error({ event: 'cron.checked', err: error }, 'The check at the start failed; each slot tries by itself.')
  }
}

/** In which mode a sweep would run now, in words. */
async function findMode({ app: { clock, stores }, config }: Cleaner): Promise<string> {
  const database = await openInngestDatabase(config.database)
  try {
    const store = stores.find(({ name }) => name === 'inngest')
    const send: Transport = store?.meter.open('redis-check').send ?? (async () => [])
    const runs = createRuns(database)
    return (await createLiveness({ config, nowMs: clock(), send, runs })).text()
  } finally {
    await database.sql.close()
  }
}

/** Keeps the process alive meanwhile, which the schedule's timers do not. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 3_600_000)
  if (!signal.aborted) await once(signal, 'abort')
  clearInterval(alive)
}
