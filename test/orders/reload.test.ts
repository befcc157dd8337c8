import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoInstant } from '../../src/calendar.ts'
import { createDesk } from '../../src/orders/desk.ts'
import { createOrderId, type OrderId } from '../../src/orders/order.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { orderKey } from '../../src/redis/keys.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { ask, optionalTextOf, type Command, type Connection } from '../../src/redis/transport.ts'
import { naiveFold, toldBy } from '../support/naive-fold.ts'

const ZONE = 'Europe/Berlin'
const NOW_MS = Date.UTC(2026, 0, 15, 12)
const DAY_MS = 86_400_000
const clock = () => NOW_MS

/** What goes on beside a reload of the first instance. `order` is the number of an order that is there from the start. */
type Deed =
  | { readonly do: 'load' }
  | { readonly do: 'receive' }
  | { readonly do: 'read'; readonly order: number }
  /** We remove it and receive it again. */
  | { readonly do: 'again'; readonly order: number }
  | { readonly do: 'move'; readonly who: 'ours' | 'other'; readonly order: number }
  | { readonly do: 'remove'; readonly who: 'ours' | 'other'; readonly order: number }

/** The last of them is not held by us at first. */
const ORDERS = 3
const order = fc.nat(ORDERS - 1)
const load = fc.constant<Deed>({ do: 'load' })
const receive = fc.constant<Deed>({ do: 'receive' })
const read = fc.record({ do: fc.constant('read' as const), order })
const again = fc.record({ do: fc.constant('again' as const), order })
const move = fc.record({
  do: fc.constant('move' as const),
  who: fc.constantFrom('ours' as const, 'other' as const),
  order,
})
const remove = fc.record({
  do: fc.constant('remove' as const),
  who: fc.constantFrom('ours' as const, 'other' as const),
  order,
})

/** Pages of two keys, so that a scan takes several requests. */
const inSmallPages = (command: Command): Command =>
  command[0] === 'SCAN' ? ([...command.slice(0, -1), 2] as unknown as Command) : command

/** An instance whose requests reach the store, and whose answers come back, when the scheduler says so. */
function createInstance(memory: Connection, scheduler: fc.Scheduler) {
  const store = createOrderStore({
    send: async (commands) => {
      await scheduler.schedule(Promise.resolve(), `${commands[0]?.[0]} goes`)
      const replies = await memory.send(commands.map(inSmallPages))
      await scheduler.schedule(Promise.resolve(), `${commands[0]?.[0]} is answered`)
      return replies
    },
    clock,
    zone: ZONE,
    earliestMs: () => NOW_MS - 10 * DAY_MS,
  })
  const desk = createDesk({ store, clock, zone: ZONE, cutoffMs: () => NOW_MS - 5 * DAY_MS, ttlDays: 7 })
  return { store, desk }
}

const sourceOf = (number: number) => ({
  source: 'till',
  sourceId: String(number),
  createdAtMs: NOW_MS - number * 1_000,
})
const idOf = (number: number) => createOrderId(sourceOf(number), NOW_MS - number * 1_000)
const payloadOf = (number: number) => ({
  source: 'till',
  source_id: String(number),
  created_at: isoInstant(NOW_MS - number * 1_000, ZONE),
  customer: { name: 'Änne' },
  items: [{ vendor: 'Goa', quantity: 1, name: 'Dal' }],
  total: { amount: '9.90', currency: 'EUR' },
})

