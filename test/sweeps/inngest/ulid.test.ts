import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesOfRunId,
  firstRunIdAt,
  isLikelyRunId,
  isRunId,
  runIdOfBytes,
  ulidTimeMs,
} from '../../../src/sweeps/inngest/ulid.ts'
import { instant } from '../../support/clock.ts'
import { ulidAt, ulidBytes } from '../../support/inngest-ulid.ts'

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
const timeMs = fc.nat({ max: 2 ** 48 - 1 })

describe('a run id', () => {
  it('is the same after a round trip through bytes', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const id = runIdOfBytes(given)

        expect(isRunId(id)).toBe(true)
        expect(bytesOfRunId(id)).toEqual(Buffer.from(given))
        expect(bytesOfRunId(id)).toEqual(ulidBytes(id))
      }),
    )
  })

  it('sorts as its bytes do', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const byText = runIdOfBytes(one) < runIdOfBytes(other)
        expect(byText).toBe(Buffer.compare(one, other) < 0)
      }),
    )
  })

  it('tells its time', () => {
    fc.assert(
      fc.property(timeMs, (ms) => {
        expect(ulidTimeMs(ulidAt(ms))).toBe(ms)
      }),
    )
  })

  it('of an instant is the least one, and above all from before', () => {
    fc.assert(
      fc.property(timeMs, bytes, (ms, rest) => {
        const id = ulidAt(ms, rest.subarray(6))
        const first = firstRunIdAt(ms)

        expect(isRunId(first)).toBe(true)
        expect(first <= id).toBe(true)
        expect(firstRunIdAt(ms + 1) > id || ms === 2 ** 48 - 1).toBe(true)
      }),
    )
  })

  it.each([
    ['before 1970', -5, '00000000000000000000000000'],
    ['beyond what an id can hold', 2 ** 50, '7ZZZZZZZZZ0000000000000000'],
    ['between two milliseconds', 1.5, '00000000020000000000000000'],
  ])('of an instant %s is the nearest that is not too early', (_, ms, id) => {
    expect(firstRunIdAt(ms)).toBe(id)
  })

  it.each([0, 15, 17, 26])('is not made of %i bytes', (length) => {
    expect(() => runIdOfBytes(new Uint8Array(length))).toThrow(RangeError)
  })

  it.each([
    ['lower case', '01kxx3ypqw5bq05fkh3nxf8689'],
    ['a character too few', '01KXX3YPQW5BQ05FKH3NXF868'],
    ['a character too many', '01KXX3YPQW5BQ05FKH3NXF86890'],
    ['more than 128 bits', '81KXX3YPQW5BQ05FKH3NXF8689'],
    ['a letter that Crockford leaves out', '01KXX3YPQW5BQ05FKH3NXF86I9'],
    ['a line break at its end', '01KXX3YPQW5BQ05FKH3NXF8689\n'],
    ['nothing', ''],
  ])('is not a text with %s', (_, text) => {
    expect(isRunId(text)).toBe(false)
    expect(isLikelyRunId(text, instant('2026-11-15T12:00:00Z'))).toBe(false)
    expect(() => bytesOfRunId(text)).toThrow(RangeError)
  })

  it.each([
    ['2014-12-31T23:59:59.999Z', false],
    ['2015-01-01T00:00:00.000Z', true],
    ['2026-11-15T12:00:00.000Z', true],
    ['2026-11-16T12:00:00.000Z', true],
    ['2026-11-16T12:00:00.001Z', false],
  ])('of %s on 15 November 2026 at noon: may be one of a run is %s', (time, isLikely) => {
    expect(isLikelyRunId(ulidAt(instant(time)), instant('2026-11-15T12:00:00Z'))).toBe(isLikely)
  })
})
