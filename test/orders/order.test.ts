import * as fc from 'fast-check'
import { ulid } from 'ulid'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { createOrderId, orderIdOf, originOf, parseOrderId, timeOfId } from '../../src/orders/order.ts'
import { instant } from '../support/clock.ts'

const now = instant('2025-12-08T21:00:00+01:00')
const aSource = { source: 'shopify', sourceId: '6986534250496', createdAtMs: instant('2025-12-08T18:02:11+01:00') }

const anySource = fc.record({
  source: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 32 }),
  sourceId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 128 }),
  createdAtMs: fc.integer({ min: Date.UTC(2015), max: now }),
})
const anyOrderTime = fc.integer({ min: Date.UTC(2015), max: now + 60 * 86_400_000 })

describe('the id of an order', () => {
  it('is the same for the same intake on every instance', () => {
    expect(createOrderId(aSource, now)).toBe(createOrderId({ ...aSource }, now))
    // A change of this text makes every live order a new one when its source sends it again.
    expect(createOrderId(aSource, now)).toBe('01KBZRSAG02AQ491X63J9AC0G2')
  })

  it('carries the order time', () => {
    fc.assert(
      fc.property(anySource, anyOrderTime, (source, orderTimeMs) => {
        expect(timeOfId(createOrderId(source, orderTimeMs), now)).toBe(orderTimeMs)
      }),
    )
  })

  it('has the same origin whatever the order time is', () => {
    fc.assert(
      fc.property(anySource, anyOrderTime, anyOrderTime, (source, one, other) => {
        expect(originOf(createOrderId(source, one))).toBe(originOf(createOrderId(source, other)))
      }),
    )
  })

  it('has another origin for another source, source id or creation', () => {
    fc.assert(
      fc.property(anySource, anySource, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))

        expect(originOf(createOrderId(one, now))).not.toBe(originOf(createOrderId(other, now)))
      }),
    )
  })

  it('does not confuse where a source ends and its number begins', () => {
    const ids = [
      createOrderId({ ...aSource, source: 'till', sourceId: '11' }, now),
      createOrderId({ ...aSource, source: 'till1', sourceId: '1' }, now),
      createOrderId({ ...aSource, source: 'till","1', sourceId: '1' }, now),
    ]

    expect(new Set(ids).size).toBe(3)
  })
})

describe('the time of an id', () => {
  it.each([
    ['the first of 2015', '2015-01-01T00:00:00.000Z'],
    ['now', '2025-12-08T20:00:00.000Z'],
    ['a year ahead', '2026-12-08T20:00:00.000Z'],
  ])('is taken at %s', (_, iso) => {
    expect(timeOfId(ulid(instant(iso)), now)).toBe(instant(iso))
  })

  it.each([
    ['just before 2015', ulid(instant('2014-12-31T23:59:59.999Z'))],
    ['more than a year ahead', ulid(instant('2026-12-08T20:00:00.001Z'))],
    ['the largest time of a ULID', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'],
    ['more than a ULID can hold', '8ZZZZZZZZZZZZZZZZZZZZZZZZZ'],
    ['lower case', ulid(now).toLowerCase()],
    ['a letter I', `${ulid(now).slice(0, 25)}I`],
    ['a letter L', `${ulid(now).slice(0, 25)}L`],
    ['a letter O', `${ulid(now).slice(0, 25)}O`],
    ['a letter U', `${ulid(now).slice(0, 25)}U`],
    ['25 characters', ulid(now).slice(1)],
    ['27 characters', `${ulid(now)}0`],
    ['a line feed behind', `${ulid(now)}\n`],
    ['a prefix', `order:${ulid(now)}`],
    ['digits of the former bot', '6986534250496'],
    ['26 digits', '12345678901234567890123456'],
    ['nothing', ''],
  ])('is not taken from %s', (_, id) => {
    expect(timeOfId(id, now)).toBeUndefined()
  })

  it('goes a calendar year ahead, leap years too', () => {
    const leapDay = instant('2028-02-29T12:00:00Z')

    expect(timeOfId(ulid(instant('2029-02-28T12:00:00Z')), leapDay)).toBeDefined()
    expect(timeOfId(ulid(instant('2029-02-28T12:00:00.001Z')), leapDay)).toBeUndefined()
  })

  it('never fails, whatever the id', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9A-Za-z]{26}$/)), (id) => {
        expect(['undefined', 'number']).toContain(typeof timeOfId(id, now))
      }),
    )
  })
})

describe('an id that a person typed', () => {
  it.each([
    ['order:6986534250496', '6986534250496'],
    ['6986534250496', '6986534250496'],
    ['order:order:1', 'order:1'],
    ['x'.repeat(512), 'x'.repeat(512)],
  ])('is read with or without the prefix', (text, id) => {
    expect(parseOrderId(text)).toBe(id)
  })

  it.each(['', 'order:', 'x'.repeat(513)])('of no or too many characters is refused', (text) => {
    expect(() => parseOrderId(text)).toThrow(InputError)
  })
})

describe('the id of a key', () => {
  it('is what follows the prefix', () => {
    expect(orderIdOf('order:a:b')).toBe('a:b')
  })
})
