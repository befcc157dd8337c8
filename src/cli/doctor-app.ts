import { setMaxListeners } from 'node:events'
import type { App } from '../app.ts'
import type { Store } from '../app-stores.ts'
import type { TelegramConfig } from '../config.ts'
import { isRedisError } from '../errors.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { createDeveloperApi } from '../redis/budget/developer-api.ts'
import { ask } from '../redis/transport.ts'
import { checkBudget, checkDeveloperApi, checkStorage } from './doctor-budget.ts'
import { examine, off, type Check, type CheckName, type Finding, type LocalName } from './doctor-check.ts'
import { checkAuditDatabase, checkInngestDatabase } from './doctor-databases.ts'
import type { Hide } from './doctor-hiding.ts'
import { checkPackages } from './doctor-local.ts'
import { checkPublicAddress } from './doctor-public-address.ts'
import { checkRedis, variablesOf } from './doctor-redis.ts'
import { checkClock, checkSchedule } from './doctor-schedule.ts'
import { checkSecret } from './doctor-secrets.ts'
import { checkAdmins, checkBot, checkOrdersChat, createBotCalls, type BotCalls } from './doctor-telegram.ts'
import { checkWebhook } from './doctor-webhook.ts'

export interface ExamineAppOptions {
  readonly signal: AbortSignal
  readonly hide: Hide
  /** Where the developer API is. @default Upstash's own */
  readonly developerApi?: string
}

type AppCheckName = Exclude<CheckName, LocalName>

/** A look, and what helps where it fails as a whole. */
interface Look {
  readonly look: () => Finding | Promise<Finding>
  readonly fix: string
}

type Looks<Name extends CheckName> = Readonly<Record<Name, Look>>

/** What several looks need to know, so that one cause is told once. */
interface Known {
  readonly app: App
  readonly options: ExamineAppOptions
  /** Whether Orderly's own Redis answers at all. */
  readonly isReached: () => Promise<boolean>
  /** Undefined without a token. */
  readonly bot: Bot | undefined
}

interface Bot extends BotCalls {
  readonly config: TelegramConfig
  /** Whether Telegram knows the token. */
  readonly check: () => Promise<Finding>
}

const LISTENERS = 200

/** Looks at everything that is configured side by side, so that nothing that is silent keeps the rest waiting. Never throws. */
export async function examineApp(app: App, options: ExamineAppOptions): Promise<readonly Check[]> {
  const { signal, hide } = options
  // Each check and each request waits for it at the same time, which is no leak.
  setMaxListeners(LISTENERS, signal)
  const { telegram } = app.config
  const bot = telegram && botOf(telegram, app, signal)
  const known: Known = { app, options, isReached: once(() => isAnswering(app)), bot }
  const looks: Looks<AppCheckName> = {
    ...localLooks(app),
    ...redisLooks(app),
    ...databaseLooks(app),
    ...budgetLooks(known),
    ...scheduleLooks(known),
    ...telegramLooks(known),
  }
  // Made above with exactly these names.
  const entries = Object.entries(looks) as [AppCheckName, Look][]
  return await Promise.all(entries.map(([name, look]) => examine(name, { ...look, signal, hide })))
}

function botOf(config: TelegramConfig, { clock }: App, signal: AbortSignal): Bot {
  const calls = createBotCalls(config, { clock, signal })
  return { ...calls, config, check: once(() => checkBot(calls.call, config)) }
}

/** Free of charge. At the provider's limit it answers, with a refusal. */
async function isAnswering({ meter }: App): Promise<boolean> {
  try {
    await ask(meter.open('redis-check').send, ['PING'])
    return true
  } catch (error) {
    if (!isRedisError(error)) throw error
    return error.code === 'REDIS_LIMIT'
  }
}

const NOT_CONFIGURED = off('not configured')

/** A look that waits for nobody. */
const lookOf = (look: Look['look']): Look => ({ look, fix: 'Please report it.' })

function localLooks({ config }: App): Looks<'packages' | 'API_TOKEN' | 'INTAKE_TOKEN' | 'DASHBOARD_SECRET'> {
  return {
    packages: lookOf(() => checkPackages(config)),
    API_TOKEN: lookOf(() => checkSecret('API_TOKEN', config)),
    INTAKE_TOKEN: lookOf(() => checkSecret('INTAKE_TOKEN', config)),
    DASHBOARD_SECRET: lookOf(() => checkSecret('DASHBOARD_SECRET', config)),
  }
}

