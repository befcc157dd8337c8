import { expect } from 'vitest'
import { isRedisError } from '../../src/errors.ts'
import { createDesk, type Desk } from '../../src/orders/desk.ts'
import type { Entry } from '../../src/orders/entries.ts'
import type { Order } from '../../src/orders/fold.ts'
import { isoInstant } from '../../src/calendar.ts'
import { createOrderId, type OrderId } from '../../src/orders/order.ts'
import { createOrderStore, type OrderStore } from '../../src/orders/store.ts'
import { orderKey } from '../../src/redis/keys.ts'
import { createMeter, type Account } from '../../src/redis/meter.ts'
import type { Transport } from '../../src/redis/transport.ts'
import { hasApplied, isOrderText, naiveFold, toldBy, type Told } from './naive-fold.ts'
import { createWorld, type Carrier, type Road, type Sent } from './rough-road.ts'
import { allowedFor, checkCost, Coincidence, isCoincidence, same, type Result } from './two-desks-checks.ts'
import { ORDERS, type Action, type Sight, type Step } from './two-desks-steps.ts'

export interface TwoDesksOptions {
  readonly carriers: readonly [Carrier, Carrier]
  /** A connection of its own, to delete orders with and to look at the store. */
  readonly direct: Transport
  /** Whether an order that is received again has the same text. Otherwise no two texts have the same length. */
  readonly sameTextAgain?: boolean
  /** To break it on purpose: what an order store sends through. */
  readonly bend?: (send: Transport) => Transport
  /** To break it on purpose: how a stored text is read. */
  readonly fold?: (text: string | undefined) => Told | undefined
}

/** What happened, for the test's own report. */
export interface Tally {
  steps: number
  /** Runs that met a `Coincidence`. */
  coincidences: number
  outcomes: Record<string, number>
}

/** Two instances of Orderly on one Redis. `run` takes a step and checks everything that must hold after it. */
export interface TwoDesks {
  run(step: Step): Promise<void>
  /** Reloads both, then compares both with the store. */
  finish(): Promise<void>
}

const ZONE = 'Europe/Berlin'
const START_MS = Date.UTC(2026, 0, 15, 12)
const DAY_MS = 86_400_000

interface Actor {
  readonly road: Road
  readonly account: Account
  readonly store: OrderStore
  readonly desk: Desk
  /** The entry id that the desk made last. */
  readonly lastEntryId: () => string
  /** What an undisturbed reader of this actor's answers must know of each order; absent where it cannot know. */
  readonly known: Map<string, { readonly text: string; readonly life: number }>
  readonly added: Map<OrderId, readonly [Entry, ...Entry[]]>
}

interface Won {
  readonly key: string
  readonly life: number
  readonly entryId: string
}

