import { readAudit } from './config-audit.ts'
import { readBudget } from './config-budget.ts'
import { readBullmq } from './config-bullmq.ts'
import { readEngine } from './config-engine.ts'
import { readExecutions } from './config-executions.ts'
import { flawsIn } from './config-flaws.ts'
import { readInngest } from './config-inngest.ts'
import { readTarget } from './config-redis.ts'
import { readTelegram } from './config-telegram.ts'
import {
  variables,
  type logLevels,
  type NoteMissing,
  type ReadValue,
  type schedulers,
  type Values,
} from './config-variables.ts'
import { ConfigError } from './errors.ts'

/** Where the orders live. Without any Redis variable: the embedded store, which is empty in each new process. */
export type RedisTarget =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'tcp'; readonly url: string }
  | { readonly kind: 'memory' }

export type LogLevel = (typeof logLevels)[number]

/** How the bot is reached. */
export interface TelegramConfig {
  readonly token: string
  /** Another Bot API server than Telegram's own, without a slash at the end. */
  readonly apiRoot: string | undefined
  /** Where Telegram reaches us; without it the bot polls. */
  readonly publicUrl: string | undefined
  /** What Telegram must send with each update. */
  readonly webhookSecret: string
  /** A preview of a pull request: it must not take the webhook away from the real service. */
  readonly isPreview: boolean
}

/** The anchored schedule of the order pruner; undefined when it is switched off. */
export interface ScheduleConfig {
  readonly everyDays: number
  /** Local time of day, `HH:MM`. */
  readonly at: string
  /** Local date of the first slot, `YYYY-MM-DD`. */
  readonly anchor: string
}

/** Where the rows of a foreign system live. */
export type DatabaseTarget =
  { readonly kind: 'postgres'; readonly url: string } | { readonly kind: 'sqlite'; readonly file: string }

/** A schedule as cron says it. */
export interface CronConfig {
  /** The five fields, with one space between them. */
  readonly pattern: string
  readonly zone: string
}

/** The sweep over a self-hosted Inngest. */
export interface InngestConfig {
  readonly database: DatabaseTarget
  /** Without it no unfinished run is touched. */
  readonly redisUrl: string | undefined
  /** What Inngest's keys of runs begin with; undefined is found out. */
  readonly keyPrefix: string | undefined
  /** Days of 24 hours that finished runs are kept. */
  readonly retentionDays: number
  /** How many times as long unfinished runs are kept at least. */
  readonly doubleRetention: number
  /** Runs a transaction. */
  readonly batchSize: number
  /** Every run is a dry one, whoever asks for it. */
  readonly isDryRun: boolean
  /** Without it runs go by age alone, also those that are still alive. */
  readonly isRedisAware: boolean
  readonly schedule: CronConfig
}

/** A table of the audit database: its name, with its schema before a dot where it needs one, and those of its columns. */
export interface AuditTable<Column extends string> {
  readonly table: string
  readonly columns: Readonly<Record<Column, string>>
}

/** The tables of the audit database, by the names that they have unless somebody configures others. */
export type AuditTables = {
  readonly organization: AuditTable<'id' | 'retention_days'>
  readonly alerts: AuditTable<'id' | 'organization_id' | 'resolved' | 'resolved_at'>
  readonly error_log: AuditTable<'id' | 'timestamp'>
  readonly error_aggregation: AuditTable<'error_hash' | 'last_occurrence'>
}

/** The sweeps over the audit database: alerts per organization, and the error log. */
export interface AuditConfig {
  /** A PostgreSQL. */
  readonly databaseUrl: string
  readonly tables: AuditTables
  /** Days of 24 hours that resolved alerts are kept where their organization does not say. */
  readonly alertRetentionDays: number
  readonly alertSchedule: CronConfig
  /** Whether alerts of organizations that are gone go too. */
  readonly deletesOrphans: boolean
  /** Days of 24 hours that errors are kept. */
  readonly errorRetentionDays: number
  readonly errorSchedule: CronConfig
}

