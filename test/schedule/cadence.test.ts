import { Cron } from 'croner'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { cadenceTimetable, type Cadence } from '../../src/schedule/cadence.ts'
import { slotNameAt } from '../../src/schedule/timetable.ts'
import { instant } from '../support/clock.ts'
import { firstShown } from '../support/wall-clock.ts'

const DAY_MS = 86_400_000
const every3: Cadence = { everyDays: 3, at: '23:59', anchor: '2025-12-08', zone: 'Europe/Berlin' }
const timetable = cadenceTimetable(every3)
const dayOf = (name: string) => Date.parse(`${name.slice(0, 10)}T00:00:00Z`) / DAY_MS
const namesFrom = (cadence: Cadence, iso: string, count: number) =>
  cadenceTimetable(cadence)
    .nextSlots(instant(iso), count)
    .map(({ name }) => name)

describe('the slots of every third day from 8 December 2025', () => {
  it('are 8, 11, 14, ... December and go on across the year', () => {
    const names = namesFrom(every3, '2025-12-01T00:00:00+01:00', 10)

    expect(names.map((name) => name.slice(5, 10))).toEqual(
      '12-08 12-11 12-14 12-17 12-20 12-23 12-26 12-29 01-01 01-04'.split(' '),
    )
    expect(names.every((name) => name.endsWith('T23:59'))).toBe(true)
  })

  it.each([
    ['the end of January', '2026-01-30T00:00:00+01:00', ['2026-01-31', '2026-02-03']],
    ['the end of February', '2026-02-26T00:00:00+01:00', ['2026-02-27', '2026-03-02']],
    ['a leap day', '2028-02-27T00:00:00+01:00', ['2028-02-29', '2028-03-03']],
    ['the change to summer time', '2026-03-28T00:00:00+01:00', ['2026-03-29', '2026-04-01']],
    ['the change to winter time', '2026-10-24T00:00:00+02:00', ['2026-10-25', '2026-10-28']],
    ['twenty years', '2046-12-29T00:00:00+01:00', ['2046-12-30', '2047-01-02']],
  ])('keep their three calendar days across %s', (_, iso, dates) => {
    expect(namesFrom(every3, iso, 2)).toEqual(dates.map((date) => `${date}T23:59`))
  })

  it('are three calendar days apart for 41 years, always at 23:59 by the clocks', () => {
    const slots = cadenceTimetable({ ...every3, anchor: '2006-01-01' }).nextSlots(
      instant('2006-01-01T00:00:00Z'),
      5_000,
    )

    for (const [at, { name, atMs }] of slots.entries()) {
      expect(dayOf(name) - dayOf(slots[at - 1]?.name ?? '2005-12-29')).toBe(3)
      expect(isoInstant(atMs, 'Europe/Berlin').slice(0, 16)).toBe(name)
    }
    expect(slots.at(-1)?.name).toMatch(/^2047/)
  })

  it.each([
    ['a millisecond before its time', '2025-12-11T23:58:59.999+01:00', '2025-12-08T23:59'],
    ['at its time', '2025-12-11T23:59:00+01:00', '2025-12-11T23:59'],
    ['the next morning', '2025-12-12T08:00:00+01:00', '2025-12-11T23:59'],
    ['two days later', '2025-12-13T23:59:00+01:00', '2025-12-11T23:59'],
  ])('have as the latest, %s (%s), %s', (_, iso, name) => {
    expect(timetable.latestSlot(instant(iso))?.name).toBe(name)
  })

  it('begin with the anchor: before it there is none', () => {
    expect(timetable.latestSlot(instant('2025-12-08T23:58:59+01:00'))).toBeUndefined()
    expect(timetable.latestSlot(instant('1999-01-01T00:00:00Z'))).toBeUndefined()
    expect(namesFrom(every3, '1999-01-01T00:00:00Z', 2)).toEqual(['2025-12-08T23:59', '2025-12-11T23:59'])
    expect(timetable.latestSlot(instant('2025-12-08T23:59:00+01:00'))?.name).toBe('2025-12-08T23:59')
  })

  it('cannot be said as a cron expression: a step in the day field starts anew each month', () => {
    const cron = new Cron('59 23 8-31/3 * *', { timezone: 'Europe/Berlin', paused: true })
    const fired = cron.nextRuns(12, new Date(instant('2025-12-07T12:00:00Z')))
    cron.stop()

    const apart = fired.map((date, at) => Math.round((date.getTime() - (fired[at - 1]?.getTime() ?? 0)) / DAY_MS))
    expect(new Set(apart.slice(1))).not.toEqual(new Set([3]))
  })

  it('cannot be said as 72 hours: the change of the clocks moves them', () => {
    const [before, after] = timetable.nextSlots(instant('2026-03-26T00:00:00Z'), 2).map(({ atMs }) => atMs)
    const naive = (before ?? 0) + 3 * DAY_MS

    expect(isoInstant(after ?? 0, 'Europe/Berlin')).toBe('2026-03-29T23:59:00.000+02:00')
    expect(isoInstant(naive, 'Europe/Berlin')).toBe('2026-03-30T00:59:00.000+02:00')
  })
})

