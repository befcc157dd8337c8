import { Bot } from 'grammy'
import { afterEach, describe, expect, it } from 'vitest'
import { createDesk } from '../../src/orders/desk.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createCards } from '../../src/telegram/cards.ts'
import { createNames } from '../../src/telegram/names.ts'
import { fakeClock } from '../support/clock.ts'
import { anIntake } from '../support/orders.ts'
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts'

const RIDER = 33
const GONE = 44
const GROUP = -4400
const zone = 'Europe/Berlin'

let telegram: TelegramStandIn
afterEach(() => telegram.stop())

const rethrow = (error: unknown) => {
  throw error
}

/** Cards of a service that has just started and has met nobody. */
async function setUp() {
  const clock = fakeClock('2025-12-08T19:00:00+01:00')
  telegram = await startTelegram({
    clock,
    people: [{ id: RIDER, firstName: 'Rita' }],
    chats: [{ id: GROUP, title: 'Riders', members: [RIDER] }],
  })
  const { api } = new Bot(telegram.token, { client: { apiRoot: telegram.url } })
  const { send } = createMemoryConnection({ clock })
  const store = createOrderStore({ send, clock, zone, earliestMs: () => 0 })
  const desk = createDesk({ store, clock, zone, cutoffMs: () => 0, ttlDays: 7 })
  const options = { api, chatId: GROUP, store, clock, zone, undoMs: 0, onError: rethrow, onMove: () => {} }
  const cards = createCards({ ...options, names: createNames(api) })
  const movedBy = async (user: number, source_id = '1') => {
    const { order } = await desk.receive(anIntake({ source_id }))
    await desk.move(order.id, { to: 'assigned', after: order.lastMove, by: user })
    const moved = store.held().find(({ id }) => id === order.id)
    if (moved === undefined) throw new Error('The order is not held.')
    return moved
  }
  const texts = (chat = GROUP) => telegram.chat(chat).messages.map(({ text }) => text)
  const count = (wanted: string) => telegram.calls.filter(({ method }) => method === wanted).length
  return { cards, movedBy, texts, count }
}

describe('A card of an order that somebody moved before the service started', () => {
  it('names them by what Telegram calls them, asked once', async () => {
    const { cards, movedBy, texts, count } = await setUp()

    cards.show(await movedBy(RIDER, '1'))
    cards.show(await movedBy(RIDER, '2'))

    await telegram.waitFor(() => texts().length === 2)
    expect(texts().every((text) => text.includes('assigned by Rita'))).toBe(true)
    expect(count('getChatMember')).toBe(1)
  })

  it('names the id of somebody whom Telegram does not know, asked once', async () => {
    const { cards, movedBy, texts, count } = await setUp()

    cards.show(await movedBy(GONE, '1'))
    cards.show(await movedBy(GONE, '2'))

    await telegram.waitFor(() => texts().length === 2)
    expect(texts().every((text) => text.includes(`assigned by user ${GONE}`))).toBe(true)
    expect(count('getChatMember')).toBe(1)
  })

  it('asks again after a refusal that says nothing of the person', async () => {
    const { cards, movedBy, texts } = await setUp()
    telegram.failNext('getChatMember', { status: 403, description: 'Forbidden: bot was kicked from the group chat' })

    cards.show(await movedBy(RIDER, '1'))
    await telegram.waitFor(() => texts().length === 1)
    cards.show(await movedBy(RIDER, '2'))

    await telegram.waitFor(() => texts().length === 2)
    expect(texts().map((text) => /assigned by (.*?),/.exec(text)?.[1])).toEqual([`user ${RIDER}`, 'Rita'])
  })

  it('is sent once, though it is owed when it is on its way already', async () => {
    const { cards, movedBy, texts, count } = await setUp()
    await movedBy(RIDER)

    cards.showOwed()
    cards.showOwed()
    await telegram.waitFor(() => count('sendMessage') === 1)
    cards.showOwed()
    await telegram.waitFor(() => texts().length === 1)
    await cards.stop()

    expect([count('sendMessage'), count('editMessageText')]).toEqual([1, 0])
  })
})

describe('A group that becomes a supergroup while a name is asked for', () => {
  it('gets each card once, and no card shows another order', async () => {
    const { cards, movedBy, texts, count } = await setUp()
    cards.show(await movedBy(RIDER, 'first'))
    cards.show(await movedBy(RIDER, 'second'))
    await telegram.waitFor(() => texts().length === 2)

    telegram.slowBy(50)
    cards.show(await movedBy(GONE, 'second'))
    await telegram.waitFor(() => count('getChatMember') === 2)
    const to = telegram.migrate(GROUP)
    cards.move(GROUP, to)
    telegram.slowBy(0)

    const shown = () => texts(to).flatMap((text) => /shopify (\w+): assigned/.exec(text)?.[1] ?? [])
    await telegram.waitFor(() => shown().length === 2)
    await cards.stop()
    expect(shown().toSorted()).toEqual(['first', 'second'])
  })
})
