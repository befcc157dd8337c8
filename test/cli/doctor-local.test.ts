import { describe, expect, it } from 'vitest'
import { checkBudget, checkDeveloperApi, checkStorage } from '../../src/cli/doctor-budget.ts'
import { examine, ok } from '../../src/cli/doctor-check.ts'
import { createHide } from '../../src/cli/doctor-hiding.ts'
import { checkPackages, checkVersions, checkZoneData } from '../../src/cli/doctor-local.ts'
import { checkClock } from '../../src/cli/doctor-schedule.ts'
import { checkSecret, type SecretName } from '../../src/cli/doctor-secrets.ts'
import { readConfig } from '../../src/config.ts'
import { InputError, InterruptedError, RedisError } from '../../src/errors.ts'
import type { DeveloperAnswer } from '../../src/redis/budget/developer-api.ts'
import type { Command } from '../../src/redis/transport.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { fakeClock } from '../support/clock.ts'

const forever = new AbortController().signal
const hide = createHide({ TELEGRAM_BOT_TOKEN: '1234567:gEheimgEheim' })
const never = () => new Promise<never>(() => undefined)

/** A Redis that tells nothing but a time. */
const redisAt = (iso: string) => async (commands: readonly Command[]) =>
  commands.map(() => [String(Date.parse(iso) / 1_000), '0'])

describe('the version of Node.js', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['20.20.2', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
  ])('%s is %s', (version, verdict) => {
    expect(checkVersions(version, '0.7.0')).toMatchObject({ verdict, detail: expect.stringContaining('Orderly 0.7.0') })
  })
})

describe('zone data', () => {
  it('of this machine are good', () => {
    expect(checkZoneData('Europe/Berlin', '2025c')).toMatchObject({ verdict: 'ok', fix: null })
  })

  it('that lack a rule of the last years are worth a warning that names their release', () => {
    const mexico = checkZoneData('UTC', '2022a', (zone, ms) => {
      if (zone === 'America/Mexico_City') return -300
      const isSummer = new Date(ms).getUTCMonth() === 6
      return zone === 'Europe/Berlin' ? (isSummer ? 120 : 60) : 0
    })

    expect(mexico).toMatchObject({ verdict: 'warn', detail: expect.stringContaining('older than 2022f') })
  })

  it.each([
    ['know no summer time', () => 60],
    ['know no zone at all', () => NaN],
  ])('that %s are a failure', (_, offsetOf) => {
    expect(checkZoneData('Europe/Berlin', 'unknown', offsetOf)).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('Node.js'),
    })
  })
})

describe('optional packages', () => {
  const env = {
    BULLMQ_REDIS_URL: 'redis://127.0.0.1:1',
    BULLMQ_QUEUES: 'mails',
    INNGEST_DATABASE_URL: 'sqlite:/data/main.db',
  }

  it('are off where nothing needs one', () => {
    expect(checkPackages(readConfig({}), () => false).verdict).toBe('off')
  })

  it('that are installed are named', () => {
    expect(checkPackages(readConfig(env))).toEqual(ok('installed: bullmq, libsql'))
  })

  it('that are missing fail with what installs them', () => {
    expect(checkPackages(readConfig(env), (name) => name !== 'libsql')).toEqual({
      verdict: 'fail',
      detail: 'INNGEST_DATABASE_URL needs libsql, which is not installed',
      fix: 'npm install libsql',
    })
  })
})

describe('a secret', () => {
  const GOOD = 'f3Zq81kLw0PbV72xYt'

  it.each<readonly [string, SecretName, Readonly<Record<string, string>>, string, string]>([
    ['that is not set closes what it opens', 'DASHBOARD_SECRET', {}, 'off', 'not set: nothing needs it yet'],
    ['that is hard to guess is well', 'API_TOKEN', { API_TOKEN: GOOD }, 'ok', 'set, 18 characters'],
    [
      'of few characters is easy to guess',
      'INTAKE_TOKEN',
      { INTAKE_TOKEN: 'ababababababababab' },
      'warn',
      'easy to guess',
    ],
    ['that is a placeholder is easy to guess', 'API_TOKEN', { API_TOKEN: 'change-me-0f83kq' }, 'warn', 'easy to guess'],
    [
      'that is another one too is not its own',
      'API_TOKEN',
      { API_TOKEN: GOOD, INTAKE_TOKEN: GOOD, DASHBOARD_SECRET: GOOD },
      'warn',
      'the same as INTAKE_TOKEN and DASHBOARD_SECRET',
    ],
    [
      'that is the token of the bot is known to others',
      'INTAKE_TOKEN',
      { TELEGRAM_BOT_TOKEN: '1234567:kLw0PbV72xYtaaaaaa', INTAKE_TOKEN: '1234567:kLw0PbV72xYtaaaaaa' },
      'warn',
      'the same as TELEGRAM_BOT_TOKEN',
    ],
  ])('%s', (_, name, env, verdict, detail) => {
    const found = checkSecret(name, readConfig(env))

    expect(found).toMatchObject({ verdict, detail })
    expect(found.fix?.startsWith('openssl rand -hex 32') ?? true).toBe(true)
    expect(JSON.stringify(found)).not.toContain(GOOD)
  })
})

