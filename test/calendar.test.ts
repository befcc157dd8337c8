import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstInstantOf, isoInstant, localDateBefore, type LocalTime } from '../src/calendar.ts'
import { instant } from './support/clock.ts'
import { firstShown, wallAt } from './support/wall-clock.ts'

/** The parts of a wall clock's `YYYY-MM-DD HH:MM`. */
function local(text: string): LocalTime {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[- :]/).map(Number)
  return { year, month, day, hour, minute }
}

describe('the first instant of a local time', () => {
  it.each([
    ['an ordinary evening', 'Europe/Berlin', '2025-12-08 23:59', '2025-12-08T23:59:00+01:00'],
    ['the evening before a shorter day', 'Europe/Berlin', '2026-03-28 23:59', '2026-03-28T23:59:00+01:00'],
    ['the evening of a shorter day', 'Europe/Berlin', '2026-03-29 23:59', '2026-03-29T23:59:00+02:00'],
    ['the evening of a longer day', 'Europe/Berlin', '2026-10-25 23:59', '2026-10-25T23:59:00+01:00'],
    ['a leap day', 'Europe/Berlin', '2028-02-29 00:00', '2028-02-29T00:00:00+01:00'],
    ['the last minute before a gap', 'Europe/Berlin', '2026-03-29 01:59', '2026-03-29T01:59:00+01:00'],
    ['the beginning of a gap', 'Europe/Berlin', '2026-03-29 02:00', '2026-03-29T03:00:00+02:00'],
    ['the middle of a gap', 'Europe/Berlin', '2026-03-29 02:30', '2026-03-29T03:00:00+02:00'],
    ['the end of a gap', 'Europe/Berlin', '2026-03-29 03:00', '2026-03-29T03:00:00+02:00'],
    ['the first of two', 'Europe/Berlin', '2026-10-25 02:30', '2026-10-25T02:30:00+02:00'],
    ['the end of what comes twice', 'Europe/Berlin', '2026-10-25 03:00', '2026-10-25T03:00:00+01:00'],
    ['a gap of two hours', 'Antarctica/Troll', '2026-03-29 02:00', '2026-03-29T03:00:00+02:00'],
    ['a gap of half an hour', 'Australia/Lord_Howe', '2026-10-04 02:10', '2026-10-04T02:30:00+11:00'],
    ['the first of two, half an hour apart', 'Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-05T01:45:00+11:00'],
    ['a day that was skipped', 'Pacific/Apia', '2011-12-30 12:00', '2011-12-31T00:00:00+14:00'],
    ['the last minute of a skipped day', 'Pacific/Apia', '2011-12-30 23:59', '2011-12-31T00:00:00+14:00'],
    ['the evening before a skipped day', 'Pacific/Apia', '2011-12-29 23:59', '2011-12-29T23:59:00-10:00'],
    ['a missing midnight', 'America/Santiago', '2025-09-07 00:00', '2025-09-07T01:00:00-03:00'],
    ['the first of two late evenings', 'America/Santiago', '2026-04-04 23:30', '2026-04-04T23:30:00-03:00'],
    ['midnight after two late evenings', 'America/Santiago', '2026-04-05 00:00', '2026-04-05T00:00:00-04:00'],
    ['a missing midnight', 'Africa/Cairo', '2026-04-24 00:00', '2026-04-24T01:00:00+03:00'],
    ['the first of two late evenings', 'Africa/Cairo', '2026-10-29 23:30', '2026-10-29T23:30:00+03:00'],
    ['a missing midnight', 'Asia/Beirut', '2026-03-29 00:00', '2026-03-29T01:00:00+03:00'],
    ['the first of two late evenings', 'Asia/Beirut', '2026-10-24 23:30', '2026-10-24T23:30:00+03:00'],
    ['a missing midnight', 'America/Havana', '2026-03-08 00:00', '2026-03-08T01:00:00-04:00'],
    ['the first of two midnights', 'America/Havana', '2026-11-01 00:00', '2026-11-01T00:00:00-04:00'],
    ['the first of two midnights', 'America/St_Johns', '2010-11-07 00:00', '2010-11-07T00:00:00-02:30'],
    ['what the clock went back from', 'America/St_Johns', '2010-11-07 00:01', '2010-11-07T00:01:00-03:30'],
    ['an evening after the first midnight', 'America/St_Johns', '2010-11-06 23:30', '2010-11-06T23:30:00-02:30'],
    ['a gap from 00:01 on', 'America/St_Johns', '2011-03-13 00:30', '2011-03-13T01:01:00-02:30'],
    ['the midnight before that gap', 'America/St_Johns', '2011-03-13 00:00', '2011-03-13T00:00:00-03:30'],
  ])('is for %s in %s, %s: %s', (_, zone, text, iso) => {
    expect(firstInstantOf(local(text), zone)).toBe(instant(iso))
  })

  it('is, in every zone, the one that a walk through the hours around it finds', () => {
    fc.assert(
      fc.property(anyLocalTime, ({ zone, wanted }) => {
        const { fields, ms } = fieldsOf(wanted)

        expect(firstInstantOf(fields, zone)).toBe(firstShown(zone, ms))
      }),
      { numRuns: 600 },
    )
  })

  it('shows that time, or the clocks skip it there', () => {
    fc.assert(
      fc.property(anyLocalTime, ({ zone, wanted }) => {
        const { fields, ms } = fieldsOf(wanted)

        const found = firstInstantOf(fields, zone)

        if (wallAt(zone, found) === ms) return
        expect(wallAt(zone, found)).toBeGreaterThan(ms)
        expect(wallAt(zone, found - 1)).toBeLessThan(ms)
      }),
      { numRuns: 600 },
    )
  })
})

