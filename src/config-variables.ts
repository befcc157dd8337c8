import { DateTime, IANAZone } from 'luxon'
import { z } from 'zod'
import { tablesText } from './config-tables.ts'
import type { DatabaseTarget } from './config.ts'
import { decodeCronText } from './cron-text.ts'

export const schedulers = ['local', 'inngest'] as const
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const wholeNumber = (least: number, most: number) =>
  rule(
    `a whole number from ${least} to ${most}`,
    z
      .string()
      .regex(/^\d{1,8}$/)
      .transform(Number)
      .pipe(z.number().min(least).max(most)),
  )

/** At most a year. */
const seconds = wholeNumber(1, 31_536_000)

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
/** As people write it for the tool that these variables come from. */
const freeYesOrNo = rule(
  'true or false (or 1 or 0)',
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false', '1', '0']))
    .transform((text) => text === 'true' || text === '1'),
)
const token = rule('at least 16 characters without spaces', z.string().regex(/^[\x21-\x7e]{16,512}$/))

const redisAddress = rule(
  'a redis:// or rediss:// address, with nothing but the number of a database after the host',
  urlOf('redis:', 'rediss:').refine((text) => !URL.canParse(text) || /^\/?\d*$/.test(pathOf(text))),
)

/** Reads a text with a function that answers undefined for one that breaks the rule. */
const decoded = <Value>(decode: (text: string) => Value | undefined) =>
  z.string().transform((text, context) => {
    const value = decode(text)
    if (value !== undefined) return value
    context.addIssue('broken')
    return z.NEVER
  })

const cronText = rule(
  'the five fields of cron (such as 0 2 * * *, or with a zone TZ=Europe/Lisbon 0 2 * * *)',
  decoded(decodeCronText),
)

/** Every variable that Orderly reads, once, in the order of `.env.example` and docs/configuration.md. */
export const variables = {
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
  REDIS_URL: redisAddress,
  REDIS_HOST: rule(
    'a host name or an address',
    z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,253}$/)
      .refine((text) => isHost(text)),
  ),
  REDIS_PORT: wholeNumber(1, 65_535),
  REDIS_USERNAME: rule('a text without spaces', z.string().regex(/^\S+$/)),
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
  COMMAND_BUDGET: rule(
    'a whole number from 1000 to 999999999999',
    z
      .string()
      .regex(/^\d{1,12}$/)
      .transform(Number)
      .pipe(z.number().min(1_000)),
  ),
  BUDGET_RESET_DAY: wholeNumber(1, 28),
  UPSTASH_EMAIL: rule(
    'the e-mail address of the Upstash account',
    z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,200}@[\x21-\x39\x3b-\x7e]{1,200}$/),
  ),
  UPSTASH_API_KEY: rule('the key without spaces', z.string().regex(/^[\x21-\x7e]{8,512}$/)),
  UPSTASH_DATABASE_ID: rule('the id of the database: letters, digits and -', z.string().regex(/^[A-Za-z0-9-]{1,100}$/)),
  API_TOKEN: token,
  INTAKE_TOKEN: token,
  DASHBOARD_SECRET: token,
  INNGEST_DATABASE_URL: rule(
    'a postgresql:// or postgres:// address, or sqlite: and a file (such as sqlite:/data/main.db)',
    decoded(decodeDatabase),
  ),
  INNGEST_REDIS_URL: redisAddress,
  INNGEST_REDIS_KEY_PREFIX: rule(
    '1 to 64 characters of A-Z, a-z, 0-9, _ and -',
    z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  ),
  INNGEST_RETENTION_DAYS: wholeNumber(1, 365),
  INNGEST_DOUBLE_RETENTION: rule(
    'a number from 1 to 10 (such as 2 or 1.5)',
    z
      .string()
      .regex(/^\d{1,2}(\.\d{1,6})?$/)
      .transform(Number)
      .pipe(z.number().min(1).max(10)),
  ),
  INNGEST_BATCH_SIZE: wholeNumber(10, 10_000),
  INNGEST_DRY_RUN: freeYesOrNo,
  USE_REDIS_AWARE_CLEANUP: freeYesOrNo,
  CLEANUP_SCHEDULE: cronText,
  AUDIT_DATABASE_URL: rule('a postgresql:// or postgres:// address', decoded(decodePostgres)),
  AUDIT_TABLES: rule('JSON of the tables and columns that have other names', tablesText),
  ALERT_RETENTION_DAYS: wholeNumber(1, 365),
  ALERT_SCHEDULE: cronText,
  ALERT_ORPHANS: rule('keep or delete', z.enum(['keep', 'delete'])),
  ERROR_RETENTION_DAYS: wholeNumber(1, 365),
  ERROR_SCHEDULE: cronText,
  BULLMQ_REDIS_URL: redisAddress,
  BULLMQ_PREFIX: rule('1 to 100 characters without a colon or a space', z.string().regex(/^[^\s:]{1,100}$/)),
  BULLMQ_QUEUES: rule('names of queues (no prefix, no colon) with commas between them, or *', decoded(decodeQueues)),
  BULLMQ_COMPLETED_KEEP: wholeNumber(0, 999_999),
  BULLMQ_COMPLETED_AGE: seconds,
  BULLMQ_FAILED_KEEP: wholeNumber(0, 999_999),
  BULLMQ_FAILED_AGE: seconds,
  BULLMQ_SWEEP_SCHEDULE: cronText,
  EXECUTIONS_REDIS_URL: redisAddress,
  EXECUTIONS_PREFIX: rule(
    '1 to 100 characters without spaces that no key of Orderly itself (order:, orderly:) begins with',
    z
      .string()
      .regex(/^\S{1,100}$/)
      .refine((text) =>
        ['order', 'orderly'].every((own) => !`${own}:`.startsWith(text) && !text.startsWith(`${own}:`)),
      ),
  ),
  EXECUTIONS_MAX_AGE_DAYS: wholeNumber(1, 365),
  EXECUTIONS_SCHEDULE: cronText,
  SCHEDULER: rule(schedulers.join(' or '), z.enum(schedulers)),
  INNGEST_APP_ID: rule('1 to 64 characters of A-Z, a-z, 0-9, _ and -', z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)),
  INNGEST_EVENT_KEY: rule('1 to 256 characters of A-Z, a-z, 0-9, _ and -', z.string().regex(/^[A-Za-z0-9_-]{1,256}$/)),
  INNGEST_SIGNING_KEY: rule(
    'signkey-prod- (or the like) and an even number of hexadecimal digits, 16 at least; or these digits alone',
    z.string().regex(/^(signkey-\w{1,64}-)?([0-9A-Fa-f]{2}){8,256}$/),
  ),
  INNGEST_BASE_URL: rule('an http:// or https:// address, without ? and #', webAddress),
  INNGEST_DEV: rule('true or false (or 1 or 0), or the address of a development server', decoded(decodeDev)),
  NODE_ENV: rule('a text', z.string().max(256)),
  RENDER: rule('a text', z.string().max(256)),
  RENDER_EXTERNAL_URL: rule('the https:// address of this service, without ? and #', webAddress),
  RENDER_INSTANCE_ID: rule('a text', z.string().max(256)),
  IS_PULL_REQUEST: yesOrNo,
}

