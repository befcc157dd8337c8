import { describe, expect, it } from 'vitest'
import type { Entry } from '../../src/orders/entries.ts'
import type { Order } from '../../src/orders/fold.ts'
import type { Decision } from '../../src/orders/store.ts'
import { instant } from '../support/clock.ts'
import { aCard, aMove, aNote, anOrder, keyOf, storedText } from '../support/orders.ts'
import { anId, createOrderRig, LIFE } from '../support/order-rig.ts'
import { failure, lost, lostReply, type OnRequest, spoil } from '../support/transport.ts'

const KEY = keyOf('2025-12-08T18:02:11+01:00')
const ID = anId(KEY.slice('order:'.length))
const appending =
  (...append: readonly [Entry, ...Entry[]]) =>
  (): Decision<string> => ({ append })
const refusing = (mayBeStale: boolean) => (): Decision<string> => ({ refuse: 'no', mayBeStale })
const statusOf = (result: object) => ('order' in result ? (result.order as Order).status : undefined)

describe('a new order', () => {
  it('costs 1 command, and is held', async () => {
    const { instance, textOf } = createOrderRig()
    const one = instance()

    const [created, cost] = await one.billed(() => one.store.create(ID, anOrder(), 3_600))

    expect([created.isNew, created.order.status, cost]).toEqual([true, 'new', 1])
    expect(await textOf(ID)).toBe(JSON.stringify({ ...anOrder(), _life: LIFE }))
    expect(one.store.held()).toEqual([created.order])
  })

  it('is the same order the second time, on any instance, for 2 commands', async () => {
    const { instance } = createOrderRig()
    const [one, other] = [instance(), instance()]
    await one.store.create(ID, anOrder(), 3_600)
    await one.store.change(ID, appending(aMove('a', 'assigned')))

    for (const each of [one, other]) {
      const [again, cost] = await each.billed(() => each.store.create(ID, anOrder(), 3_600))
      expect([again.isNew, again.order.status, cost]).toEqual([false, 'assigned', 2])
    }
  })

  it('is new although the answer of its SET was lost', async () => {
    const one = createOrderRig().instance()
    one.transport.onRequest = spoil('SET', lostReply)

    const [created, cost] = await one.billed(() => one.store.create(ID, anOrder(), 3_600))

    expect([created.isNew, cost]).toEqual([true, 3])
  })

  it('expires after the seconds it was given, and a change leaves that as it is', async () => {
    const { instance, redis, clock } = createOrderRig()
    const one = instance()
    await one.store.create(ID, anOrder(), 3_600)

    clock.advance(600_000)
    await one.store.change(ID, appending(aMove('a', 'assigned')))

    expect(await redis(['TTL', KEY])).toEqual([3_000])
  })

  it('takes the place of a leftover, which is dropped by the script alone, for 6 commands', async () => {
    const { instance, redis, textOf } = createOrderRig()
    await redis(['SET', KEY, storedText({}, aMove('a', 'assigned')).slice(2)])
    const one = instance()

    const [created, cost] = await one.billed(() => one.store.create(ID, anOrder(), 3_600))

    expect([created.isNew, cost]).toEqual([true, 6])
    expect(await textOf(ID)).toBe(JSON.stringify({ ...anOrder(), _life: LIFE }))
    expect(one.transport.sent().map(([name]) => name)).toEqual(['SET', 'GET', 'EVAL', 'SET'])
  })

  it('is set again when what was in the way has gone meanwhile', async () => {
    const { instance, redis } = createOrderRig()
    await redis(['SET', KEY, 'x'])
    const one = instance()
    one.transport.onRequest = spoil('GET', async (_, carryOut) => {
      await redis(['UNLINK', KEY])
      return carryOut()
    })

    const [created, cost] = await one.billed(() => one.store.create(ID, anOrder(), 3_600))

    expect([created.isNew, cost]).toEqual([true, 3])
  })

  it('gives up after three leftovers in its way', async () => {
    const { instance, redis } = createOrderRig()
    const one = instance()
    one.transport.onRequest = async ([command], carryOut) => {
      if (command?.[0] === 'SET') await redis(['SET', KEY, '\u001e{}\n'])
      return carryOut()
    }

    await expect(one.store.create(ID, anOrder(), 3_600)).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    expect(one.cost()).toBe(15)
  })

  it('is not stored over something that is no order', async () => {
    const { instance, redis, textOf } = createOrderRig()
    await redis(['SET', KEY, 'nonsense'])

    await expect(instance().store.create(ID, anOrder(), 3_600)).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    expect(await textOf(ID)).toBe('nonsense')
  })

  it('is not stored over a key of another type', async () => {
    const { instance, redis } = createOrderRig()
    await redis(['RPUSH', KEY, 'x'])

    await expect(instance().store.create(ID, anOrder(), 3_600)).rejects.toMatchObject({ code: 'REDIS_WRONG_TYPE' })
    expect(await redis(['TYPE', KEY])).toEqual(['list'])
  })
})

