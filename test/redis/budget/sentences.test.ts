import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BudgetReport } from '../../../src/redis/budget/budget-report.ts'
import { differenceText } from '../../../src/redis/budget/difference.ts'
import { headline, subline, usageFacts } from '../../../src/redis/budget/sentences.ts'
import { aBudgetReport, anUncertainReport } from '../../support/budget-report.ts'
import { instant } from '../../support/clock.ts'

const { forecast, month, orders } = aBudgetReport()

/** A report whose forecast, or whose orders, differ in this. */
const forecasting = (given: Partial<BudgetReport['forecast']>, others: Partial<BudgetReport> = {}) =>
  aBudgetReport({ ...others, forecast: { ...forecast, ...given } })
const ordering = (given: Partial<BudgetReport['orders']>) => aBudgetReport({ orders: { ...orders, ...given } })

/** With narrow spaces as spaces, as a person reads it. */
const read = (text: string) => text.replaceAll('\u202f', ' ')
const factsOf = (report: BudgetReport) => usageFacts(report).map(read)

const zone = 'Europe/Berlin'

/** As the bot writes them below a picture. */
const captionOf = (report: BudgetReport) =>
  [headline(report), subline(report), '', ...usageFacts(report).map((fact) => `• ${fact}`), '', 'As of 12:00.'].join(
    '\n',
  )

describe('The first sentence', () => {
  it('has narrow spaces within its numbers, at which no line breaks', () => {
    expect(headline(aBudgetReport())).toBe('359\u202f613 of 500\u202f000 commands used (72\u202f%)')
    expect(headline(aBudgetReport({ share: 0.001 }))).toContain('(under 1\u202f%)')
    expect(headline(aBudgetReport({ share: 20 }))).toContain('(over 999\u202f%)')
  })

  it.each([
    [0, '0 of 500 000 commands used (0 %)'],
    [1, '1 of 500 000 commands used (under 1 %)'],
    [999, '999 of 500 000 commands used (under 1 %)'],
    [499_999, '499 999 of 500 000 commands used (99 %)'],
    [500_000, '500 000 of 500 000 commands used (100 %)'],
    [1_234_567, '1 234 567 of 500 000 commands used (247 %)'],
    [10 ** 12, '1 000 000 000 000 of 500 000 commands used (over 999 %)'],
  ])('tells no share that is not true: %i', (used, text) => {
    expect(read(headline(aBudgetReport({ used, share: used / 500_000 })))).toBe(text)
  })
})

describe('The second sentence', () => {
  const start = 'Day 20 of 30. Forecast for 30 Nov: 539K (518K–561K), '

  it.each([
    ['around which day the limit will be reached', aBudgetReport(), 'limit reached around 28 Nov'],
    [
      'on which day it was',
      forecasting({ limitOn: '2025-11-19' }, { used: 500_000, share: 1 }),
      'limit reached on 19 Nov',
    ],
    ['that it may be', forecasting({ limitOn: null }), 'perhaps beyond the limit'],
    ['that it will not', forecasting({ limitOn: null }, { limit: 600_000 }), 'within the limit'],
  ])('says %s', (_, report, end) => {
    expect(subline(report)).toBe(`${start}${end}`)
  })

  it.each([
    [0, '0'],
    [999.6, '1K'],
    [1_249, '1.2K'],
    [9_949, '9.9K'],
    [9_950, '10K'],
    [538_500, '539K'],
    [999_499, '999K'],
    [999_500, '1M'],
    [1_200_000, '1.2M'],
    [3_400_000_000, '3.4B'],
    [1_530_000_000_000, '1.5T'],
    [5_000_000_000_000, '5T'],
    [12_340_000_000_000, '12T'],
    [999_499_000_000_000, '999T'],
    [999_500_000_000_000, '1 000T'],
    [9_007_199_254_740_991, '9 007T'],
  ])('tells %f as %s', (end, text) => {
    expect(read(subline(forecasting({ end })))).toContain(`Forecast for 30 Nov: ${text} (`)
  })
})

