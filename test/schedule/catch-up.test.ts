import { describe, expect, it } from 'vitest'
import { cadenceTimetable } from '../../src/schedule/cadence.ts'
import { BUSY_PAUSE_MS, dueSlot, pauseAfter } from '../../src/schedule/catch-up.ts'
import { instant } from '../support/clock.ts'

const timetable = cadenceTimetable({ everyDays: 3, at: '23:59', anchor: '2025-12-08', zone: 'Europe/Berlin' })
const due = (lastDone: string | undefined, now: string) => dueSlot(timetable, lastDone, instant(now))

describe('the slot to run', () => {
  it.each([
    ['before the next one', '2025-12-08T23:59', '2025-12-11T23:58:59+01:00'],
    ['when the latest is done', '2025-12-11T23:59', '2025-12-12T08:00:00+01:00'],
    ['when a later one is done', '2025-12-14T23:59', '2025-12-12T08:00:00+01:00'],
    ['before the anchor', undefined, '2025-12-08T23:58:59+01:00'],
  ])('is none %s', (_, lastDone, now) => {
    expect(due(lastDone, now)).toBeUndefined()
  })

  it.each([
    ['at its time', '2025-12-11T23:59:00+01:00', 'schedule'],
    ['five minutes late', '2025-12-12T00:04:00+01:00', 'schedule'],
    ['later', '2025-12-12T00:04:00.001+01:00', 'catch-up'],
    ['the next morning', '2025-12-12T08:00:00+01:00', 'catch-up'],
  ])('is the latest, and %s it is called a run of the %s', (_, now, trigger) => {
    expect(due('2025-12-08T23:59', now)).toEqual({
      slot: { name: '2025-12-11T23:59', atMs: instant('2025-12-11T23:59:00+01:00') },
      trigger,
      stands: 1,
    })
  })

  it('is one for several that were missed', () => {
    expect(due('2025-12-08T23:59', '2025-12-21T12:00:00+01:00')).toMatchObject({
      slot: { name: '2025-12-20T23:59' },
      stands: 4,
    })
  })

  it('stands for one where the rhythm was changed since', () => {
    expect(due('2025-12-11T02:00', '2025-12-12T00:00:00+01:00')).toMatchObject({ stands: 1 })
    expect(due('2025-11-30T12:00', '2025-12-09T00:00:00+01:00')).toMatchObject({ stands: 1 })
    expect(due(undefined, '2025-12-09T00:00:00+01:00')).toMatchObject({ stands: 1 })
  })
})

it('the pauses after failures grow from a minute to an hour', () => {
  const minutes = Array.from({ length: 9 }, (_, failures) => pauseAfter(failures + 1) / 60_000)

  expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  expect(pauseAfter(2_000)).toBe(3_600_000)
})

it('a run that another one keeps out is tried four times within the two minutes of a lease', () => {
  expect(BUSY_PAUSE_MS).toBe(30_000)
})