/** An order that two instances hold. */
async function shared() {
  const rig = createOrderRig()
  const [one, other] = [rig.instance(), rig.instance()]
  await one.store.create(ID, anOrder({ note: 'Zwiebeln ü 🏠' }), 3_600)
  await other.store.read(ID)
  return { ...rig, one, other }
}

describe('a change', () => {
  it('costs 1 command when nobody else wrote in between, again and again', async () => {
    const { one } = await shared()

    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      const [changed, cost] = await one.billed(() => one.store.change(ID, appending(aNote(id, 'ü'.repeat(at)))))
      expect([changed.outcome, cost]).toEqual(['appended', 1])
    }
  })

  it('costs 1 command for several entries too', async () => {
    const { one, textOf } = await shared()

    const [, cost] = await one.billed(() =>
      one.store.change(ID, appending(aMove('a', 'assigned'), aCard('b', -100, 7))),
    )

    expect(cost).toBe(1)
    expect(await textOf(ID)).toBe(
      storedText({ ...anOrder({ note: 'Zwiebeln ü 🏠' }), _life: LIFE }, aMove('a', 'assigned'), aCard('b', -100, 7)),
    )
  })

  it('costs 2 when somebody else wrote in between, and brings what that was', async () => {
    const { one, other } = await shared()
    await one.store.change(ID, appending(aMove('a', 'assigned', { by: 1 })))

    const [changed, cost] = await other.billed(() =>
      other.store.change(ID, appending(aMove('b', 'delivered', { by: 2 }))),
    )

    expect([changed.outcome, statusOf(changed), cost]).toEqual(['appended', 'assigned', 2])
    expect(other.store.held()[0]?.history.map(({ id, applied }) => [id, applied])).toEqual([
      ['a', true],
      ['b', false],
    ])
  })

  it('costs 1 again after a conflict, whatever bytes the order holds', async () => {
    const { one, other } = await shared()
    await one.store.change(ID, appending(aNote('a', 'ü 😀')))
    await other.store.change(ID, appending(aNote('b', '\ud800')))

    expect((await other.billed(() => other.store.change(ID, appending(aNote('c', 'x')))))[1]).toBe(1)
  })

  it('costs 1 more for an order that is not held', async () => {
    const { instance } = await shared()
    const third = instance()

    const [changed, cost] = await third.billed(() => third.store.change(ID, appending(aMove('a', 'assigned'))))

    expect([statusOf(changed), cost]).toEqual(['assigned', 2])
  })

  it('that is refused on the copy at hand costs nothing', async () => {
    const { one } = await shared()

    const [changed, cost] = await one.billed(() => one.store.change(ID, refusing(false)))

    expect(changed).toMatchObject({ outcome: 'refused', refusal: 'no' })
    expect(cost).toBe(0)
  })

  it('is decided again on a fresh copy before it is refused on one that may be stale', async () => {
    const { one, other } = await shared()
    await one.store.change(ID, appending(aMove('a', 'assigned')))
    const seen: (string | null)[] = []

    const [changed, cost] = await other.billed(() =>
      other.store.change(ID, ({ status }) => {
        seen.push(status)
        return { refuse: 'no', mayBeStale: true }
      }),
    )

    expect([changed.outcome, cost, seen]).toEqual(['refused', 1, ['new', 'assigned']])
  })

  it('leaves this process after all earlier changes to the same order', async () => {
    const { one, textOf } = await shared()
    let pending = 0
    one.transport.onRequest = async (_, carryOut) => {
      expect(++pending).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      pending -= 1
      return carryOut()
    }

    await Promise.all(['a', 'b', 'c'].map((id) => one.store.change(ID, appending(aNote(id, id)))))

    expect(one.cost()).toBe(4)
    expect(String(await textOf(ID)).match(/"id":"(.)"/g)).toEqual(['"id":"a"', '"id":"b"', '"id":"c"'])
  })

  it('goes on after an earlier one has failed', async () => {
    const { one } = await shared()
    const failing = one.store.change(ID, () => {
      throw new Error('A test made this failure.')
    })
    const next = one.store.change(ID, appending(aMove('a', 'assigned')))

    await expect(failing).rejects.toThrow('A test made')
    expect((await next).outcome).toBe('appended')
  })
})

