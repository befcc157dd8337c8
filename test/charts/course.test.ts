import { describe, expect, it } from 'vitest'
import { courseOf } from '../../src/charts/course.ts'
import type { UsageFigures } from '../../src/charts/usage-chart.ts'
import { usageFigures } from '../support/usage-figures.ts'

describe('the course of a month', () => {
  it('rises by what each day cost and ends at what was used', () => {
    const { line } = courseOf(usageFigures({ now: 2.5, own: [100, 50, 20], others: [0, 10, 0] }))

    expect(line).toEqual([
      { day: 0, value: 0 },
      { day: 1, value: 100 },
      { day: 2, value: 160 },
      { day: 2.5, value: 180 },
    ])
  })

  it('begins where counting began, at what was used before', () => {
    const { line, unknown } = courseOf(usageFigures({ now: 12.5, knownFrom: 11, own: [100, 50], used: 1_150 }))

    expect(line[0]).toEqual({ day: 11, value: 1_000 })
    expect(unknown).toEqual([{ from: 0, to: 11 }])
  })

  it('knows nothing of a day without an entry', () => {
    const figures = usageFigures({ now: 4.5, own: [10, 20, 30, 40, 50] })
    const { unknown } = courseOf({ ...figures, days: figures.days.filter((_, at) => at === 0 || at === 3) })

    expect(unknown).toEqual([
      { from: 1, to: 3 },
      { from: 4, to: 5 },
    ])
  })

  it('is all unknown where no day has an entry', () => {
    const { unknown, line } = courseOf(usageFigures({ now: 2.5, own: [], used: 700 }))

    expect(unknown).toEqual([{ from: 0, to: 3 }])
    expect(line).toEqual([{ day: 2.5, value: 700 }])
  })

  it('keeps now within the last known day when a clock change moved the instants', () => {
    const figures = usageFigures({ now: 20, own: Array.from({ length: 21 }, () => 10) })

    expect(courseOf({ ...figures, atMs: figures.atMs - 3_600_000 }).now.day).toBe(20)
  })

  it('has a forecast, and where it meets the limit, until an hour before the end', () => {
    const wish = { own: Array.from({ length: 30 }, () => 10), limit: 301, forecast: { end: 302 } }
    const before = courseOf(usageFigures({ ...wish, now: 30 - 1.01 / 24 }))

    expect(before.forecast).toMatchObject({ end: 302 })
    expect(before.crossing).toEqual({ day: expect.closeTo(30 - 0.505 / 24, 3), value: 301 })
    expect(courseOf(usageFigures({ ...wish, now: 30 - 0.99 / 24 }))).toMatchObject({ forecast: null, crossing: null })
  })

  it.each([
    ['ahead, where the forecast says so', { now: 10, own: [], used: 300_000 }, 10 + (200 / 600) * 20],
    ['behind, where the line passed it', { now: 2.5, own: [400_000, 200_000, 5] }, 1.5],
  ])('meets the limit %s', (_, wish, day) => {
    expect(courseOf(usageFigures(wish)).crossing).toEqual({ day: expect.closeTo(day, 2), value: 500_000 })
  })

  it.each([
    ['out of reach', { now: 10, own: [], used: 100 }],
    ['passed before counting began', { now: 10, knownFrom: 9, own: [5], used: 700_000 }],
  ])('never meets a limit that is %s', (_, wish) => {
    expect(courseOf(usageFigures(wish)).crossing).toBeNull()
  })

  it('takes what is no count for 0, and leaves out days that are none of the month or out of order', () => {
    const figures = usageFigures({ now: 2.5, own: [10, 20, 30] })
    const [first, second] = figures.days
    if (first === undefined || second === undefined) throw new Error('The figures have no days.')
    const hostile: UsageFigures = {
      ...figures,
      used: Number.NaN,
      limit: -5,
      days: [
        { ...first, own: -1, others: Infinity },
        second,
        second,
        first,
        { ...first, date: '2027-01-01' },
        { ...first, date: 'x' },
      ],
      forecast: { end: Number.NaN, low: Infinity, high: -1, limitAtMs: Number.NaN, isEarly: false },
    }
    const course = courseOf(hostile)

    expect(course).toMatchObject({ limit: 0, now: { value: 0 }, crossing: null, forecast: { end: 0, low: 0, high: 0 } })
    expect(course.days).toEqual([
      { index: 0, own: 0, others: 1e15, cleanups: 0 },
      { index: 1, own: 20, others: 0, cleanups: 0 },
    ])
  })
})
