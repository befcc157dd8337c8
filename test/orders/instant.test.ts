import * as fc from 'fast-check'
import { Settings } from 'luxon'
import { afterEach, describe, expect, it } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { decodeInstant } from '../../src/orders/instant.ts'
import { instant } from '../support/clock.ts'

const zone = 'Europe/Berlin'

describe('an instant', () => {
  it.each([
    ['2025-12-08T18:02:11+01:00', '2025-12-08T17:02:11.000Z'],
    ['2025-12-08T18:02:11.123+01:00', '2025-12-08T17:02:11.123Z'],
    ['2025-12-08T18:02:11.123456+01:00', '2025-12-08T17:02:11.123Z'],
    ['2025-12-08T18:02:11.123456789+01:00', '2025-12-08T17:02:11.123Z'],
    ['2025-12-08T18:02:11,5+01:00', '2025-12-08T17:02:11.500Z'],
    ['2025-12-08T18:02+01:00', '2025-12-08T17:02:00.000Z'],
    ['2025-12-08T18:02:11+0100', '2025-12-08T17:02:11.000Z'],
    ['2025-12-08T18:02:11+01', '2025-12-08T17:02:11.000Z'],
    ['2025-12-08T18:02:11-03:30', '2025-12-08T21:32:11.000Z'],
    ['2025-12-08T18:02:11+05:45', '2025-12-08T12:17:11.000Z'],
    ['2025-12-08T18:02:11Z', '2025-12-08T18:02:11.000Z'],
    ['2025-12-08 18:02:11Z', '2025-12-08T18:02:11.000Z'],
    ['2025-12-08 18:02:11.5+01:00', '2025-12-08T17:02:11.500Z'],
    ['2025-12-08T24:00:00+01:00', '2025-12-08T23:00:00.000Z'],
    ['2025-12-08T18:02:11', '2025-12-08T17:02:11.000Z'],
    ['2025-12-08 18:02:11', '2025-12-08T17:02:11.000Z'],
    ['2025-07-08T18:02:11', '2025-07-08T16:02:11.000Z'],
    ['2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
    ['2024-02-29T12:00:00', '2024-02-29T11:00:00.000Z'],
    [1_000_000_000, '2001-09-09T01:46:40.000Z'],
    [1_774_500_000, '2026-03-26T04:40:00.000Z'],
    [1_774_500_000.5, '2026-03-26T04:40:00.500Z'],
    [99_999_999_999, '5138-11-16T09:46:39.000Z'],
    [100_000_000_000, '1973-03-03T09:46:40.000Z'],
    [1_774_900_000_000, '2026-03-30T19:46:40.000Z'],
  ])('is read from %j as %s', (value, expected) => {
    const ms = decodeInstant(value, zone)

    expect(ms).toBe(instant(expected))
  })

  it.each([
    ['a date alone', '2025-12-08'],
    ['a time alone', '12:00'],
    ['a week date', '2025-W12'],
    ['a week date with a time', '2025-W12-1T12:00:00Z'],
    ['an ordinal date', '2025-342'],
    ['an ordinal date with a time', '2025-342T12:00:00Z'],
    ['the basic format', '20251208T120000Z'],
    ['an hour alone', '2025-12-08T18'],
    ['a month alone', '2025-12'],
    ['30 February', '2026-02-30T10:00:00+01:00'],
    ['29 February of a common year', '2025-02-29T10:00:00Z'],
    ['a 13th month', '2025-13-01T10:00:00Z'],
    ['a 25th hour', '2025-12-08T25:00:00Z'],
    ['a minute after 24:00', '2025-12-08T24:01:00Z'],
    ['a 60th minute', '2025-12-08T18:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['an offset beyond 18 hours', '2025-12-08T18:02:11+19:00'],
    ['an offset of 60 minutes', '2025-12-08T18:02:11+01:60'],
    ['two offsets', '2025-12-08T18:02:11Z+01:00'],
    ['a zone behind it', '2025-12-08T18:02:11+01:00[Europe/Berlin]'],
    ['a small z', '2025-12-08T18:02:11z'],
    ['a small t', '2025-12-08t18:02:11Z'],
    ['two spaces', '2025-12-08  18:02:11'],
    ['a space in front', ' 2025-12-08T18:02:11Z'],
    ['a line feed behind', '2025-12-08T18:02:11Z\n'],
    ['a year of five digits', '+12025-12-08T18:02:11Z'],
    ['an RFC 2822 date', 'Mon, 08 Dec 2025 18:02:11 +0100'],
    ['a German date', '08.12.2025 18:02'],
    ['seconds in quotes', '1774500000'],
    ['a word', 'yesterday'],
    ['nothing', ''],
    ['null', null],
    ['undefined', undefined],
    ['true', true],
    ['an object', { seconds: 1_774_500_000 }],
    ['a list', [1_774_500_000]],
    ['a big integer', 1_774_500_000n],
    ['a number below 10^9', 999_999_999],
    ['zero', 0],
    ['a negative number', -1_774_500_000],
    ['more than a date can hold', 8.64e15 + 2],
    ['no number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
  ])('is not read from %s', (_, value) => {
    expect(decodeInstant(value, zone)).toBeUndefined()
  })

  it('is the same after it was written and read, in any zone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1975), max: Date.UTC(2100) }),
        fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
        (ms, written) => {
          const text = isoInstant(ms, written)

          expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)$/)
          expect(decodeInstant(text, zone)).toBe(ms)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is read or refused from any value, never an error and never a fraction of a millisecond', () => {
    const almost = fc.stringMatching(
      /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?([+-][0-9]{2}:[0-9]{2}|Z)?$/,
    )
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.double(), almost), (value) => {
        const ms = decodeInstant(value, zone)

        expect(ms === undefined || Number.isInteger(ms)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('the zone of the process', () => {
  afterEach(() => {
    Settings.defaultZone = 'system'
  })

  it.each(['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'])('%s changes nothing', (systemZone) => {
    Settings.defaultZone = systemZone

    expect(decodeInstant('2025-12-08T18:02:11', zone)).toBe(instant('2025-12-08T18:02:11+01:00'))
    expect(isoInstant(instant('2025-12-08T17:02:11Z'), zone)).toBe('2025-12-08T18:02:11.000+01:00')
  })
})
