import { afterEach, expect, it } from 'vitest'
import { findCommands } from '../../src/sandbox/bot-api/formatted-text.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import {
  ADMIN,
  GROUP,
  RIDER,
  startServiceRig,
  until,
  type ServiceRig,
  type ServiceRigOptions,
} from '../support/bot-rig.ts'

let rig: ServiceRig

const start = async (options: ServiceRigOptions = {}) => {
  rig = await startServiceRig({ now: '2025-12-08T20:00:00+01:00', ...options })
}

afterEach(async () => {
  await rig.stop()
})

const cards = (chat = GROUP) => rig.telegram.chat(chat).messages.filter(({ isFromBot }) => isFromBot)
const buttonsOf = ({ buttons }: { buttons: readonly (readonly { text: string }[])[] }) =>
  buttons.flat().map(({ text }) => text)

/** The one card, once it looks like this. */
const cardLike = (like: RegExp | string, chat = GROUP) =>
  rig.telegram.waitFor(() => {
    const [card, ...more] = cards(chat)
    if (more.length > 0) throw new Error('There is more than one card.')
    return card !== undefined && (typeof like === 'string' ? card.text.includes(like) : like.test(card.text)) && card
  }, 5_000)

/** Once nothing is on its way any more: each card stands in the store. */
const untilNoted = async (id: string, count = 1) =>
  until(async () => (await rig.stored(id)).split('"card"').length - 1 >= count)

const DELIVERED = '✅ Delivered'
const UNDO = '↩️ Undo'

