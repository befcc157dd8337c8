import { ulid } from 'ulid'
import { describe, expect, it } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { judgeKey, judgeValue, type OrderWindow } from '../../src/sweeps/order-verdict.ts'
import { calendarCutoffs } from '../../src/sweeps/retention.ts'
import { instant } from '../support/clock.ts'
import { aCard, aMove, anOrder, anUndo, keyOf, oddOrders, storedText } from '../support/orders.ts'

const zone = 'Europe/Berlin'

function windowOf(asOf: string, days: number, now = asOf): OrderWindow {
  const asOfMs = instant(asOf)
  return { ...calendarCutoffs({ days, zone }, asOfMs), asOfMs, nowMs: instant(now), zone }
}

/** What a sweep would do with a key and its text. */
function verdictOf(key: string, text: string, window: OrderWindow): string {
  const { verdict } = judgeKey(key, window)
  return verdict === 'read' ? judgeValue(key, text, window).verdict : verdict
}

describe('the verdict on an odd order', () => {
  const judged = oddOrders.filter(({ type, verdict }) => type === 'string' && verdict !== 'untouched')

  it('has a row for every verdict', () => {
    expect(new Set(judged.map(({ verdict }) => verdict))).toEqual(
      new Set(['kept', 'deleted', 'kept-open', 'unreadable']),
    )
    expect(judged).toHaveLength(49)
  })

  it.each(judged)('$name: $verdict', ({ key, value, now, days, verdict }) => {
    const expected = verdict === 'deleted' ? 'due' : verdict

    expect(verdictOf(key, String(value), windowOf(now, days))).toBe(expected)
  })
})

describe('the verdict by key', () => {
  const window = windowOf('2025-12-08T21:00:00+01:00', 2)

  it.each([
    ['exactly at the cutoff', '2025-12-06T00:00:00+01:00', 'kept'],
    ['a millisecond before the cutoff', '2025-12-05T23:59:59.999+01:00', 'read'],
    ['exactly at the extended cutoff', '2025-12-04T00:00:00+01:00', 'read'],
    ['a millisecond before the extended cutoff', '2025-12-03T23:59:59.999+01:00', 'due'],
    ['wanted in two months', '2026-02-06T12:00:00+01:00', 'kept'],
  ])('of a ULID %s is %s', (_, orderTime, verdict) => {
    expect(judgeKey(keyOf(orderTime), window)).toEqual({ verdict, timeMs: instant(orderTime) })
  })

  it.each([
    ['no ULID', 'order:6986534250496'],
    ['a ULID in lower case', keyOf('2025-12-01T00:00:00Z').toLowerCase()],
    ['a ULID before 2015', `order:${ulid(Date.UTC(2014, 11, 31))}`],
    ['a ULID with something behind it', `${keyOf('2025-12-01T00:00:00Z')}:lines`],
    ['nothing', 'order:'],
  ])('of %s is to read the value', (_, key) => {
    expect(judgeKey(key, window)).toEqual({ verdict: 'read', timeMs: undefined })
  })

  it('takes a ULID for one by the real present, not by the time that the run judges from', () => {
    const key = keyOf('2025-12-06T12:00:00+01:00')

    expect(judgeKey(key, windowOf('2020-01-01T00:00:00Z', 2, '2025-12-08T21:00:00+01:00')).verdict).toBe('kept')
    expect(judgeKey(key, windowOf('2020-01-01T00:00:00Z', 2)).verdict).toBe('read')
  })

  it('leaves nothing to be read for 0 days, where both cutoffs are one', () => {
    const today = windowOf('2025-12-08T21:00:00+01:00', 0)

    expect(judgeKey(keyOf('2025-12-08T00:00:00+01:00'), today).verdict).toBe('kept')
    expect(judgeKey(keyOf('2025-12-07T23:59:59.999+01:00'), today).verdict).toBe('due')
  })
})