export async function createTwoDesks(options: TwoDesksOptions, tally: Tally): Promise<TwoDesks> {
  const { carriers, direct, bend = (send) => send, fold = naiveFold } = options
  await direct([['FLUSHDB']])
  let nowMs = START_MS
  let entries = 0
  let births = 0
  const clock = () => nowMs
  const newEntryId = () => `e${String(++entries).padStart(9, '0')}`

  const payloadOf = (order: number) => ({
    source: 'till',
    source_id: String(order),
    created_at: isoInstant(START_MS - order * 1_000, ZONE),
    customer: { name: 'Änne' },
    items: [{ vendor: 'Goa', quantity: 1, name: 'Dal 🍛' }],
    total: { amount: '9.90', currency: 'EUR' },
    note: 'n'.repeat(options.sameTextAgain ? 1 : 1 + ++births),
  })
  const ids = Array.from({ length: ORDERS }, (_, order) =>
    createOrderId(
      { source: 'till', sourceId: String(order), createdAtMs: START_MS - order * 1_000 },
      START_MS - order * 1_000,
    ),
  )
  const keys = ids.map(orderKey)
  const world = createWorld(direct, (key) => JSON.stringify({ ...payloadOf(keys.indexOf(key)), status: 'new' }))
  const won: Won[] = []

  const createActor = (carry: Carrier): Actor => {
    const road = world.open(carry)
    const account = createMeter(road.send).open('orders')
    const send = bend(account.send)
    const store = createOrderStore({ send, clock, zone: ZONE, earliestMs: () => START_MS - 10 * DAY_MS })
    let last = ''
    const desk = createDesk({
      store,
      clock,
      zone: ZONE,
      cutoffMs: () => START_MS - 5 * DAY_MS,
      ttlDays: 7,
      newEntryId: () => (last = newEntryId()),
    })
    return { road, account, store, desk, lastEntryId: () => last, known: new Map(), added: new Map() }
  }
  const actors = [createActor(carriers[0]), createActor(carriers[1])] as const

  const seen = (actor: Actor, key: string, sight: Sight) => {
    const other = actor === actors[0] ? actors[1] : actors[0]
    if (sight === 'mine') return heldBy(actor, key)
    if (sight === 'theirs') return heldBy(other, key)
    return sight === 'true' ? naiveFold(world.textOf(key)) : undefined
  }

  const perform = async (actor: Actor, order: number, action: Action): Promise<Result> => {
    const id = ids[order] as OrderId
    const { store, desk } = actor
    switch (action.do) {
      case 'move': {
        const { to, by, sight } = action
        const after = seen(actor, orderKey(id), sight)?.lastMove ?? null
        const moved = desk.move(id, { to, after, by })
        const entry = { id: actor.lastEntryId(), move: to, after, by }
        return { outcome: (await moved).outcome, entry }
      }
      case 'undo': {
        const card = seen(actor, orderKey(id), action.sight)
        const request = { undo: card?.undoable ?? 'nothing', after: card?.lastMove ?? null, by: action.by }
        const moved = desk.undo(id, request)
        const entry = { id: actor.lastEntryId(), ...request }
        return { outcome: (await moved).outcome, entry }
      }
      case 'add': {
        const at = isoInstant(nowMs, ZONE)
        const made = action.what.map((kind, index): Entry => {
          const facts = { id: newEntryId(), at, by: 'test' }
          if (kind === 'card') return { ...facts, card: { chat: index - 5, message: entries } }
          if (kind === 'edit')
            return { ...facts, edit: { note: `Edit ${entries}` }, after: heldBy(actor, orderKey(id))?.lastEdit ?? null }
          return { ...facts, note: 'Ring twice 🔔\u001e' }
        }) as [Entry, ...Entry[]]
        actor.added.set(id, made)
        return { outcome: (await store.change(id, () => ({ append: made }))).outcome }
      }
      case 'again': {
        const made = actor.added.get(id)
        if (made === undefined) return { outcome: 'nothing' }
        return { outcome: (await store.change(id, () => ({ append: made }))).outcome }
      }
      case 'read':
        return { outcome: (await store.read(id)) === undefined ? 'absent' : 'read' }
      case 'load':
        await store.load()
        return { outcome: 'loaded' }
      case 'receive':
        return { outcome: (await desk.receive(payloadOf(order))).outcome }
      default:
        return action satisfies never
    }
  }

  /** Performs an action and checks what must hold whatever the others do meanwhile. */
  const act = async (actor: Actor, order: number, action: Action, isAlone: boolean) => {
    const key = orderKey(ids[order] as OrderId)
    const heldBefore = heldBy(actor, key)
    const before = { text: world.textOf(key), known: actor.known.get(key), isHeld: heldBefore !== undefined }
    const spentBefore = actor.account.cost().billed
    const result = await perform(actor, order, action).catch((error: unknown): undefined => {
      if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
    })
    const { sent } = actor.road
    tally.outcomes[result?.outcome ?? 'unanswered'] = (tally.outcomes[result?.outcome ?? 'unanswered'] ?? 0) + 1
    const strange = sent.map(({ command }) => command[0]).filter((name) => !allowedFor(action).includes(name))
    same('commands that it has no business to send', strange, [])
    if (isCoincidence(actor.known, sent)) throw new Coincidence()

    const views = new Map<string, Sent>()
    for (const one of sent) if (one.isAnswered && one.command[0] !== 'SCAN') views.set(one.key, one)
    if (result === undefined) {
      learnFromFailure(actor, sent)
    } else {
      for (const one of action.do === 'load' ? keys : [key]) {
        const view = views.get(one)
        if (view === undefined && action.do !== 'load')
          same('the copy that nothing was asked about', heldBy(actor, one), heldBefore)
        else same('the copy', toldBy(heldBy(actor, one)), fold(view?.text))
        learn(actor, one, view, heldBy(actor, one))
      }
      checkAnswer(result, { key, sent, before: before.known })
    }
    const spent = actor.account.cost().billed - spentBefore
    if (isAlone && result !== undefined) checkCost(action, result, { ...before, spent })
    if (isAlone && sent.some(({ command }) => command[0] === 'APPEND') && !isOrderText(before.text)) {
      same('the leftover', world.textOf(key), undefined)
    }
  }

  /** What stays known when an action failed: a copy is in doubt when its APPEND got no answer, else it stands. */
  const learnFromFailure = (actor: Actor, sent: readonly Sent[]) => {
    for (const key of keys) {
      const mine = sent.filter((one) => one.key === key && one.command[0] !== 'UNLINK')
      const [view, held] = [mine.findLast(({ isAnswered }) => isAnswered), heldBy(actor, key)]
      const isAppended = mine.some(({ command }) => command[0] === 'APPEND')
      if (isAppended && mine.at(-1) !== view) same('a copy in doubt', held, undefined)
      learn(actor, key, mine.some(({ command }) => command[0] === 'SET') ? undefined : view, held)
    }
  }

  const checkAnswer = ({ outcome, entry }: Result, { key, sent, before }: Asked) => {
    const view = sent.findLast((one) => one.key === key && one.isAnswered && one.command[0] !== 'UNLINK')
    const told = fold(view?.text)
    if (outcome === 'gone') expect(told).toBeUndefined()
    if (entry === undefined) return
    if (outcome === 'moved') {
      same('a move answered as moved', hasApplied(told, entry.id), true)
      won.push({ key, life: view?.life ?? 0, entryId: entry.id })
    } else if (outcome !== 'gone') {
      same('a move answered as not applied', hasApplied(told, entry.id), false)
      const text = view === undefined ? world.textOf(key) : view.text
      const life = view === undefined ? world.lifeOf(key) : view.life
      if (outcome === 'too-late' || !isOrderText(text) || (view === undefined && before?.life !== life)) return
      const appended = fold(`${text}\x1e${JSON.stringify(entry)}\n`)
      same(`whether a move refused as ${outcome} was good`, hasApplied(appended, entry.id), false)
    }
  }

  const checkStore = async () => {
    const stored = (await direct([['MGET', ...keys]]))[0]
    expect(stored).toEqual(keys.map((key) => world.textOf(key) ?? null))
    for (const { key, life, entryId } of won) {
      const text = world.textOf(key)
      if (world.lifeOf(key) !== life || !isOrderText(text)) continue
      same('a move answered as moved, later', hasApplied(fold(text), entryId), true)
    }
  }

  for (const actor of actors) {
    actor.road.begin([])
    for (const order of ids.keys()) await act(actor, order, { do: 'receive' }, false)
  }

  return {
    run: async (step) => {
      tally.steps += 1
      nowMs += 1_000
      switch (step.at) {
        case 'one': {
          const isAlone = step.troubles.every((trouble) => trouble === 'none') && !world.hasLate()
          actors[step.who].road.begin(step.troubles)
          await act(actors[step.who], step.order, step.action, isAlone)
          break
        }
        case 'both':
          actors.forEach(({ road }, at) => road.begin(step.troubles[at] ?? []))
          await Promise.all(actors.map((actor, at) => act(actor, step.order, step.actions[at as 0 | 1], false)))
          break
        case 'sweep':
          await world.remove(keys[step.order] ?? '')
          break
        case 'later':
          nowMs += 6 * 60_000
          break
        default:
          step satisfies never
      }
      await checkStore()
    },
    finish: async () => {
      await world.settle()
      for (const actor of actors) {
        actor.road.begin([])
        await act(actor, 0, { do: 'load' }, true)
        for (const key of keys) same('after a reload', toldBy(heldBy(actor, key)), fold(world.textOf(key)))
      }
      await checkStore()
    },
  }
}

/** What an actor's copy says of an order; undefined when it holds none or is in doubt. */
const heldBy = ({ store }: Actor, key: string) => store.held().find(({ id }) => orderKey(id) === key)

const learn = ({ known }: Actor, key: string, view: Sent | undefined, held: Order | undefined) => {
  if (held === undefined) known.delete(key)
  else if (view?.text !== undefined) known.set(key, { text: view.text, life: view.life })
}

interface Asked {
  readonly key: string
  readonly sent: readonly Sent[]
  readonly before: { readonly life: number } | undefined
}