/** How many finished jobs of a kind a queue keeps, and for how long: a job that breaks either bound goes. */
export interface JobRetention {
  /** Jobs at most. */
  readonly keep: number
  /** Seconds since a job finished. */
  readonly ageSeconds: number
}

/** The sweep over the queues of BullMQ. */
export interface BullmqConfig {
  readonly redisUrl: string
  /** What the keys of all queues begin with, without the colon. */
  readonly prefix: string
  readonly queues: 'all' | readonly string[]
  readonly completed: JobRetention
  readonly failed: JobRetention
  readonly schedule: CronConfig
}

/** The sweep over the state of workflow executions. */
export interface ExecutionsConfig {
  readonly redisUrl: string
  /** What the keys of executions, and no others, begin with. */
  readonly prefix: string
  /** Days of 24 hours after which an execution that did not change is given up. */
  readonly maxAgeDays: number
  readonly schedule: CronConfig
}

/** The sweeps as functions of an Inngest. */
export interface EngineConfig {
  /** What Inngest calls this application. */
  readonly appId: string
  /** Undefined in development only. */
  readonly eventKey: string | undefined
  /** Undefined in development only: then anybody may call the functions. */
  readonly signingKey: string | undefined
  readonly isDev: boolean
  /** Where this Inngest is; undefined for Inngest's own, or the usual address of a development server. */
  readonly baseUrl: string | undefined
}

/** What the provider tells of an account to those who manage it. */
export interface DeveloperApiConfig {
  readonly email: string
  readonly apiKey: string
  readonly databaseId: string
}

/** How many billed commands Orderly's own Redis may take in a month. */
export interface BudgetConfig {
  /** Commands a month. */
  readonly limit: number
  /** Whether somebody chose it. Otherwise it is that of a free plan, which a Redis of one's own has not. */
  readonly isLimitGiven: boolean
  /** The day of the month on which the provider counts from 0 again, 1 to 28. */
  readonly resetDay: number
  /** Undefined where only Orderly's own count and the database itself are asked. */
  readonly developerApi: DeveloperApiConfig | undefined
}

/** Who wakes the sweeps: the schedule within the process, or an Inngest. */
export type SchedulerKind = (typeof schedulers)[number]

export interface Config {
  readonly host: string
  readonly port: number
  /** What tells this instance from others: the host's name for it, or the process id. */
  readonly instance: string
  /** Undefined without a token: then a service is a sandbox. */
  readonly telegram: TelegramConfig | undefined
  /** Whether this is a real service, where a missing token is a mistake and no wish to try things out. */
  readonly isProduction: boolean
  /** Telegram user ids that may give admin commands. */
  readonly adminIds: readonly number[]
  /** The chat that shows each order; none without it. */
  readonly ordersChatId: number | undefined
  /** Undefined switches intake over HTTP off. */
  readonly intakeToken: string | undefined
  /** Undefined switches `/metrics` and `/api` off. */
  readonly apiToken: string | undefined
  /** What will open the dashboard; there is none yet. */
  readonly dashboardSecret: string | undefined
  readonly budget: BudgetConfig
  readonly schedule: ScheduleConfig | undefined
  /** Undefined without `INNGEST_DATABASE_URL`. */
  readonly inngest: InngestConfig | undefined
  /** Undefined without `AUDIT_DATABASE_URL`. */
  readonly audit: AuditConfig | undefined
  /** Undefined without `BULLMQ_REDIS_URL`. */
  readonly bullmq: BullmqConfig | undefined
  /** Undefined without `EXECUTIONS_REDIS_URL`. */
  readonly executions: ExecutionsConfig | undefined
  /** Undefined without `INNGEST_APP_ID`. */
  readonly engine: EngineConfig | undefined
  readonly scheduler: SchedulerKind
  /** Undefined when nobody chose; the entry decides what fits it. */
  readonly logLevel: LogLevel | undefined
  /** The business zone, an IANA name. All calendar days are days of this zone. */
  readonly zone: string
  readonly redis: RedisTarget
  /** Calendar days that finished orders are kept, today not counted. */
  readonly retentionDays: number
  /** Days after an order's time at which Redis itself expires it, should no sweep ever run. */
  readonly orderTtlDays: number
}

