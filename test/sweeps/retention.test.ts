import * as fc from 'fast-check'
import { DateTime, IANAZone } from 'luxon'
import { describe, expect, it } from 'vitest'
import { calendarCutoffs } from '../../src/sweeps/retention.ts'
import { instant } from '../support/clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const cutoffOf = (zone: string, days: number, asOf: string) =>
  DateTime.fromMillis(calendarCutoffs({ days, zone }, instant(asOf)).cutoffMs, { zone: 'utc' }).toISO()

describe('the cutoffs of calendar retention', () => {
  it.each([
    [2, '2025-12-06T00:00:00+01:00', '2025-12-04T00:00:00+01:00'],
    [1, '2025-12-07T00:00:00+01:00', '2025-12-06T00:00:00+01:00'],
    [0, '2025-12-08T00:00:00+01:00', '2025-12-08T00:00:00+01:00'],
    [365, '2024-12-08T00:00:00+01:00', '2023-12-09T00:00:00+01:00'],
  ])('%i days on 8 December 2025 in Passau keep from %s on, unfinished orders from %s on', (days, cutoff, extended) => {
    for (const asOf of ['2025-12-08T00:00:00+01:00', '2025-12-08T21:00:00+01:00', '2025-12-08T23:59:59.999+01:00']) {
      expect(calendarCutoffs({ days, zone: 'Europe/Berlin' }, instant(asOf))).toEqual({
        cutoffMs: instant(cutoff),
        extendedCutoffMs: instant(extended),
      })
    }
  })

  it.each([
    ['a day of 23 hours', 'Europe/Berlin', '2026-03-30T10:00:00+02:00', 2, '2026-03-27T23:00:00.000Z'],
    ['a day of 25 hours', 'Europe/Berlin', '2025-10-27T00:30:00+01:00', 2, '2025-10-24T22:00:00.000Z'],
    ['a leap day', 'Europe/Berlin', '2028-03-01T12:00:00+01:00', 1, '2028-02-28T23:00:00.000Z'],
    ['a change of year', 'Europe/Berlin', '2026-01-01T00:00:00+01:00', 1, '2025-12-30T23:00:00.000Z'],
    ['a midnight that does not exist', 'America/Santiago', '2025-09-07T12:00:00-03:00', 0, '2025-09-07T04:00:00.000Z'],
    ['clocks set back at midnight', 'America/Santiago', '2026-04-06T12:00:00-04:00', 1, '2026-04-05T04:00:00.000Z'],
    ['the day before such a midnight', 'America/Santiago', '2026-04-05T12:00:00-04:00', 1, '2026-04-04T03:00:00.000Z'],
    ['a midnight that does not exist', 'Africa/Cairo', '2025-04-27T12:00:00+03:00', 2, '2025-04-24T22:00:00.000Z'],
    ['clocks set back at midnight', 'Africa/Cairo', '2025-11-01T12:00:00+02:00', 1, '2025-10-30T22:00:00.000Z'],
    ['a midnight that does not exist', 'Asia/Beirut', '2025-03-31T12:00:00+03:00', 1, '2025-03-29T22:00:00.000Z'],
    ['clocks set back at midnight', 'Asia/Beirut', '2025-10-26T12:00:00+02:00', 0, '2025-10-25T22:00:00.000Z'],
    ['a midnight that does not exist', 'America/Havana', '2025-03-10T12:00:00-04:00', 1, '2025-03-09T05:00:00.000Z'],
    ['a midnight that comes twice', 'America/Havana', '2025-11-04T12:00:00-05:00', 2, '2025-11-02T04:00:00.000Z'],
    ['a midnight that comes twice', 'Atlantic/Azores', '2025-10-27T12:00:00-01:00', 1, '2025-10-26T00:00:00.000Z'],
    ['a day that was skipped', 'Pacific/Apia', '2011-12-31T12:00:00+14:00', 1, '2011-12-30T10:00:00.000Z'],
    ['the day after the skipped one', 'Pacific/Apia', '2011-12-31T12:00:00+14:00', 0, '2011-12-30T10:00:00.000Z'],
    ['the day before the skipped one', 'Pacific/Apia', '2011-12-31T12:00:00+14:00', 2, '2011-12-29T10:00:00.000Z'],
    ['days on both sides of it', 'Pacific/Apia', '2012-01-03T12:00:00+14:00', 5, '2011-12-29T10:00:00.000Z'],
    [
      'a day that comes, goes and comes',
      'America/St_Johns',
      '2010-11-08T12:00:00-03:30',
      1,
      '2010-11-07T02:30:00.000Z',
    ],
    [
      'the day that comes back meanwhile',
      'America/St_Johns',
      '2010-11-07T12:00:00-03:30',
      1,
      '2010-11-06T02:30:00.000Z',
    ],
    ['its first minute as the present', 'America/St_Johns', '2010-11-07T00:00:30-02:30', 0, '2010-11-07T02:30:00.000Z'],
    ['the hour after that minute', 'America/St_Johns', '2010-11-06T23:30:00-03:30', 0, '2010-11-06T02:30:00.000Z'],
    ['clocks set forward at 00:01', 'America/St_Johns', '2006-04-03T12:00:00-02:30', 1, '2006-04-02T03:30:00.000Z'],
    ['a midnight that does not exist', 'America/Asuncion', '2023-10-02T12:00:00-03:00', 1, '2023-10-01T04:00:00.000Z'],
    ['clocks set back at midnight', 'America/Asuncion', '2024-03-25T12:00:00-04:00', 1, '2024-03-24T04:00:00.000Z'],
    ['half an hour forward', 'Australia/Lord_Howe', '2025-10-06T12:00:00+11:00', 1, '2025-10-04T13:30:00.000Z'],
    ['half an hour back', 'Australia/Lord_Howe', '2025-04-06T12:00:00+10:30', 0, '2025-04-05T13:00:00.000Z'],
    ['three hours back over midnight', 'Antarctica/Casey', '2010-03-06T12:00:00+08:00', 1, '2010-03-04T13:00:00.000Z'],
    ['an offset of three quarters', 'Asia/Kathmandu', '2025-12-08T00:00:00+05:45', 1, '2025-12-06T18:15:00.000Z'],
  ])('begin the day where it first begins: %s, %s at %s, %i days', (_, zone, asOf, days, cutoff) => {
    expect(cutoffOf(zone, days, asOf)).toBe(cutoff)
  })

  it('are for every zone and time the first instant of the day, N local days before today', () => {
    fc.assert(
      fc.property(anyMoment, ({ zone, asOfMs, days }) => {
        const { cutoffMs } = calendarCutoffs({ days, zone: zone.name }, asOfMs)
        const wanted = dayNumber(zone, asOfMs) - days

        const found = dayNumber(zone, cutoffMs)
        expect(dayNumber(zone, cutoffMs - 1)).toBeLessThan(wanted)
        // A zone that skipped the wanted day jumps over it at the cutoff.
        expect(found).toBeGreaterThanOrEqual(wanted)
        expect(found).toBeLessThanOrEqual(wanted + 1)
        for (const earlierMs of minutesBefore(zone, cutoffMs)) {
          expect(dayNumber(zone, earlierMs)).toBeLessThan(wanted)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('have for unfinished orders twice the days, and never lie in the future', () => {
    fc.assert(
      fc.property(anyMoment, ({ zone: { name: zone }, asOfMs, days }) => {
        const { cutoffMs, extendedCutoffMs } = calendarCutoffs({ days, zone }, asOfMs)

        expect(extendedCutoffMs).toBe(calendarCutoffs({ days: 2 * days, zone }, asOfMs).cutoffMs)
        expect(extendedCutoffMs).toBeLessThanOrEqual(cutoffMs)
        expect(cutoffMs).toBeLessThanOrEqual(asOfMs)
      }),
      { numRuns: 500 },
    )
  })
})

const zones = Intl.supportedValuesOf('timeZone').map((name) => IANAZone.create(name))

/** A zone, an instant of the years 2006 to 2046 and days: three out of four around a day on which the zone's clocks change. */
const anyMoment = fc
  .record({
    zone: fc.constantFrom(...zones),
    anyMs: fc.integer({ min: Date.UTC(2006), max: Date.UTC(2046, 11, 31) }),
    days: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) }, fc.integer({ min: 0, max: 365 })),
    kind: fc.constantFrom('any', 'cutoff near a change', 'now near a change', 'cutoff on a change'),
    besideMs: fc.integer({ min: -36 * HOUR_MS, max: 36 * HOUR_MS }),
  })
  .map(({ zone, anyMs, days, kind, besideMs }) => {
    const changeMs = kind === 'any' ? undefined : changeAfter(zone, anyMs)
    if (changeMs === undefined) return { zone, days, asOfMs: anyMs }
    const daysLater = kind === 'now near a change' ? 0 : days
    const near = kind === 'cutoff on a change' ? besideMs / 6 : besideMs
    return { zone, days, asOfMs: Math.trunc(changeMs + daysLater * DAY_MS + near) }
  })

/** The local date as a number of days, by luxon's offset alone. */
const dayNumber = (zone: IANAZone, ms: number) => Math.floor((ms + zone.offset(ms) * 60_000) / DAY_MS)

/** The instants of the four hours before `ms`: each minute where the clocks change around it, else each half hour. */
function minutesBefore(zone: IANAZone, ms: number): number[] {
  const isNearChange = zone.offset(ms - 5 * HOUR_MS) !== zone.offset(ms + 5 * HOUR_MS)
  const step = isNearChange ? 60_000 : HOUR_MS / 2
  return Array.from({ length: (4 * HOUR_MS) / step }, (_, index) => ms - 1 - index * step)
}

/** When the zone's clocks change next within a year, to the second. */
function changeAfter(zone: IANAZone, ms: number): number | undefined {
  const offset = zone.offset(ms)
  let low = ms
  let high = ms
  for (let month = 0; month < 12 && zone.offset(high) === offset; month++) [low, high] = [high, high + 30 * DAY_MS]
  if (zone.offset(high) === offset) return undefined
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offset(middle) === offset) low = middle
    else high = middle
  }
  return high
}
