import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeStored, type Entry, type StoredObject } from '../../src/orders/entries.ts'
import { foldOrder } from '../../src/orders/fold.ts'
import { orderIdOf } from '../../src/orders/order.ts'
import { mayBecome, nextStatuses, orderStatuses, type OrderStatus } from '../../src/orders/status.ts'
import { aCard, aMove, aNote, anEdit, anOrder, anUndo, folded, storedText } from '../support/orders.ts'

const fold = (received: StoredObject, ...entries: (Entry | StoredObject)[]) => folded(storedText(received, ...entries))
const statusAfter = (status: string | undefined, ...entries: (Entry | StoredObject)[]) =>
  fold(status === undefined ? {} : { status }, ...entries).status
const appliedIds = (...entries: Entry[]) =>
  fold(anOrder(), ...entries)
    .history.filter(({ applied }) => applied)
    .map(({ id }) => id)

describe('an order without entries', () => {
  it('is as it was received', () => {
    const received = anOrder({ smell: 'of apples', wanted_at: '2025-12-09T12:00:00+01:00' })

    expect(fold(received)).toEqual({
      id: 'a',
      facts: received,
      status: 'new',
      lastMove: null,
      lastMoveAt: null,
      undoable: null,
      lastEdit: null,
      cards: new Map(),
      history: [],
    })
  })

  it.each([
    ['a status that Orderly does not know', { status: 'paused' }, 'paused'],
    ['no status', {}, null],
    ['a status that is no text', { status: 7 }, null],
    ['an empty status', { status: '' }, ''],
  ])('may have %s', (_, received, status) => {
    expect(fold(received).status).toBe(status)
  })
})

describe('a move', () => {
  it('that was decided on the latest state changes the status', () => {
    const order = fold(
      anOrder(),
      aMove('a', 'assigned'),
      aMove('b', 'delivered', { after: 'a', at: 'later', by: 'till' }),
    )

    expect(order).toMatchObject({ status: 'delivered', lastMove: 'b', lastMoveAt: 'later', undoable: 'b' })
    expect(order.history).toEqual([
      { id: 'a', at: aMove('a', 'new').at, by: 7, kind: 'move', applied: true, from: 'new', to: 'assigned' },
      { id: 'b', at: 'later', by: 'till', kind: 'move', applied: true, from: 'assigned', to: 'delivered' },
    ])
  })

  const forbidden = orderStatuses.flatMap((from) =>
    orderStatuses.filter((to) => !mayBecome(from, to)).map((to) => [from, to] as const),
  )
  it.each(forbidden)('from %s to %s is void, for the table forbids it', (from, to) => {
    const order = fold(anOrder({ status: from }), aMove('a', to))

    expect(order).toMatchObject({ status: from, lastMove: null, undoable: null })
    expect(order.history).toMatchObject([{ kind: 'move', applied: false, from: null, to }])
  })

  it.each([
    ['an older state', aMove('b', 'delivered', { after: null })],
    ['a state that nobody knows', aMove('b', 'delivered', { after: 'zzz' })],
    ['no state at all', { id: 'b', at: 'x', by: 7, move: 'delivered' }],
    ['a state that is no id', { id: 'b', at: 'x', by: 7, move: 'delivered', after: ['a'] }],
  ])('that was decided on %s is void', (_, entry) => {
    expect(statusAfter('new', aMove('a', 'assigned'), entry)).toBe('assigned')
  })

  it.each(['paused', '', 'toString', '__proto__', null, 7, { to: 'delivered' }])('to %j is void', (move) => {
    expect(statusAfter('new', { id: 'a', at: 'x', by: 7, after: null, move })).toBe('new')
  })

  it.each([undefined, 'paused'])('of an order whose status is %j is void', (status) => {
    expect(statusAfter(status, aMove('a', 'delivered'))).toBe(status ?? null)
  })

  it('after a void one follows the last applied one', () => {
    expect(
      appliedIds(
        aMove('a', 'assigned'),
        aMove('b', 'delivered'),
        aMove('c', 'cancelled', { after: 'b' }),
        aMove('d', 'delivered', { after: 'a' }),
      ),
    ).toEqual(['a', 'd'])
  })

  it('to the same status again, to another courier, is applied where the table allows it', () => {
    expect(appliedIds(aMove('a', 'assigned'), aMove('b', 'assigned', { after: 'a' }))).toEqual(['a', 'b'])
  })
})

