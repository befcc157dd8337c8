import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { roundBelow, ticks } from '../../src/charts/scale.ts'

const count = fc.double({ min: 0, max: 15, noNaN: true }).map((power) => Math.floor(10 ** power))

describe('the scale of a picture', () => {
  it.each([
    [561_000, [0, 200_000, 400_000]],
    [500_000, [0, 200_000, 400_000]],
    [100, [0, 50, 100]],
    [7, [0, 2, 4, 6]],
    [1, [0, 1]],
  ])('up to %d has %j', (top, wanted) => {
    expect(ticks(top)).toEqual(wanted)
  })

  it('always has two to five values, evenly apart, whole, up to its top', () => {
    fc.assert(
      fc.property(count, (top) => {
        const values = ticks(Math.max(1, top))

        expect(values.length).toBeGreaterThanOrEqual(2)
        expect(values.length).toBeLessThanOrEqual(5)
        expect(values.every((value, at) => value === at * (values[1] ?? 0) && Number.isInteger(value))).toBe(true)
        expect(values.at(-1)).toBeLessThanOrEqual(Math.max(1, top))
      }),
    )
  })

  it.each([
    [22_100, 20_000],
    [9, 5],
    [1, 1],
    [0, 0],
    [0.5, 0],
  ])('of the days up to %d names %d', (top, value) => {
    expect(roundBelow(top)).toBe(value)
  })

  it('of the days always names a value in the upper two thirds', () => {
    fc.assert(
      fc.property(count, (top) => {
        expect(roundBelow(top)).toBeLessThanOrEqual(top)
        expect(roundBelow(top)).toBeGreaterThanOrEqual(0.4 * top)
      }),
    )
  })
})
