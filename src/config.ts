import { createHash } from 'node:crypto'
import { DateTime, IANAZone } from 'luxon'
import { z } from 'zod'
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
  readonly schedule: ScheduleConfig | undefined
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

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const wholeNumber = (least: number, most: number) =>
  rule(
    `a whole number from ${least} to ${most}`,
    z
      .string()
      .regex(/^\d{1,6}$/)
      .transform(Number)
      .pipe(z.number().min(least).max(most)),
  )

const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol) && new URL(text).hostname !== '')

/** One that a path can be appended to. */
const webAddress = urlOf('https:', 'http:').regex(/^[^?#]*$/)

/** Everything after the host. */
const pathOf = (text: string) => {
  const { pathname, search, hash } = new URL(text)
  return pathname + search + hash
}

const isHost = (text: string) => URL.canParse(`redis://${text.includes(':') ? `[${text}]` : text}`)

const isLoopback = (url: string) =>
  URL.canParse(url) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)

const TELEGRAM_SECRET = /^[A-Za-z0-9_-]{1,256}$/
const yesOrNo = rule(
  'true or false',
  z.enum(['true', 'false']).transform((text) => text === 'true'),
)
const token = rule('at least 16 characters without spaces', z.string().regex(/^[\x21-\x7e]{16,512}$/))

/** Every variable that Orderly reads, once, in the order of `.env.example` and docs/configuration.md. */
const variables = {
  PORT: wholeNumber(0, 65_535),
  HOST: rule('a host name or an address', z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/)),
  LOG_LEVEL: rule(`one of ${logLevels.join(', ')}`, z.enum(logLevels)),
  TIME_ZONE: rule(
    'the name of a time zone, such as Europe/Berlin',
    z.string().refine((text) => IANAZone.isValidZone(text)),
  ),
  TELEGRAM_BOT_TOKEN: rule('the token that BotFather gave', z.string().regex(/^\d{3,20}:[A-Za-z0-9_-]{10,100}$/)),
  TELEGRAM_API_ROOT: rule(
    'an http:// or https:// address without a slash at the end',
    urlOf('https:', 'http:').regex(/[^/]$/),
  ),
  PUBLIC_URL: rule('the https:// address of this service, without ? and #', webAddress),
  WEBHOOK_SECRET: rule('1 to 256 characters of A-Z, a-z, 0-9, _ and -', z.string().regex(TELEGRAM_SECRET)),
  ADMIN_IDS: rule(
    'Telegram user ids with commas between them',
    z
      .string()
      .regex(/^\d{1,15}(\s*,\s*\d{1,15})*$/)
      .transform((text) => [...new Set(text.split(',').map(Number))]),
  ),
  ORDERS_CHAT_ID: rule(
    'the id of a chat, a whole number',
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number),
  ),
  UPSTASH_REDIS_REST_URL: rule(
    'an https:// address (http:// for this machine only)',
    urlOf('https:', 'http:').refine((text) => text.startsWith('https:') || isLoopback(text)),
  ),
  UPSTASH_REDIS_REST_TOKEN: rule('the token without spaces', z.string().regex(/^[\x21-\x7e]+$/)),
  REDIS_URL: rule(
    'a redis:// or rediss:// address, with nothing but the number of a database after the host',
    urlOf('redis:', 'rediss:').refine((text) => !URL.canParse(text) || /^\/?\d*$/.test(pathOf(text))),
  ),
  REDIS_HOST: rule(
    'a host name or an address',
    z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,253}$/)
      .refine((text) => isHost(text)),
  ),
  REDIS_PORT: wholeNumber(1, 65_535),
  REDIS_PASSWORD: rule('a text', z.string()),
  RETENTION_DAYS: wholeNumber(0, 365),
  ORDER_TTL_DAYS: wholeNumber(1, 3_650),
  SWEEP_ENABLED: yesOrNo,
  SWEEP_EVERY_DAYS: wholeNumber(1, 365),
  SWEEP_AT: rule('a time of day such as 23:59', z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)),
  SWEEP_ANCHOR: rule(
    'a date such as 2025-12-08',
    z.string().refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text).isValid),
  ),
  INTAKE_TOKEN: token,
  NODE_ENV: rule('a text', z.string().max(256)),
  RENDER: rule('a text', z.string().max(256)),
  RENDER_EXTERNAL_URL: rule('the https:// address of this service, without ? and #', webAddress),
  RENDER_INSTANCE_ID: rule('a text', z.string().max(256)),
  IS_PULL_REQUEST: yesOrNo,
}

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
    problems.push(`${name} must be ${wanted}.`)
    return undefined
  }

  const retentionDays = value('RETENTION_DAYS') ?? 2
  const sweepEveryDays = value('SWEEP_EVERY_DAYS') ?? 3
  const orderTtlDays = value('ORDER_TTL_DAYS') ?? 2 * retentionDays + sweepEveryDays
  const telegram = readTelegram(value, problems)
  const [nodeEnv, render] = [value('NODE_ENV'), value('RENDER')]
  const config: Config = {
    // Without a token the service is a sandbox, in which anybody who reaches it is an admin.
    host: value('HOST') ?? (telegram === undefined ? '127.0.0.1' : '0.0.0.0'),
    port: value('PORT') ?? 3000,
    instance: value('RENDER_INSTANCE_ID') ?? String(process.pid),
    telegram,
    isProduction: nodeEnv === 'production' || render !== undefined,
    adminIds: value('ADMIN_IDS') ?? [],
    ordersChatId: value('ORDERS_CHAT_ID'),
    intakeToken: value('INTAKE_TOKEN'),
    schedule: readSchedule(value, sweepEveryDays),
    logLevel: value('LOG_LEVEL'),
    zone: value('TIME_ZONE') ?? 'Europe/Berlin',
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

/** Reads one variable by name; the problem is noted when it breaks its rule. */
type ReadValue = <Name extends keyof typeof variables>(name: Name) => Values[Name] | undefined

function readTelegram(value: ReadValue, problems: string[]): TelegramConfig | undefined {
  const botToken = value('TELEGRAM_BOT_TOKEN')
  const apiRoot = value('TELEGRAM_API_ROOT')
  const [ownUrl, hostsUrl] = [value('PUBLIC_URL'), value('RENDER_EXTERNAL_URL')]
  const publicUrl = ownUrl ?? hostsUrl
  const secret = value('WEBHOOK_SECRET')
  const isPreview = value('IS_PULL_REQUEST') ?? false
  if (publicUrl?.startsWith('http:') === true && apiRoot === undefined) {
    problems.push('PUBLIC_URL must be an https:// address (http:// only where TELEGRAM_API_ROOT is set).')
  }
  if (botToken === undefined) return undefined
  return {
    token: botToken,
    apiRoot,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    // Derived, because a host's generated value may hold characters that Telegram refuses.
    webhookSecret: secret ?? createHash('sha256').update(`orderly webhook ${botToken}`).digest('hex'),
    isPreview,
  }
}

function readSchedule(value: ReadValue, everyDays: number): ScheduleConfig | undefined {
  const schedule = { everyDays, at: value('SWEEP_AT') ?? '23:59', anchor: value('SWEEP_ANCHOR') ?? '2025-12-08' }
  return (value('SWEEP_ENABLED') ?? true) ? schedule : undefined
}

type Values = { readonly [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']> }
type RedisVariable = Extract<keyof typeof variables, `UPSTASH_${string}` | `REDIS_${string}`>

/** The three ways to name a Redis, by the variable that starts each and those that go with it. */
const ways = [
  { first: 'UPSTASH_REDIS_REST_URL', rest: ['UPSTASH_REDIS_REST_TOKEN'] },
  { first: 'REDIS_URL', rest: [] },
  { first: 'REDIS_HOST', rest: ['REDIS_PORT', 'REDIS_PASSWORD'] },
] as const satisfies readonly { first: RedisVariable; rest: readonly RedisVariable[] }[]

function readTarget(value: ReadValue, given: (name: RedisVariable) => boolean, problems: string[]): RedisTarget {
  const used = ways.map(({ first, rest }) => [first, ...rest].filter(given)).filter((names) => names.length > 0)
  if (used.length > 1) {
    problems.push(`${used.map((names) => names[0]).join(' and ')} name more than one Redis. Set one of them only.`)
  }
  for (const { first, rest } of used.length === 1 ? ways : []) {
    if (!given(first) && rest.some(given))
      problems.push(`${first} is required with ${rest.filter(given).join(' and ')}.`)
  }
  if (given('UPSTASH_REDIS_REST_URL') && !given('UPSTASH_REDIS_REST_TOKEN')) {
    problems.push('UPSTASH_REDIS_REST_TOKEN is required with UPSTASH_REDIS_REST_URL.')
  }

  const [restUrl, restToken, url] = [
    value('UPSTASH_REDIS_REST_URL'),
    value('UPSTASH_REDIS_REST_TOKEN'),
    value('REDIS_URL'),
  ]
  const [host, port, password] = [value('REDIS_HOST'), value('REDIS_PORT'), value('REDIS_PASSWORD')]
  if (restUrl !== undefined) return { kind: 'upstash', url: restUrl, token: restToken ?? '' }
  if (url !== undefined) return { kind: 'tcp', url }
  if (host !== undefined) {
    const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    const name = host.includes(':') ? `[${host}]` : host
    return { kind: 'tcp', url: `redis://${credentials}${name}:${port ?? 6379}` }
  }
  return { kind: 'memory' }
}

function rule<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
): { readonly rule: string; readonly schema: Schema } {
  return { rule: text, schema }
}

const isSet = (env: Readonly<Record<string, string | undefined>>, name: string) => (env[name] ?? '').trim() !== ''
