import { describe, expect, it } from 'vitest'
import { forecastMonth } from '../../../src/redis/budget/forecast.ts'
import {
  lookAt,
  seededRandom,
  simulatedMonth,
  type LookOptions,
  type SimulatedMonth,
} from '../../support/simulated-month.ts'

const MONTHS = 1_000

/** How the range fares in many months: how often it holds the end, and its median width as a share of the forecast. */
function fare(seed: number, lookIn: (month: SimulatedMonth, random: () => number) => LookOptions) {
  const random = seededRandom(seed)
  const looks = Array.from({ length: MONTHS }, () => {
    const month = simulatedMonth(random)
    const { spending, trueEnd } = lookAt(month, lookIn(month, random))
    const { low, high, end } = forecastMonth(spending)
    return { isHeld: low <= trueEnd && trueEnd <= high, width: (high - low) / end }
  })
  const widths = looks.map(({ width }) => width).toSorted((a, b) => a - b)
  return { held: looks.filter(({ isHeld }) => isHeld).length / MONTHS, width: widths[MONTHS / 2] ?? NaN }
}

describe('The range of a forecast', () => {
  it('holds the true end of at least 90 % of simulated months, at any time, with days before them and without', () => {
    const { held } = fare(1, ({ month }, random) => {
      const at = random() * month.length
      const hasPrior = random() < 0.5
      const isNew = !hasPrior && random() < 0.4
      return { at, hasPrior, from: isNew ? random() * at : 0 }
    })

    expect(held).toBeGreaterThanOrEqual(0.9)
  })

  // Early in a month an odd day is still to come in one of seven, and no range that is of use holds that.
  it.each([
    ['the first week, after another month', 0, 7, true, 0.87],
    ['the first week of all', 0, 7, false, 0.9],
    ['the second week', 7, 14, false, 0.88],
    ['the third week', 14, 21, false, 0.9],
    ['the rest', 21, 28, false, 0.92],
  ])('is no worse for it in %s', (_, from, to, hasPrior, least) => {
    const { held } = fare(from + 2, (__, random) => ({ at: from + (to - from) * random(), from: 0, hasPrior }))

    expect(held).toBeGreaterThanOrEqual(least)
  })

  it.each([
    [4, true, 0.55],
    [8, false, 0.5],
    [11, false, 0.4],
    [21, false, 0.22],
    [26, false, 0.12],
  ])('is narrow enough to be of use on day %i', (day, hasPrior, most) => {
    const { width } = fare(day, () => ({ at: day - 0.5, from: 0, hasPrior }))

    expect(width).toBeLessThan(most)
    expect(width).toBeGreaterThan(most / 3)
  })
})