describeWithRedis('A card', () => {
  it('shows a received order, is moved to delivered, and back within 10 minutes', async () => {
    await start()
    const { status, id } = await rig.receive()
    const { id: card, text, buttons } = await cardLike('new')
    expect(status).toBe(201)
    expect(text).toBe(
      '🆕 shopify 6986534250496: new\n🕐 8 Dec 18:02\n👤 Finn Wagner, +49851214602\n📍 Bahnhofstraße 17\n• 1 × Gulasch (Leckerolls)\n💶 23.90 EUR',
    )
    expect(buttonsOf({ buttons })).toEqual([DELIVERED])

    expect(await rig.telegram.press(RIDER, GROUP, card, DELIVERED)).toEqual({ toast: 'Done: delivered.', alert: false })
    const delivered = await cardLike('✅ shopify 6986534250496: delivered')
    expect(delivered.text).toContain('delivered by Rita, 8 Dec 20:00')
    expect(buttonsOf(delivered)).toEqual([UNDO])

    rig.clock.advance(10 * 60_000)
    expect(await rig.telegram.press(ADMIN, GROUP, card, UNDO)).toEqual({ toast: 'Undone: new again.', alert: false })
    expect(buttonsOf(await cardLike(/: new[^]*back to new by Anna/))).toEqual([DELIVERED])
    expect(await rig.stored(id)).toContain('"undo"')
  })

  it('cannot be undone after 10 minutes, and then offers no button', async () => {
    await start()
    await rig.receive()
    const { id } = await cardLike('new')
    await rig.telegram.press(RIDER, GROUP, id, DELIVERED)
    await cardLike('delivered')

    rig.clock.advance(10 * 60_000 + 1)

    expect(await rig.telegram.press(RIDER, GROUP, id, UNDO)).toMatchObject({
      toast: expect.stringMatching(/^Too late/),
    })
    await rig.telegram.waitFor(() => buttonsOf(cards()[0] ?? { buttons: [] }).length === 0)
    expect(cards()[0]?.text).toContain(': delivered')
  })

  it('is one however often the order comes, and however often the service starts', async () => {
    await start()
    const first = await rig.receive()
    await cardLike('new')
    await untilNoted(first.id)

    const again = await Promise.all([rig.receive(), rig.receive(), rig.receive()])
    await rig.start()
    await rig.receive()
    await rig.receive({ source_id: 'another' })
    await rig.telegram.waitFor(() => cards().some(({ text }) => text.includes('another')))

    expect(again).toEqual(Array.from({ length: 3 }, () => ({ status: 200, id: first.id })))
    expect(cards()).toHaveLength(2)
  })

  it('comes later when Telegram is away at intake, which is answered at once', async () => {
    await start()
    rig.telegram.downFor(1_000)
    const begunMs = performance.now()

    expect((await rig.receive()).status).toBe(201)
    expect(performance.now() - begunMs).toBeLessThan(500)
    expect(cards()).toEqual([])
    expect(buttonsOf(await cardLike('new'))).toEqual([DELIVERED])
  })

  it('is sent once by the next start when this one could not, and not for what is done or a day old', async () => {
    await start()
    rig.telegram.downFor(30_000)
    await Promise.all([
      rig.receive({ source_id: 'owed' }),
      rig.receive({ source_id: 'old', created_at: '2025-12-07T19:00:00+01:00' }),
    ])
    rig.telegram.downFor(0)
    await rig.ask('SET', 'order:done', JSON.stringify({ status: 'delivered', created_at: '2025-12-08T18:00:00+01:00' }))
    const { id } = await rig.receive({ source_id: 'last' })
    await Promise.all(rig.services.splice(0).map((service) => service.stop()))

    await rig.start()
    await rig.telegram.waitFor(() => cards().length >= 2)
    await untilNoted(id)

    const titles = cards().map(({ text }) => text.split('\n')[0])
    expect(new Set(titles)).toEqual(new Set(['🆕 shopify last: new', '🆕 shopify owed: new']))
    expect(titles).toHaveLength(2)
  })

  it.each([
    ['429', 429],
    ['a lost connection', 'reset'],
    ['an error of Telegram', 500],
  ] as const)('is sent after %s, once', async (_what, fault) => {
    await start()
    rig.telegram.failNext('sendMessage', fault)

    const { id } = await rig.receive()

    await cardLike('new')
    await untilNoted(id)
    expect(cards()).toHaveLength(1)
  })

  it('holds no other card up for ever when Telegram refuses it', async () => {
    await start()
    rig.telegram.failNext('sendMessage', { status: 400, description: 'Bad Request: of no use' })

    await rig.receive({ source_id: 'refused' })
    await rig.receive({ source_id: 'taken' })

    expect((await cardLike('taken')).text).toContain('taken')
  })

  it.each([
    ['markup', '*bold* _it_ [a](http://x.y) <b>b</b> &amp; `c` \\ ~s~ ||d||'],
    // Telegram itself takes out the marks that turn a line around.
    ['right-to-left text', 'شارع الحرية ٧ \u202Eevil\u202C עברית'],
    ['emoji of several parts', '👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 é'],
    ['what looks like a command', '/cleanup 0 @orderly_test_bot #tag'],
  ])('shows %s as the text that it is', async (_what, note) => {
    await start()

    await rig.receive({ note, customer: { name: note, phone: null, address: note } })

    const card = await cardLike('new')
    // Right-to-left text is isolated, and what Telegram would make a link of is kept apart by a character without width.
    const plain = card.text.replaceAll(/[\u2060\u2068\u2069]/g, '')
    for (const sign of ['👤', '📍', '📝']) expect(plain).toContain(`${sign} ${note.replaceAll(/[\u202A-\u202E]/g, '')}`)
    expect(card.entities).toEqual([])
    expect(findCommands(card.text)).toEqual([])
  })

  it('visibly cuts a text of more than Telegram takes, never inside a character', async () => {
    await start()
    const items = Array.from({ length: 20 }, () => ({
      vendor: 'x',
      quantity: 1,
      name: '🍕'.repeat(120),
      note: '🛵'.repeat(120),
    }))

    await rig.receive({ items })

    const { text, buttons } = await cardLike('new')
    expect(text.length).toBeGreaterThan(4_090)
    expect(text.length).toBeLessThanOrEqual(4_096)
    expect(text).toMatch(/(🍕|🛵)…$/u)
    expect(buttonsOf({ buttons })).toEqual([DELIVERED])
  })

  it('is made of the former bot’s orders, and moves them', async () => {
    await start({ hasFormerOrders: true, now: '2025-12-08T21:00:00+01:00' })

    const find = (like: string) => rig.telegram.waitFor(() => cards().find(({ text }) => text.includes(like)))
    const card = await find('🆕 shop #12211: new')
    expect(card.text).toContain('👤 Mehmet Schmid, +49851155626')
    expect(card.text).toContain('• 2 x Zimtschnecke (Zweite Küche)')
    await rig.telegram.press(RIDER, GROUP, card.id, DELIVERED)

    expect((await find('delivered by Rita')).id).toBe(card.id)
  })

  it('has no button when the order’s id is too long for one', async () => {
    await start({ isStarted: false })
    const order = JSON.stringify({ name: 'long', status: 'new', created_at: '2025-12-08T18:00:00+01:00' })
    await rig.ask('SET', `order:${'x'.repeat(61)}`, order)

    await rig.start()

    expect((await cardLike('long: new')).buttons).toEqual([])
  })

  it('of which two instances sent one each stands where the first was noted; the other is deleted', async () => {
    await start()
    const first = rig.url()
    await rig.start()
    rig.telegram.slowBy(150)
    const [{ id }] = await Promise.all([rig.receive(), rig.receive({}, first)])
    await rig.telegram.waitFor(() => countCalls('deleteMessage') === 1)
    rig.telegram.slowBy(0)
    await rig.telegram.waitFor(() => cards().length === 1)

    expect(countCalls('sendMessage')).toBe(2)
    expect(/"message":(\d+)/.exec(await rig.stored(id))?.[1]).toBe(String(cards()[0]?.id))
  })

  it('is sent to the new id of a chat that became a supergroup, by its own message about it; admins are told once', async () => {
    await start()
    await rig.receive({ source_id: 'before' })
    await cardLike('before')

    const to = rig.telegram.migrate(GROUP)
    await rig.telegram.waitFor(() => toldAdmin().length > 0)
    await cardLike('before', to)
    await rig.receive({ source_id: 'after' })
    const card = await rig.telegram.waitFor(() => cards(to).find(({ text }) => text.includes('after')))

    expect(toldAdmin()).toEqual([expect.stringContaining(`Set ORDERS_CHAT_ID to ${to}`)])
    expect(await rig.telegram.press(RIDER, to, card.id, DELIVERED)).toMatchObject({ toast: 'Done: delivered.' })
    await rig.telegram.waitFor(() => cards(to).some(({ text }) => text.includes('after: delivered')))
    expect(cards(to)).toHaveLength(2)
  })

  it('is sent to the new id that Telegram names when it refuses the former one', async () => {
    await start({ isStarted: false })
    const to = rig.telegram.migrate(GROUP)
    await rig.start()
    await rig.telegram.waitFor(() => rig.telegram.pendingUpdates === 0)

    await rig.receive()

    await cardLike('new', to)
    await rig.telegram.waitFor(() => toldAdmin().length > 0)
    expect(toldAdmin()).toEqual([expect.stringContaining(`Set ORDERS_CHAT_ID to ${to}`)])
  })
})

const countCalls = (wanted: string) => rig.telegram.calls.filter(({ method }) => method === wanted).length
const toldAdmin = () =>
  rig.telegram
    .chat(ADMIN)
    .messages.map(({ text }) => text)
    .filter((text) => text.includes('supergroup'))
