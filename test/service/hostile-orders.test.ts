import { afterAll, beforeAll, expect, it } from 'vitest'
import { findCommands } from '../../src/sandbox/bot-api/formatted-text.ts'
import { ADMIN, GROUP, startServiceRig, until, type ServiceRig } from '../support/bot-rig.ts'
import {
  fitting,
  hostileFormerOrder,
  hostileIntake,
  hostileRows,
  seenOf,
  openIsolates,
  outOfPlaceIn,
} from '../support/hostile.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import type { ChatMessage } from '../support/telegram.ts'

const NOW = '2025-12-08T21:00:00+01:00'
const PATIENCE_MS = 20_000

/** As many people as there are texts, each called by one. */
const people = hostileRows.map(([, firstName], at) => ({ id: 1_000 + at, firstName }))
const personOf = (at: number) => people[at]?.id ?? 0

let rig: ServiceRig
/** The ids of the orders that came by intake, and of those that lay in the store, in the order of the texts. */
let received: readonly string[] = []
const former = hostileRows.map((_, at) => `former-${at}`)

const fromBot = (chat: number) => rig.telegram.chat(chat).messages.filter(({ isFromBot }) => isFromBot)

/** The message that shows an order, as the store has noted it. */
const cardOf = async (id: string): Promise<ChatMessage> => {
  const message = /"card":\{"chat":-4400,"message":(\d+)\}/.exec(await rig.stored(id))?.[1]
  const card = fromBot(GROUP).find((one) => one.id === Number(message))
  if (card === undefined) throw new Error(`The order ${id} has no card.`)
  return card
}

/** Waits until an order's card looks like this, and resolves with it. */
const cardLike = async (id: string, like: RegExp): Promise<ChatMessage> => {
  const { id: message } = await cardOf(id)
  return rig.telegram.waitFor(
    () => fromBot(GROUP).find((one) => one.id === message && like.test(one.text)),
    PATIENCE_MS,
  )
}

/** What marks keep a text in its place: without them it reads as its author wrote it. */
const plain = (text: string) => text.replaceAll(/[\u2060\u2068\u2069]/g, '')

/** What holds of every text of the bot, whoever wrote parts of it. */
function expectInItsPlace({ text, entities }: Pick<ChatMessage, 'text' | 'entities'>): void {
  expect(text.length).toBeLessThanOrEqual(4_096)
  expect(entities).toEqual([])
  expect(findCommands(text)).toEqual([])
  expect(text).not.toMatch(/(?<!\w)@\w/)
  expectPartOfALine(text)
}

function expectPartOfALine(text: string): void {
  expect(outOfPlaceIn(text)).toEqual([])
  expect(text).not.toMatch(/\p{M}{7}/u)
  // What ends where the message was cut reaches nothing behind it.
  const lines = text.endsWith('…') ? text.split('\n').slice(0, -1) : text.split('\n')
  expect(lines.filter((line) => openIsolates(line) !== 0)).toEqual([])
}

/** What each line of a card below its title begins with: a line that an order brought along would not. */
const CARD_LINE = /^(?:🕐|👤|📍|•|💶|📝|delivered by|assigned by) ./u

const expectCard = (card: ChatMessage) => {
  expectInItsPlace(card)
  const [title = '', ...lines] = card.text.split('\n')
  expect(title).toMatch(/^(?:🆕|✅|👤) .+: (?:new|delivered|assigned)$/u)
  expect(lines.filter((line) => !CARD_LINE.test(line))).toEqual([])
}

const ask = (command: string, like: RegExp): Promise<ChatMessage> => {
  const before = fromBot(ADMIN).length
  rig.telegram.say(ADMIN, ADMIN, command)
  return rig.telegram.waitFor(
    () =>
      fromBot(ADMIN)
        .slice(before)
        .find(({ text }) => like.test(text)),
    PATIENCE_MS,
  )
}