describe('the clock', () => {
  const clock = fakeClock('2026-11-20T12:00:00Z')

  it.each([
    [0, 'ok', 'as Telegram has it, within 1 s'],
    [60_000, 'ok', 'as Telegram has it, within 60 s'],
    [61_000, 'fail', '61 s behind Telegram'],
    [-3_600_000, 'fail', '3600 s ahead of Telegram'],
  ])('that Telegram is %i ms ahead of is %s', async (telegramAheadMs, verdict, detail) => {
    expect(await checkClock({ clock }, { telegramAheadMs, send: undefined })).toMatchObject({ verdict, detail })
  })

  it.each([
    ['2026-11-20T12:00:30Z', 'ok', 'as Redis has it, within 30 s'],
    ['2026-11-20T14:00:00Z', 'fail', '7200 s behind Redis'],
  ])('is held against that of Redis (%s) where Telegram is not asked', async (iso, verdict, detail) => {
    expect(await checkClock({ clock }, { telegramAheadMs: undefined, send: redisAt(iso) })).toMatchObject({
      verdict,
      detail,
    })
  })

  it.each([
    ['refuses to tell', async () => [new RedisError('REDIS_REFUSED', 'No.')]],
    ['tells no time', async () => [['soon', '0']]],
  ])('is not judged where Redis %s', async (_, send) => {
    expect((await checkClock({ clock }, { telegramAheadMs: undefined, send })).verdict).toBe('off')
  })
})

describe('the budget', () => {
  const { forecast } = aBudgetReport()
  const calm = { ...forecast, limitOn: null, limitAtMs: null }

  it.each([
    ['that will do is well', { share: 0.5, forecast: calm }, 'ok'],
    ['of which a fifth is left is worth a warning', { share: 0.8, forecast: calm }, 'warn'],
    ['that will end beyond the limit is worth a warning', { share: 0.3, forecast }, 'warn'],
    ['of which nobody knows enough yet is well', { share: 0.3, forecast: { ...forecast, isFirm: false } }, 'ok'],
    ['of which a twentieth is left is a failure', { share: 0.95, forecast: calm }, 'fail'],
    ['beyond which the provider refuses is a failure', { share: 0.1, forecast: calm, isLimitReached: true }, 'fail'],
    ['in saver mode is a failure', { share: 0.5, forecast: calm, mode: 'saver' as const }, 'fail'],
  ])('%s', (_, given, verdict) => {
    const found = checkBudget(aBudgetReport(given))

    expect(found.verdict).toBe(verdict)
    expect(found.fix === null).toBe(verdict === 'ok')
  })

  it('is never to be helped by a larger COMMAND_BUDGET alone', () => {
    const { fix } = checkBudget(aBudgetReport({ share: 0.96, forecast: calm }))

    expect(fix).toContain('a paid plan (then set COMMAND_BUDGET to what it allows) or fewer features')
  })

  it.each([
    [null, 'off', 'the provider does not tell it, or nobody bills it'],
    [{ usedBytes: 5_000_000, limitBytes: null }, 'ok', '5.0 MB, no limit is known'],
    [{ usedBytes: 50_000_000, limitBytes: 256_000_000 }, 'ok', '50.0 MB of 256.0 MB (20 %)'],
    [{ usedBytes: 210_000_000, limitBytes: 256_000_000 }, 'warn', '210.0 MB of 256.0 MB (82 %)'],
    [{ usedBytes: 250_000_000, limitBytes: 256_000_000 }, 'fail', '250.0 MB of 256.0 MB (98 %)'],
  ])('of storage %j is %s', (storage, verdict, detail) => {
    expect(checkStorage(aBudgetReport({ storage }))).toMatchObject({ verdict, detail })
  })

  const figures = { bandwidthBytes: 1, storageBytes: 1, storageLimitBytes: 1 }
  const told = { isTold: true, atMs: 0, ...figures, requests: 7, requestLimit: 500_000 } as const

  it.each<readonly [DeveloperAnswer, string, string | null]>([
    [told, 'ok', null],
    [{ ...told, requestLimit: null }, 'ok', null],
    [{ ...told, requests: null }, 'ok', null],
    [{ ...told, requestLimit: 10_000 }, 'warn', 'Set COMMAND_BUDGET to 10000.'],
    [{ isTold: false, isRefused: true, why: 'it answered with status 401' }, 'fail', 'UPSTASH_API_KEY'],
    [{ isTold: false, isRefused: false, why: 'no answer within 5 s' }, 'warn', 'later'],
  ])('as the developer API tells it (%j) is %s', async (answer, verdict, fix) => {
    const found = await checkDeveloperApi({ look: async () => answer }, 500_000)

    expect(found.verdict).toBe(verdict)
    expect(found.fix ?? '').toContain(fix ?? '')
    expect(found.fix === null).toBe(fix === null)
  })
})