describe.concurrent('a change whose answer was lost', () => {
  it.each([
    ['before it was carried out', lost],
    ['after it was carried out', lostReply],
  ])('%s is repeated with the same entry and counts once', async (_, fault) => {
    const { one, other } = await shared()
    one.transport.onRequest = spoil('APPEND', fault)

    const changed = await one.store.change(ID, appending(aMove('a', 'assigned')))

    expect(statusOf(changed)).toBe('assigned')
    expect(one.store.held()[0]?.history).toHaveLength(1)
    expect(statusOf(await other.store.change(ID, appending(aMove('b', 'delivered', { after: 'a' }))))).toBe('delivered')
  })

  it('every time is thrown, and the next use reads the order first', async () => {
    const { one } = await shared()
    one.transport.onRequest = spoil('APPEND', lostReply, 3)

    await expect(one.store.change(ID, appending(aMove('a', 'assigned')))).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    })
    expect(one.store.held()).toEqual([])

    const [order, cost] = await one.billed(() => one.store.read(ID))
    expect([order?.status, cost]).toEqual(['assigned', 1])
    expect((await one.billed(() => one.store.read(ID)))[1]).toBe(0)
  })

  it('is thrown when only the look after it got no answer, and the next use reads the order first', async () => {
    const { one, other } = await shared()
    await one.store.change(ID, appending(aMove('a', 'assigned')))
    other.transport.onRequest = spoil('GET', async () => [failure('REDIS_LIMIT')])

    await expect(other.store.change(ID, appending(aNote('b', 'x')))).rejects.toMatchObject({ code: 'REDIS_LIMIT' })

    expect((await other.billed(() => other.store.read(ID)))[1]).toBe(1)
  })
})

describe('an order that has gone', () => {
  it('is told after a change, and what the change left is dropped, for 4 commands', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY])

    const [changed, cost] = await one.billed(() => one.store.change(ID, appending(aMove('a', 'assigned'))))

    expect([changed, cost]).toEqual([{ outcome: 'gone' }, 4])
    expect(await redis(['EXISTS', KEY])).toEqual([0])
    expect(one.store.held()).toEqual([])
    expect(one.transport.sent().map(([name]) => name)).not.toContain('UNLINK')
  })

  it('is told although somebody else left entries there too, and both leftovers are dropped', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY], ['APPEND', KEY, '\u001e{"id":"x"}\n'])

    expect(await one.store.change(ID, appending(aMove('a', 'assigned')))).toEqual({ outcome: 'gone' })
    expect(await redis(['EXISTS', KEY])).toEqual([0])
  })

  it('is told although what is left could not be dropped', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY])
    one.transport.onRequest = spoil('EVAL', async () => [failure('REDIS_REFUSED')])

    expect(await one.store.change(ID, appending(aMove('a', 'assigned')))).toEqual({ outcome: 'gone' })
    expect(one.store.held()).toEqual([])
  })

  it('is told for 1 command where it was never held', async () => {
    const { instance } = createOrderRig()
    const one = instance()

    expect(await one.billed(() => one.store.change(ID, appending(aMove('a', 'assigned'))))).toEqual([
      { outcome: 'gone' },
      1,
    ])
    expect(await one.billed(() => one.store.read(ID))).toEqual([undefined, 1])
  })

  it('is never deleted when it was received again before the leftover is dropped', async () => {
    const { one, redis, textOf } = await shared()
    await redis(['UNLINK', KEY])
    one.transport.onRequest = spoil('EVAL', async (_, carryOut) => {
      await redis(['SET', KEY, JSON.stringify(anOrder())])
      return carryOut()
    })

    await one.store.change(ID, appending(aMove('a', 'assigned')))

    expect(await textOf(ID)).toBe(JSON.stringify(anOrder()))
  })

  it('and was received again between a change and the look after it is decided anew', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY], ['APPEND', KEY, '\u001e{"id":"x"}\n'])
    one.transport.onRequest = spoil('GET', async (_, carryOut) => {
      await redis(['SET', KEY, JSON.stringify(anOrder({ note: 'again' }))])
      return carryOut()
    })

    const changed = await one.store.change(ID, appending(aMove('a', 'assigned')))

    expect(changed).toMatchObject({ outcome: 'appended', order: { status: 'assigned', facts: { note: 'again' } } })
  })
})

describe('a key of another type', () => {
  it('makes a change fail and nothing of it stays', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY], ['RPUSH', KEY, 'x'])

    await expect(one.store.change(ID, appending(aMove('a', 'assigned')))).rejects.toMatchObject({
      code: 'REDIS_WRONG_TYPE',
    })
    expect(await redis(['LRANGE', KEY, 0, -1])).toEqual([['x']])
    expect(one.store.held()).toEqual([])
  })
})