/** The first slot of a daily cadence. */
const slotIn = (zone: string, at: string, anchor: string) =>
  cadenceTimetable({ everyDays: 1, at, anchor, zone })
    .nextSlots(instant('2000-01-01T00:00:00Z'), 1)
    .map(({ atMs }) => isoInstant(atMs, zone))[0]

describe('a slot whose local time is special', () => {
  it.each([
    ['does not exist', 'Europe/Berlin', '02:30', '2026-03-29', '2026-03-29T03:00:00.000+02:00'],
    ['comes twice', 'Europe/Berlin', '02:30', '2026-10-25', '2026-10-25T02:30:00.000+02:00'],
    ['does not exist', 'America/Santiago', '00:30', '2025-09-07', '2025-09-07T01:00:00.000-03:00'],
    ['comes twice', 'America/Santiago', '23:59', '2026-04-04', '2026-04-04T23:59:00.000-03:00'],
    ['lies on a day that was skipped', 'Pacific/Apia', '23:59', '2011-12-30', '2011-12-31T00:00:00.000+14:00'],
  ])('that %s (%s, %s on %s) is at %s', (_, zone, at, anchor, iso) => {
    expect(slotIn(zone, at, anchor)).toBe(iso)
  })

  it('is not passed again when the clocks go back over it', () => {
    const cadence = { everyDays: 1, at: '02:30', anchor: '2026-10-20', zone: 'Europe/Berlin' }
    const secondTime = instant('2026-10-25T02:30:00+01:00')

    expect(cadenceTimetable(cadence).latestSlot(secondTime)?.atMs).toBe(instant('2026-10-25T02:30:00+02:00'))
    expect(cadenceTimetable(cadence).nextSlots(secondTime - 1, 1)[0]?.name).toBe('2026-10-26T02:30')
  })

  it('stays the latest when the clocks go back to the day before it', () => {
    const cadence = { everyDays: 1, at: '00:00', anchor: '2010-11-01', zone: 'America/St_Johns' }
    // At 00:01 of the 7th the clocks went back to 23:01 of the 6th.
    const again = instant('2010-11-06T23:30:00-03:30')

    expect(cadenceTimetable(cadence).latestSlot(again)?.name).toBe('2010-11-07T00:00')
    expect(cadenceTimetable(cadence).nextSlots(again, 1)[0]?.name).toBe('2010-11-08T00:00')
  })
})

