import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BudgetWarning } from '../../../src/redis/budget/budget-report.ts'
import { dueWarnings } from '../../../src/redis/budget/warnings.ts'
import { aBudgetReport } from '../../support/budget-report.ts'

interface Given {
  /** In percent of the limit. */
  readonly used: number
  readonly end: number
  /** @default end */
  readonly low?: number
  readonly isFirm?: boolean
}

function reportOf({ used, end, low = end, isFirm = true }: Given) {
  const limit = 500_000
  const forecast = { ...aBudgetReport().forecast, end: (end * limit) / 100, low: (low * limit) / 100, isFirm }
  return aBudgetReport({ limit, used: (used * limit) / 100, share: used / 100, forecast })
}

const dueOf = (given: Given, told: readonly BudgetWarning[] = []) =>
  dueWarnings(reportOf(given), (warning) => told.includes(warning))

describe('The warnings that are due', () => {
  it.each([
    ['none below 80 %', { used: 79.9, end: 100 }, [], [], []],
    ['80 % from there on', { used: 80, end: 100 }, [], [80], [80]],
    ['each share once', { used: 82, end: 100 }, [80], [], []],
    ['the next share', { used: 90, end: 100 }, [80], [90], [90]],
    ['only the highest where usage jumped', { used: 96, end: 100 }, [], [95], [80, 90, 95]],
    ['the rest of a jump', { used: 96, end: 100 }, [80], [95], [90, 95]],
    ['nothing that a higher one has told', { used: 96, end: 100 }, [95], [], [80, 90]],
    ['a forecast beyond the limit', { used: 40, end: 101 }, [], ['forecast'], ['forecast']],
    ['it once', { used: 50, end: 101 }, ['forecast'], [], []],
    ['none for a forecast of the limit itself', { used: 40, end: 100 }, [], [], []],
    ['a forecast that is beyond it half the way down', { used: 40, end: 115, low: 90 }, [], ['forecast'], ['forecast']],
    ['none of a forecast that may as well end within it', { used: 40, end: 105, low: 90 }, [], [], []],
    ['none while the forecast is vague', { used: 40, end: 900, isFirm: false }, [], [], []],
    ['a share rather than a forecast', { used: 81, end: 110 }, [], [80], ['forecast', 80]],
    ['a forecast that crosses after a share was told', { used: 85, end: 101 }, [80], ['forecast'], ['forecast']],
    ['none of a forecast once the limit is reached', { used: 100, end: 110 }, [80, 90, 95], [], ['forecast']],
    ['the highest where the limit is passed at once', { used: 120, end: 150 }, [], [95], ['forecast', 80, 90, 95]],
  ] as const)('are %s', (_, given, told, send, mark) => {
    expect(dueOf(given, told)).toEqual({ send, mark })
  })

  it('are told each at most once in a month, whatever usage and forecast do', () => {
    const moment = fc.record({ used: fc.integer({ min: 0, max: 130 }), end: fc.nat(200), isFirm: fc.boolean() })
    fc.assert(
      fc.property(fc.array(moment), (moments) => {
        const [told, sent]: [Set<BudgetWarning>, BudgetWarning[]] = [new Set(), []]
        for (const given of moments) {
          const { send, mark } = dueOf(given, [...told])
          expect(mark).toEqual(expect.arrayContaining([...send]))
          expect(send.length).toBeLessThanOrEqual(1)
          for (const warning of mark) told.add(warning)
          sent.push(...send)
        }

        expect(new Set(sent).size).toBe(sent.length)
        const shares = sent.filter((warning) => warning !== 'forecast')
        expect(shares).toEqual(shares.toSorted((a, b) => Number(a) - Number(b)))
        const most = Math.max(0, ...moments.map(({ used }) => used))
        expect(shares.at(-1)).toBe([95, 90, 80].find((share) => share <= most))
      }),
    )
  })
})
