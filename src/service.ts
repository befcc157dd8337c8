import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createApp, type App } from './app.ts'
import { statusStoresOf } from './app-status-stores.ts'
import { systemClock, type Clock } from './clock.ts'
import type { Config, ServiceConfig } from './config.ts'
import { ConfigError, isRedisError } from './errors.ts'
import { createHttpServer, type HttpDeps } from './http/server.ts'
import { createLifecycle, type Lifecycle, type Part } from './lifecycle.ts'
import { createEmit } from './log.ts'
import { connect } from './redis/connect.ts'
import { createRedisStatus, type RedisStatus } from './redis/status/redis-status.ts'
import { ask } from './redis/transport.ts'
import { watchConnection } from './redis/watch.ts'
import { createBot } from './service-bot.ts'
import { createServiceBudget } from './service-budget.ts'
import { createServiceEngine } from './service-engine.ts'
import { createServiceSandbox, type ServiceSandbox } from './service-sandbox.ts'
import { seedUsage } from './service-story-usage.ts'
import { createServiceSweeps } from './service-sweeps.ts'
import { loadBullmq } from './sweeps/bullmq/load.ts'
import type { SweepReport } from './sweeps/report.ts'
import type { Telegram } from './telegram/bot.ts'

/** The running service: HTTP, bot and schedule around one app. */
export interface Service extends Lifecycle {
  /** Where it listens, once started. */
  url(): string
}

export interface ServiceOptions {
  readonly config: Config
  readonly log: Logger
  readonly version: string
  readonly clock?: Clock
  /** Whether the sandbox puts its story into a configured Redis; the embedded one always gets it. @default false */
  readonly seeds?: boolean
  /** Asked by the sandbox to start a service anew in place of this one. */
  readonly onStartOver?: () => void
}

/** Milliseconds that stopping may take in all, and after which requests to Redis are given up. */
const STOP_MS = 24_000
const GIVE_UP_REDIS_MS = 14_000

/** Milliseconds before each further try to load the store at boot; the last repeats. */
const LOAD_PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000]

/** Milliseconds that Redis has to answer when somebody asks whether the service is ready. */
const PING_MS = 1_500

/**
 * Puts the service together, as a sandbox where there is no token. Nothing is asked of anybody before `start`.
 *
 * @throws ConfigError when there is no token where no sandbox may run, or an optional package that is needed is missing.
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { log, version, clock = systemClock } = options
  const { config, sandbox } = await settle(options, clock)
  if (config.bullmq !== undefined) await loadBullmq()
  const connection = watchConnection(await connect(config.redis, { clock }))
  const app = await createApp(config, log, { clock, connection, onLimit: () => budget.noteLimit() })
  const onError = (error: unknown) => log.error({ err: error }, 'failed')
  const startedAtMs = clock()
  let areOrdersLoaded = false
  let url = ''

  const announce = (report: SweepReport) => bot.announce(report)
  const common = { app, emit: createEmit(log), onDefect: onError, announce }
  const sweeps = createServiceSweeps(common)
  const engine = await createServiceEngine({ ...common, config, log, sweeps: sweeps.runs })
  const redisStatus = createRedisStatus({ stores: statusStoresOf(app), clock, onDefect: onError })
  const budget = createServiceBudget({
    app,
    emit: common.emit,
    onError,
    warn: (warning, report) => bot.warn(warning, report),
  })
  const bot = createBot({
    app,
    config,
    sweeps: sweeps.runs,
    redisStatus,
    usage: budget.usage,
    onError,
    status: () => ({
      version,
      startedAtMs,
      instance: config.instance,
      store: app.kind,
      isStoreWell: connection.isWell(),
      ordersHeld: app.orders.held().length,
      ...sweeps.facts(),
      billedCommands: app.meter.cost().billed,
      budget: app.budget.known(),
    }),
  })

  // The embedded store is empty at each start, and nobody is billed for it.
  const tellStory = async () => {
    if (app.kind === 'memory') {
      await sandbox?.tellStory(connection.send)
      if (sandbox !== undefined) await seedUsage(connection.send, config, clock())
    } else if (options.seeds === true) await sandbox?.tellStory(app.meter.open('story').send)
  }
  let isStoryTold = false
  const loading = createLoading(async () => {
    // Each once: what fails later must not cost a whole load or a story each time.
    if (!isStoryTold) await tellStory()
    isStoryTold = true
    if (!areOrdersLoaded) await app.orders.load()
    areOrdersLoaded = true
    bot.showOwed()
    await budget.learn()
    await sweeps.learn()
  }, onError)
  const server = await createHttpServer({
    log,
    clock,
    onPing: sweeps.check,
    readiness: createReadiness(app, () => {
      if (!areOrdersLoaded) return 'The orders are not loaded yet.'
      return bot.isReady() ? null : NO_TELEGRAM
    }),
    ...webhooks(app, bot),
    ...routesOf(app, redisStatus),
    ...(sandbox !== undefined && { sandbox: sandbox.mount }),
    ...(engine !== undefined && { engine: engine.routes }),
  })
  const listen = async () => {
    url = await server.listen(config.host, config.port).catch(explainNoListening)
    log.info({ event: 'service.listening', url, sandbox: sandbox !== undefined }, greeting(config, sandbox, url))
  }

  const redis = { name: 'redis', start: async () => undefined, stop: app.close }
  const http = { name: 'http', start: listen, stop: server.close }
  const parts: readonly Part[] = [
    budget.part,
    { name: 'telegram', start: bot.start, stop: bot.stop },
    { name: 'orders', start: loading.start, stop: loading.stop },
    ...sweeps.parts,
  ]
  const ordered =
    sandbox === undefined
      ? [redis, ...parts, http, ...(engine === undefined ? [] : [engine.part])]
      : // The bot of a sandbox calls this very server, to its end.
        [redis, http, { name: 'sandbox', start: async () => undefined, stop: sandbox.stop }, ...parts]
  return lifeOf(ordered, { app, log, url: () => url })
}

/** The configuration with a bot, and the sandbox that makes up for a missing token. */
async function settle(options: ServiceOptions, clock: Clock) {
  const { config, seeds = false, onStartOver = () => undefined, version } = options
  const { telegram } = config
  if (telegram === undefined) {
    const sandbox = await createServiceSandbox({ config, clock, version, onStartOver })
    return { config: sandbox.config, sandbox }
  }
  if (seeds) throw new ConfigError(['--seed is for the sandbox only: leave TELEGRAM_BOT_TOKEN unset with it.'])
  return { config: { ...config, telegram }, sandbox: undefined }
}