describe('the slots of any cadence', () => {
  it('agree with a list made by hand, in every zone', () => {
    fc.assert(
      fc.property(anyCadence, anyNow, (cadence, nowMs) => {
        const around = slotsAround(cadence, nowMs)
        const latest = around.findLast(({ atMs }) => atMs <= nowMs)

        expect(cadenceTimetable(cadence).latestSlot(nowMs)).toEqual(latest)
        expect(cadenceTimetable(cadence).nextSlots(nowMs, 3)).toEqual(
          around.filter(({ atMs }) => atMs > nowMs).slice(0, 3),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('follow one another: what was the next becomes the latest at its time and not before', () => {
    fc.assert(
      fc.property(anyCadence, anyNow, (cadence, nowMs) => {
        const [next] = cadenceTimetable(cadence).nextSlots(nowMs, 1)
        if (next === undefined) throw new Error('There is always a next slot.')

        expect(cadenceTimetable(cadence).latestSlot(next.atMs)?.atMs).toBe(next.atMs)
        expect(cadenceTimetable(cadence).latestSlot(next.atMs - 1)).toEqual(cadenceTimetable(cadence).latestSlot(nowMs))
      }),
      { numRuns: 500 },
    )
  })

  it('have names that sort as their times do, exactly so many calendar days apart', () => {
    fc.assert(
      fc.property(anyCadence, anyNow, (cadence, nowMs) => {
        const slots = cadenceTimetable(cadence).nextSlots(nowMs, 12)

        for (const [at, { name, atMs }] of slots.slice(1).entries()) {
          const before = slots[at]
          expect(dayOf(name) - dayOf(before?.name ?? '')).toBe(cadence.everyDays)
          expect(name > (before?.name ?? '')).toBe(true)
          // Where a zone skipped a day, two slots may fall on one instant.
          expect(atMs).toBeGreaterThanOrEqual(before?.atMs ?? Infinity)
        }
      }),
      { numRuns: 400 },
    )
  })
})

const slotOn = (date: string) => ({ name: `${date}T23:59`, atMs: 0 })

describe('the number of slots since a done one', () => {
  it.each([
    ['the same', '2025-12-11T23:59', '2025-12-11', 0],
    ['the one before', '2025-12-08T23:59', '2025-12-11', 1],
    ['three before', '2025-12-08T23:59', '2025-12-17', 3],
    ['across both clock changes', '2025-12-08T23:59', '2026-12-06', 121],
    ['one of another rhythm in between', '2025-12-10T02:00', '2025-12-11', 1],
    ['a time long before the first', '2019-01-01T12:00', '2025-12-08', 1],
  ])('counts %s', (_, since, date, count) => {
    expect(timetable.slotsSince(since, slotOn(date))).toBe(count)
  })
})

it('a time in the form of a slot name sorts after the slots before it', () => {
  const nowMs = instant('2025-12-12T08:00:00+01:00')

  const name = slotNameAt('Europe/Berlin', nowMs)

  expect(name).toBe('2025-12-12T08:00')
  expect(name > (timetable.latestSlot(nowMs)?.name ?? '')).toBe(true)
  expect(name < (timetable.nextSlots(nowMs, 1)[0]?.name ?? '')).toBe(true)
})

const anyDate = fc
  .integer({ min: Date.UTC(2006) / DAY_MS, max: Date.UTC(2046, 11, 31) / DAY_MS })
  .map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10))

const anyCadence = fc.record({
  everyDays: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 365 })),
  at: fc.oneof(
    fc.constantFrom('23:59', '00:00', '00:30', '02:30', '02:10', '01:45', '23:30'),
    fc.integer({ min: 0, max: 1_439 }).map((minute) => new Date(minute * 60_000).toISOString().slice(11, 16)),
  ),
  anchor: anyDate,
  zone: fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
})

const anyNow = fc.integer({ min: Date.UTC(2006), max: Date.UTC(2046, 11, 31) })

/** The slots from three before to five after an instant, by plain arithmetic on dates and the clocks of Intl. */
function slotsAround({ anchor, everyDays, at, zone }: Cadence, nowMs: number) {
  const first = dayOf(anchor)
  const near = Math.floor((nowMs / DAY_MS - first) / everyDays)
  const from = Math.max(near - 3, 0)
  return Array.from({ length: 9 }, (_, index) => {
    const date = new Date((first + (from + index) * everyDays) * DAY_MS).toISOString().slice(0, 10)
    return { name: `${date}T${at}`, atMs: firstShown(zone, Date.parse(`${date}T${at}:00Z`)) }
  })
}
