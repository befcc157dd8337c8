import { Cron } from 'croner'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { cronTimetable } from '../../src/schedule/cron.ts'
import { instant } from '../support/clock.ts'
import { cronMatcher, slotsByHand } from '../support/naive-cron.ts'

const HOUR_MS = 3_600_000
const BERLIN = 'Europe/Berlin'
const inBerlin = (pattern: string) => cronTimetable({ pattern, zone: BERLIN })
const namesFrom = (pattern: string, iso: string, count: number) =>
  inBerlin(pattern)
    .nextSlots(instant(iso), count)
    .map(({ name }) => name)

describe('the slots of a cron pattern', () => {
  it.each([
    ['0 2 * * *', ['2025-12-09T02:00', '2025-12-10T02:00', '2025-12-11T02:00']],
    ['30 8,18 * * 1-5', ['2025-12-08T18:30', '2025-12-09T08:30', '2025-12-09T18:30']],
    ['59 23 31 12 *', ['2025-12-31T23:59', '2026-12-31T23:59', '2027-12-31T23:59']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00']],
    ['0 0 13 * FRI', ['2025-12-12T00:00', '2025-12-13T00:00', '2025-12-19T00:00']],
    ['0 0 * * 7', ['2025-12-14T00:00', '2025-12-21T00:00', '2025-12-28T00:00']],
    ['*/20 12 8 12 *', ['2025-12-08T12:20', '2025-12-08T12:40', '2026-12-08T12:00']],
  ])('of %j follow noon of Monday, 8 December 2025', (pattern, names) => {
    expect(namesFrom(pattern, '2025-12-08T12:00:00+01:00', 3)).toEqual(names)
  })

  it.each([
    ['a millisecond before its time', '2025-12-09T01:59:59.999+01:00', '2025-12-08T02:00'],
    ['at its time', '2025-12-09T02:00:00+01:00', '2025-12-09T02:00'],
    ['a millisecond later', '2025-12-09T02:00:00.001+01:00', '2025-12-09T02:00'],
    ['a year later', '2026-12-09T01:00:00+01:00', '2026-12-08T02:00'],
  ])('have as the latest, %s (%s), %s', (_, iso, name) => {
    const slot = inBerlin('0 2 * * *').latestSlot(instant(iso))

    expect(slot?.name).toBe(name)
    expect(isoInstant(slot?.atMs ?? 0, BERLIN)).toContain(`${name}:00.000`)
  })

  it('have as the latest one of eight years ago where a leap year was left out', () => {
    expect(inBerlin('0 0 29 2 *').latestSlot(instant('2103-06-01T00:00:00Z'))?.name).toBe('2096-02-29T00:00')
  })

  it.each([
    ['does not exist', '30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-29T02:30', '2026-03-29T03:00:00.000+02:00'],
    ['comes twice', '30 2 * * *', '2026-10-24T12:00:00Z', '2026-10-25T02:30', '2026-10-25T02:30:00.000+02:00'],
  ])('where the local time %s (%j) are at the instant that the calendar gives it', (_, pattern, from, name, iso) => {
    const [slot] = inBerlin(pattern).nextSlots(instant(from), 1)

    expect([slot?.name, isoInstant(slot?.atMs ?? 0, BERLIN)]).toEqual([name, iso])
  })

  it('that a gap puts on one instant are one, named by the last of them', () => {
    expect(namesFrom('*/15 * * * *', '2026-03-29T01:30:00+01:00', 3)).toEqual(
      ['01:45', '03:00', '03:15'].map((time) => `2026-03-29T${time}`),
    )
    expect(inBerlin('*/15 * * * *').latestSlot(instant('2026-03-29T03:00:00+02:00'))?.name).toBe('2026-03-29T03:00')
    const apia = cronTimetable({ pattern: '0 * * * *', zone: 'Pacific/Apia' })
    expect(apia.nextSlots(instant('2011-12-29T22:30:00-10:00'), 3).map(({ name }) => name)).toEqual([
      '2011-12-29T23:00',
      '2011-12-31T00:00',
      '2011-12-31T01:00',
    ])
  })

  it('are not passed again when the clocks go back over them', () => {
    const secondTime = instant('2026-10-25T02:30:00+01:00')

    expect(inBerlin('*/30 * * * *').latestSlot(secondTime)?.name).toBe('2026-10-25T02:30')
    expect(inBerlin('45 2 * * *').latestSlot(secondTime)?.name).toBe('2026-10-25T02:45')
    expect(namesFrom('*/30 * * * *', '2026-10-25T02:30:00+02:00', 1)).toEqual(['2026-10-25T03:00'])
  })

  it('stay the latest when the clocks go back to the day before them', () => {
    const timetable = cronTimetable({ pattern: '0 0 * * *', zone: 'America/St_Johns' })
    // At 00:01 of the 7th the clocks went back to 23:01 of the 6th.
    const again = instant('2010-11-06T23:30:00-03:30')

    expect(timetable.latestSlot(again)?.name).toBe('2010-11-07T00:00')
    expect(timetable.nextSlots(again, 1)[0]?.name).toBe('2010-11-08T00:00')
  })

  it('agree with a watch that looks at the clocks each minute, around their changes', () => {
    fc.assert(
      fc.property(anyPattern, anyMoment, (pattern, { zone, nowMs }) => {
        const [fromMs, toMs] = [nowMs - 50 * HOUR_MS, nowMs + 50 * HOUR_MS]
        const slots = slotsByHand({ pattern, zone, fromMs, toMs })
        const timetable = cronTimetable({ pattern, zone })

        const past = slots.findLast(({ atMs }) => atMs <= nowMs)
        const latest = timetable.latestSlot(nowMs)
        // One before the watch began is none that it could know.
        expect(latest !== undefined && latest.atMs > fromMs ? latest : undefined).toEqual(past)
        const coming = slots.filter(({ atMs }) => atMs > nowMs).slice(0, 30)
        expect(timetable.nextSlots(nowMs, coming.length)).toEqual(coming)
      }),
      { numRuns: 60 },
    )
  })

  it('ring the alarm clock, each at its instant', () => {
    fc.assert(
      fc.property(anyPattern, anyMoment, (pattern, { zone, nowMs }) => {
        const timetable = cronTimetable({ pattern, zone })
        const alarm = new Cron(timetable.alarm, { timezone: timetable.zone, paused: true })

        for (const { atMs } of timetable.nextSlots(nowMs, 40)) {
          expect(alarm.nextRun(new Date(atMs - 1_000))?.getTime()).toBe(atMs)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are left out by an alarm of the pattern itself where the clocks skip them', () => {
    const [slot] = inBerlin('15,45 2 * * *').nextSlots(instant('2026-03-29T00:00:00Z'), 1)
    const alarm = new Cron('15,45 2 * * *', { timezone: BERLIN, paused: true })

    expect(isoInstant(slot?.atMs ?? 0, BERLIN)).toBe('2026-03-29T03:00:00.000+02:00')
    expect(alarm.nextRun(new Date('2026-03-29T00:00:00Z'))?.toISOString()).toBe('2026-03-30T00:15:00.000Z')
  })

  it('have names that sort as their times do, and each next one becomes the latest at its time and not before', () => {
    fc.assert(
      fc.property(anyPattern, anyMoment, (pattern, { zone, nowMs }) => {
        const timetable = cronTimetable({ pattern, zone })
        const slots = timetable.nextSlots(nowMs, 20)

        expect(slots.map(({ name }) => name)).toEqual(slots.map(({ name }) => name).toSorted())
        const [first] = slots
        if (first === undefined) throw new Error('There is always a next slot.')
        expect(timetable.latestSlot(first.atMs)).toEqual(first)
        expect(timetable.latestSlot(first.atMs - 1)).toEqual(timetable.latestSlot(nowMs))
        expect(new Set(slots.map(({ atMs }) => atMs)).size).toBe(slots.length)
      }),
      { numRuns: 60 },
    )
  })

  it('are the same whatever the zone of the process', () => {
    const before = process.env['TZ']
    const answers = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'].map((own) => {
      process.env['TZ'] = own
      const offset = new Date(instant('2026-07-01T00:00:00Z')).getTimezoneOffset()
      const { nextSlots, latestSlot } = inBerlin('*/30 1-3 * * *')
      const days = ['2026-03-07T12:00:00Z', '2026-03-28T12:00:00Z', '2026-10-24T12:00:00Z', '2026-11-01T06:30:00Z']
      return { offset, slots: days.map((day) => [latestSlot(instant(day)), ...nextSlots(instant(day), 12)]) }
    })
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before

    expect(answers.map(({ offset }) => offset)).toEqual([0, 240, -330, -780])
    for (const { slots } of answers) expect(slots).toEqual(answers[0]?.slots)
  })
})

describe('the number of slots of a cron pattern since a done one', () => {
  it.each([
    ['0 2 * * *', '2025-12-08T02:00', '2025-12-08T02:00', 0],
    ['0 2 * * *', '2025-12-08T02:00', '2025-12-09T02:00', 1],
    ['0 2 * * *', '2025-12-08T02:00', '2026-12-08T02:00', 365],
    ['0 2 * * *', '2025-12-08T23:59', '2025-12-09T02:00', 1],
    ['*/15 * * * *', '2026-03-29T01:45', '2026-03-29T03:15', 2],
    ['* * * * *', '2025-12-08T00:00', '2026-12-08T00:00', 1_000],
  ])('of %j from %s to %s is %i', (pattern, since, name, count) => {
    expect(inBerlin(pattern).slotsSince(since, { name, atMs: 0 })).toBe(count)
  })
})

const anyField = (least: number, most: number) => {
  const value = fc.integer({ min: least, max: most })
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: value.map(String) },
    fc.integer({ min: 2, max: 30 }).map((every) => `*/${Math.min(every, most)}`),
    fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.array(value, { minLength: 2, maxLength: 4 }).map((values) => values.join(',')),
  )
}

/** Mostly patterns with a slot on nearly every day. */
const anyPattern = fc
  .tuple(
    anyField(0, 59),
    fc.oneof(anyField(0, 4), anyField(0, 23)),
    fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, anyField(1, 28)),
    fc.oneof({ weight: 4, arbitrary: fc.constant('*') }, anyField(1, 12)),
    fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, anyField(0, 7)),
  )
  .map((fields) => fields.join(' '))

