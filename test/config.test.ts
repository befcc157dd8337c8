import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readConfig, variableNames } from '../src/config.ts'
import { ConfigError } from '../src/errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What is wrong with an environment; nothing for a usable one. */
function problemsOf(env: Env): readonly string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function errorOf(env: Env): Error | undefined {
  try {
    readConfig(env)
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new TypeError('No error was thrown.')
  }
}

const upstash = { UPSTASH_REDIS_REST_URL: 'https://eu.upstash.io', UPSTASH_REDIS_REST_TOKEN: 'AbC=' }

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual({
      logLevel: undefined,
      zone: 'Europe/Berlin',
      redis: { kind: 'memory' },
      retentionDays: 2,
      orderTtlDays: 7,
    })
  })

  it('takes a variable that is empty or blank for one that is not set', () => {
    for (const blank of ['', ' ', '\t\n']) {
      const env = Object.fromEntries(variableNames.map((name) => [name, blank]))

      expect(readConfig(env)).toEqual(readConfig({}))
    }
  })

  it('does not mind other variables, nor spaces around a value', () => {
    expect(readConfig({ HOME: '/root', PATH: 'x', RETENTION_DAYS: ' 5 ', ...upstash })).toMatchObject({
      retentionDays: 5,
      redis: { kind: 'upstash', url: 'https://eu.upstash.io', token: 'AbC=' },
    })
  })

  it.each([
    ['LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']],
    ['TIME_ZONE', ['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Pacific/Apia']],
    ['REDIS_URL', ['redis://127.0.0.1:6379', 'rediss://user:p%40ss@redis.example:6380/2', 'redis://[::1]:6379']],
    ['REDIS_HOST', ['localhost', '127.0.0.1', '::1', 'redis-1.example']],
    ['RETENTION_DAYS', ['0', '1', '365']],
    ['ORDER_TTL_DAYS', ['5', '3650']],
    ['SWEEP_EVERY_DAYS', ['1', '365']],
  ])('takes for %s: %j', (name, values) => {
    for (const value of values) expect(problemsOf({ [name]: value })).toEqual([])
  })

  it.each([
    ['LOG_LEVEL', ['loud', 'INFO', 'verbose']],
    ['TIME_ZONE', ['Berlin', 'Europe/Passau', 'local', 'system', 'Europe/Berlin; DROP']],
    [
      'UPSTASH_REDIS_REST_URL',
      ['eu.upstash.io', 'http://eu.upstash.io', 'redis://eu.upstash.io', 'https://', 'ftp://x'],
    ],
    ['UPSTASH_REDIS_REST_TOKEN', ['a b', 'tokén', 'a\nb']],
    ['REDIS_URL', ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://', 'redis:///2']],
    ['REDIS_HOST', ['a b', 'redis://x', 'a/b', 'user@host', 'x'.repeat(254)]],
    ['REDIS_PORT', ['0', '65536', '-1', '6379.0', '0x10', 'redis', '1e3']],
    ['RETENTION_DAYS', ['-1', '366', '1.5', 'two', '1e2', '+3', '٣']],
    ['ORDER_TTL_DAYS', ['0', '3651', '4', '-7', '7d']],
    ['SWEEP_EVERY_DAYS', ['0', '366', '-3', '*/3']],
  ])('refuses for %s: %j', (name, values) => {
    for (const value of values) {
      const problems = problemsOf({
        ...(name.startsWith('UPSTASH') && upstash),
        ...(name === 'REDIS_PORT' && { REDIS_HOST: 'x' }),
        [name]: value,
      })
      expect(problems).toHaveLength(1)
      expect(problems[0]).toMatch(new RegExp(`^${name} must be .+\\.$`))
    }
  })

  it.each(['http://127.0.0.1:8079', 'http://localhost:8079', 'http://[::1]:8079'])(
    'lets %s go without encryption, for it is this machine',
    (url) => {
      expect(problemsOf({ ...upstash, UPSTASH_REDIS_REST_URL: url })).toEqual([])
    },
  )

  it('derives the expiry from retention and schedule', () => {
    expect(readConfig({ RETENTION_DAYS: '10', SWEEP_EVERY_DAYS: '5' }).orderTtlDays).toBe(25)
    expect(readConfig({ RETENTION_DAYS: '365', SWEEP_EVERY_DAYS: '365' }).orderTtlDays).toBe(1_095)
    expect(readConfig({ RETENTION_DAYS: '0', SWEEP_EVERY_DAYS: '1' }).orderTtlDays).toBe(1)
  })

  it.each([
    [0, 1],
    [2, 5],
    [10, 21],
  ])('for %i days of retention wants an expiry of %i days at least', (days, least) => {
    const env = { RETENTION_DAYS: String(days) }

    expect(problemsOf({ ...env, ORDER_TTL_DAYS: String(least) })).toEqual([])
    expect(problemsOf({ ...env, ORDER_TTL_DAYS: String(least - 1) }).join()).toContain('ORDER_TTL_DAYS')
  })
})

