import { Bot, HttpError } from 'grammy'
import { expect, it, vi } from 'vitest'
import { createDesk } from '../../src/orders/desk.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createCards } from '../../src/telegram/cards.ts'
import { fakeClock } from '../support/clock.ts'
import { anIntake } from '../support/orders.ts'
import { startTelegram } from '../support/telegram.ts'

const { pauses } = vi.hoisted(() => ({ pauses: { advance: (_ms: number) => {} } }))

/** Pauses between tries pass on the test's clock. */
vi.mock('node:timers/promises', () => ({ setTimeout: async (ms: number) => pauses.advance(ms) }))

const ignore = () => {}
const CHAT = -100
const TOKEN = '1234567:TEST-token_for-orderly'

it('Telegram away for a minute costs no order and no card: each comes once, as soon as it is back', async () => {
  const clock = fakeClock('2025-12-08T19:00:00+01:00')
  const backAtMs = clock() + 60_000
  pauses.advance = (ms) => clock.advance(ms)
  const telegram = await startTelegram({
    token: TOKEN,
    clock,
    people: [],
    chats: [{ id: CHAT, title: 'Orders', members: [] }],
  })
  const { api } = new Bot(TOKEN, { client: { apiRoot: telegram.url } })
  let refused = 0
  api.config.use(async (call, method, payload, signal) => {
    if (clock() >= backAtMs) return await call(method, payload, signal)
    refused += 1
    throw new HttpError('away', new Error('ECONNREFUSED'))
  })
  const { send } = createMemoryConnection({ clock })
  const zone = 'Europe/Berlin'
  const store = createOrderStore({ send, clock, zone, earliestMs: () => 0 })
  const desk = createDesk({ store, clock, zone, cutoffMs: () => 0, ttlDays: 7 })
  const cards = createCards({
    api,
    chatId: CHAT,
    store,
    clock,
    zone,
    undoMs: 0,
    names: { nameOf: String, findName: async (by) => String(by) },
    onError: ignore,
    onMove: ignore,
  })

  for (const source_id of ['1', '2', '3']) cards.show((await desk.receive(anIntake({ source_id }))).order)

  await telegram.waitFor(() => store.held().every((order) => order.cards.has(CHAT)) && store.held().length === 3)
  expect(refused).toBeGreaterThan(2)
  expect(clock() - backAtMs).toBeLessThan(31_000)
  expect(telegram.chat(CHAT).messages.filter(({ isFromBot }) => isFromBot)).toHaveLength(3)
  await cards.stop()
  await telegram.stop()
})
