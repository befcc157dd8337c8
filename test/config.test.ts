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

const botToken = '5000000001:AAF-gEheimZx9_0123456789abcdefghijk'

const upstash = { UPSTASH_REDIS_REST_URL: 'https://eu.upstash.io', UPSTASH_REDIS_REST_TOKEN: 'AbC=' }

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      instance: String(process.pid),
      telegram: undefined,
      isProduction: false,
      adminIds: [],
      ordersChatId: undefined,
      intakeToken: undefined,
      budget: { limit: 500_000, isLimitGiven: false, resetDay: 1, developerApi: undefined },
      schedule: { everyDays: 3, at: '23:59', anchor: '2025-12-08' },
      inngest: undefined,
      audit: undefined,
      engine: undefined,
      scheduler: 'local',
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

  it('listens to this machine only without a token, to everybody with one, and where it is told', () => {
    expect(readConfig({}).host).toBe('127.0.0.1')
    expect(readConfig({ TELEGRAM_BOT_TOKEN: botToken }).host).toBe('0.0.0.0')
    expect(readConfig({ HOST: '::1' }).host).toBe('::1')
  })

  it.each([
    [{}, false],
    [{ NODE_ENV: 'test' }, false],
    [{ NODE_ENV: 'production' }, true],
    [{ RENDER: 'true' }, true],
    [{ NODE_ENV: 'development', RENDER: '1' }, true],
    [{ NODE_ENV: '', RENDER: ' ' }, false],
  ])('of %j is for production: %s', (env, isProduction) => {
    expect(readConfig(env).isProduction).toBe(isProduction)
  })

  it('does not mind other variables, nor spaces around a value', () => {
    expect(readConfig({ HOME: '/root', PATH: 'x', RETENTION_DAYS: ' 5 ', ...upstash })).toMatchObject({
      retentionDays: 5,
      redis: { kind: 'upstash', url: 'https://eu.upstash.io', token: 'AbC=' },
    })
  })

  it.each([
    ['PORT', ['0', '1', '10000', '65535']],
    ['HOST', ['127.0.0.1', '::', '::1', 'localhost', 'fly-local-6pn']],
    ['TELEGRAM_BOT_TOKEN', [botToken, `123:${'A'.repeat(10)}`]],
    ['TELEGRAM_API_ROOT', ['http://127.0.0.1:8081', 'https://api.telegram.org', 'https://x.example/telegram']],
    ['PUBLIC_URL', ['https://orderly.onrender.com', 'https://x.example:8443/orderly', 'https://x.example/']],
    ['WEBHOOK_SECRET', ['a', 'A-z_09', 'x'.repeat(256)]],
    ['ADMIN_IDS', ['11', '11,22', '11 , 22', '123456789012345']],
    ['ORDERS_CHAT_ID', ['-4400', '-1001234567890', '11']],
    ['SWEEP_ENABLED', ['true', 'false']],
    ['SWEEP_AT', ['00:00', '23:59', '09:05']],
    ['SWEEP_ANCHOR', ['2025-12-08', '2024-02-29']],
    ['INTAKE_TOKEN', ['x'.repeat(16), `${'Ab+/'.repeat(10)}aaa=`, 'x'.repeat(512)]],
    ['RENDER_EXTERNAL_URL', ['https://orderly.onrender.com']],
    ['RENDER_INSTANCE_ID', ['srv-1-abc', 'x'.repeat(256)]],
    ['IS_PULL_REQUEST', ['true', 'false']],
    ['LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']],
    ['TIME_ZONE', ['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Pacific/Apia']],
    ['REDIS_URL', ['redis://127.0.0.1:6379', 'rediss://user:p%40ss@redis.example:6380/2', 'redis://[::1]:6379']],
    ['REDIS_HOST', ['localhost', '127.0.0.1', '::1', 'redis-1.example']],
    ['RETENTION_DAYS', ['0', '1', '365']],
    ['ORDER_TTL_DAYS', ['5', '3650']],
    ['SWEEP_EVERY_DAYS', ['1', '365']],
    [
      'INNGEST_DATABASE_URL',
      [
        'postgresql://inngest:p%40ss@db.example:5432/inngest?sslmode=require',
        'postgres://127.0.0.1/inngest',
        'postgres://[::1]:5432',
        'postgresql:///inngest?host=/var/run/postgresql',
        'sqlite:/data/main.db',
        'sqlite:./main.db',
        'sqlite:main.db',
        'sqlite:///data/main.db',
      ],
    ],
    ['INNGEST_REDIS_URL', ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379/', 'redis://h/2', 'rediss://u:p@h:1/0']],
    ['INNGEST_REDIS_KEY_PREFIX', ['estate', 'inngest', 'a', 'A-z_09', 'x'.repeat(64)]],
    ['INNGEST_RETENTION_DAYS', ['1', '30', '365']],
    ['INNGEST_DOUBLE_RETENTION', ['1', '1.0', '2', '2.0', '1.5', '10', '10.0', '1.125']],
    ['INNGEST_BATCH_SIZE', ['10', '1000', '10000']],
    ['INNGEST_DRY_RUN', ['true', 'false', 'True', 'FALSE', '1', '0']],
    ['USE_REDIS_AWARE_CLEANUP', ['true', 'false', 'True', 'FALSE', '1', '0']],
    ['CLEANUP_SCHEDULE', ['0 2 * * *', '*/15 8-18 * * mon-fri', 'TZ=Europe/Lisbon 0 4 * * *']],
    [
      'AUDIT_DATABASE_URL',
      ['postgresql://audit:p%40ss@db.example:5432/audit', 'postgres:///audit?host=/run/postgresql'],
    ],
    ['AUDIT_TABLES', ['{}', '{"alerts":{}}', '{ "error_log": { "table": "log \\"x", "columns": { "id": "Id" } } }']],
    ['ALERT_RETENTION_DAYS', ['1', '90', '365']],
    ['ALERT_SCHEDULE', ['0 5 * * *', 'TZ=Europe/Lisbon 0 5 * * *']],
    ['ALERT_ORPHANS', ['keep', 'delete']],
    ['ERROR_RETENTION_DAYS', ['1', '90', '365']],
    ['ERROR_SCHEDULE', ['30 4 * * sun', 'TZ=UTC 0 4 * * *']],
    ['COMMAND_BUDGET', ['1000', '500000', '999999999999']],
    ['BUDGET_RESET_DAY', ['1', '28']],
    ['DASHBOARD_SECRET', ['x'.repeat(16)]],
    ['SCHEDULER', ['local']],
    ['INNGEST_EVENT_KEY', ['local', 'A-z_09', 'x'.repeat(256)]],
    ['INNGEST_SIGNING_KEY', [`signkey-prod-${'0a'.repeat(32)}`, 'F'.repeat(16), `signkey-branch-${'ab'.repeat(8)}`]],
    ['INNGEST_BASE_URL', ['http://127.0.0.1:8288', 'https://inngest.example/']],
    ['INNGEST_DEV', ['true', 'false', '1', '0', 'True', 'http://127.0.0.1:8288']],
  ])('takes for %s: %j', (name, values) => {
    for (const value of values) expect(problemsOf({ [name]: value })).toEqual([])
  })

  it.each([
    ['PORT', ['-1', '65536', '80.0', 'http', '0x50', '1e3']],
    ['HOST', ['a b', 'http://x', 'x/y', 'x'.repeat(254)]],
    ['TELEGRAM_BOT_TOKEN', ['token', '123', `${'1'.repeat(21)}:${'A'.repeat(10)}`, '123:AAAAAAAAA', `bot${botToken}`]],
    ['TELEGRAM_API_ROOT', ['api.telegram.org', 'https://x/', 'ftp://x', 'https://']],
    ['PUBLIC_URL', ['x.example', 'ftp://x', 'https://', 'https://x.example/?a=1', 'https://x.example/#a']],
    ['WEBHOOK_SECRET', ['a b', 'a=', 'a:b', 'ä', 'a/b+c', 'x'.repeat(257)]],
    ['ADMIN_IDS', ['anna', '@anna', '11;22', '11,', ',', '-11', '1.5', '1234567890123456']],
    ['ORDERS_CHAT_ID', ['@riders', '--1', '1.5', '1e9', '1234567890123456']],
    ['SWEEP_ENABLED', ['yes', '1', 'TRUE', 'off']],
    ['SWEEP_AT', ['24:00', '23:60', '9:05', '23:59:00', 'midnight', '11pm']],
    ['SWEEP_ANCHOR', ['2025-02-30', '2025-13-01', '08.12.2025', '2025-12', '2025-W50-1', 'today']],
    ['COMMAND_BUDGET', ['999', '0', '-1', '5e5', '500 000', '1'.repeat(13), 'unlimited']],
    ['BUDGET_RESET_DAY', ['0', '29', 'first', '1.5']],
    ['UPSTASH_EMAIL', ['anna', '@', 'a@', 'a b@x.example', 'a:b@x.example', `${'a'.repeat(201)}@x.example`]],
    ['UPSTASH_API_KEY', ['short', 'a key with spaces', 'x'.repeat(513)]],
    ['UPSTASH_DATABASE_ID', ['a/b', '../stats', 'a b', 'x'.repeat(101)]],
    ['API_TOKEN', ['x'.repeat(15), 'sixteen letters and spaces']],
    ['DASHBOARD_SECRET', ['x'.repeat(15), 'sixteen letters and spaces']],
    ['INTAKE_TOKEN', ['x'.repeat(15), 'sixteen letters and spaces', 'ü'.repeat(16), 'x'.repeat(513)]],
    ['RENDER_EXTERNAL_URL', ['orderly.onrender.com', 'ftp://x']],
    ['RENDER_INSTANCE_ID', ['x'.repeat(257)]],
    ['IS_PULL_REQUEST', ['yes', '1']],
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
    ['REDIS_USERNAME', ['a b']],
    ['RETENTION_DAYS', ['-1', '366', '1.5', 'two', '1e2', '+3', '٣']],
    ['ORDER_TTL_DAYS', ['0', '3651', '4', '-7', '7d']],
    ['SWEEP_EVERY_DAYS', ['0', '366', '-3', '*/3']],
    [
      'INNGEST_DATABASE_URL',
      [
        'db.example',
        'mysql://h/d',
        'postgres:/h/d',
        'postgresql://',
        'postgresql:///inngest',
        'postgresql://u:p#ss@h/d',
        'sqlite:',
        'sqlite::memory:',
        'sqlite://',
        'sqlite://data/main.db',
        'sqlite:////data/main.db',
        'sqlite:/data/',
        'sqlite:/data/main.db?mode=ro',
        'sqlite3:/data/main.db',
        'file:/data/main.db',
        '/data/main.db',
      ],
    ],
    ['INNGEST_REDIS_URL', ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://', 'redis://h/two', 'redis://h/0/x']],
    ['INNGEST_REDIS_KEY_PREFIX', ['{estate}', 'estate:', 'a b', 'é', '*', 'x'.repeat(65)]],
    ['INNGEST_RETENTION_DAYS', ['0', '366', '-1', '30.0', '30d']],
    ['INNGEST_DOUBLE_RETENTION', ['0', '0.99', '10.01', '11', '-2', '2,0', '2.', '.5', '1e1', '2x', 'NaN', 'Infinity']],
    ['INNGEST_BATCH_SIZE', ['9', '10001', '0', '1e3', '100.5']],
    ['INNGEST_DRY_RUN', ['yes', 'no', 'on', '2', 'dry', 'true!']],
    ['USE_REDIS_AWARE_CLEANUP', ['yes', 'no', 'on', '2', '01', 'falsch']],
    [
      'CLEANUP_SCHEDULE',
      ['0 2 * *', '0 0 2 * * *', '@daily', '*/0 * * * *', '0 0 30 2 *', 'TZ=Berlin 0 2 * * *', '02:00'],
    ],
    ['AUDIT_DATABASE_URL', ['db.example', 'sqlite:/data/audit.db', 'mysql://h/d', 'postgresql://']],
    [
      'AUDIT_TABLES',
      ['alerts', '{', '[]', 'null', '"alerts"', '{"alert":{}}', '{"alerts":null}', '{"alerts":{"table":""}}'],
    ],
    ['ALERT_RETENTION_DAYS', ['0', '366', '-1', '90.0', '90d']],
    ['ALERT_SCHEDULE', ['0 5 * *', '@daily', 'TZ=Lisbon 0 5 * * *', '05:00']],
    ['ALERT_ORPHANS', ['true', 'remove', 'KEEP']],
    ['ERROR_RETENTION_DAYS', ['0', '366', '1e2']],
    ['ERROR_SCHEDULE', ['4', '0 4 * * * *']],
    ['BULLMQ_REDIS_URL', ['127.0.0.1:6379', 'redis://', 'redis://h/two']],
    ['BULLMQ_PREFIX', ['bull:', 'a b', 'x'.repeat(101)]],
    ['BULLMQ_QUEUES', ['a:b', 'mails,', 'mail*', '*,mails', 'x'.repeat(201)]],
    ['BULLMQ_COMPLETED_KEEP', ['-1', '1000000', '1e3', '1.5']],
    ['BULLMQ_COMPLETED_AGE', ['0', '31536001', '24h']],
    ['BULLMQ_FAILED_KEEP', ['-1', '1000000', 'all']],
    ['BULLMQ_FAILED_AGE', ['0', '31536001', '7d']],
    ['BULLMQ_SWEEP_SCHEDULE', ['hourly', '17 * * *', 'TZ=Berlin 17 * * * *']],
    ['EXECUTIONS_REDIS_URL', ['127.0.0.1:6379', 'redis://', 'redis://h/two']],
    ['EXECUTIONS_PREFIX', ['order:', 'o', 'orderly', 'orderly:seen:', 'a b', 'x'.repeat(101)]],
    ['EXECUTIONS_MAX_AGE_DAYS', ['0', '366', '1.5']],
    ['EXECUTIONS_SCHEDULE', ['daily', '37 * * *']],
    ['SCHEDULER', ['croner', 'Local', 'true']],
    ['INNGEST_APP_ID', ['a b', 'orderly.app', 'é', 'x'.repeat(65)]],
    ['INNGEST_EVENT_KEY', ['a b', 'a/b', '../x', 'x'.repeat(257)]],
    ['INNGEST_SIGNING_KEY', ['secret', 'signkey-prod-', 'abc', '0'.repeat(15), `signkey-prod-${'xy'.repeat(16)}`]],
    ['INNGEST_BASE_URL', ['inngest.example', 'ftp://x', 'https://x/?a=1']],
    ['INNGEST_DEV', ['yes', 'dev', '127.0.0.1:8288', 'ftp://x']],
  ])('refuses for %s: %j', (name, values) => {
    for (const value of values) {
      const problems = problemsOf({
        ...(name.startsWith('UPSTASH') && upstash),
        ...((name === 'REDIS_PORT' || name === 'REDIS_USERNAME') && { REDIS_HOST: 'x', REDIS_PASSWORD: 'x' }),
        [name]: value,
      })
      expect(problems).toHaveLength(1)
      expect(problems[0]).toMatch(new RegExp(`^${name} must be .+\\.$`))
    }
  })

  it("asks the provider's own count with all three of its variables or with none", () => {
    const api = { UPSTASH_EMAIL: 'anna@x.example', UPSTASH_API_KEY: 'a-key-of-the-account', UPSTASH_DATABASE_ID: 'a-1' }
    const names = Object.keys(api)

    expect(readConfig(api).budget.developerApi).toEqual({
      email: 'anna@x.example',
      apiKey: 'a-key-of-the-account',
      databaseId: 'a-1',
    })
    for (const name of names) {
      const others = names.filter((one) => one !== name)
      expect(problemsOf({ ...api, [name]: '' })).toEqual([`${name} is required with ${others.join(' and ')}.`])
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

const telegramOf = (env: Env = {}) => readConfig({ TELEGRAM_BOT_TOKEN: botToken, ...env }).telegram

describe('the bot of the configuration', () => {
  it('is none without a token, whatever else is set', () => {
    expect(readConfig({ PUBLIC_URL: 'https://x.example', WEBHOOK_SECRET: 'a' }).telegram).toBeUndefined()
  })

  it('polls without an address, and is reached at its own address rather than at the one the host gave', () => {
    const host = { RENDER_EXTERNAL_URL: 'https://x.onrender.com' }

    expect(telegramOf()).toMatchObject({ publicUrl: undefined, apiRoot: undefined, isPreview: false })
    expect(telegramOf(host)).toMatchObject({ publicUrl: 'https://x.onrender.com' })
    expect(telegramOf({ ...host, PUBLIC_URL: 'https://x.example/' })).toMatchObject({ publicUrl: 'https://x.example' })
    expect(telegramOf({ IS_PULL_REQUEST: 'true' })).toMatchObject({ isPreview: true })
  })

  it('is reached without encryption only where another Bot API server is set', () => {
    const env = { TELEGRAM_BOT_TOKEN: botToken, PUBLIC_URL: 'http://127.0.0.1:3000' }

    expect(problemsOf(env)).toEqual([
      'PUBLIC_URL must be an https:// address (http:// only where TELEGRAM_API_ROOT is set).',
    ])
    expect(problemsOf({ ...env, TELEGRAM_API_ROOT: 'http://127.0.0.1:8081' })).toEqual([])
  })

  it('has a webhook secret of its own that Telegram takes and that does not tell the token', () => {
    const anyToken = fc
      .tuple(fc.integer({ min: 100, max: 9_999_999_999 }), fc.stringMatching(/^[A-Za-z0-9_-]{10,100}$/))
      .map(([id, secret]) => [`${id}:${secret}`, secret] as const)
    fc.assert(
      fc.property(anyToken, ([token, secret]) => {
        const derived = readConfig({ TELEGRAM_BOT_TOKEN: token }).telegram?.webhookSecret ?? ''

        expect(derived).toMatch(/^[A-Za-z0-9_-]{1,256}$/)
        expect(derived).not.toContain(secret)
        expect(readConfig({ TELEGRAM_BOT_TOKEN: token }).telegram?.webhookSecret).toBe(derived)
      }),
    )
    expect(telegramOf()?.webhookSecret).not.toBe(telegramOf({ TELEGRAM_BOT_TOKEN: `${botToken}x` })?.webhookSecret)
    expect(telegramOf({ WEBHOOK_SECRET: 'mine' })?.webhookSecret).toBe('mine')
  })

  it('knows each admin once', () => {
    expect(readConfig({ ADMIN_IDS: '22, 11,22' }).adminIds).toEqual([22, 11])
    expect(readConfig({ ORDERS_CHAT_ID: '-1001234567890' }).ordersChatId).toBe(-1_001_234_567_890)
  })
})

describe('the schedule of the configuration', () => {
  it('is what its three variables say, and none when it is switched off', () => {
    const env = { SWEEP_EVERY_DAYS: '7', SWEEP_AT: '03:30', SWEEP_ANCHOR: '2026-01-05' }

    expect(readConfig(env).schedule).toEqual({ everyDays: 7, at: '03:30', anchor: '2026-01-05' })
    expect(readConfig({ ...env, SWEEP_ENABLED: 'false' }).schedule).toBeUndefined()
  })

  it('is checked even when it is switched off', () => {
    expect(problemsOf({ SWEEP_ENABLED: 'false', SWEEP_AT: 'noon' })).toHaveLength(1)
  })
})

const inngestOf = (env: Env = {}) => readConfig({ INNGEST_DATABASE_URL: 'sqlite:./main.db', ...env }).inngest

describe('the sweep over Inngest of the configuration', () => {
  it('has a default for everything but its database', () => {
    expect(inngestOf()).toEqual({
      database: { kind: 'sqlite', file: './main.db' },
      redisUrl: undefined,
      keyPrefix: undefined,
      retentionDays: 30,
      doubleRetention: 2,
      batchSize: 1_000,
      isDryRun: false,
      isRedisAware: true,
      schedule: { pattern: '0 2 * * *', zone: 'Europe/Berlin' },
    })
  })

  it('is none without a database, whatever else is set, but what is wrong is told all the same', () => {
    const env = {
      INNGEST_REDIS_URL: 'redis://h',
      INNGEST_DRY_RUN: 'true',
      USE_REDIS_AWARE_CLEANUP: 'false',
      CLEANUP_SCHEDULE: '0 3 * * *',
    }

    expect(readConfig(env).inngest).toBeUndefined()
    expect(
      problemsOf({ ...env, INNGEST_BATCH_SIZE: '1', CLEANUP_SCHEDULE: 'daily', INNGEST_DRY_RUN: 'yes' }),
    ).toHaveLength(3)
  })

  it('is what its variables say', () => {
    const env = {
      INNGEST_DATABASE_URL: 'postgresql://u:p@h:5432/d',
      INNGEST_REDIS_URL: 'redis://h:6379/',
      INNGEST_REDIS_KEY_PREFIX: 'inngest',
      INNGEST_RETENTION_DAYS: '7',
      INNGEST_DOUBLE_RETENTION: '1.5',
      INNGEST_BATCH_SIZE: '250',
      INNGEST_DRY_RUN: 'True',
      USE_REDIS_AWARE_CLEANUP: '0',
      CLEANUP_SCHEDULE: 'TZ=Europe/Lisbon  0 5  * * *',
    }

    expect(inngestOf(env)).toEqual({
      database: { kind: 'postgres', url: 'postgresql://u:p@h:5432/d' },
      redisUrl: 'redis://h:6379/',
      keyPrefix: 'inngest',
      retentionDays: 7,
      doubleRetention: 1.5,
      batchSize: 250,
      isDryRun: true,
      isRedisAware: false,
      schedule: { pattern: '0 5 * * *', zone: 'Europe/Lisbon' },
    })
  })

  it.each([
    ['sqlite:/data/main.db', '/data/main.db'],
    ['sqlite:///data/main.db', '/data/main.db'],
    ['sqlite:./main.db', './main.db'],
    ['sqlite:../a b/main.db', '../a b/main.db'],
  ])('reads %s as the file %s', (INNGEST_DATABASE_URL, file) => {
    expect(inngestOf({ INNGEST_DATABASE_URL })?.database).toEqual({ kind: 'sqlite', file })
  })

  it('runs in the business zone unless its schedule names another', () => {
    expect(inngestOf({ TIME_ZONE: 'Asia/Kolkata' })?.schedule.zone).toBe('Asia/Kolkata')
    expect(inngestOf({ TIME_ZONE: 'Asia/Kolkata', CLEANUP_SCHEDULE: 'TZ=UTC 0 2 * * *' })?.schedule.zone).toBe('UTC')
  })
})

const auditOf = (env: Env = {}) => readConfig({ AUDIT_DATABASE_URL: 'postgres://h/d', ...env }).audit

describe('the sweeps over an audit database of the configuration', () => {
  it('have a default for everything but the database, with schedules in Lisbon', () => {
    expect(auditOf({ TIME_ZONE: 'Asia/Kolkata' })).toEqual({
      databaseUrl: 'postgres://h/d',
      tables: {
        organization: { table: 'organization', columns: { id: 'id', retention_days: 'retention_days' } },
        alerts: {
          table: 'alerts',
          columns: { id: 'id', organization_id: 'organization_id', resolved: 'resolved', resolved_at: 'resolved_at' },
        },
        error_log: { table: 'error_log', columns: { id: 'id', timestamp: 'timestamp' } },
        error_aggregation: {
          table: 'error_aggregation',
          columns: { error_hash: 'error_hash', last_occurrence: 'last_occurrence' },
        },
      },
      alertRetentionDays: 90,
      alertSchedule: { pattern: '0 5 * * *', zone: 'Europe/Lisbon' },
      deletesOrphans: false,
      errorRetentionDays: 90,
      errorSchedule: { pattern: '0 4 * * *', zone: 'Europe/Lisbon' },
    })
  })

  it('are none without the database, whatever else is set, but what is wrong is told all the same', () => {
    const env = { AUDIT_TABLES: '{}', ALERT_ORPHANS: 'delete', ERROR_RETENTION_DAYS: '7' }

    expect(readConfig(env).audit).toBeUndefined()
    expect(
      problemsOf({ AUDIT_TABLES: '{', ALERT_ORPHANS: 'x', ERROR_RETENTION_DAYS: '0', ALERT_SCHEDULE: '5' }),
    ).toHaveLength(4)
  })

  it('are what their variables say', () => {
    const env = {
      AUDIT_TABLES: '{"alerts":{"table":"audit.alert","columns":{"resolved_at":"closed_at"}}}',
      ALERT_RETENTION_DAYS: '30',
      ALERT_SCHEDULE: '0 6 * * *',
      ALERT_ORPHANS: 'delete',
      ERROR_RETENTION_DAYS: '14',
      ERROR_SCHEDULE: 'TZ=UTC 30 1 * * *',
    }

    const { tables, ...rest } = auditOf(env) ?? {}
    expect(rest).toEqual({
      databaseUrl: 'postgres://h/d',
      alertRetentionDays: 30,
      alertSchedule: { pattern: '0 6 * * *', zone: 'Europe/Berlin' },
      deletesOrphans: true,
      errorRetentionDays: 14,
      errorSchedule: { pattern: '30 1 * * *', zone: 'UTC' },
    })
    expect(tables).toEqual({
      ...auditOf()?.tables,
      alerts: {
        table: 'audit.alert',
        columns: { id: 'id', organization_id: 'organization_id', resolved: 'resolved', resolved_at: 'closed_at' },
      },
    })
  })

  it('are told by name which tables and columns are unknown or no names, never what they were set to', () => {
    const tables = {
      alert: { table: 'geheim' },
      alerts: { columns: { organisation_id: 'geheim', id: 3, 'a secret; DROP': 'geheim' } },
      error_log: { tabel: 'geheim' },
      error_aggregation: { table: '' },
    }
    const [problem = '', ...others] = problemsOf({ AUDIT_TABLES: JSON.stringify(tables) })

    expect(others).toEqual([])
    for (const text of ['unknown: alert', 'unknown: alerts.columns.organisation_id', 'wrong: alerts.columns.id'])
      expect(problem).toContain(text)
    for (const text of ['unknown: error_log.tabel', 'wrong: error_aggregation.table', 'unknown: alerts.columns.…'])
      expect(problem).toContain(text)
    expect(problem).not.toMatch(/geheim|DROP/)
  })

  it.each([
    [{ error_log: { table: 'alerts' } }, ['error_log']],
    [
      { organization: { table: 'x' }, alerts: { table: 'x' }, error_aggregation: { table: 'x' } },
      ['alerts', 'error_aggregation'],
    ],
  ])('take no table for two of them: %j', (tables, names) => {
    const told = names.map((name) => `the table of another: ${name}.table`).join(', ')

    expect(problemsOf({ AUDIT_TABLES: JSON.stringify(tables) })).toEqual([
      `AUDIT_TABLES must be JSON of the tables and columns that have other names (${told}).`,
    ])
    expect(problemsOf({ AUDIT_TABLES: '{"alerts":{"table":"error_log"},"error_log":{"table":"alerts"}}' })).toEqual([])
  })

  it('tell a few of many flaws only', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`table_${at}`, {}]))

    expect(problemsOf({ AUDIT_TABLES: JSON.stringify(many) }).join().length).toBeLessThan(500)
  })
})

