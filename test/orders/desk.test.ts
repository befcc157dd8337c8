import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import type { Moved } from '../../src/orders/desk.ts'
import type { OrderId } from '../../src/orders/order.ts'
import { timeOfId } from '../../src/orders/order.ts'
import { instant } from '../support/clock.ts'
import { anIntake } from '../support/orders.ts'
import { anId, createOrderRig, LIFE } from '../support/order-rig.ts'
import { lost, lostReply, spoil } from '../support/transport.ts'

const [ANA, BEN] = [1, 2]
const orderOf = (moved: Moved) => ('order' in moved ? moved.order : undefined)
const lastMove = (moved: Moved) => orderOf(moved)?.lastMove ?? null

/** An order that two instances hold. */
async function received(fields: object = {}) {
  const rig = createOrderRig()
  const [one, other] = [rig.instance(), rig.instance()]
  const { order } = await one.desk.receive(anIntake({ ...fields }))
  await other.store.read(order.id)
  one.free()
  other.free()
  return { ...rig, one, other, id: order.id }
}

describe('receiving', () => {
  it('stores an order as new under an id that carries its order time, for 1 command', async () => {
    const { instance, textOf } = createOrderRig()
    const one = instance()

    const [{ outcome, order }, cost] = await one.billed(() => one.desk.receive(anIntake()))

    expect([outcome, order.status, cost]).toEqual(['received', 'new', 1])
    expect(timeOfId(order.id, instant('2025-12-08T20:00:00+01:00'))).toBe(instant('2025-12-08T18:02:11+01:00'))
    expect(JSON.parse(String(await textOf(order.id)))).toEqual({ ...anIntake(), status: 'new', _life: LIFE })
  })

  it('takes the same order twice for one, on any instance, for 2 commands', async () => {
    const { one, other, id } = await received()

    for (const each of [one, other]) {
      const [again, cost] = await each.billed(() => each.desk.receive(anIntake()))
      expect([again.outcome, again.order.id, cost]).toEqual(['known', id, 2])
    }
  })

  it('takes a held order with another wanted time for the same, for a look at the store', async () => {
    const { one, id } = await received()

    const [again, cost] = await one.billed(() => one.desk.receive(anIntake({ wanted_at: '2025-12-09T12:00:00+01:00' })))

    expect([again.outcome, again.order.id, cost]).toEqual(['known', id, 1])
  })

  it('stores an order although a copy of it is held under another wanted time, when the store has it no more', async () => {
    const { one, other, id, textOf } = await received()
    await other.store.remove(id)

    const again = await one.desk.receive(anIntake({ wanted_at: '2025-12-09T12:00:00+01:00' }))

    expect(again.outcome).toBe('received')
    expect(await textOf(again.order.id)).toBeDefined()
  })

  it.each([
    ['source', { source: 'till' }],
    ['source id', { source_id: '7' }],
    ['creation', { created_at: '2025-12-08T18:02:12+01:00' }],
  ])('takes another %s for another order', async (_, fields) => {
    const { one, id } = await received()

    const again = await one.desk.receive(anIntake(fields))

    expect(again.outcome).toBe('received')
    expect(again.order.id).not.toBe(id)
  })

  it('never lets a source choose the status', async () => {
    const { order } = await createOrderRig()
      .instance()
      .desk.receive(anIntake({ status: 'delivered' }))

    expect(order.status).toBe('new')
  })

  it('stores nothing of an order that breaks a rule', async () => {
    const one = createOrderRig().instance()

    await expect(one.desk.receive(anIntake({ items: [] }))).rejects.toThrow(InputError)
    await expect(one.desk.receive(anIntake({ created_at: '2025-12-05T12:00:00+01:00' }))).rejects.toThrow(InputError)
    expect(one.cost()).toBe(0)
  })

  it('takes an order again after it was removed', async () => {
    const { one, id } = await received()
    await one.desk.move(id, { to: 'removed', after: null, by: ANA })

    expect((await one.desk.receive(anIntake())).outcome).toBe('received')
  })

  it.each([
    ['now', { created_at: '2025-12-08T20:00:00+01:00' }, 7 * 86_400],
    ['two hours ago', { created_at: '2025-12-08T18:00:00+01:00' }, 7 * 86_400 - 7_200],
    ['a day ahead', { created_at: '2025-12-09T20:00:00+01:00' }, 8 * 86_400],
    ['wanted in 30 days', { wanted_at: '2026-01-07T20:00:00+01:00' }, 37 * 86_400],
  ])('sets the expiry to order time + ttl days - now: created %s', async (_, fields, seconds) => {
    const { instance, redis } = createOrderRig()

    const { order } = await instance().desk.receive(anIntake(fields))

    expect(await redis(['TTL', `order:${order.id}`])).toEqual([seconds])
  })

  it('sets an expiry of at least an hour', async () => {
    const { clock, instance, redis } = createOrderRig()
    clock.moveTo('2025-12-08T20:00:00+01:00')
    const one = instance({ ttlDays: 1 })

    const { order } = await one.desk.receive(anIntake({ created_at: '2025-12-06T12:00:00+01:00' }))

    expect(await redis(['TTL', `order:${order.id}`])).toEqual([3_600])
  })
})