describe('an undo', () => {
  it('of the latest move restores the status before it and is what the next one follows', () => {
    const order = fold(anOrder(), aMove('a', 'assigned'), aMove('b', 'delivered', { after: 'a' }), anUndo('c', 'b'))

    expect(order).toMatchObject({ status: 'assigned', lastMove: 'c', undoable: 'a' })
    expect(order.history.at(-1)).toMatchObject({ kind: 'undo', applied: true, from: 'delivered', to: 'assigned' })
  })

  it('of one move after the other leads back to the beginning', () => {
    const order = fold(
      anOrder(),
      aMove('a', 'assigned'),
      aMove('b', 'delivered', { after: 'a' }),
      anUndo('c', 'b'),
      anUndo('d', 'a', { after: 'c' }),
    )

    expect(order).toMatchObject({ status: 'new', lastMove: 'd', undoable: null })
  })

  it.each([
    ['of a move that is not the latest', anUndo('c', 'a', { after: 'b' })],
    ['decided on an older state', anUndo('c', 'b', { after: 'a' })],
    ['decided on no state', anUndo('c', 'b', { after: null })],
    ['of an id that nobody knows', anUndo('c', 'x', { after: 'b' })],
    ['of nothing', { id: 'c', at: 'x', by: 7, undo: null, after: 'b' }],
  ])('%s is void', (_, undo) => {
    expect(statusAfter('new', aMove('a', 'assigned'), aMove('b', 'delivered', { after: 'a' }), undo)).toBe('delivered')
  })

  it('of a move that was taken back is void', () => {
    const entries = [aMove('a', 'delivered'), anUndo('b', 'a'), anUndo('c', 'a', { after: 'b' })]

    expect(appliedIds(...entries)).toEqual(['a', 'b'])
  })

  it('of an undo is void: what was taken back is done anew', () => {
    expect(appliedIds(aMove('a', 'delivered'), anUndo('b', 'a'), anUndo('c', 'b'))).toEqual(['a', 'b'])
    expect(statusAfter('new', aMove('a', 'delivered'), anUndo('b', 'a'), aMove('c', 'delivered', { after: 'b' }))).toBe(
      'delivered',
    )
  })

  it('of a void move is void', () => {
    expect(appliedIds(aMove('a', 'assigned'), aMove('b', 'delivered'), anUndo('c', 'b', { after: 'a' }))).toEqual(['a'])
  })

  it('where nothing was done is void', () => {
    expect(statusAfter('delivered', anUndo('a', 'x', { after: null }))).toBe('delivered')
  })

  it('of a removal is void: nothing may follow it', () => {
    expect(statusAfter('new', aMove('a', 'removed'), anUndo('b', 'a'))).toBe('removed')
  })
})