describe('The further facts', () => {
  it('answer what people ask, each in one sentence', () => {
    expect(factsOf(aBudgetReport())).toEqual([
      'An order took 378 commands so far, everything that Orderly does included.',
      'Tomorrow will cost about 17 000 commands at the usual 45 orders, including what others spend.',
      'Deleting saves future commands and space; the count itself cannot be lowered until its reset on 1 Dec.',
      '39K commands beyond the limit would cost $0.08 if paid as you go; the free plan refuses them.',
      'Ways out: a paid plan, fewer features or a stricter retention.',
      'The provider counts 19 613 more than Orderly.',
      'Storage: 1.4 MiB of 256 MiB (1 %).',
      'Sweeps read 732 KiB this month; all traffic is 38.1 MiB.',
    ])
  })

  it('say what is not known, or nothing of it', () => {
    const calm = { ...forecast, end: 90_000, costUsd: 0, isFirm: false }

    expect(factsOf(anUncertainReport({ forecast: calm, countedFrom: '2025-11-12T18:00:00.000+01:00' }))).toEqual([
      'What an order costs is not known before the first order of this month.',
      'What tomorrow will cost is not known before a whole day is counted.',
      'Deleting saves future commands and space; the count itself cannot be lowered until its reset on 1 Dec.',
      '100K commands beyond the limit would cost $0.20 if paid as you go; the free plan refuses them.',
      'Sweeps read 732 KiB this month.',
      'Orderly counts since 12 Nov only.',
      'The forecast is vague until three whole days are counted.',
    ])
  })

  it.each([
    ['one command', ordering({ commandsPerOrder: 1.02 }), 'An order took 1 command so far'],
    ['a part of one', ordering({ commandsPerOrder: 9.84 }), 'An order took 9.8 commands so far'],
    ['one tomorrow', ordering({ tomorrow: 1, usualPerDay: 1.4 }), 'about 1 command at the usual 1 order, '],
    ['none tomorrow', ordering({ tomorrow: 0, usualPerDay: 0 }), 'about 0 commands at the usual 0 orders, '],
    ['less than a cent', forecasting({ costUsd: 0.0049 }), 'would cost under $0.01 if paid'],
    ['one command beyond', forecasting({ end: 500_001 }), '1 command beyond the limit'],
    ['cents', forecasting({ costUsd: 0.005 }), 'would cost $0.01 if paid'],
    ['dollars', forecasting({ costUsd: 1_999.6 }), 'would cost $2 000 if paid'],
    [
      'that counts agree',
      aBudgetReport({ difference: null }),
      'The provider counts 359 613 commands, Orderly 340 000.',
    ],
    [
      'a database without a limit',
      aBudgetReport({ storage: { usedBytes: 2_048, limitBytes: null } }),
      'Storage: 2.0 KiB.',
    ],
    ['the mode and why', aBudgetReport({ mode: 'saver' }), 'Saver mode: almost everything is used'],
    [
      'the mode by the provider',
      aBudgetReport({ mode: 'saver', isLimitReached: true }),
      'Saver mode: the provider refuses commands',
    ],
  ])('tell %s', (_, report, text) => {
    expect(factsOf(report).join('\n')).toContain(text)
  })

  it.each([
    ['nothing', 0, '45 orders.'],
    ['a twentieth', 50, '45 orders.'],
    ['more than a twentieth', 50.1, '45 orders, including what others spend.'],
  ])('say that tomorrow has what others spend where that was %s of the latest days', (_, others, end) => {
    const { days } = aBudgetReport()
    const shared = days.map((day, at) => ({ ...day, own: 1_000 - others, others: at < 13 ? 500 : others }))

    expect(factsOf(aBudgetReport({ days: shared }))[1]?.endsWith(end)).toBe(true)
  })

  it.each([
    ['a forecast beyond the limit', 0.3, 500_001, true],
    ['little left', 0.8, 450_000, true],
    ['room', 0.79, 500_000, false],
  ])('name the ways out where there is %s', (_, share, end, isTold) => {
    expect(factsOf(forecasting({ end }, { share })).some((fact) => fact.startsWith('Ways out'))).toBe(isTold)
  })
})

