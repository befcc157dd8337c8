import { describe, expect, it } from 'vitest'
import {
  isOpen,
  isOrderStatus,
  mayBecome,
  nextStatuses,
  orderStatuses,
  type OrderStatus,
} from '../../src/orders/status.ts'

/** The table of DESIGN.md, section 5. */
const table: readonly (readonly [from: OrderStatus, open: boolean, to: readonly OrderStatus[]])[] = [
  ['new', true, ['asked', 'confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed']],
  ['asked', true, ['confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed']],
  ['confirmed', true, ['asked', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed']],
  ['assigned', true, ['asked', 'confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed']],
  ['picked-up', true, ['assigned', 'delivered', 'cancelled']],
  ['delivered', false, []],
  ['cancelled', false, []],
  ['removed', false, []],
]

describe('the status table', () => {
  it('knows these statuses and no others', () => {
    expect(orderStatuses).toEqual(table.map(([from]) => from))
  })

  it.each(table)('lets an order that is %s (open: %s) become %j and nothing else', (from, open, to) => {
    expect(isOpen(from)).toBe(open)
    expect(nextStatuses(from)).toEqual(to)
    expect(orderStatuses.filter((status) => mayBecome(from, status)).toSorted()).toEqual(to.toSorted())
  })

  it.each([null, '', 'paused', 'NEW', 'toString', '__proto__', 'constructor'])(
    'knows nothing that may follow %j, which is not open',
    (from) => {
      expect(isOrderStatus(from)).toBe(false)
      expect(isOpen(from)).toBe(false)
      expect(nextStatuses(from)).toEqual([])
      expect(orderStatuses.filter((to) => mayBecome(from, to))).toEqual([])
    },
  )

  it.each([undefined, 7, {}, ['new']])('does not take %j for a status', (value) => {
    expect(isOrderStatus(value)).toBe(false)
  })
})
