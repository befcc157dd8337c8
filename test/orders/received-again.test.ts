import { beforeEach, describe, expect, it } from 'vitest'
import { createDesk, type Desk } from '../../src/orders/desk.ts'
import type { OrderId } from '../../src/orders/order.ts'
import { createOrderStore, type OrderStore } from '../../src/orders/store.ts'
import { orderKey } from '../../src/redis/keys.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import type { Connection } from '../../src/redis/transport.ts'
import { naiveFold, toldBy } from '../support/naive-fold.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12)
const clock = () => NOW_MS
const zone = 'Europe/Berlin'
const payload = {
  source: 'till',
  source_id: '1',
  created_at: '2026-01-15T12:30:00+01:00',
  customer: { name: 'Änne' },
  items: [{ vendor: 'Goa', quantity: 1, name: 'Dal' }],
  total: { amount: '9.90', currency: 'EUR' },
}

/** Here the other instance deletes an order that we hold, and receives it again, before we act on what we hold. */
describe('an order that was deleted and received again behind our back', () => {
  let memory: Connection
  let ours: { store: OrderStore; desk: Desk }
  let other: { store: OrderStore; desk: Desk }
  let id: OrderId
  let text: () => Promise<string | undefined>
  beforeEach(async () => {
    memory = createMemoryConnection({ clock })
    const open = (life: string) => {
      const store = createOrderStore({ send: memory.send, clock, zone, earliestMs: () => 0, newLife: () => life })
      return { store, desk: createDesk({ store, clock, zone, cutoffMs: () => 0, ttlDays: 7 }) }
    }
    ours = open('one')
    other = open('other')
    id = (await ours.desk.receive(payload)).order.id
    text = async () => {
      const [stored] = await memory.send([['GET', orderKey(id)]])
      return typeof stored === 'string' ? stored : undefined
    }
  })
  const again = async () => {
    await memory.send([['UNLINK', orderKey(id)]])
    return (await other.desk.receive(payload)).order
  }

  it('does not take a move for applied because others have written just as many bytes since', async () => {
    const before = await ours.desk.move(id, { to: 'confirmed', after: null, by: 1 })
    await again()
    await other.desk.move(id, { to: 'cancelled', after: null, by: 2 })

    const after = before.outcome === 'moved' ? before.order.lastMove : null
    const moved = await ours.desk.move(id, { to: 'assigned', after, by: 1 })

    expect(naiveFold(await text())?.status).toBe('cancelled')
    expect(moved.outcome).toBe('overtaken')
    expect(toldBy(ours.store.held()[0])).toEqual(naiveFold(await text()))
  })

  it('reads the order before it refuses a tap on the new card', async () => {
    await ours.desk.move(id, { to: 'confirmed', after: null, by: 1 })
    const { lastMove } = await again()

    const moved = await ours.desk.move(id, { to: 'cancelled', after: lastMove, by: 2 })

    expect(moved.outcome).toBe('moved')
    expect(naiveFold(await text())?.status).toBe('cancelled')
  })
})