describe('a local date some days before an instant', () => {
  it.each([
    ['across a month', 'Europe/Berlin', '2026-03-01T00:30:00+01:00', 2, '2026-2-27'],
    ['across a leap day', 'Europe/Berlin', '2028-03-01T00:30:00+01:00', 2, '2028-2-28'],
    ['across a year', 'Europe/Berlin', '2026-01-01T00:00:00+01:00', 1, '2025-12-31'],
    ['across a day of 23 hours', 'Europe/Berlin', '2026-03-30T00:30:00+02:00', 1, '2026-3-29'],
    ['across a day of 25 hours', 'Europe/Berlin', '2026-10-25T23:30:00+01:00', 1, '2026-10-24'],
    ['that is today where it is already tomorrow', 'Pacific/Auckland', '2025-12-08T21:00:00+01:00', 0, '2025-12-9'],
    ['that the zone skipped', 'Pacific/Apia', '2011-12-31T12:00:00+14:00', 1, '2011-12-30'],
  ])('counts calendar days %s', (_, zone, iso, days, date) => {
    const { year, month, day } = localDateBefore(instant(iso), days, zone)

    expect(`${year}-${month}-${day}`).toBe(date)
  })
})

describe('an instant as text', () => {
  it.each([
    ['Europe/Berlin', '2025-12-08T20:00:00Z', '2025-12-08T21:00:00.000+01:00'],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00.000+01:00'],
    ['Asia/Kathmandu', '2025-12-08T20:00:00.007Z', '2025-12-09T01:45:00.007+05:45'],
  ])('has milliseconds and the offset of %s', (zone, iso, text) => {
    expect(isoInstant(instant(iso), zone)).toBe(text)
  })
})

/** A minute of a wall clock in the years 2006 to 2046, every second time within three hours of a change of the clocks. */
const anyLocalTime = fc
  .record({
    zone: fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
    anyMs: fc.integer({ min: Date.UTC(2006), max: Date.UTC(2046, 11, 31) }),
    isNearChange: fc.boolean(),
    besideMinutes: fc.integer({ min: -180, max: 180 }),
  })
  .map(({ zone, anyMs, isNearChange, besideMinutes }) => {
    const change = isNearChange ? changeAfter(zone, anyMs) : undefined
    const wall = change === undefined ? anyMs : wallAt(zone, change) + besideMinutes * 60_000
    return { zone, wanted: new Date(Math.floor(wall / 60_000) * 60_000).toISOString().slice(0, 16) }
  })

function fieldsOf(wanted: string) {
  return { fields: local(wanted.replace('T', ' ')), ms: Date.parse(`${wanted}Z`) }
}

const MONTH_MS = 30 * 86_400_000

/** When the zone's clocks change next within a year, to the minute. */
function changeAfter(zone: string, ms: number): number | undefined {
  const offsetAt = (at: number) => wallAt(zone, at) - at
  const months = Array.from({ length: 12 }, (_, index) => ms + index * MONTH_MS)
  const before = months.find((at) => offsetAt(at) !== offsetAt(at + MONTH_MS))
  if (before === undefined) return undefined
  let [low, high] = [before, before + MONTH_MS]
  while (high - low > 60_000) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offsetAt(low)) low = middle
    else high = middle
  }
  return high
}