/** The configuration of a service, which always has a bot: a sandbox brings its own Telegram. */
export type ServiceConfig = Config & { readonly telegram: TelegramConfig }

/** The names of all variables, in their documented order. */
export const variableNames: readonly string[] = Object.keys(variables)

/**
 * Reads the environment. A variable that is set but empty counts as not set.
 *
 * @throws ConfigError naming every wrong variable and its rule at once, never a value.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const value = <Name extends keyof typeof variables>(name: Name): Values[Name] | undefined => {
    const text = env[name]
    if (text === undefined || text.trim() === '') return undefined
    const { schema, rule: wanted } = variables[name]
    const result = schema.safeParse(name === 'REDIS_PASSWORD' ? text : text.trim())
    if (result.success) return result.data as Values[Name]
    problems.push(`${name} must be ${wanted}${flawsIn(result.error)}.`)
    return undefined
  }

  const retentionDays = value('RETENTION_DAYS') ?? 2
  const sweepEveryDays = value('SWEEP_EVERY_DAYS') ?? 3
  const orderTtlDays = value('ORDER_TTL_DAYS') ?? 2 * retentionDays + sweepEveryDays
  // A name that is set but wrong has been told already.
  const missing: NoteMissing = (name, what) => {
    if (!isSet(env, name)) problems.push(`${name} is required with ${what}`)
  }
  const telegram = readTelegram(value, problems)
  const [logLevel, zone] = [value('LOG_LEVEL'), value('TIME_ZONE') ?? 'Europe/Berlin']
  const [nodeEnv, render] = [value('NODE_ENV'), value('RENDER')]
  const isProduction = nodeEnv === 'production' || render !== undefined
  const config: Config = {
    // Without a token the service is a sandbox, in which anybody who reaches it is an admin.
    host: value('HOST') ?? (telegram === undefined ? '127.0.0.1' : '0.0.0.0'),
    port: value('PORT') ?? 3000,
    instance: value('RENDER_INSTANCE_ID') ?? String(process.pid),
    telegram,
    isProduction,
    adminIds: value('ADMIN_IDS') ?? [],
    ordersChatId: value('ORDERS_CHAT_ID'),
    intakeToken: value('INTAKE_TOKEN'),
    apiToken: value('API_TOKEN'),
    dashboardSecret: value('DASHBOARD_SECRET'),
    budget: readBudget(value, missing),
    schedule: readSchedule(value, sweepEveryDays),
    inngest: readInngest(value, zone),
    audit: readAudit(value, zone),
    bullmq: readBullmq(value, zone, missing),
    executions: readExecutions(value, zone, missing),
    ...readEngine(value, isProduction, problems),
    logLevel,
    zone,
    redis: readTarget(value, (name) => isSet(env, name), problems),
    retentionDays,
    orderTtlDays,
  }
  if (orderTtlDays < 2 * retentionDays + 1) {
    problems.push(
      'ORDER_TTL_DAYS must be at least 2 x RETENTION_DAYS + 1, or orders expire before a sweep may judge them.',
    )
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

function readSchedule(value: ReadValue, everyDays: number): ScheduleConfig | undefined {
  const schedule = { everyDays, at: value('SWEEP_AT') ?? '23:59', anchor: value('SWEEP_ANCHOR') ?? '2025-12-08' }
  return (value('SWEEP_ENABLED') ?? true) ? schedule : undefined
}

const isSet = (env: Readonly<Record<string, string | undefined>>, name: string) => (env[name] ?? '').trim() !== ''
