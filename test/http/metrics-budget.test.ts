import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { aBudgetReport, anUncertainReport } from '../support/budget-report.ts'
import { hostileRows, hostileTexts } from '../support/hostile.ts'
import { parseScrape, type Scrape } from './metrics-text.ts'
import { SECRET, startRig, type HttpRig } from './rig.ts'

const TOKEN = `api-${SECRET}-3`

const aServer = (budget: () => Promise<BudgetReport>) =>
  startRig({ metrics: { token: TOKEN, stores: async () => [], budget } })

const scrapeBody = async ({ server }: HttpRig): Promise<string> => {
  const answer = await server.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } })
  expect(answer.statusCode).toBe(200)
  return answer.body
}

const scrapeOf = async (report: BudgetReport): Promise<Scrape> =>
  parseScrape(await scrapeBody(await aServer(async () => report)))

/** The samples about the budget as `name` or `name/label`, without what all names begin with. */
const figuresIn = ({ samples }: Scrape) =>
  Object.fromEntries(
    samples
      .filter(({ name }) => name.startsWith('orderly_budget_'))
      .map(({ name, labels, value }) => [
        [name.slice('orderly_budget_'.length), ...Object.values(labels)].join('/'),
        value,
      ]),
  )

const purposesIn = (scrape: Scrape) =>
  Object.entries(figuresIn(scrape)).filter(([name]) => name.startsWith('own_commands/'))

const aPurpose = (name: string, commands = 1) => ({ name, commands })

describe('GET /metrics', () => {
  it('tells where the budget stands, as gauges', async () => {
    const scrape = await scrapeOf(aBudgetReport())

    expect(figuresIn(scrape)).toEqual({
      limit_commands: 500_000,
      used_commands: 359_613,
      'own_commands/orders': 339_000,
      'own_commands/sweep:orders': 600,
      'own_commands/usage': 400,
      'provider_commands/info': 359_613,
      'forecast_end_commands/low': 518_000,
      'forecast_end_commands/point': 539_000,
      'forecast_end_commands/high': 561_000,
      forecast_limit_timestamp_seconds: Date.parse('2025-11-28T07:00:00+01:00') / 1_000,
      forecast_cost_dollars: 0.08,
      limit_reached: 0,
      saver_mode: 0,
      reset_timestamp_seconds: Date.parse('2025-12-01T00:00:00+01:00') / 1_000,
      orders: 900,
      storage_used_bytes: 1_500_000,
      storage_limit_bytes: 268_435_456,
      sweep_read_bytes: 750_000,
      bandwidth_used_bytes: 40_000_000,
    })
    const types = Object.entries(scrape.types).filter(([name]) => name.startsWith('orderly_budget_'))
    expect(new Set(types.map(([, type]) => type))).toEqual(new Set(['gauge']))
  })

  it('leaves out what is unknown of the budget: nothing of it is told as 0', async () => {
    const known = Object.keys(figuresIn(await scrapeOf(aBudgetReport())))
    const uncertain = Object.keys(figuresIn(await scrapeOf(anUncertainReport())))

    expect(known.filter((name) => !uncertain.includes(name)).toSorted()).toEqual([
      'bandwidth_used_bytes',
      'forecast_limit_timestamp_seconds',
      'provider_commands/info',
      'storage_limit_bytes',
      'storage_used_bytes',
    ])
  })

  it('tells of saver mode and of the limit as 1', async () => {
    const figures = figuresIn(await scrapeOf(aBudgetReport({ mode: 'saver', isLimitReached: true })))

    expect([figures['saver_mode'], figures['limit_reached']]).toEqual([1, 1])
  })

  it('names the 50 purposes that spent most, and tells the rest as one', async () => {
    const purposes = Array.from({ length: 60 }, (_, at) => aPurpose(`sweep:${at}`, 1_000 - at))

    const told = purposesIn(await scrapeOf(aBudgetReport({ purposes })))

    expect(told).toHaveLength(51)
    expect(told[49]).toEqual(['own_commands/sweep:49', 951])
    expect(told[50]).toEqual(['own_commands/other', 950 + 949 + 948 + 947 + 946 + 945 + 944 + 943 + 942 + 941])
  })

  it.each(hostileRows)('tells of a purpose whose name is %s in a plain label', async (_, name) => {
    const told = purposesIn(await scrapeOf(aBudgetReport({ purposes: [aPurpose(name, 3), aPurpose('other', 4)] })))

    expect(sum(told.map(([, value]) => value))).toBe(7)
    for (const [label] of told) expect(label).toMatch(/^own_commands\/[a-z][a-z0-9:_-]{0,39}$/)
  })

  it('is one well-formed scrape whatever purposes are called, and leaves out none of their commands', async () => {
    const name = fc.oneof(fc.string(), fc.constantFrom(...Object.values(hostileTexts), 'orders', 'other'))
    const purposes = fc.array(fc.record({ name, commands: fc.nat(1_000_000) }), { maxLength: 120 })
    let report = aBudgetReport()
    const rig = await aServer(async () => report)
    await fc.assert(
      fc.asyncProperty(purposes, async (given) => {
        report = aBudgetReport({ purposes: given })
        const told = purposesIn(parseScrape(await scrapeBody(rig)))
        expect(told.length).toBeLessThanOrEqual(51)
        expect(sum(told.map(([, value]) => value))).toBe(sum(given.map(({ commands }) => commands)))
      }),
      { numRuns: 50 },
    )
  })

  it('is a scrape all the same when the budget fails, and the log says so', async () => {
    const rig = await aServer(() => Promise.reject(new TypeError(SECRET)))

    const body = await scrapeBody(rig)

    expect(body).toContain('orderly_redis_up')
    expect(body).not.toContain('orderly_budget')
    expect(rig.lines('metrics.failed')).toHaveLength(1)
    expect(rig.log()).not.toContain(SECRET)
  })
})

const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)