describe('a check', () => {
  const fix = 'Look there.'

  it.each<readonly [string, () => never, object]>([
    [
      'of ours',
      () => thrown(new InputError('The text is wrong.')),
      { verdict: 'fail', detail: 'The text is wrong.', fix },
    ],
    ['of an interrupt', () => thrown(new InterruptedError()), { verdict: 'off', fix: null }],
    [
      'of anybody else, without its words',
      () => thrown(new TypeError('at redis://:SECRET@host')),
      { verdict: 'fail', detail: 'A defect of Orderly ended this check (TypeError).' },
    ],
  ])('fails alone for an error %s', async (_, look, found) => {
    const check = await examine('budget', { look, fix, hide, signal: forever })

    expect(check).toMatchObject({ name: 'budget', ...found })
    expect(JSON.stringify(check)).not.toContain('SECRET')
  })

  it.each<readonly [string, RedisError, object]>([
    ['does not answer', new RedisError('REDIS_UNREACHABLE', 'No.'), { verdict: 'fail', fix }],
    [
      'refuses the credentials',
      new RedisError('REDIS_REFUSED', 'Redis refused the credentials.'),
      { verdict: 'fail', fix },
    ],
    ['lacks rights', new RedisError('REDIS_REFUSED', 'Redis refused SET.'), { fix: expect.stringContaining('user') }],
    ['is full', new RedisError('REDIS_FULL', 'No.'), { fix: expect.stringContaining('orderly sweep orders --apply') }],
    [
      'holds another type',
      new RedisError('REDIS_WRONG_TYPE', 'No.'),
      { fix: expect.stringContaining('orderly:usage:') },
    ],
    ['is beyond its limit', new RedisError('REDIS_LIMIT', 'No.'), { fix: expect.stringContaining('A paid plan') }],
  ])('fails with what puts it right where a Redis %s', async (_, error, found) => {
    expect(await examine('budget', { look: () => thrown(error), fix, hide, signal: forever })).toMatchObject(found)
  })

  it('leaves it to others to tell that the provider refuses commands', async () => {
    const limit = new RedisError('REDIS_LIMIT', 'No.')
    const check = await examine('schedule', { look: () => thrown(limit), fix, hide, signal: forever })

    expect(check.verdict).toBe('off')
  })

  it('tells no secret that a server said back to us', async () => {
    const told = new RedisError('REDIS_REFUSED', 'Redis refused it: ERR gEheimgEheim.')
    const check = await examine('budget', { look: () => thrown(told), fix, hide, signal: forever })

    expect(check.detail).toBe('Redis refused it: ERR ….')
  })

  it.each([
    [{ REDIS_PASSWORD: 'gEheim 1' }, 'is gEheim 1', 'is …'],
    [{ REDIS_URL: 'redis://u:gEh%20eim@host' }, 'gEh%20eim or gEh eim', '… or …'],
    [{ API_TOKEN: 'gEheim', DASHBOARD_SECRET: 'gEheimgEheim' }, 'gEheimgEheim', '…'],
    [{ REDIS_PASSWORD: 'redis' }, 'redis', 'redis'],
    [{ LOCALE: 'refused', REDIS_URL: 'what' }, 'refused', 'refused'],
  ])('hides the secrets of %j', (env, text, hidden) => {
    expect(createHide(env)(text)).toBe(hidden)
  })

  it('that has no answer in time fails, and says how long it waited', async () => {
    const check = await examine('clock', { look: never, fix, hide, signal: forever, deadlineMs: 20 })

    expect(check).toEqual({ name: 'clock', verdict: 'fail', detail: 'no answer within 0.02 s', fix })
  })

  it.each([
    ['before it begins', true],
    ['while it waits', false],
  ])('ends at an interrupt %s', async (_, isBefore) => {
    const interruption = new AbortController()
    if (isBefore) interruption.abort()
    const checking = examine('clock', { look: never, fix, hide, signal: interruption.signal })
    interruption.abort()

    expect(await checking).toMatchObject({ verdict: 'off', detail: 'interrupted before it was known' })
  })
})

function thrown(error: Error): never {
  throw error
}