describe('a move', () => {
  it('costs 1 command', async () => {
    const { one, id } = await received()

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'assigned', after: null, by: ANA }))

    expect(moved).toMatchObject({ outcome: 'moved', order: { status: 'assigned' } })
    expect(orderOf(moved)?.history).toMatchObject([{ at: '2025-12-08T20:00:00.000+01:00', by: ANA }])
    expect(cost).toBe(1)
  })

  it('against somebody who was faster costs 2, is void and says who did what', async () => {
    const { one, other, id } = await received()
    await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    const [moved, cost] = await other.billed(() => other.desk.move(id, { to: 'cancelled', after: null, by: BEN }))

    expect(moved).toMatchObject({
      outcome: 'overtaken',
      by: { by: ANA, kind: 'move', to: 'assigned' },
      order: { status: 'assigned' },
    })
    expect(cost).toBe(2)
  })

  it('of two people at the same moment is won by exactly one, and both instances agree', async () => {
    const { one, other, id } = await received()

    const moves = await Promise.all([
      one.desk.move(id, { to: 'assigned', after: null, by: ANA }),
      other.desk.move(id, { to: 'cancelled', after: null, by: BEN }),
    ])

    expect(moves.map(({ outcome }) => outcome).toSorted()).toEqual(['moved', 'overtaken'])
    await one.store.load()
    await other.store.load()
    expect(await one.store.read(id)).toEqual(await other.store.read(id))
  })

  it('by an old button costs nothing', async () => {
    const { one, id } = await received()
    const assigned = await one.desk.move(id, { to: 'assigned', after: null, by: ANA })
    const after = lastMove(assigned)
    await one.desk.move(id, { to: 'picked-up', after, by: ANA })

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'delivered', after, by: BEN }))

    expect([moved.outcome, cost]).toEqual(['overtaken', 0])
  })

  it('by the button of a card without moves reads the order first, for it may have been received anew', async () => {
    const { one, id } = await received()
    await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'delivered', after: null, by: BEN }))

    expect([moved.outcome, cost]).toEqual(['overtaken', 1])
  })

  it('on a state that this instance does not know yet reads the order first', async () => {
    const { one, other, id } = await received()
    const assigned = await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    const [moved, cost] = await other.billed(() =>
      other.desk.move(id, { to: 'delivered', after: lastMove(assigned), by: ANA }),
    )

    expect([moved.outcome, orderOf(moved)?.status, cost]).toEqual(['moved', 'delivered', 2])
  })

  it('on a state that nobody knows is refused for 1 command', async () => {
    const { one, id } = await received()

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'assigned', after: 'x', by: ANA }))

    expect([moved.outcome, cost]).toEqual(['overtaken', 1])
  })

  it('that the table forbids is refused with what is allowed, for nothing', async () => {
    const { one, id } = await received()
    const picked = await one.desk.move(id, { to: 'picked-up', after: null, by: ANA })

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'new', after: lastMove(picked), by: ANA }))

    expect(moved).toMatchObject({ outcome: 'forbidden', allowed: ['assigned', 'delivered', 'cancelled'] })
    expect(cost).toBe(0)
  })

  it('that the same person made already is done, here and elsewhere', async () => {
    const { one, other, id } = await received()
    await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    expect(await one.desk.move(id, { to: 'assigned', after: null, by: ANA })).toMatchObject({ outcome: 'done' })
    expect(await other.desk.move(id, { to: 'assigned', after: null, by: ANA })).toMatchObject({
      outcome: 'done',
      order: { status: 'assigned' },
    })
  })

  it.each([
    ['somebody else made already', BEN, 'assigned'],
    ['is another than the same person made', ANA, 'cancelled'],
  ] as const)('that %s is overtaken', async (_, by, to) => {
    const { one, id } = await received()
    await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    expect((await one.desk.move(id, { to, after: null, by })).outcome).toBe('overtaken')
  })

  it('that the same person made already, but which was changed since, is overtaken', async () => {
    const { one, id } = await received()
    const assigned = await one.desk.move(id, { to: 'assigned', after: null, by: ANA })
    await one.desk.move(id, { to: 'delivered', after: lastMove(assigned), by: BEN })

    expect((await one.desk.move(id, { to: 'assigned', after: null, by: ANA })).outcome).toBe('overtaken')
  })

  it('of an order that has gone is told so, and leaves nothing behind', async () => {
    const { one, redis, id } = await received()
    await redis(['UNLINK', `order:${id}`])

    expect(await one.desk.move(id, { to: 'assigned', after: null, by: ANA })).toEqual({ outcome: 'gone' })
    expect(await redis(['DBSIZE'])).toEqual([0])
  })

  it('of an order that never was is told so for 1 command', async () => {
    const one = createOrderRig().instance()

    const move = one.desk.move(anId('7'), { to: 'assigned', after: null, by: ANA })

    expect(await move).toEqual({ outcome: 'gone' })
    expect(one.cost()).toBe(1)
  })

  it('of an order of the former bot costs 1 command once it is held', async () => {
    const { instance, redis } = createOrderRig()
    await redis(['SET', 'order:7', '{"status":"assigned","created_at":"2025-12-08T12:00:00+01:00"}'])
    const one = instance()
    const id: OrderId = anId('7')
    await one.store.load()

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'delivered', after: null, by: ANA }))

    expect([moved.outcome, orderOf(moved)?.status, cost]).toEqual(['moved', 'delivered', 1])
  })

  it('whose answer was lost counts once', async () => {
    const { one, id } = await received()
    one.transport.onRequest = spoil('APPEND', lostReply)

    const moved = await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    expect(moved).toMatchObject({ outcome: 'moved', order: { status: 'assigned' } })
  })

  it('to removed deletes the order, for 2 commands', async () => {
    const { one, redis, id } = await received()

    const [moved, cost] = await one.billed(() => one.desk.move(id, { to: 'removed', after: null, by: ANA }))

    expect([moved.outcome, cost]).toEqual(['moved', 2])
    expect(await redis(['DBSIZE'])).toEqual([0])
    expect(one.store.held()).toEqual([])
  })

  it('to removed that was void deletes nothing', async () => {
    const { one, other, redis, id } = await received()
    await one.desk.move(id, { to: 'assigned', after: null, by: ANA })

    expect((await other.desk.move(id, { to: 'removed', after: null, by: BEN })).outcome).toBe('overtaken')
    expect(await redis(['DBSIZE'])).toEqual([1])
  })
})