const keys = { INNGEST_EVENT_KEY: 'key', INNGEST_SIGNING_KEY: `signkey-prod-${'0a'.repeat(32)}` }

describe('the functions of an Inngest of the configuration', () => {
  it('are none without an id, whatever else is set', () => {
    expect(readConfig({ ...keys, INNGEST_DEV: '1', INNGEST_BASE_URL: 'http://h' }).engine).toBeUndefined()
    expect(problemsOf({ INNGEST_SIGNING_KEY: 'x' })).toHaveLength(1)
  })

  it('are what their variables say', () => {
    const env = { ...keys, INNGEST_APP_ID: 'orderly', INNGEST_BASE_URL: 'http://127.0.0.1:8288', SCHEDULER: 'inngest' }

    expect(readConfig(env)).toMatchObject({
      scheduler: 'inngest',
      engine: {
        appId: 'orderly',
        eventKey: 'key',
        signingKey: keys.INNGEST_SIGNING_KEY,
        isDev: false,
        baseUrl: 'http://127.0.0.1:8288',
      },
    })
    expect(readConfig({ ...env, SCHEDULER: '' }).scheduler).toBe('local')
  })

  it('want both keys, unless they are developed', () => {
    const env = { INNGEST_APP_ID: 'orderly' }

    expect(problemsOf(env)).toEqual([
      'INNGEST_EVENT_KEY is required with INNGEST_APP_ID, unless INNGEST_DEV is set.',
      'INNGEST_SIGNING_KEY is required with INNGEST_APP_ID, unless INNGEST_DEV is set.',
    ])
    expect(problemsOf({ ...env, INNGEST_DEV: 'false' })).toHaveLength(2)
    expect(problemsOf({ ...env, NODE_ENV: 'development' })).toHaveLength(2)
    expect(problemsOf({ ...env, INNGEST_DEV: '1' })).toEqual([])
    expect(readConfig({ ...env, INNGEST_DEV: 'http://127.0.0.1:8288' }).engine).toEqual({
      appId: 'orderly',
      eventKey: undefined,
      signingKey: undefined,
      isDev: true,
      baseUrl: 'http://127.0.0.1:8288',
    })
  })

  it.each([{ NODE_ENV: 'production' }, { RENDER: 'true' }])('are never developed in production (%j)', (env) => {
    const dev = { INNGEST_APP_ID: 'orderly', INNGEST_DEV: '1', ...env }

    expect(problemsOf(dev).join()).toContain('INNGEST_DEV must not be set')
    expect(problemsOf({ ...dev, INNGEST_DEV: '0', ...keys })).toEqual([])
  })

  it('are required where they shall wake the sweeps', () => {
    expect(problemsOf({ SCHEDULER: 'inngest' })).toEqual(['INNGEST_APP_ID is required with SCHEDULER=inngest.'])
  })
})