/** Notes that a variable is not set though another one needs it; the text goes on after `is required with `. */
export type NoteMissing = (name: keyof typeof variables, what: string) => void

/** What the variables read as. */
export type Values = { readonly [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']> }

/** Reads one variable by name; the problem is noted when it breaks its rule. */
export type ReadValue = <Name extends keyof typeof variables>(name: Name) => Values[Name] | undefined

/** A queue's name may hold anything but a colon, which BullMQ refuses, and the comma between two. */
function decodeQueues(text: string): 'all' | readonly string[] | undefined {
  if (text === '*') return 'all'
  const names = text.split(',').map((name) => name.trim())
  const areNames = names.every((name) => /^[^:*]{1,200}$/.test(name))
  return areNames ? [...new Set(names)] : undefined
}

function decodePostgres(text: string): string | undefined {
  const target = decodeDatabase(text)
  return target?.kind === 'postgres' ? target.url : undefined
}

/** Like the tool that these variables come from, which takes an address for the wish to develop against that server. */
function decodeDev(text: string): { readonly isDev: boolean; readonly url: string | undefined } | undefined {
  const said = freeYesOrNo.schema.safeParse(text)
  if (said.success) return { isDev: said.data, url: undefined }
  return webAddress.safeParse(text).success ? { isDev: true, url: text } : undefined
}

/** What follows `sqlite:` is a file: relative, absolute, or absolute after the two slashes that an address has. */
function decodeDatabase(text: string): DatabaseTarget | undefined {
  const [, file] = /^sqlite:(?:\/\/(?=\/))?([^:?#]+)$/.exec(text) ?? []
  if (file !== undefined) return file.startsWith('//') || file.endsWith('/') ? undefined : { kind: 'sqlite', file }
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { hostname, searchParams } = new URL(text)
  return hostname === '' && !searchParams.has('host') ? undefined : { kind: 'postgres', url: text }
}

function rule<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
): { readonly rule: string; readonly schema: Schema } {
  return { rule: text, schema }
}
