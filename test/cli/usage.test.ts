import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DateTime } from 'luxon'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { usageCommand } from '../../src/cli/usage.ts'
import { systemClock } from '../../src/clock.ts'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { encodeBoot } from '../../src/redis/budget/boot-field.ts'
import { budgetMonthAt, daysBetween, localDay } from '../../src/redis/budget/month.ts'
import { bootField } from '../../src/redis/budget/month-hash.ts'
import { usageKey } from '../../src/redis/keys.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { billedIn, sumOf } from '../support/billing.ts'
import { callOrderly, envelopeOf, hasStackTrace, runOrderly, steeringIn, type Env } from '../support/cli.ts'
import { hostileTexts } from '../support/hostile.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { startRestServer, type RestServer } from '../support/rest-server.ts'

type Data = BudgetReport & { readonly picture: string | null }

const zone = 'Europe/Berlin'

/** A day of reset that has been for two weeks at least, whenever the tests run: the days before it are asked for no more. */
const resetDay = DateTime.fromMillis(systemClock(), { zone }).day >= 15 ? 1 : 15
const BUDGET = { BUDGET_RESET_DAY: String(resetDay) }

const monthNow = () => budgetMonthAt(systemClock(), { resetDay, zone })

/** As many billed commands on each day of the month until today. */
function monthOf(aDay: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const { firstDay, startMs } = monthNow()
  const dates = daysBetween(firstDay, localDay(systemClock(), zone))
  const days = dates.map((date) => [date, { commands: aDay, orders: 45, sweepBytes: 1_000 }])
  return encodeBoot({ fromMs: startMs, days: Object.fromEntries(days) })
}

const daysSoFar = () => daysBetween(monthNow().firstDay, localDay(systemClock(), zone)).length

/** What a terminal of so many columns shows, or a file without any. */
async function shown(env: Env, columns?: number): Promise<string> {
  const io = {
    env,
    stdout: () => undefined,
    stderr: () => undefined,
    isTerminal: false,
    isOutTerminal: columns !== undefined,
    outSize: () => ({ rows: 24, columns: columns ?? 0 }),
    signal: new AbortController().signal,
  }
  return (await usageCommand({}, io)).text
}

const longestBar = (text: string) => Math.max(0, ...[...text.matchAll(/█+/g)].map(([bar]) => bar.length))

const isPng = (file: string) => readFileSync(file).subarray(0, 8).toString('latin1') === '\u0089PNG\r\n\u001a\n'

