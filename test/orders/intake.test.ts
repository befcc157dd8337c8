import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { readIntake, type Intake } from '../../src/orders/intake.ts'
import { instant } from '../support/clock.ts'
import { anIntake } from '../support/orders.ts'

const rules = {
  nowMs: instant('2025-12-08T20:00:00+01:00'),
  zone: 'Europe/Berlin',
  cutoffMs: instant('2025-12-06T00:00:00+01:00'),
}
const read = (payload: unknown) => readIntake(payload, rules)

/** Why an intake is refused, empty where it is not. Any other error passes. */
function messageOf(payload: unknown): string {
  try {
    read(payload)
    return ''
  } catch (error) {
    if (error instanceof InputError) return error.message
    throw error
  }
}

/** Stands in every bad value, and must stand in no message. */
const SECRET = 'Geheimrat'
const item = (fields: object) => ({ items: [{ vendor: 'Leckerolls', quantity: 1, name: 'Gulasch', ...fields }] })

describe('an intake that breaks a rule', () => {
  it.each([
    ['source', { source: undefined }],
    ['source', { source: '' }],
    ['source', { source: '   ' }],
    ['source', { source: SECRET.repeat(4) }],
    ['source', { source: 7 }],
    ['source_id', { source_id: undefined }],
    ['source_id', { source_id: null }],
    ['source_id', { source_id: 6986534250496 }],
    ['source_id', { source_id: SECRET.repeat(15) }],
    ['created_at', { created_at: undefined }],
    ['created_at', { created_at: null }],
    ['created_at', { created_at: 1_774_500_000 }],
    ['created_at', { created_at: SECRET }],
    ['created_at', { created_at: SECRET.repeat(10) }],
    ['created_at', { created_at: '2025-12-08' }],
    ['created_at', { created_at: '18:02' }],
    ['created_at', { created_at: '2025-02-30T18:02:11+01:00' }],
    ['created_at', { created_at: '2025-12-09T20:00:00.001+01:00' }],
    ['created_at', { created_at: '2025-12-05T23:59:59.999+01:00' }],
    ['created_at', { created_at: '2025-12-01T12:00:00+01:00', wanted_at: '2025-12-05T12:00:00+01:00' }],
    ['wanted_at', { wanted_at: SECRET }],
    ['wanted_at', { wanted_at: '2025-12-20' }],
    ['wanted_at', { wanted_at: 1_774_500_000 }],
    ['wanted_at', { wanted_at: '2026-02-06T20:00:00.001+01:00' }],
    ['customer', { customer: undefined }],
    ['customer', { customer: SECRET }],
    ['customer', { customer: [SECRET] }],
    ['customer.name', { customer: {} }],
    ['customer.name', { customer: { name: '' } }],
    ['customer.name', { customer: { name: SECRET.repeat(30) } }],
    ['customer.phone', { customer: { name: 'Ana', phone: SECRET.repeat(10) } }],
    ['customer.phone', { customer: { name: 'Ana', phone: 4_985_121 } }],
    ['customer.address', { customer: { name: 'Ana', address: SECRET.repeat(60) } }],
    ['items', { items: undefined }],
    ['items', { items: [] }],
    ['items', { items: { 0: SECRET } }],
    ['items', { items: Array.from({ length: 201 }, () => item({}).items[0]) }],
    ['items.0', { items: [SECRET] }],
    ['items.0.vendor', item({ vendor: undefined })],
    ['items.0.vendor', item({ vendor: SECRET.repeat(10) })],
    ['items.0.quantity', item({ quantity: 0 })],
    ['items.0.quantity', item({ quantity: 1_000 })],
    ['items.0.quantity', item({ quantity: 1.5 })],
    ['items.0.quantity', item({ quantity: '1' })],
    ['items.0.quantity', item({ quantity: Number.NaN })],
    ['items.0.name', item({ name: undefined })],
    ['items.0.name', item({ name: SECRET.repeat(30) })],
    ['items.0.note', item({ note: SECRET.repeat(120) })],
    ['items.1.name', { items: [...item({}).items, { vendor: 'Leckerolls', quantity: 1 }] }],
    ['total', { total: undefined }],
    ['total', { total: '23.90 EUR' }],
    ['total.amount', { total: { amount: 23.9, currency: 'EUR' } }],
    ['total.amount', { total: { amount: '23,90', currency: 'EUR' } }],
    ['total.amount', { total: { amount: '-1', currency: 'EUR' } }],
    ['total.amount', { total: { amount: '1e9', currency: 'EUR' } }],
    ['total.amount', { total: { amount: '1.', currency: 'EUR' } }],
    ['total.amount', { total: { amount: `23.90\n`, currency: 'EUR' } }],
    ['total.amount', { total: { amount: SECRET, currency: 'EUR' } }],
    ['total.currency', { total: { amount: '23.90', currency: 'eur' } }],
    ['total.currency', { total: { amount: '23.90', currency: SECRET } }],
    ['total.currency', { total: { amount: '23.90' } }],
    ['tip.amount', { tip: { amount: 2, currency: 'EUR' } }],
    ['payment', { payment: SECRET.repeat(4) }],
    ['payment', { payment: '' }],
    ['note', { note: SECRET.repeat(250) }],
    ['pickup', { pickup: SECRET }],
    ['pickup', { pickup: null }],
  ])('is refused and told %s: %j', (field, fields) => {
    const message = messageOf(anIntake(fields))

    expect(message).not.toBe('')
    expect(message).toMatch(new RegExp(`(^|\\W)${field.replaceAll('.', '\\.')}\\W`))
    expect(message).toMatch(/\.$/)
    expect(message).not.toContain(SECRET)
  })

  it.each([null, undefined, 7, SECRET, [], [anIntake()], true])('is refused when it is no object: %j', (payload) => {
    expect(messageOf(payload)).toMatch(/^The order/)
    expect(messageOf(payload)).not.toContain(SECRET)
  })

  it('is told every field that is wrong, not only the first', () => {
    const message = messageOf(anIntake({ source: '', items: [], total: { amount: 'x', currency: 'x' } }))

    for (const field of ['source', 'items', 'total.amount', 'total.currency']) expect(message).toContain(field)
  })

  it('is never told a value of its own, whatever it holds', () => {
    const anyValue = fc.oneof(
      fc.constant(SECRET),
      fc.constant(`${SECRET}\n`.repeat(300)),
      fc.constant([SECRET]),
      fc.constant({ [SECRET]: SECRET, amount: SECRET, name: SECRET }),
      fc.jsonValue(),
    )
    const fields = [
      'source',
      'source_id',
      'created_at',
      'wanted_at',
      'customer',
      'items',
      'total',
      'tip',
      'payment',
      'note',
      'pickup',
    ]
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), anyValue), (values) => {
        const message = messageOf(anIntake(values))

        expect(message).not.toContain(SECRET)
      }),
      { numRuns: 300 },
    )
  })
})