describe('an edit', () => {
  it('replaces and adds fields of the order', () => {
    const order = fold(
      anOrder({ note: 'old', payment: 'Cash' }),
      anEdit('a', { note: 'new', tip: 2 }),
      anEdit('b', { tip: 3 }, 'a'),
    )

    expect(order.facts).toEqual(anOrder({ note: 'new', payment: 'Cash', tip: 3 }))
    expect(order).toMatchObject({ lastEdit: 'b', lastMove: null, status: 'new' })
  })

  it.each(['created_at', 'createdAt', 'wanted_at', 'status'])('never changes %s', (field) => {
    const received = { created_at: 'c', createdAt: 'd', wanted_at: 'w', status: 'new' }

    const order = fold(received, anEdit('a', { [field]: 'edited', note: 'edited' }))

    expect(order.facts).toEqual({ ...received, note: 'edited' })
    expect(order.status).toBe('new')
  })

  it.each(['created_at', 'createdAt', 'wanted_at', 'status'])('never adds %s', (field) => {
    expect(fold({}, anEdit('a', { [field]: 'edited' })).facts).toEqual({})
  })

  it.each([
    ['an older edit', anEdit('b', { note: 'b' })],
    ['a move', anEdit('b', { note: 'b' }, 'm')],
    ['no edit', { id: 'b', at: 'x', by: 7, edit: { note: 'b' } }],
  ])('decided on %s is void', (_, edit) => {
    const order = fold(anOrder(), anEdit('a', { note: 'a' }), aMove('m', 'assigned'), edit)

    expect(order.facts).toEqual(anOrder({ note: 'a' }))
    expect(order.history.at(-1)).toMatchObject({ kind: 'edit', applied: false })
  })

  it.each(['text', 7, null, ['note'], true])('to %j is void', (edit) => {
    expect(fold(anOrder(), { id: 'a', at: 'x', by: 7, after: null, edit })).toMatchObject({
      facts: anOrder(),
      lastEdit: null,
    })
  })

  it('does not stand between moves, nor a move between edits', () => {
    expect(
      appliedIds(
        anEdit('a', { note: 'a' }),
        aMove('b', 'assigned'),
        anEdit('c', { note: 'c' }, 'a'),
        aMove('d', 'delivered', { after: 'b' }),
      ),
    ).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('a card', () => {
  it('is the first of each chat, however many were sent', () => {
    const order = fold(anOrder(), aCard('a', -100, 1), aCard('b', -100, 2), aCard('c', -200, 3))

    expect(order.cards).toEqual(
      new Map([
        [-100, 1],
        [-200, 3],
      ]),
    )
    expect(order.history.map(({ applied }) => applied)).toEqual([true, false, true])
  })

  it.each([{}, null, 7, { chat: '-100', message: 1 }, { chat: -100 }, { chat: -100, message: '1' }])(
    'that is %j is void',
    (card) => {
      expect(fold(anOrder(), { id: 'a', at: 'x', by: 7, card }).cards.size).toBe(0)
    },
  )
})

describe('an entry', () => {
  it('whose id was seen is skipped, whatever it says', () => {
    const order = fold(anOrder(), aMove('a', 'assigned'), aMove('a', 'delivered', { after: 'a' }))

    expect(order).toMatchObject({ status: 'assigned' })
    expect(order.history).toHaveLength(1)
  })

  it.each([undefined, null, 7, '', '01234567890', {}])('whose id is %j is skipped', (id) => {
    const order = fold(anOrder(), { ...aMove('a', 'delivered'), id })

    expect(order).toMatchObject({ status: 'new', history: [] })
  })

  it('without time or author is applied all the same', () => {
    const order = fold(anOrder(), { id: 'a', move: 'delivered', after: null, at: 7, by: {} })

    expect(order).toMatchObject({ status: 'delivered', lastMoveAt: null, history: [{ at: null, by: null }] })
  })

  it('of a kind that Orderly does not know is kept and changes nothing', () => {
    const order = fold(anOrder(), { id: 'a', at: 'x', by: 7, smell: 'of apples' }, aNote('b', 'Ring twice'))

    expect(order).toMatchObject({ status: 'new', facts: anOrder(), lastMove: null, lastEdit: null })
    expect(order.history).toMatchObject([{ kind: 'unknown' }, { kind: 'note' }])
  })

  it('may have fields that Orderly does not know', () => {
    expect(statusAfter('new', { ...aMove('a', 'delivered'), mood: 'good' })).toBe('delivered')
  })
})

/** Entries of every kind, with few ids, so that they often refer to each other. */
const anyId = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const anyAfter = fc.option(anyId, { nil: null })
const anyEntry: fc.Arbitrary<StoredObject> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      id: anyId,
      at: fc.constant('x'),
      by: fc.integer(),
      move: fc.constantFrom(...orderStatuses),
      after: anyAfter,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ id: anyId, at: fc.constant('x'), by: fc.integer(), undo: anyId, after: anyAfter }),
  },
  fc.record({
    id: anyId,
    edit: fc.dictionary(
      fc.constantFrom('note', 'created_at', 'createdAt', 'wanted_at', 'status', '__proto__'),
      fc.jsonValue(),
    ),
    after: anyAfter,
  }),
  fc.record({ id: anyId, card: fc.record({ chat: fc.integer(), message: fc.integer() }) }),
  fc.dictionary(fc.constantFrom('id', 'move', 'undo', 'edit', 'card', 'after', 'at', 'by'), fc.jsonValue()),
)
const anyOrder = fc.record({ status: fc.constantFrom('new', 'assigned', 'delivered', 'paused'), note: fc.string() })

/** Moves as a careful person makes them: each decided on the state before it. */
const anyCareer = fc.array(fc.nat(), { maxLength: 8 }).map((choices) => {
  const moves: ReturnType<typeof aMove>[] = []
  let status: OrderStatus = 'new'
  for (const [at, choice] of choices.entries()) {
    const open: readonly OrderStatus[] = nextStatuses(status).filter((next) => nextStatuses(next).length > 0)
    status = open[choice % open.length] ?? status
    moves.push(aMove(`m${at}`, status, { after: moves.at(-1)?.id ?? null }))
  }
  return { moves, status, last: moves.at(-1)?.id ?? null }
})