describe('reading', () => {
  it('a held order costs nothing', async () => {
    const { one } = await shared()

    expect((await one.billed(() => one.store.read(ID)))[1]).toBe(0)
    expect(one.store.findByOrigin(ID)?.id).toBe(ID)
  })

  it('an order of the former bot costs 1 command the first time', async () => {
    const { instance, redis } = createOrderRig()
    await redis(['SET', 'order:6986534250496', JSON.stringify(anOrder({ status: 'assigned' }))])
    const one = instance()

    expect(
      (await one.billed(() => one.store.read(anId('6986534250496')))).map((part) => part && statusOf({ order: part })),
    ).toEqual(['assigned', undefined])
    expect((await one.billed(() => one.store.read(anId('6986534250496'))))[1]).toBe(0)
  })

  it.each([
    ['a leftover', '\u001e{"id":"a","move":"assigned"}\n'],
    ['no order', 'nonsense'],
  ])('finds no order in %s, and leaves it where it is', async (_, text) => {
    const { instance, redis, textOf } = createOrderRig()
    await redis(['SET', KEY, text])

    expect(await instance().store.read(ID)).toBeUndefined()
    expect(await textOf(ID)).toBe(text)
  })

  it('an order before the extended cutoff costs 1 command each time, for it is not held', async () => {
    const { instance, redis } = createOrderRig()
    const key = keyOf('2025-12-03T23:59:59.999+01:00')
    await redis(['SET', key, JSON.stringify(anOrder())])
    const one = instance()
    const id = anId(key.slice(6))

    for (const _ of [1, 2]) expect((await one.billed(() => one.store.read(id)))[1]).toBe(1)
    expect(one.store.held()).toEqual([])
  })
})

describe('what is held', () => {
  it('is never more than the capacity, the youngest orders first', async () => {
    const { instance } = createOrderRig()
    const one = instance({ capacity: 20 })
    const times = Array.from({ length: 50 }, (_, at) => `2025-12-08T12:${String((at * 7) % 50).padStart(2, '0')}:00Z`)

    for (const time of times) {
      await one.store.create(anId(keyOf(time).slice(6)), anOrder({ created_at: time }), 3_600)
      expect(one.store.held().length).toBeLessThanOrEqual(20)
    }

    const held = one.store.held().map(({ facts }) => String(facts['created_at']))
    expect(held.length).toBeGreaterThanOrEqual(10)
    expect(held.toSorted()).toEqual(times.toSorted().slice(-held.length))
  })

  it('is found by its origin whatever time it is wanted for, and no more when it has gone', async () => {
    const { instance, redis } = createOrderRig()
    const one = instance()
    const sameOrigin = anId(keyOf('2025-12-09T12:00:00Z').slice(6, 16) + ID.slice(10))
    await one.store.create(ID, anOrder(), 3_600)

    expect(one.store.findByOrigin(sameOrigin)?.id).toBe(ID)

    await redis(['UNLINK', KEY])
    await one.store.change(ID, appending(aMove('a', 'assigned')))
    expect(one.store.findByOrigin(sameOrigin)).toBeUndefined()
  })
})

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => keyOf(new Date(instant('2025-12-08T12:00:00Z') + at * 1_000).toISOString()))

/** Runs `meanwhile` after the load has read `name`, before it sees the answer. */
const during =
  (name: string, meanwhile: () => Promise<unknown>): OnRequest =>
  async (commands, carryOut) => {
    const replies = await carryOut()
    if (commands[0]?.[0] === name) await meanwhile()
    return replies
  }