describe('an intake', () => {
  it('is read with its source and order time', () => {
    expect(read(anIntake())).toEqual<Intake>({
      order: expect.objectContaining(anIntake()),
      source: { source: 'shopify', sourceId: '6986534250496', createdAtMs: instant('2025-12-08T18:02:11+01:00') },
      orderTimeMs: instant('2025-12-08T18:02:11+01:00'),
    })
  })

  it.each([
    ['a day ahead', { created_at: '2025-12-09T20:00:00+01:00' }, '2025-12-09T20:00:00+01:00'],
    ['exactly at the cutoff', { created_at: '2025-12-06T00:00:00+01:00' }, '2025-12-06T00:00:00+01:00'],
    ['wanted in 60 days', { wanted_at: '2026-02-06T20:00:00+01:00' }, '2026-02-06T20:00:00+01:00'],
    ['wanted before it was created', { wanted_at: '2025-12-08T12:00:00+01:00' }, '2025-12-08T18:02:11+01:00'],
    ['wanted at no time', { wanted_at: null }, '2025-12-08T18:02:11+01:00'],
    ['without an offset', { created_at: '2025-12-08T18:02:11' }, '2025-12-08T18:02:11+01:00'],
    ['with a space', { created_at: '2025-12-08 18:02:11' }, '2025-12-08T18:02:11+01:00'],
    [
      'created long ago but wanted today',
      { created_at: '2025-11-01T12:00:00+01:00', wanted_at: '2025-12-08T12:00:00+01:00' },
      '2025-12-08T12:00:00+01:00',
    ],
    [
      'created long ago but wanted exactly at the cutoff',
      { created_at: '2025-11-01T12:00:00+01:00', wanted_at: '2025-12-06T00:00:00+01:00' },
      '2025-12-06T00:00:00+01:00',
    ],
  ])('may be %s', (_, fields, orderTime) => {
    expect(read(anIntake(fields)).orderTimeMs).toBe(instant(orderTime))
  })

  it.each([
    [
      'no phone, address, tip, payment, note',
      { customer: { name: 'Ana', phone: null }, tip: null, payment: null, note: null },
    ],
    ['pickup', { pickup: true }],
    ['200 items', { items: Array.from({ length: 200 }, () => item({}).items[0]) }],
    ['999 of one thing', item({ quantity: 999 })],
    ['the longest texts', { note: 'x'.repeat(2_000), customer: { name: 'x'.repeat(256), address: 'x'.repeat(512) } }],
    ['three decimals', { total: { amount: '0.500', currency: 'KWD' } }],
    ['no decimals', { total: { amount: '999999999', currency: 'JPY' } }],
    ['markup, emoji and right-to-left text', { note: '<b>kein</b> *Besteck* 🏠 \u202eabc \u001e {"id":"a"}' }],
  ])('may have %s', (_, fields) => {
    expect(read(anIntake(fields)).order).toMatchObject(fields)
  })

  it('keeps fields that Orderly does not know', () => {
    const fields = { shop: { domain: 'x.example' }, customer: { name: 'Ana', floor: 3 } }

    expect(read(anIntake(fields)).order).toMatchObject(fields)
  })

  it('is trimmed, so that spaces make no other order of it', () => {
    expect(read(anIntake({ source: ' shopify ', source_id: ' 1\n' })).source).toMatchObject({
      source: 'shopify',
      sourceId: '1',
    })
  })
})