/** Does the deeds at the same time, in the order that the scheduler chooses, and tells what must hold at the end. */
async function play(scheduler: fc.Scheduler, deeds: readonly Deed[]) {
  const memory = createMemoryConnection({ clock })
  const [ours, other] = [createInstance(memory, scheduler), createInstance(memory, scheduler)]
  const ids = Array.from({ length: ORDERS }, (_, number) => idOf(number))
  await scheduler.waitFor(
    (async () => {
      for (const number of ids.keys()) await (number < ORDERS - 1 ? ours : other).desk.receive(payloadOf(number))
      await other.store.load()
    })(),
  )
  const heldHistory = (id: OrderId) => toldBy(ours.store.held().find((one) => one.id === id))?.history
  /** What our copies have shown of each order at any time; the longest history. */
  const shown = new Map<OrderId, readonly string[]>()
  const goneForUs = new Set<OrderId>()
  const look = () => {
    for (const { id } of ours.store.held()) {
      const history = heldHistory(id) ?? []
      if (history.length >= (shown.get(id)?.length ?? 0)) shown.set(id, history)
    }
  }
  let received = ORDERS

  const change = async ({ do: what, who, order: number }: Extract<Deed, { who: string }>) => {
    const id = ids[number] as OrderId
    const { desk, store } = who === 'ours' ? ours : other
    const after = store.held().find((one) => one.id === id)?.lastMove ?? null
    const { outcome } = await desk.move(id, { to: what === 'remove' ? 'removed' : 'assigned', after, by: who })
    const isGone = outcome === 'gone' || (what === 'remove' && outcome === 'moved')
    if (isGone && who === 'ours') goneForUs.add(id)
  }
  const perform = async (deed: Deed): Promise<unknown> => {
    switch (deed.do) {
      case 'load':
        return ours.store.load()
      case 'receive':
        ids.push(idOf(received))
        return ours.desk.receive(payloadOf(received++))
      case 'read':
        return ours.store.read(ids[deed.order] as OrderId)
      case 'again':
        await change({ do: 'remove', who: 'ours', order: deed.order })
        shown.delete(ids[deed.order] as OrderId)
        return ours.desk.receive(payloadOf(deed.order))
      case 'move':
      case 'remove':
        return change(deed)
      default:
        return deed satisfies never
    }
  }
  const all = deeds.map(async (deed) => {
    await scheduler.schedule(Promise.resolve(), `${deed.do} begins`)
    await perform(deed)
    look()
  })
  await scheduler.waitFor(Promise.all(all))

  const truths = new Map<OrderId, readonly string[]>()
  for (const id of ids) {
    const told = naiveFold(optionalTextOf(await ask(memory.send, ['GET', orderKey(id)])))
    if (told !== undefined) truths.set(id, told.history)
  }
  return { truths, shown, goneForUs, heldHistory, ours }
}

/** Every interleaving of a load or two with these deeds. */
const interleavings = (...deeds: fc.Arbitrary<Deed>[]) =>
  [fc.scheduler(), fc.array(fc.oneof(...deeds), { minLength: 1, maxLength: 6 })] as const

const RUNS = { numRuns: 300 }

/** The orders of which our copy is no beginning of the truth, or less of it than we have shown before. */
function lossesIn({ truths, shown, heldHistory }: Awaited<ReturnType<typeof play>>) {
  return [...truths].filter(([id, truth]) => {
    const held = heldHistory(id) ?? []
    return held.length < (shown.get(id)?.length ?? 0) || held.some((line, at) => line !== truth[at])
  })
}

describe('a reload while changes go on', () => {
  it('never loses what we have seen when an order is read meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(move, read), async (scheduler, deeds) => {
        expect(lossesIn(await play(scheduler, [{ do: 'load' }, ...deeds]))).toEqual([])
      }),
      RUNS,
    )
  })

  it('never loses a move, ours or one that we have seen, and invents none', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(move), async (scheduler, deeds) => {
        expect(lossesIn(await play(scheduler, [{ do: 'load' }, ...deeds]))).toEqual([])
      }),
      RUNS,
    )
  })

  it('never loses what we have seen when two reloads overlap', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(move, load), async (scheduler, deeds) => {
        expect(lossesIn(await play(scheduler, [{ do: 'load' }, { do: 'load' }, ...deeds]))).toEqual([])
      }),
      RUNS,
    )
  })

  it('never drops an order that was received meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(receive, load, move), async (scheduler, deeds) => {
        const { truths, heldHistory } = await play(scheduler, [{ do: 'load' }, ...deeds])

        for (const id of truths.keys()) expect(heldHistory(id)).toBeDefined()
      }),
      RUNS,
    )
  })

  it('never brings back an order that we removed or found gone', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(remove, move), async (scheduler, deeds) => {
        const { goneForUs, heldHistory } = await play(scheduler, [{ do: 'load' }, ...deeds])

        for (const id of goneForUs) expect(heldHistory(id)).toBeUndefined()
      }),
      RUNS,
    )
  })

  it('never takes a text of an earlier life for an order that we received again', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(again, again, move), async (scheduler, deeds) => {
        const { truths, heldHistory } = await play(scheduler, [{ do: 'load' }, ...deeds])

        for (const [id, truth] of truths) {
          const held = heldHistory(id) ?? []
          expect(truth.slice(0, held.length)).toEqual(held)
        }
      }),
      RUNS,
    )
  })

  it('leaves exactly the live orders, as they are stored, once nothing else goes on', async () => {
    await fc.assert(
      fc.asyncProperty(...interleavings(remove, move, receive, load), async (scheduler, deeds) => {
        const { truths, heldHistory, ours } = await play(scheduler, deeds)

        await scheduler.waitFor(ours.store.load())

        expect(new Set(ours.store.held().map(({ id }) => id))).toEqual(new Set(truths.keys()))
        for (const [id, truth] of truths) expect(heldHistory(id)).toEqual(truth)
      }),
      RUNS,
    )
  })
})