describe('a load', () => {
  it('brings what is young enough to be held, for SCAN pages and MGET batches', async () => {
    const { instance, redis } = createOrderRig()
    await redis(...many(1_500).map((key) => ['SET', key, storedText(anOrder(), aMove('a', 'assigned'))] as const))
    const one = instance()

    const [loaded, cost] = await one.billed(() => one.store.load())

    expect(loaded).toEqual({ keys: 1_500, read: 1_500 })
    expect(one.store.held()).toHaveLength(1_500)
    expect(cost).toBeLessThanOrEqual(2 + 3)
    expect(new Set(one.store.held().map(({ status }) => status))).toEqual(new Set(['assigned']))
  })

  it('does not read the values of keys that carry an older time', async () => {
    const { instance, redis } = createOrderRig()
    await redis(
      ['SET', keyOf('2025-12-03T23:59:59.999+01:00'), JSON.stringify(anOrder())],
      ['SET', keyOf('2025-12-04T00:00:00+01:00'), JSON.stringify(anOrder())],
      ['SET', 'order:1', JSON.stringify(anOrder({ created_at: '2025-12-03T12:00:00+01:00' }))],
    )
    const one = instance()

    expect(await one.store.load()).toEqual({ keys: 3, read: 2 })
    expect(one.store.held()).toHaveLength(1)
    expect(one.transport.sent().find(([name]) => name === 'MGET')).toHaveLength(3)
  })

  it('passes over keys that hold no order', async () => {
    const { instance, redis } = createOrderRig()
    await redis(
      ['SET', 'order:1', 'nonsense'],
      ['SET', 'order:2', '\u001e{"id":"a"}\n'],
      ['RPUSH', 'order:3', 'x'],
      ['SET', 'order:4', JSON.stringify(anOrder())],
      ['SET', 'orders:5', JSON.stringify(anOrder())],
    )
    const one = instance()

    await one.store.load()

    expect(one.store.held().map(({ id }) => id)).toEqual(['4'])
  })

  it('drops what has vanished and brings what others wrote', async () => {
    const { one, other, redis } = await shared()
    const key = keyOf('2025-12-08T12:00:00Z')
    await redis(['UNLINK', KEY], ['SET', key, JSON.stringify(anOrder())])

    await one.store.load()
    await other.store.load()

    expect(one.store.held().map(({ id }) => `order:${id}`)).toEqual([key])
    expect(other.store.held()).toEqual(one.store.held())
  })

  it('keeps what was changed meanwhile', async () => {
    const { one } = await shared()
    let changes = 0
    one.transport.onRequest = during('MGET', async () => {
      if (++changes === 1) await one.store.change(ID, appending(aMove('a', 'assigned')))
    })

    await one.store.load()

    expect(one.store.held()[0]?.status).toBe('assigned')
    expect((await one.billed(() => one.store.change(ID, appending(aMove('b', 'delivered', { after: 'a' })))))[1]).toBe(
      1,
    )
  })

  it('keeps what was received meanwhile', async () => {
    const { one } = await shared()
    const id = anId(keyOf('2025-12-08T12:00:00Z').slice(6))
    one.transport.onRequest = during('SCAN', () => one.store.create(id, anOrder(), 3_600))

    await one.store.load()

    expect(one.store.held().map((order) => order.id)).toContain(id)
  })

  it('takes over what others wrote meanwhile where it knows more', async () => {
    const { one, other } = await shared()
    let changes = 0
    one.transport.onRequest = async (commands, carryOut) => {
      if (commands[0]?.[0] === 'MGET' && ++changes === 1) {
        await one.store.change(ID, appending(aMove('a', 'assigned')))
        await other.store.change(ID, appending(aMove('b', 'delivered', { after: 'a' })))
      }
      return carryOut()
    }

    await one.store.load()

    expect(one.store.held()[0]?.history.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('does not bring back what was removed meanwhile', async () => {
    const { one } = await shared()
    one.transport.onRequest = during('MGET', () => one.store.remove(ID))

    await one.store.load()

    expect(one.store.held()).toEqual([])
  })

  it('does not bring back what was found to have gone meanwhile', async () => {
    const { one, redis } = await shared()
    let looks = 0
    one.transport.onRequest = during('MGET', async () => {
      if (++looks > 1) return
      await redis(['UNLINK', KEY])
      await one.store.change(ID, appending(aMove('a', 'assigned')))
    })

    await one.store.load()

    expect(one.store.held()).toEqual([])
  })

  it('that failed drops nothing', async () => {
    const { one, redis } = await shared()
    await redis(['UNLINK', KEY])
    one.transport.onRequest = spoil('SCAN', async () => [failure('REDIS_REFUSED')])

    await expect(one.store.load()).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    expect(one.store.held().map(({ id }) => id)).toEqual([ID])
  })

  it('clears up a copy in doubt', async () => {
    const { one } = await shared()
    one.transport.onRequest = spoil('APPEND', lostReply, 3)
    await one.store.change(ID, appending(aMove('a', 'assigned'))).catch(() => undefined)
    expect(one.store.held()).toEqual([])

    await one.store.load()

    expect(one.store.held()[0]?.status).toBe('assigned')
  })
})

describe('a removal', () => {
  it('deletes the order for 1 command', async () => {
    const { one, redis } = await shared()

    const [, cost] = await one.billed(() => one.store.remove(ID))

    expect(cost).toBe(1)
    expect(await redis(['EXISTS', KEY])).toEqual([0])
    expect(one.store.held()).toEqual([])
  })
})
