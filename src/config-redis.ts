import type { ReadValue, variables } from './config-variables.ts'
import type { RedisTarget } from './config.ts'

type RedisVariable = Extract<keyof typeof variables, `UPSTASH_REDIS_${string}` | `REDIS_${string}`>

/** The three ways to name a Redis, by the variable that starts each and those that go with it. */
const ways = [
  { first: 'UPSTASH_REDIS_REST_URL', rest: ['UPSTASH_REDIS_REST_TOKEN'] },
  { first: 'REDIS_URL', rest: [] },
  { first: 'REDIS_HOST', rest: ['REDIS_PORT', 'REDIS_USERNAME', 'REDIS_PASSWORD'] },
] as const satisfies readonly { first: RedisVariable; rest: readonly RedisVariable[] }[]

/** Reads where the orders live. `given` tells whether a variable is set at all; what is wrong with them together is noted. */
export function readTarget(value: ReadValue, given: (name: RedisVariable) => boolean, problems: string[]): RedisTarget {
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
  if (given('REDIS_USERNAME') && !given('REDIS_PASSWORD')) {
    problems.push('REDIS_PASSWORD is required with REDIS_USERNAME.')
  }

  const [restUrl, restToken, url] = [
    value('UPSTASH_REDIS_REST_URL'),
    value('UPSTASH_REDIS_REST_TOKEN'),
    value('REDIS_URL'),
  ]
  const [host, port, password] = [value('REDIS_HOST'), value('REDIS_PORT'), value('REDIS_PASSWORD')]
  const username = value('REDIS_USERNAME') ?? ''
  if (restUrl !== undefined) return { kind: 'upstash', url: restUrl, token: restToken ?? '' }
  if (url !== undefined) return { kind: 'tcp', url }
  if (host !== undefined) {
    const credentials = password === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`
    const name = host.includes(':') ? `[${host}]` : host
    return { kind: 'tcp', url: `redis://${credentials}${name}:${port ?? 6379}` }
  }
  return { kind: 'memory' }
}