/** The parts as one, which ends even when Redis does not answer. */
function lifeOf(parts: readonly Part[], { app, log, url }: { app: App; log: Logger; url: () => string }): Service {
  const lifecycle = createLifecycle(parts, {
    stopWithinMs: STOP_MS,
    onFailure: (part, error) => log.error({ event: 'service.part-failed', part, err: error }, 'service.part-failed'),
  })
  return {
    start: lifecycle.start,
    stop: async () => {
      const giveUp = setTimeout(() => void app.close(), GIVE_UP_REDIS_MS)
      await lifecycle.stop().finally(() => clearTimeout(giveUp))
    },
    url,
  }
}

const NO_TELEGRAM = 'Telegram has not answered yet, or it refused TELEGRAM_BOT_TOKEN. The log says which.'

/** The routes that are configured. */
function webhooks(
  { config: { telegram, intakeToken }, desk }: App,
  bot: Telegram,
): Pick<HttpDeps, 'telegram' | 'intake'> {
  const receive = async (payload: unknown) => {
    const received = await desk.receive(payload)
    bot.show(received.order)
    return received
  }
  return {
    ...(telegram?.publicUrl !== undefined && { telegram: { secret: telegram.webhookSecret, receive: bot.receive } }),
    ...(intakeToken !== undefined && { intake: { token: intakeToken, receive } }),
  }
}

/** What monitoring reads. */
function routesOf({ config: { apiToken: token }, budget }: App, { figures }: RedisStatus): Partial<HttpDeps> {
  if (token === undefined) return {}
  const known = async () => budget.known()
  return { metrics: { token, stores: figures, budget: known }, usage: { token, report: budget.report } }
}

/** Asks Redis for a sign of life, which providers do not bill, and then the parts; the reason holds no secret. */
function createReadiness({ meter }: App, whyNot: () => string | null): HttpDeps['readiness'] {
  const { send } = meter.open('redis-check')
  const askStore = async () => {
    try {
      await ask(send, ['PING'])
      return null
    } catch (error) {
      if (isRedisError(error)) return error.message
      throw error
    }
  }
  return async () => {
    const late = sleep(PING_MS, 'Redis does not answer.', { ref: false })
    const because = (await Promise.race([askStore(), late])) ?? whyNot()
    return { ready: because === null, because }
  }
}

/** Work that is begun at boot and tried again, with growing pauses, as long as it is Redis that fails it. */
function createLoading(load: () => Promise<void>, onError: (error: unknown) => void) {
  const stopping = new AbortController()
  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        return await load()
      } catch (error) {
        if (stopping.signal.aborted) return
        onError(error)
        if (!isRedisError(error)) return
        const pauseMs = LOAD_PAUSES_MS[failures] ?? LOAD_PAUSES_MS.at(-1)
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      }
    }
  }
  return {
    start: async () => void run(),
    stop: async () => stopping.abort(),
  }
}

/** What to do about an address that cannot be listened at. */
function explainNoListening(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') throw new ConfigError(['PORT is taken: another program listens there. Set another one.'])
  if (code === 'EACCES') throw new ConfigError(['PORT is not open to this user. Set one from 1024 on.'])
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    throw new ConfigError(['HOST is no address of this machine. Leave it unset to listen at all of them.'])
  }
  throw error
}

/** What a person should know at the first look. */
function greeting({ telegram, redis }: ServiceConfig, sandbox: ServiceSandbox | undefined, url: string): string {
  if (sandbox === undefined) return telegram.publicUrl === undefined ? POLLING : 'Listening.'
  const stored = redis.kind === 'memory' ? 'Everything is' : 'Orders are in the configured Redis, everything else is'
  return `Sandbox, for TELEGRAM_BOT_TOKEN is not set: open ${url} in a browser. ${stored} in memory.`
}

const POLLING = 'Listening; the bot polls, for PUBLIC_URL is not set.'