describe('the Redis of the configuration', () => {
  it.each([
    ['Upstash', upstash, { kind: 'upstash', url: 'https://eu.upstash.io', token: 'AbC=' }],
    ['an address', { REDIS_URL: 'rediss://:p@h:1' }, { kind: 'tcp', url: 'rediss://:p@h:1' }],
    ['a host', { REDIS_HOST: 'h' }, { kind: 'tcp', url: 'redis://h:6379' }],
    ['a host and a port', { REDIS_HOST: 'h', REDIS_PORT: '7' }, { kind: 'tcp', url: 'redis://h:7' }],
    ['an IPv6 host', { REDIS_HOST: '::1' }, { kind: 'tcp', url: 'redis://[::1]:6379' }],
    [
      'a host and a password of any characters',
      { REDIS_HOST: 'h', REDIS_PASSWORD: 'p@s/s:#?ü' },
      { kind: 'tcp', url: 'redis://:p%40s%2Fs%3A%23%3F%C3%BC@h:6379' },
    ],
  ])('is named by %s', (_, env, target) => {
    expect(readConfig(env).redis).toEqual(target)
  })

  it.each([
    [
      'the two of Upstash and an address',
      { ...upstash, REDIS_URL: 'redis://h' },
      ['UPSTASH_REDIS_REST_URL', 'REDIS_URL'],
    ],
    ['an address and a host', { REDIS_URL: 'redis://h', REDIS_HOST: 'h' }, ['REDIS_URL', 'REDIS_HOST']],
    [
      'all three ways',
      { ...upstash, REDIS_URL: 'redis://h', REDIS_HOST: 'h' },
      ['UPSTASH_REDIS_REST_URL', 'REDIS_URL', 'REDIS_HOST'],
    ],
    [
      'an address and a password beside it',
      { REDIS_URL: 'redis://h', REDIS_PASSWORD: 'x' },
      ['REDIS_URL', 'REDIS_PASSWORD'],
    ],
    [
      'an address and a token',
      { REDIS_URL: 'redis://h', UPSTASH_REDIS_REST_TOKEN: 'x' },
      ['UPSTASH_REDIS_REST_TOKEN', 'REDIS_URL'],
    ],
  ])('is refused when it is named by %s', (_, env, names) => {
    const problem = problemsOf(env).find((text) => text.includes('more than one'))

    for (const name of names) expect(problem).toContain(name)
  })

  it.each([
    ['a token without an address', { UPSTASH_REDIS_REST_TOKEN: 'x' }, 'UPSTASH_REDIS_REST_URL is required'],
    ['an address without a token', { UPSTASH_REDIS_REST_URL: 'https://x.io' }, 'UPSTASH_REDIS_REST_TOKEN is required'],
    ['a port without a host', { REDIS_PORT: '6379' }, 'REDIS_HOST is required'],
    ['a password without a host', { REDIS_PASSWORD: 'x' }, 'REDIS_HOST is required'],
  ])('is refused with %s', (_, env, text) => {
    const problems = problemsOf(env)

    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(text)
  })
})

describe('a configuration that is not usable', () => {
  it('is told every problem at once, in one message', () => {
    const problems = problemsOf({
      LOG_LEVEL: 'loud',
      TIME_ZONE: 'Berlin',
      REDIS_URL: 'http://x',
      REDIS_HOST: 'a b',
      REDIS_PORT: '0',
      RETENTION_DAYS: '-1',
      ORDER_TTL_DAYS: 'x',
      SWEEP_EVERY_DAYS: '0',
      UPSTASH_REDIS_REST_URL: 'x',
      UPSTASH_REDIS_REST_TOKEN: 'a b',
    })

    for (const name of variableNames.filter((one) => one !== 'REDIS_PASSWORD')) {
      expect(problems.join('\n')).toContain(name)
    }
  })

  it('is an error whose message holds all problems', () => {
    expect(() => readConfig({ LOG_LEVEL: 'loud', TIME_ZONE: 'Berlin' })).toThrow(
      /LOG_LEVEL must be[^]*TIME_ZONE must be/,
    )
  })

  it('is never told a value, whatever it is', () => {
    const SECRET = 'Zx9-gEheim'
    const anyValue = fc.oneof(
      fc.string().map((text) => `${SECRET}${text}`),
      fc.string().map((text) => `${text}${SECRET}`),
      fc.constantFrom(
        `http://user:${SECRET}@x.io`,
        `https://:${SECRET}@`,
        `redis://:${SECRET}@h`,
        `redis://h:${SECRET}`,
      ),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...variableNames), anyValue), (env) => {
        const error = errorOf(env)

        expect(error === undefined || error instanceof ConfigError).toBe(true)
        const told = JSON.stringify([String(error), error, error?.stack, String(error?.cause)])
        expect(told).not.toContain(SECRET)
      }),
      { numRuns: 500 },
    )
  })
})