/** Around changes of the clocks, at midnight, by half an hour, by a whole day, and where there is none. */
const anyMoment = fc
  .tuple(
    fc.constantFrom(
      [BERLIN, '2026-03-29T01:00:00Z'],
      [BERLIN, '2026-10-25T01:00:00Z'],
      ['America/New_York', '2026-03-08T07:00:00Z'],
      ['America/New_York', '2026-11-01T06:00:00Z'],
      ['Asia/Kolkata', '2026-06-01T00:00:00Z'],
      ['Pacific/Apia', '2011-12-30T10:00:00Z'],
      ['America/Santiago', '2025-09-07T04:00:00Z'],
      ['America/Havana', '2026-11-01T05:00:00Z'],
      ['America/St_Johns', '2010-11-07T02:31:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ),
    fc.integer({ min: -40 * 60, max: 40 * 60 }),
    fc.constantFrom(0, 0, -1, 1, 500, 59_999),
  )
  .map(([[zone = '', iso = ''], minutes, ms]) => ({ zone, nowMs: instant(iso) + minutes * 60_000 + ms }))

it('the watch itself knows the fields of cron', () => {
  const monday = Date.parse('2025-12-08T08:30:00Z')

  expect(
    ['30 8 * * 1', '*/10 * * * *', '30 8 8 12 *', '30 8 1 * 1', '20-40 8-9 * * *'].map((text) =>
      cronMatcher(text)(monday),
    ),
  ).toEqual(Array.from({ length: 5 }, () => true))
  expect(
    ['31 8 * * 1', '30 9 * * *', '30 8 7 12 *', '30 8 * 11 *', '30 8 * * 0,7'].some((text) =>
      cronMatcher(text)(monday),
    ),
  ).toBe(false)
})
