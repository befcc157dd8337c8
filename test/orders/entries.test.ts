import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeStored, encodeEntries, isLeftover, type Entry } from '../../src/orders/entries.ts'
import { orderStatuses } from '../../src/orders/status.ts'
import { aMove, anOrder, storedText } from '../support/orders.ts'

/** Texts with everything that could be taken for a separator, half surrogate pairs included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\u001e', '\n', '\r', '\u2028', '"', '\\', '{', '\ud83d', '😀', 'ü', '\u0000') }),
)
const anyJson = fc.jsonValue({ stringUnit: 'binary' })
const anyObject = fc
  .dictionary(anyText, anyJson)
  .map((fields): Record<string, unknown> => JSON.parse(JSON.stringify(fields)))
const facts = { id: fc.string({ minLength: 1, maxLength: 10 }), at: anyText, by: fc.oneof(fc.integer(), anyText) }
const after = fc.option(fc.string())
const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ ...facts, move: fc.constantFrom(...orderStatuses), after }),
  fc.record({ ...facts, undo: fc.string(), after }),
  fc.record({ ...facts, edit: anyObject, after }),
  fc.record({ ...facts, card: fc.record({ chat: fc.integer(), message: fc.integer() }) }),
  fc.record({ ...facts, note: anyText }),
)

describe('the text of an order', () => {
  it('is an order and its entries again after it was written and read, whatever they hold', () => {
    fc.assert(
      fc.property(anyObject, fc.array(anyEntry), (received, entries) => {
        const text = JSON.stringify(received) + encodeEntries(entries)

        expect(decodeStored(text)).toEqual({ kind: 'order', received, entries: JSON.parse(JSON.stringify(entries)) })
      }),
    )
  })

  it('without an order is a leftover', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1 }), (entries) => {
        const text = encodeEntries(entries)

        expect(isLeftover(text)).toBe(true)
        expect(decodeStored(text)).toEqual({ kind: 'leftover', entries: JSON.parse(JSON.stringify(entries)) })
      }),
    )
  })

  it('reads the same whether entries were appended one by one or together', () => {
    fc.assert(
      fc.property(fc.array(anyEntry), (entries) => {
        expect(entries.map((entry) => encodeEntries([entry])).join('')).toBe(encodeEntries(entries))
      }),
    )
  })

  it('never fails to be read, whatever it is', () => {
    const pieces = fc.constantFrom('\u001e', '{}', '{"id":"a"}', '\n', '[', '}', '{"created_at":1}', 'null', '"\u001e"')
    const hostile = fc.oneof(
      anyText,
      fc.array(pieces).map((texts) => texts.join('')),
      fc.json(),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        expect(['order', 'leftover', 'unreadable']).toContain(decodeStored(text).kind)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['empty', ''],
    ['no JSON', '{status: delivered'],
    ['a number', '42'],
    ['null', 'null'],
    ['a text', '"order"'],
    ['a list', '[1,2,3]'],
    ['two objects', '{}{}'],
    ['no JSON before its entries', `nonsense${encodeEntries([aMove('a', 'delivered')])}`],
    ['only white space before its entries', ` ${encodeEntries([aMove('a', 'delivered')])}`],
  ])('that is %s is unreadable', (_, text) => {
    expect(decodeStored(text)).toEqual({ kind: 'unreadable' })
    expect(isLeftover(text)).toBe(false)
  })

  it.each([
    ['that is cut short', '\u001e{"id":"b","aft'],
    ['that is no object', '\u001e42\n'],
    ['that is a list', '\u001e[]\n'],
    ['that is empty', '\u001e'],
    ['that is a line feed', '\u001e\n'],
  ])('skips an entry %s and keeps those around it', (_, broken) => {
    const [first, last] = [aMove('a', 'assigned'), aMove('c', 'delivered', { after: 'a' })]
    const text = storedText(anOrder(), first) + broken + encodeEntries([last])

    expect(decodeStored(text)).toEqual({ kind: 'order', received: anOrder(), entries: [first, last] })
  })

  it('of the former bot, plain JSON, is an order without entries', () => {
    expect(decodeStored('{ "status": "delivered" }\n')).toEqual({
      kind: 'order',
      received: { status: 'delivered' },
      entries: [],
    })
  })

  it('keeps entries of kinds that Orderly does not know', () => {
    expect(decodeStored('{}\u001e{"id":"a","smell":"of apples"}\n')).toMatchObject({
      entries: [{ id: 'a', smell: 'of apples' }],
    })
  })
})

describe('an entry', () => {
  it('begins with 0x1E, ends with a line feed, and has neither inside', () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const text = encodeEntries([entry])

        expect([text.at(0), text.at(-1)]).toEqual(['\u001e', '\n'])
        expect(text.lastIndexOf('\u001e')).toBe(0)
        expect(text.indexOf('\n')).toBe(text.length - 1)
      }),
    )
  })

  it('of a move has about 150 bytes at most', () => {
    const text = encodeEntries([aMove('0123456789', 'picked-up', { after: '0123456789', by: 9_999_999_999 })])

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(150)
  })

  it('for no entry is no text', () => {
    expect(encodeEntries([])).toBe('')
  })
})
