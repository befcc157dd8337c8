import { IANAZone } from 'luxon'
import { z } from 'zod'
import { ConfigError } from './errors.ts'

/** Where the orders live. Without any Redis variable: the embedded store, which is empty in each new process. */
export type RedisTarget =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'tcp'; readonly url: string }
  | { readonly kind: 'memory' }

export type LogLevel = (typeof logLevels)[number]

export interface Config {
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

/** Everything after the host. */
const pathOf = (text: string) => {
  const { pathname, search, hash } = new URL(text)
  return pathname + search + hash
}

const isHost = (text: string) => URL.canParse(`redis://${text.includes(':') ? `[${text}]` : text}`)

const isLoopback = (url: string) =>
  URL.canParse(url) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)

/** Every variable that Orderly reads, once, in the order of `.env.example` and docs/configuration.md. */
const variables = {
  LOG_LEVEL: rule(`one of ${logLevels.join(', ')}`, z.enum(logLevels)),
  TIME_ZONE: rule(
    'the name of a time zone, such as Europe/Berlin',
    z.string().refine((text) => IANAZone.isValidZone(text)),
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
  SWEEP_EVERY_DAYS: wholeNumber(1, 365),
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
  const config: Config = {
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

type Values = { readonly [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']> }
type ReadText = (name: RedisVariable) => string | number | undefined
type RedisVariable = Extract<keyof typeof variables, `UPSTASH_${string}` | `REDIS_${string}`>

/** The three ways to name a Redis, by the variable that starts each and those that go with it. */
const ways = [
  { first: 'UPSTASH_REDIS_REST_URL', rest: ['UPSTASH_REDIS_REST_TOKEN'] },
  { first: 'REDIS_URL', rest: [] },
  { first: 'REDIS_HOST', rest: ['REDIS_PORT', 'REDIS_PASSWORD'] },
] as const satisfies readonly { first: RedisVariable; rest: readonly RedisVariable[] }[]

function readTarget(value: ReadText, given: (name: RedisVariable) => boolean, problems: string[]): RedisTarget {
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

  const [restUrl, token, url] = [value('UPSTASH_REDIS_REST_URL'), value('UPSTASH_REDIS_REST_TOKEN'), value('REDIS_URL')]
  const [host, port, password] = [value('REDIS_HOST'), value('REDIS_PORT'), value('REDIS_PASSWORD')]
  if (restUrl !== undefined) return { kind: 'upstash', url: String(restUrl), token: String(token ?? '') }
  if (url !== undefined) return { kind: 'tcp', url: String(url) }
  if (host !== undefined) {
    const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    const name = String(host).includes(':') ? `[${host}]` : host
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