describe("At the provider's limit", () => {
  it.each([
    ['', '2025-11-20T12:00:00+01:00', 'until its reset on 1 Dec'],
    [
      ', whose month may have begun in another zone',
      '2025-11-01T08:00:00+01:00',
      'until its own reset, which is due within hours',
    ],
  ])('the second line says until when it refuses%s', (_, at, until) => {
    const report = aBudgetReport({ isLimitReached: true, atMs: instant(at) })

    expect(subline(report)).toMatch(new RegExp(`^Day \\d+ of 30\\. The provider refuses every command ${until}$`))
  })

  it('a count below the budget tells that the plan allows less', () => {
    const saver = { isLimitReached: true, mode: 'saver' } as const

    expect(usageFacts(aBudgetReport(saver))[0]).toMatch(/stopped\. Its plan may allow less/)
    expect(usageFacts(aBudgetReport({ ...saver, used: 500_000, share: 1 }))[0]).toMatch(/stopped\.$/)
  })

  it('nothing is said that could not be read', () => {
    const facts = usageFacts(aBudgetReport({ isLimitReached: true, countedFrom: '2025-11-20T12:00:00.000+01:00' }))

    expect(facts.filter((fact) => /^(Sweeps read|Orderly counts since|The forecast)/.test(fact))).toEqual([])
  })
})

describe('All sentences together', () => {
  const large = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 10 ** 15 }), fc.constant(10 ** 15))
  const day = fc.integer({ min: 1, max: 30 }).map((date) => `2025-11-${String(date).padStart(2, '0')}`)
  const extreme = fc
    .record({
      used: large,
      own: large,
      limit: large.map((limit) => limit + 1),
      end: large,
      day,
      sum: large,
      isFirm: fc.boolean(),
      isLimitReached: fc.boolean(),
    })
    .map(({ used, own, limit, end, day: date, sum, isFirm, isLimitReached }) =>
      forecasting(
        { end, low: Math.floor(end * 0.99), high: end, costUsd: end / 500_000, limitOn: date, isFirm },
        {
          used,
          own,
          limit,
          share: used / limit,
          mode: 'saver',
          isLimitReached,
          provider: { source: 'info', used },
          difference: differenceText({ own, used, coversFromMs: month.startMs, countedFromMs: month.startMs, zone }),
          countedFrom: '2025-11-28T12:00:00.000+01:00',
          orders: { count: sum, commandsPerOrder: sum, usualPerDay: sum, tomorrow: sum },
          storage: { usedBytes: sum, limitBytes: sum },
          bandwidth: { sweepBytes: sum, usedBytes: sum },
        },
      ),
    )

  it('fit a caption of Telegram, 1 024 units, whatever the figures and with every fact', () => {
    fc.assert(
      fc.property(extreme, (report) => {
        expect(captionOf(report).length).toBeLessThanOrEqual(1_024)
        expect(usageFacts(report).length).toBeGreaterThanOrEqual(7)
      }),
      { numRuns: 500 },
    )
  })

  it('are plain text: no number is unreadable, no sentence without an end', () => {
    fc.assert(
      fc.property(extreme, (report) => {
        expect(captionOf(report)).not.toMatch(/NaN|Infinity|undefined|null|[<>*_`]|\d{4}(?!\d* GiB)|e\+/)
        expect(usageFacts(report).every((fact) => /^[A-Z\d].*\.$/.test(fact))).toBe(true)
      }),
    )
  })
})