/** An order that was just delivered; `after` is that move. */
async function delivered() {
  const rig = await received()
  const after = lastMove(await rig.one.desk.move(rig.id, { to: 'delivered', after: null, by: ANA })) ?? ''
  rig.one.free()
  return { ...rig, after }
}

describe('an undo', () => {
  const minute = 60_000

  it('takes the latest move back, for 1 command', async () => {
    const { one, id, after } = await delivered()

    const [undone, cost] = await one.billed(() => one.desk.undo(id, { undo: after, after, by: ANA }))

    expect([undone.outcome, orderOf(undone)?.status, cost]).toEqual(['moved', 'new', 1])
  })

  it.each([
    [0, 'moved'],
    [10 * minute, 'moved'],
    [10 * minute + 1, 'too-late'],
    [24 * 60 * minute, 'too-late'],
  ])('%i ms after the move is %s', async (ms, outcome) => {
    const { one, clock, id, after } = await delivered()
    clock.advance(ms)

    expect((await one.desk.undo(id, { undo: after, after, by: BEN })).outcome).toBe(outcome)
  })

  it('that is too late costs nothing', async () => {
    const { one, clock, id, after } = await delivered()
    clock.advance(11 * minute)

    await one.desk.undo(id, { undo: after, after, by: ANA })

    expect(one.cost()).toBe(0)
  })

  it('of a move that is not the latest is too late', async () => {
    const { one, id } = await received()
    const first = lastMove(await one.desk.move(id, { to: 'assigned', after: null, by: ANA })) ?? ''
    const after = lastMove(await one.desk.move(id, { to: 'delivered', after: first, by: ANA }))

    expect((await one.desk.undo(id, { undo: first, after, by: ANA })).outcome).toBe('too-late')
  })

  it('made twice by the same person is done', async () => {
    const { one, id, after } = await delivered()
    await one.desk.undo(id, { undo: after, after, by: ANA })

    expect((await one.desk.undo(id, { undo: after, after, by: ANA })).outcome).toBe('done')
    expect((await one.desk.undo(id, { undo: after, after, by: BEN })).outcome).toBe('overtaken')
  })

  it('of two people at the same moment is made once', async () => {
    const { one, other, id, after } = await delivered()
    await other.store.load()

    const undos = await Promise.all([
      one.desk.undo(id, { undo: after, after, by: ANA }),
      other.desk.undo(id, { undo: after, after, by: BEN }),
    ])

    expect(undos.map(({ outcome }) => outcome).toSorted()).toEqual(['moved', 'overtaken'])
    await one.store.load()
    expect((await one.store.read(id))?.status).toBe('new')
  })
})

