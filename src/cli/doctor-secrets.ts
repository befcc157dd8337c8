import type { Config } from '../config.ts'
import { ok, off, warn, type CheckName, type Finding } from './doctor-check.ts'

/** Secrets that people choose, by the variable. */
export type SecretName = Extract<CheckName, 'API_TOKEN' | 'INTAKE_TOKEN' | 'DASHBOARD_SECRET'>

/** What people put in until they have something better. */
const PLACEHOLDER = /pass ?word|change.?me|secret|token|example|12345|abcdef|qwert|test|orderly/i
const LEAST_DIFFERENT = 10

/** Whether a secret is hard to guess and none of the others. */
export function checkSecret(name: SecretName, config: Config): Finding {
  const secret = secretsOf(config)[name]
  if (secret === undefined) return off(`not set: ${withoutIt[name]}`)
  const others = Object.entries(secretsOf(config)).filter(([other, value]) => other !== name && value === secret)
  const fix = `openssl rand -hex 32, and set ${name} to what it prints`
  if (others.length > 0) return warn(`the same as ${others.map(([other]) => other).join(' and ')}`, fix)
  if (new Set(secret).size < LEAST_DIFFERENT || PLACEHOLDER.test(secret)) return warn('easy to guess', fix)
  return ok(`set, ${secret.length} characters`)
}

const withoutIt = {
  API_TOKEN: '/metrics and /api are closed',
  INTAKE_TOKEN: 'there is no intake over HTTP',
  DASHBOARD_SECRET: 'nothing needs it yet',
} as const satisfies Record<SecretName, string>

const secretsOf = ({ apiToken, intakeToken, dashboardSecret, telegram, redis, budget }: Config) => ({
  API_TOKEN: apiToken,
  INTAKE_TOKEN: intakeToken,
  DASHBOARD_SECRET: dashboardSecret,
  TELEGRAM_BOT_TOKEN: telegram?.token,
  WEBHOOK_SECRET: telegram?.webhookSecret,
  UPSTASH_REDIS_REST_TOKEN: redis.kind === 'upstash' ? redis.token : undefined,
  UPSTASH_API_KEY: budget.developerApi?.apiKey,
})