describe('the sweeps over queues and executions', () => {
  const REDIS = 'redis://h'

  it('are there with what they work on and what they may touch, and have usual bounds', () => {
    const env = {
      BULLMQ_REDIS_URL: REDIS,
      BULLMQ_QUEUES: ' mails , invoices,mails',
      EXECUTIONS_REDIS_URL: REDIS,
      EXECUTIONS_PREFIX: 'flow:',
    }

    expect(readConfig(env)).toMatchObject({
      bullmq: {
        redisUrl: REDIS,
        prefix: 'bull',
        queues: ['mails', 'invoices'],
        completed: { keep: 1_000, ageSeconds: 86_400 },
        failed: { keep: 5_000, ageSeconds: 604_800 },
        schedule: { pattern: '17 * * * *', zone: 'Europe/Berlin' },
      },
      executions: {
        redisUrl: REDIS,
        prefix: 'flow:',
        maxAgeDays: 1,
        schedule: { pattern: '37 * * * *', zone: 'Europe/Berlin' },
      },
    })
    expect(readConfig({ ...env, BULLMQ_QUEUES: '*' }).bullmq?.queues).toBe('all')
    expect(readConfig({ BULLMQ_QUEUES: '*', EXECUTIONS_PREFIX: 'flow:' })).toMatchObject({
      bullmq: undefined,
      executions: undefined,
    })
  })

  it.each([
    ['BULLMQ_QUEUES', { BULLMQ_REDIS_URL: REDIS }],
    ['EXECUTIONS_PREFIX', { EXECUTIONS_REDIS_URL: REDIS }],
  ])('delete nothing that nobody named: %s is required', (name, env) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(`${name} is required`)])
    expect(problemsOf({ ...env, [name]: 'order:' })).toEqual([expect.stringContaining(`${name} must be`)])
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
    [
      'a host, a user and a password',
      { REDIS_HOST: 'h', REDIS_USERNAME: 'or@derly', REDIS_PASSWORD: 'p' },
      { kind: 'tcp', url: 'redis://or%40derly:p@h:6379' },
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
    ['a user without a password', { REDIS_HOST: 'h', REDIS_USERNAME: 'x' }, 'REDIS_PASSWORD is required'],
  ])('is refused with %s', (_, env, text) => {
    const problems = problemsOf(env)

    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(text)
  })
})

describe('a configuration that is not usable', () => {
  it('is told every problem at once, in one message', () => {
    // A text of any characters is never wrong.
    const free = new Set(['REDIS_PASSWORD', 'NODE_ENV', 'RENDER', 'RENDER_INSTANCE_ID'])
    const problems = problemsOf(Object.fromEntries(variableNames.map((name) => [name, 'what? :-(']))).join('\n')

    for (const name of variableNames.filter((one) => !free.has(one))) expect(problems).toContain(`${name} must be`)
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
        `postgresql://${SECRET}`,
        `postgresql://u:${SECRET}@h:x/d`,
        `sqlite:///${SECRET}/`,
        `TZ=${SECRET} 0 2 * * *`,
        `{"${SECRET}":{}}`,
        `{"alerts":{"table":["${SECRET}"],"columns":{"${SECRET}":"x"}}}`,
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