describe('a whole order', () => {
  it('of one vendor, from intake to delivered with three cards, costs at most 10 commands', async () => {
    const one = createOrderRig().instance()
    const { order } = await one.desk.receive(anIntake())
    const card = (message: number) =>
      one.store.change(order.id, () => ({
        append: [{ id: `card${message}`, at: 'x', by: 'bot', card: { chat: -message, message } }],
      }))
    let after: string | null = null

    await card(1)
    for (const to of ['asked', 'confirmed', 'assigned', 'picked-up', 'delivered'] as const) {
      after = lastMove(await one.desk.move(order.id, { to, after, by: ANA }))
      if (to === 'asked') await card(2)
      if (to === 'assigned') await card(3)
    }

    expect((await one.store.read(order.id))?.status).toBe('delivered')
    expect(one.cost()).toBeLessThanOrEqual(10)
  })
})

describe.concurrent('a move that gets no answer', () => {
  it('throws, and the same move made again cannot count twice, even where it was carried out', async () => {
    const { one, id } = await received()
    one.transport.onRequest = spoil('APPEND', lostReply, 3)
    const request = { to: 'assigned', after: null, by: ANA } as const
    await expect(one.desk.move(id, request)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })

    expect(await one.desk.move(id, request)).toMatchObject({ outcome: 'done', order: { status: 'assigned' } })
    expect((await one.store.read(id))?.history.filter(({ applied }) => applied)).toHaveLength(1)
  })

  it('throws, and the order is as it was where it was not', async () => {
    const { one, id } = await received()
    one.transport.onRequest = lost

    await expect(one.desk.move(id, { to: 'assigned', after: null, by: ANA })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    })

    one.transport.onRequest = undefined
    expect((await one.store.read(id))?.status).toBe('new')
  })
})
