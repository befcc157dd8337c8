import { describe, expect, it } from 'vitest'
import { dayLabels } from '../../src/charts/day-labels.ts'

const inOrder = (firstDay: string, length: number) =>
  dayLabels(firstDay, length)
    .toSorted((one, other) => one.box.left - other.box.left)
    .map(({ text }) => text)
    .join(', ')

describe('the days below a picture', () => {
  it.each([
    ['2026-11-01', 30, '1 Nov, 5, 10, 15, 20, 25, 30'],
    ['2026-02-01', 28, '1 Feb, 5, 10, 15, 20, 25, 28'],
    ['2028-02-01', 29, '1 Feb, 5, 10, 15, 20, 25, 29'],
    ['2026-12-01', 31, '1 Dec, 5, 10, 15, 20, 25, 30'],
    ['2026-12-15', 31, '15 Dec, 20, 25, 1 Jan, 5, 10, 14'],
    ['2026-01-28', 31, '28 Jan, 1 Feb, 5, 10, 15, 20, 25, 27'],
    ['2026-10-25', 31, '25 Oct, 1 Nov, 5, 10, 15, 20, 24'],
  ])('from %s on for %d days are %s', (firstDay, length, names) => {
    expect(inOrder(firstDay, length)).toBe(names)
  })

  it('have no names where their first is no date', () => {
    expect(dayLabels('soon', 30)).toEqual([])
  })
})