const folder = mkdtempSync(join(tmpdir(), 'orderly-usage-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ownFolder = () => mkdtempSync(join(folder, 'own-'))

const usage = (env: Env, ...args: readonly string[]) => callOrderly(['usage', ...args], { env })

describeWithRedis('orderly usage', () => {
  const redis = redisOfSuite()
  let rest: RestServer

  beforeAll(async () => {
    rest = await startRestServer({ redisUrl: redis.url() })
  })
  beforeEach(async () => {
    Reflect.deleteProperty(rest.faults, 'onRequest')
    await redis.flush()
  })
  afterAll(async () => {
    await rest.stop()
  })

  const overTcp = () => ({ ...BUDGET, REDIS_URL: redis.url() })
  const overRest = () => ({ ...BUDGET, UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token })
  const seed = async (...boots: readonly string[]) => {
    const fields = boots.flatMap((text, at) => [bootField(`seed${at}`), text])
    await redis.ask('HSET', usageKey(monthNow().name), ...fields)
  }

  it('tells what all instances spent, day by day, by purpose and by command', async () => {
    const [one, other] = [{ orders: { APPEND: 900, SET: 50 } }, { orders: { APPEND: 50 }, 'sweep:orders': { SCAN: 3 } }]
    await seed(monthOf(one), monthOf(other))

    const { data, error, warnings } = envelopeOf<Data>(await usage(overTcp(), '--json'))

    const days = daysSoFar()
    expect([error, warnings]).toEqual([null, []])
    expect(data.days.map(({ own }) => own).slice(0, -1)).toEqual(Array.from({ length: days - 1 }, () => 1_003))
    expect(data.purposes.slice(0, 2)).toEqual([
      { name: 'orders', commands: days * 1_000 },
      { name: 'sweep:orders', commands: days * 3 },
    ])
    expect(data.commands.slice(0, 2)).toEqual([
      { name: 'APPEND', commands: days * 950 },
      { name: 'SET', commands: days * 50 },
    ])
    expect(data.orders.count).toBe(days * 90)
    expect(data.picture).toBeNull()
  })

  it('has of the report every field, and the picture', async () => {
    const { data } = envelopeOf<Data>(await usage(overTcp(), '--json'))

    expect(Object.keys(data).toSorted()).toEqual([...Object.keys(aBudgetReport()), 'picture'].toSorted())
  })

  it('prints for a person the sentence first, then a bar for each day, tables and facts', async () => {
    await seed(monthOf({ orders: { APPEND: 1_000 } }))

    const run = await usage(overTcp())

    expect([run.code, run.stderr]).toEqual([0, ''])
    expect(run.stdout).toMatch(/^[\d\u202f]+ of 500\u202f000 commands used \(\d+\u202f%\)\nDay \d+ of \d+\. Forecast/)
    expect(run.stdout.match(/^ +\d+ [A-Z][a-z]{2} {2}█+ {2}1\u202f00\d$/gm)).toHaveLength(daysSoFar())
    expect(run.stdout).toMatch(/\nBy purpose:\n {2}orders +[\d\u202f]+\n/)
    expect(steeringIn(run.stdout)).toEqual([])
  })

  it.each(['TCP', 'REST'])('costs over %s one command, which it tells and counts', async (driver) => {
    const env = driver === 'TCP' ? overTcp() : overRest()
    const before = await spent()

    const { cost, data } = envelopeOf<Data>(await usage(env, '--json'))

    expect((await spent()) - before).toBe(1)
    expect([cost.redisCommands, data.own]).toEqual([1, 1])
  })

  it('is as wide as the terminal, and painted on one where nobody asked for no colours', async () => {
    await seed(monthOf({ orders: { APPEND: 1_000 } }))
    const env = { ...overTcp(), COMMAND_BUDGET: '1000', LOG_LEVEL: 'silent' }

    const [file, wide, narrow] = [await shown(env), await shown(env, 120), await shown({ ...env, NO_COLOR: '1' }, 20)]

    expect([file, wide, narrow].map((text) => text.startsWith('\u001b[31m'))).toEqual([false, true, false])
    expect([file, wide, narrow].map(longestBar)).toEqual([60, 60, 0])
    expect(longestBar(await shown(env, 60))).toBe(43)
  })

  it('is told of an empty Redis as a month in which nothing was spent', async () => {
    const run = await usage(overTcp())

    expect(run.code).toBe(0)
    expect(run.stdout).toMatch(/^1 of 500\u202f000 commands used \(under 1\u202f%\)\n/)
  })

  it('says what an admin is warned of', async () => {
    await seed(monthOf({ orders: { APPEND: 1_000 } }))
    const limit = Math.ceil((daysSoFar() * 1_000) / 0.91)

    const warned = await usage({ ...overTcp(), COMMAND_BUDGET: String(limit) })
    const calm = await usage({ ...overTcp(), COMMAND_BUDGET: '100000000' })

    expect([warned.code, calm.code]).toEqual([0, 0])
    expect(warned.stderr).toBe("Note: More than 90 % of the month's commands are used.\n")
    expect(calm.stderr).toBe('')
  })

  it('is moved by nothing that somebody else put into the month', async () => {
    const fields = Object.values(hostileTexts).flatMap((text) => [text.slice(0, 200), text])
    const boots = Object.values(hostileTexts).flatMap((text, at) => [bootField(`bad${at}`), text])
    await redis.ask('HSET', usageKey(monthNow().name), ...fields, ...boots)
    await seed(monthOf({ [hostileTexts['sequences of a terminal']]: { SET: 10 }, orders: { SET: 10 } }))

    const [run, scripted] = [await usage(overTcp()), await usage(overTcp(), '--json')]

    expect([run.code, scripted.code]).toEqual([0, 0])
    expect([...steeringIn(run.stdout), ...steeringIn(scripted.stdout)]).toEqual([])
    expect(envelopeOf<Data>(scripted).data.own).toBeGreaterThanOrEqual(daysSoFar() * 10)
  })

  it('at the limit of the provider tells until when nothing can be read, and ends with 3', async () => {
    await seed(monthOf({ orders: { APPEND: 1_000 } }))
    rest.faults.onRequest = () => 'limit'
    const file = join(ownFolder(), 'usage.png')

    const [run, scripted] = [await usage(overRest(), '--png', file), await usage(overRest(), '--json')]

    expect([run.code, scripted.code]).toEqual([3, 3])
    expect(run.stdout).toMatch(/^What was spent this month cannot be read before the reset on \d+ [A-Z][a-z]{2}\.\n$/)
    expect(run.stderr).toContain('monthly command limit is reached')
    expect(existsSync(file)).toBe(false)
    expect(envelopeOf(scripted)).toMatchObject({ data: null, error: { code: 'REDIS_LIMIT' } })
  })

  it.each([
    ['no Redis answers', () => ({ REDIS_URL: 'redis://127.0.0.1:1' }), 'REDIS_UNREACHABLE'],
    ['the token is wrong', () => ({ ...overRest(), UPSTASH_REDIS_REST_TOKEN: 'SECRET-token' }), 'REDIS_REFUSED'],
  ])('tells no figures where %s, and ends with 1', async (_, env, code) => {
    const [run, scripted] = [await usage(env()), await usage(env(), '--json')]

    expect([run.code, run.stdout]).toEqual([1, ''])
    expect([run, scripted].some(hasStackTrace)).toBe(false)
    expect(`${run.stderr}${scripted.stdout}`).not.toMatch(/SECRET|127\.0\.0\.1/)
    expect(envelopeOf(scripted)).toMatchObject({ ok: false, data: null, error: { code } })
  })

  it('tells no figures where the key of the month holds something else', async () => {
    await redis.ask('SET', usageKey(monthNow().name), 'x')

    expect(envelopeOf(await usage(overTcp(), '--json'))).toMatchObject({
      data: null,
      error: { code: 'REDIS_WRONG_TYPE' },
    })
  })

  describe('--png', () => {
    it('draws into a new file, for its owner only, and leaves nothing else', async () => {
      await seed(monthOf({ orders: { APPEND: 1_000 } }))
      const directory = ownFolder()
      const file = join(directory, 'usage.png')

      const run = await runOrderly(['usage', '--png', file, '--json'], { env: overTcp() })

      expect(envelopeOf(run)).toMatchObject({ ok: true, data: { picture: file } })
      expect(isPng(file)).toBe(true)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(readdirSync(directory)).toEqual(['usage.png'])
    })

    it('says where the picture is', async () => {
      const file = join(ownFolder(), 'usage.png')

      expect((await usage(overTcp(), '--png', file)).stdout).toContain(`\nDrawn into ${file}\n`)
    })

    it.each([
      ['is there already', 'there.png', 'exists already'],
      ['is a folder', 'folder', 'exists already'],
      ['is in no folder', 'none/usage.png', 'could not be written (ENOENT)'],
      ['is in a file', 'there.png/usage.png', 'could not be written (ENOTDIR)'],
      ['has too long a name', `${'n'.repeat(300)}.png`, 'could not be written (ENAMETOOLONG)'],
    ])('never writes a file that %s, but tells the figures', async (_, name, says) => {
      const directory = ownFolder()
      writeFileSync(join(directory, 'there.png'), 'mine')
      mkdirSync(join(directory, 'folder'))
      const file = join(directory, name)

      const [run, scripted] = [await usage(overTcp(), '--png', file), await usage(overTcp(), '--png', file, '--json')]

      expect([run.code, scripted.code]).toEqual([1, 1])
      expect(run.stdout).toContain('commands used')
      expect(run.stdout).not.toContain('Drawn')
      expect(run.stderr).toContain(says)
      expect(envelopeOf(scripted)).toMatchObject({ data: { picture: null }, error: { code: 'BAD_INPUT' } })
      expect(readFileSync(join(directory, 'there.png'), 'utf8')).toBe('mine')
      expect(readdirSync(directory).toSorted()).toEqual(['folder', 'there.png'])
    })
  })

  async function spent(): Promise<number> {
    const lines = String(await redis.ask('INFO', 'commandstats')).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)
    return sumOf(
      billedIn(Object.fromEntries([...lines].map(([, name = '', calls]) => [name.toUpperCase(), Number(calls)]))),
    )
  }
})

describe('orderly usage without a Redis', () => {
  it('says that the figures are those of an embedded store', async () => {
    const run = await usage({})

    expect(run.code).toBe(0)
    expect(run.stdout).toContain('commands used')
    expect(run.stderr).toMatch(/^Note: No Redis is configured/)
  })

  it.each([
    ['a word too much', ['usage', 'now']],
    ['no file after --png', ['usage', '--png']],
    ['an empty name of a file', ['usage', '--png', '']],
    ['an unknown option', ['usage', '--svg', 'x']],
  ])('takes %s for wrong use', async (_, args) => {
    const run = await callOrderly([...args, '--json'], { env: {} })

    expect([run.code, envelopeOf(run).command, envelopeOf(run).error?.code]).toEqual([2, 'usage', 'WRONG_USE'])
  })
})
