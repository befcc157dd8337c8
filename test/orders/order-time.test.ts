import { describe, expect, it } from 'vitest'
import { decodeStored } from '../../src/orders/entries.ts'
import { timeOfStored } from '../../src/orders/order-time.ts'
import { instant } from '../support/clock.ts'
import { aMove, storedText } from '../support/orders.ts'

const timeOf = (text: string) => timeOfStored(decodeStored(text), 'Europe/Berlin')
const early = '2025-12-05T12:00:00+01:00'
const late = '2025-12-08T12:00:00+01:00'

describe('the order time of a stored value', () => {
  it.each([
    ['created_at', { created_at: early }],
    ['createdAt where created_at is absent', { createdAt: early }],
    ['created_at before createdAt', { createdAt: late, created_at: early }],
    ['a local time of the business zone', { created_at: '2025-12-05T12:00:00' }],
    ['seconds as a number', { created_at: instant(early) / 1_000 }],
  ])('is %s', (_, received) => {
    expect(timeOf(JSON.stringify(received))).toBe(instant(early))
  })

  it.each([
    ['there is none', {}],
    ['created_at is null, whatever createdAt says', { created_at: null, createdAt: early }],
    ['created_at is no time, whatever createdAt says', { created_at: 'soon', createdAt: early }],
    ['it stands in another object', { customer: { created_at: early } }],
    ['only wanted_at is there', { wanted_at: early }],
  ])('is not known where %s', (_, received) => {
    expect(timeOf(JSON.stringify(received))).toBeUndefined()
  })

  it('is the creation, whatever entries say', () => {
    const edit = { id: 'a', at: late, by: 7, after: null, edit: { created_at: late } }

    expect(timeOf(storedText({ created_at: early }, edit, aMove('b', 'delivered', { at: late })))).toBe(instant(early))
  })

  it('is that of the first entry where there are only entries', () => {
    expect(timeOf(storedText({}, aMove('a', 'new', { at: early }), aMove('b', 'new', { at: late })).slice(2))).toBe(
      instant(early),
    )
  })

  it.each([
    '\u001e',
    '\u001e{}\n',
    '\u001e{"at":null}\n',
    '\u001e{"at":"soon"}\n',
    '',
    '42',
    'null',
    '"2025-12-05T12:00:00Z"',
  ])('is not known of %j', (text) => {
    expect(timeOf(text)).toBeUndefined()
  })
})