describe('the verdict by value', () => {
  const asOf = '2025-12-08T21:00:00+01:00'
  const window = windowOf(asOf, 2)
  const between = '2025-12-05T12:00:00+01:00'
  const ago = (ms: number) => isoInstant(instant(asOf) - ms, zone)
  const minutes = 60_000

  it.each([
    ['15 minutes before', 15 * minutes, 'due'],
    ['a millisecond less than 15 minutes before', 15 * minutes - 1, 'kept-open'],
    ['a millisecond more than 15 minutes before', 15 * minutes + 1, 'due'],
    ['at the same time', 0, 'kept-open'],
    ['after it, as of a late run', -60 * minutes, 'kept-open'],
  ])('counts an order that was closed %s as %3$s', (_, agoMs, verdict) => {
    const text = storedText(anOrder({ created_at: between }), aMove('a', 'delivered', { at: ago(agoMs) }))

    expect(verdictOf('order:1', text, window)).toBe(verdict)
    expect(verdictOf(keyOf(between), text, window)).toBe(verdict)
  })

  it('counts a closed order by its last applied move, not by a void one', () => {
    const text = storedText(
      anOrder({ created_at: between }),
      aMove('a', 'delivered', { at: ago(60 * minutes) }),
      aMove('b', 'cancelled', { at: ago(minutes) }),
    )

    expect(verdictOf('order:1', text, window)).toBe('due')
  })

  it.each([
    ['just removed', [aMove('a', 'removed', { at: ago(minutes) })], 'due'],
    ['removed long ago', [aMove('a', 'removed', { at: ago(60 * minutes) })], 'due'],
    [
      'delivered and taken back',
      [aMove('a', 'delivered', { at: between }), anUndo('b', 'a', { at: between })],
      'kept-open',
    ],
    [
      'delivered, taken back and cancelled',
      [
        aMove('a', 'delivered', { at: between }),
        anUndo('b', 'a', { at: between }),
        aMove('c', 'cancelled', { at: between, after: 'b' }),
      ],
      'due',
    ],
    ['delivered, with a card after it', [aMove('a', 'delivered', { at: between }), aCard('b', -100, 7)], 'due'],
    ['delivered at a time that nobody can read', [{ ...aMove('a', 'delivered'), at: 'soon' }], 'due'],
  ])('of an order between the cutoffs that was %s is %3$s', (_, entries, verdict) => {
    const text = storedText(anOrder({ created_at: between }), ...entries)

    expect(verdictOf('order:1', text, window)).toBe(verdict)
    expect(verdictOf(keyOf(between), text, window)).toBe(verdict)
  })

  it.each([
    ['only entries', '\u001e{"id":"a","at":"2025-12-08T20:00:00+01:00","move":"new"}\n', 'due'],
    ['no order', 'nonsense', 'unreadable'],
    ['an empty text', '', 'unreadable'],
    ['an order without a status', '{}', 'due'],
    ['an order with an unknown status', '{"status":"paused"}', 'due'],
    ['an order whose status is no text', '{"status":{"open":true}}', 'due'],
  ])('of %s under a ULID between the cutoffs is %3$s', (_, text, verdict) => {
    expect(verdictOf(keyOf(between), text, window)).toBe(verdict)
  })

  it.each([
    ['2025-12-06T00:00:00+01:00', 'kept'],
    ['2025-12-05T23:59:59.999+01:00', 'due'],
    ['2025-12-03T00:00:00+01:00', 'due'],
    ['2025-12-05', 'unreadable'],
  ])('of only entries, the first of %s, is %s', (at, verdict) => {
    const text = storedText({}, aMove('a', 'new', { at }), aMove('b', 'new', { at: asOf })).slice(2)

    expect(verdictOf('order:1', text, window)).toBe(verdict)
  })

  it('takes the edits of an order for no reason to keep it longer', () => {
    const edit = { id: 'a', at: asOf, by: 7, after: null, edit: { created_at: asOf, status: 'new' } }

    expect(verdictOf('order:1', storedText({ created_at: between, status: 'delivered' }, edit), window)).toBe('due')
  })

  it('keeps a pre-order of the former bot by its creation only, but one of ours by the time it is wanted for', () => {
    const text = storedText(
      anOrder({ created_at: '2025-11-20T12:00:00+01:00', wanted_at: '2025-12-20T12:00:00+01:00' }),
    )

    expect(verdictOf('order:1', text, window)).toBe('due')
    expect(verdictOf(keyOf('2025-12-20T12:00:00+01:00'), text, window)).toBe('kept')
  })
})