function redisLooks({ stores, clock, config }: App): Looks<`${Store['name']} redis`> {
  const lookAt = (name: Store['name']): Look => {
    const store = stores.find((one) => one.name === name)
    return {
      look: () => (store === undefined ? NOT_CONFIGURED : checkRedis(store, clock)),
      fix: `Check ${variablesOf(name, config)}, and that the server runs; orderly redis-check asks it again.`,
    }
  }
  return {
    'orders redis': lookAt('orders'),
    'inngest redis': lookAt('inngest'),
    'bullmq redis': lookAt('bullmq'),
    'executions redis': lookAt('executions'),
  }
}

function databaseLooks({ config: { inngest, audit } }: App): Looks<'inngest database' | 'audit database'> {
  return {
    'inngest database': {
      look: () => (inngest === undefined ? NOT_CONFIGURED : checkInngestDatabase(inngest)),
      fix: 'Check INNGEST_DATABASE_URL, and that the server runs.',
    },
    'audit database': {
      look: () => (audit === undefined ? NOT_CONFIGURED : checkAuditDatabase(audit)),
      fix: 'Check AUDIT_DATABASE_URL and AUDIT_TABLES, and that the server runs.',
    },
  }
}

const ASK_REDIS = 'Run orderly doctor again; orderly redis-check shows how the Redis is.'

async function ifReached({ isReached }: Known, look: () => Finding | Promise<Finding>): Promise<Finding> {
  return (await isReached()) ? await look() : off('not looked at, for the Redis of orders does not answer')
}

async function ifBilled(known: Known, look: () => Promise<Finding>): Promise<Finding> {
  return known.app.kind === 'memory' ? off('nobody bills the embedded store') : await ifReached(known, look)
}

function budgetLooks(known: Known): Looks<'budget' | 'storage' | 'developer api'> {
  const { app, options } = known
  const { developerApi, limit } = app.config.budget
  const report = once(() => readReport(app))
  const where = { clock: app.clock, ...(options.developerApi !== undefined && { address: options.developerApi }) }
  return {
    budget: { look: () => ifBilled(known, async () => checkBudget(await report())), fix: ASK_REDIS },
    storage: { look: () => ifBilled(known, async () => checkStorage(await report())), fix: ASK_REDIS },
    'developer api': {
      look: () =>
        developerApi === undefined ? NOT_CONFIGURED : checkDeveloperApi(createDeveloperApi(developerApi, where), limit),
      fix: 'Run orderly doctor again.',
    },
  }
}

/** Beyond the provider's limit nothing can be read, which the report itself tells. */
async function readReport({ budget }: App): Promise<BudgetReport> {
  await budget.load().catch((error: unknown) => {
    if (!isRedisError(error, 'REDIS_LIMIT')) throw error
  })
  return budget.known()
}

function scheduleLooks(known: Known): Looks<'schedule' | 'clock'> {
  const { app, bot, isReached } = known
  const lookAtClock = async () => {
    await bot?.check()
    const hasTime = app.kind !== 'memory' && (await isReached())
    const send = hasTime ? app.meter.open('redis-check').send : undefined
    return await checkClock(app, { telegramAheadMs: bot?.aheadMs(), send })
  }
  return {
    schedule: { look: () => ifReached(known, () => checkSchedule(app)), fix: ASK_REDIS },
    clock: { look: lookAtClock, fix: ASK_REDIS },
  }
}

const NO_BOT = off('TELEGRAM_BOT_TOKEN is not set, so the service is a sandbox')

function telegramLooks(known: Known): Looks<'bot' | 'webhook' | 'orders chat' | 'admins' | 'public address'> {
  const { app, bot, options } = known
  const { ordersChatId, adminIds } = app.config
  const lookBy = (look: (bot: Bot) => Finding | Promise<Finding>): Look => ({
    look: async () => {
      if (bot === undefined) return NO_BOT
      return (await bot.check()).verdict === 'ok' ? await look(bot) : off('not looked at: see bot')
    },
    fix: 'Run orderly doctor again.',
  })
  return {
    bot: { look: async () => (await bot?.check()) ?? NO_BOT, fix: 'Run orderly doctor again.' },
    webhook: lookBy(({ call, config }) => checkWebhook(call, config, { clock: app.clock })),
    'orders chat': lookBy(({ call }) =>
      ordersChatId === undefined ? off('ORDERS_CHAT_ID is not set') : checkOrdersChat(call, ordersChatId),
    ),
    admins: lookBy(({ call }) => checkAdmins(call, adminIds)),
    'public address': {
      look: () => (bot === undefined ? NO_BOT : checkPublicAddress(bot.config.publicUrl, options.signal)),
      fix: 'Check PUBLIC_URL.',
    },
  }
}

/** Does the work when it is first asked for, and never again. */
function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let begun: Promise<Result> | undefined
  return () => (begun ??= work())
}