describeWithRedis('Hostile orders and names', () => {
  beforeAll(async () => {
    rig = await startServiceRig({
      now: NOW,
      isStarted: false,
      telegram: {
        people: [{ id: ADMIN, firstName: 'Anna' }, ...people],
        chats: [{ id: GROUP, title: 'Riders', members: [ADMIN, ...people.map(({ id }) => id)] }],
      },
      env: { ADMIN_IDS: String(ADMIN) },
    })
    const stored = hostileRows.map(([, text], at) => [`order:${former[at]}`, JSON.stringify(hostileFormerOrder(text))])
    await rig.ask('MSET', ...stored.flat())
    await rig.begin()
    await rig.telegram.waitFor(() => fromBot(GROUP).length >= hostileRows.length, PATIENCE_MS)
    const ids: string[] = []
    for (const [at, [, text]] of hostileRows.entries()) {
      const { id } = await rig.receive(hostileIntake(text, `${fitting(text, 100)} ${at}`))
      ids.push(id)
    }
    received = ids
    await rig.telegram.waitFor(() => fromBot(GROUP).length >= 2 * hostileRows.length, PATIENCE_MS)
    await until(async () => (await rig.stored(received.at(-1) ?? '')).includes('"card"'))
  }, 60_000)
  afterAll(() => rig.stop())

  it.each(hostileRows.map(([what], at) => [what, at] as const))('%s stays a text on both cards', async (_, at) => {
    const text = hostileRows[at]?.[1] ?? ''
    for (const id of [received[at] ?? '', former[at] ?? '']) {
      const card = await cardOf(id)

      expectCard(card)
      expect(card.buttons.flat().map((button) => button.text)).toEqual(['✅ Delivered'])
      expect(plain(card.text)).toContain(seenOf(text, 60))
    }
  })

  it('leave room for the other fields, however long one of them is', async () => {
    const at = hostileRows.findIndex(([what]) => what === 'a long name without a space')

    const lines = (await cardOf(former[at] ?? '')).text.split('\n')

    expect(lines[0]?.length).toBeLessThan(100)
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['🆕', '🕐', '👤', '📍', '•'])
    expect(lines[2]).toContain('…')
  })

  it('of people are told as text on the cards that they moved, and in the answers to others', async () => {
    for (const [at] of hostileRows.entries()) {
      const id = received[at] ?? ''
      const { id: message } = await cardOf(id)

      const pressed = await rig.telegram.press(personOf(at), GROUP, message, '✅ Delivered')

      expect(pressed).toEqual({ toast: 'Done: delivered.', alert: false })
      const card = await cardLike(id, /^✅/u)
      expectCard(card)
      // A card that is cut ends before that line.
      expect(card.text).toMatch(/(?:\ndelivered by .{1,60}, 8 Dec 21:00|…)$/u)
    }
  })

  it('of whoever was faster are told as text that fits the answer to a press', async () => {
    for (const [at, [, text]] of hostileRows.entries()) {
      const id = former[at] ?? ''
      const { id: message } = await cardOf(id)
      const entry = { id: 'elsewhere', at: NOW, by: text, move: 'assigned', after: null }
      await rig.ask('APPEND', `order:${id}`, `\u001e${JSON.stringify(entry)}\n`)

      const { toast = '' } = await rig.telegram.press(personOf(at), GROUP, message, '✅ Delivered')

      expect(toast).toMatch(/^.+ was faster: assigned\.$/u)
      expect(toast.length).toBeLessThanOrEqual(200)
      expectPartOfALine(toast)
      expectCard(await cardLike(id, /^👤/u))
    }
  })

  it('are one line each in the list of open orders', async () => {
    const list = await ask('/orders', /^Open orders/)

    expectInItsPlace(list)
    const lines = list.text.split('\n').slice(1)
    expect(lines.length).toBeGreaterThan(20)
    expect(lines.slice(0, -1).filter((line) => !/^• .+: assigned$/u.test(line))).toEqual([])
  })

  it('are exported byte for byte', async () => {
    const { document } = await ask('/export', /orders\./)

    const lines = String(document?.bytes).trimEnd().split('\n')

    const exported = new Map(lines.map((line) => JSON.parse(line)).map(({ key, value }) => [key, value]))
    expect(exported.size).toBe(2 * hostileRows.length)
    for (const id of [...received, ...former]) expect(exported.get(`order:${id}`)).toBe(await rig.stored(id))
  })

  it('are sent as plain text that brings no picture of an address along, and are never refused', () => {
    const calls = rig.telegram.calls.filter(({ method }) => /^(?:send|edit|answer)/.test(method))

    expect(calls.length).toBeGreaterThan(4 * hostileRows.length)
    expect(calls.filter(({ status }) => status !== 200)).toEqual([])
    expect(calls.filter(({ params }) => 'parse_mode' in params)).toEqual([])
    const ofOrders = calls.filter(({ params }) => params['chat_id'] === GROUP)
    expect(ofOrders.filter(({ params }) => !JSON.stringify(params).includes('"is_disabled":true'))).toEqual([])
  })

  it('leave nothing in the log, which has one line for each event', () => {
    const log = rig.log()

    const lines = log.trimEnd().split('\n')
    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'))
    expect(outOfPlaceIn(log)).toEqual([])
    expect(log).not.toMatch(/owned|forged|evil|bold|WWW|long long|שלום|31m|npg/)
    expect(lines.filter((line) => /"level":[56]0/.test(line))).toEqual([])
  })
})