describe('the fold', () => {
  it('never fails, whatever the text', () => {
    const anyText = fc.oneof(
      fc
        .array(fc.oneof(fc.json(), fc.constantFrom('{"id":"a","move":', '\u001e', '')), { maxLength: 6 })
        .map((texts) => texts.join('\u001e')),
      fc.tuple(anyOrder, fc.array(anyEntry)).map(([received, entries]) => storedText(received, ...entries)),
    )
    fc.assert(
      fc.property(anyText, (text) => {
        const stored = decodeStored(text)
        const order = stored.kind === 'order' ? foldOrder(orderIdOf('order:a'), stored) : undefined

        expect(['string', 'object', 'undefined']).toContain(typeof order?.status)
      }),
      { numRuns: 500 },
    )
  })

  it('is the same when entries are repeated later', () => {
    const repeated = fc
      .tuple(anyOrder, fc.array(anyEntry, { minLength: 1, maxLength: 8 }))
      .chain(([received, entries]) => fc.tuple(fc.constant(received), fc.constant(entries), fc.subarray(entries)))
    fc.assert(
      fc.property(repeated, ([received, entries, again]) => {
        const once = fold(received, ...entries)

        expect(fold(received, ...entries, ...again)).toEqual(once)
        expect(fold(received, ...entries.flatMap((entry) => [entry, entry]))).toEqual(once)
      }),
      { numRuns: 300 },
    )
  })

  it('applies of two moves with the same `after` exactly the first', () => {
    fc.assert(
      fc.property(anyCareer, fc.nat(), fc.nat(), ({ moves, status, last }, one, other) => {
        const allowed = nextStatuses(status)
        const [first, second] = [allowed[one % allowed.length] ?? 'new', allowed[other % allowed.length] ?? 'new']

        const order = fold(anOrder(), ...moves, aMove('x', first, { after: last }), aMove('y', second, { after: last }))

        expect(order.status).toBe(first)
        expect(order.history.slice(-2).map(({ applied }) => applied)).toEqual([true, false])
      }),
    )
  })

  it('is after a move and its undo what it was before, but for the history', () => {
    fc.assert(
      fc.property(anyCareer, fc.constantFrom(...orderStatuses), ({ moves, status, last }, to) => {
        fc.pre(mayBecome(status, to) && to !== 'removed')
        const before = fold(anOrder(), ...moves)

        const after = fold(anOrder(), ...moves, aMove('x', to, { after: last }), anUndo('y', 'x'))

        expect(after).toMatchObject({
          status: before.status,
          undoable: before.undoable,
          facts: before.facts,
          lastMove: 'y',
        })
      }),
    )
  })

  it('never lets an edit touch the times or the status', () => {
    fc.assert(
      fc.property(fc.array(anyEntry), (entries) => {
        const received = { created_at: 'c', wanted_at: 'w', status: 'new' }

        const { facts } = fold(received, ...entries)

        expect(facts).toMatchObject(received)
        expect(Object.hasOwn(facts, 'createdAt')).toBe(false)
      }),
    )
  })

  it('says of each id once what became of it, and of applied moves where they came from', () => {
    fc.assert(
      fc.property(anyOrder, fc.array(anyEntry), (received, entries) => {
        const { history, status } = fold(received, ...entries)

        expect(new Set(history.map(({ id }) => id)).size).toBe(history.length)
        const changes = history.filter(({ kind, applied }) => applied && (kind === 'move' || kind === 'undo'))
        expect(changes.map(({ from }) => from)).toEqual([received.status, ...changes.map(({ to }) => to)].slice(0, -1))
        expect(changes.at(-1)?.to ?? received.status).toBe(status)
      }),
    )
  })

  it('tells more as entries are added, and never changes what it told of those before', () => {
    fc.assert(
      fc.property(anyOrder, fc.array(anyEntry, { minLength: 1 }), (received, entries) => {
        const before = fold(received, ...entries.slice(0, -1)).history

        expect(fold(received, ...entries).history.slice(0, before.length)).toEqual(before)
      }),
    )
  })

  it('takes names such as `__proto__` for names', () => {
    const text =
      '{"status":"new","__proto__":{"status":"delivered"}}' +
      '\u001e{"id":"a","after":null,"edit":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}\n' +
      '\u001e{"id":"__proto__","after":null,"move":"assigned"}\n' +
      '\u001e{"id":"b","__proto__":{"move":"delivered","after":"__proto__"}}\n'

    const order = folded(text)

    expect(order).toMatchObject({ status: 'assigned', lastMove: '__proto__', lastEdit: 'a' })
    expect(Object.getPrototypeOf(order.facts)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(order.history.at(-1)).toMatchObject({ id: 'b', kind: 'unknown' })
  })

  it('does not change the entries it reads', () => {
    const received = Object.freeze(anOrder())
    const stored = decodeStored(storedText(received, anEdit('a', { note: 'x' })))
    const copy = structuredClone(stored)

    if (stored.kind === 'order') foldOrder(orderIdOf('order:a'), stored)

    expect(stored).toEqual(copy)
  })
})
