import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { sumOf } from '../support/billing.ts'
import {
  ADMIN,
  GROUP,
  OFFICE,
  RIDER,
  startServiceRig,
  until,
  type ServiceRig,
  type ServiceRigOptions,
} from '../support/bot-rig.ts'
import { freePort } from '../support/free-port.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { startWebhookFront } from '../support/webhook-front.ts'

const NOW = '2025-12-08T20:00:00+01:00'
const DELIVERED = '✅ Delivered'
const TAPS = 200

let rig: ServiceRig
const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
  await rig.stop()
})

const cards = () => rig.telegram.chat(GROUP).messages.filter(({ isFromBot }) => isFromBot)

const toasts = () =>
  rig.telegram.calls
    .filter(({ method }) => method === 'answerCallbackQuery')
    .map(({ params }) => params['text'] as string)

/** A service with one order, and its card. */
const startWithCard = async (options: ServiceRigOptions = {}) => {
  rig = await startServiceRig({ now: NOW, ...options })
  const { id } = await rig.receive()
  const card = await rig.telegram.waitFor(() => cards()[0])
  await until(async () => (await rig.stored(id)).includes('"card"'))
  await rig.redis.resetStats()
  return { id, card, data: card.buttons[0]?.[0]?.callbackData ?? '' }
}

/** A second instance in a process of its own, on the same Redis and Telegram. */
async function startProcess(publicUrl: string): Promise<string> {
  const port = await freePort()
  const env = { ...process.env, ...rig.env, PORT: String(port), PUBLIC_URL: publicUrl }
  const file = join(import.meta.dirname, '../support/bot-process.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', file, NOW], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  stops.push(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  await until(() => output.includes('service.listening'))
  await rig.telegram.waitFor(
    () => rig.telegram.calls.filter(({ method }) => method === 'setWebhook').length === 2,
    5_000,
  )
  return `http://127.0.0.1:${port}`
}

describeWithRedis('The same order tapped in two processes at once', () => {
  it(`has one winner, and the other person is told who and what, ${TAPS} times`, { timeout: 60_000 }, async () => {
    rig = await startServiceRig({ now: NOW, isStarted: false })
    const front = await startWebhookFront()
    stops.push(front.stop)
    await rig.start({ PUBLIC_URL: front.url })
    front.route(RIDER, rig.url())
    front.route(ADMIN, await startProcess(front.url))
    const ids: string[] = []
    for (let number = 0; number < TAPS; number++) ids.push((await rig.receive({ source_id: `${number}` })).id)
    await rig.telegram.waitFor(() => cards().length === TAPS, 10_000)
    await until(async () => (await rig.stored(ids.at(-1) ?? '')).includes('"card"'))
    await rig.redis.resetStats()

    const outcomes: string[][] = []
    for (const { id } of cards()) {
      const answers = [RIDER, ADMIN].map((user) => rig.telegram.press(user, GROUP, id, DELIVERED))
      outcomes.push((await Promise.all(answers)).map(({ toast = '' }) => toast))
    }

    const wins = { rider: 0, admin: 0 }
    for (const [rider = '', admin = ''] of outcomes) {
      const hasRiderWon = rider === 'Done: delivered.'
      wins[hasRiderWon ? 'rider' : 'admin'] += 1
      expect([rider, admin]).toEqual(
        hasRiderWon
          ? ['Done: delivered.', 'Rita was faster: delivered.']
          : ['Anna was faster: delivered.', 'Done: delivered.'],
      )
    }
    console.log('taps in two processes', wins)
    for (const id of ids) expect((await rig.ask('GET', `order:${id}`)) as string).toMatch(/"move":"delivered"/)
    await rig.telegram.waitFor(() => cards().every(({ text }) => text.includes(': delivered')), 5_000)
    const { APPEND = 0 } = await rig.billed()
    expect(APPEND).toBeLessThanOrEqual(2 * TAPS)
    // The second process holds none of the orders: a GET each, and another where somebody wrote in between.
    const spent = await rig.billed()
    console.log('billed for', TAPS, 'orders tapped twice:', spent)
    expect(sumOf(spent) - TAPS).toBeLessThanOrEqual(5 * TAPS)
  })
})

describeWithRedis('A press', () => {
  let updates = 0
  const press = (data: unknown, { chat = GROUP, message = 1, user = RIDER, type = 'group' } = {}) => {
    updates += 1
    const query = {
      id: `forged-${updates}`,
      from: { id: user, is_bot: false, first_name: 'Rita' },
      chat_instance: '1',
      message: { message_id: message, date: 1, chat: { id: chat, type, title: 'Riders' }, text: 'x' },
      data,
    }
    return rig.post(JSON.stringify({ update_id: updates, callback_query: query }))
  }

  it('costs one command, and at most a look when the same person presses twice', async () => {
    const { card } = await startWithCard()

    await rig.telegram.press(RIDER, GROUP, card.id, DELIVERED)
    expect(await rig.billed()).toEqual({ APPEND: 1 })
    await press(card.buttons[0]?.[0]?.callbackData, { message: card.id })

    expect(toasts()).toEqual(['Done: delivered.', 'Done: delivered.'])
    expect(await rig.billed()).toMatchObject({ APPEND: 1 })
    expect(sumOf(await rig.billed())).toBeLessThanOrEqual(2)
  })

  it('is answered and does nothing when its data is none of ours, whatever it says', async () => {
    const { id } = await startWithCard()
    const before = await rig.stored(id)
    const forged = [
      '',
      ' ',
      'x',
      'm',
      'md',
      'md:',
      'md::',
      'u::',
      `u::${id}`,
      `mz::${id}`,
      `m::${id}`,
      `MD::${id}`,
      `mdd::${id}`,
      `md:12345678901:${id}`,
      `md${id}`,
      `md::${id.toLowerCase()}`,
      `md:: ${id}`,
      `md::${id} `,
      `md::order:${id}`,

      `md::*`,
      'md::orderly:lock:orders',
      'md::\u001e',
      'md::\n',
      'md::\0',
      'md::__proto__',
      'constructor',
      'u:x:y',

      '{"to":"delivered"}',
      'md:null:x',
      `md:nonsense:${id}`,
      `u:nonsense:${id}`,
      'c:',
      'c:1:2',
      '🗑',
      'd'.repeat(64),
    ]
    for (const data of forged) expect([data, (await press(data)).status]).toEqual([data, 200])

    expect(toasts().filter((text) => text.startsWith('Done'))).toEqual([])
    expect(await rig.stored(id)).toBe(before)
    expect((await rig.ask('KEYS', '*')) as string[]).toHaveLength(2)
    expect((await rig.post('{"update_id":1}')).status).toBe(200)
  })

  it('of a card’s button in another chat does nothing', async () => {
    const { id, data } = await startWithCard()
    await press(data, { chat: OFFICE, type: 'supergroup' })
    await press(data, { chat: RIDER, type: 'private' })

    expect(toasts()).toEqual(Array(2).fill('This button is not in use any more.'))
    expect(await rig.billed()).toEqual({})
    expect(await rig.stored(id)).not.toContain('"move"')
  })

  it('counts though its answer comes too late for Telegram', async () => {
    const { id, card, data } = await startWithCard()

    await press(data, { message: card.id })

    const answer = rig.telegram.calls.find(({ method }) => method === 'answerCallbackQuery')
    expect(answer).toMatchObject({ status: 400, description: expect.stringContaining('query is too old') })
    expect(await rig.stored(id)).toContain('"move":"delivered"')
    await rig.telegram.waitFor(() => cards()[0]?.text.includes(': delivered'))
  })

  it('on an order that has gone says so and takes the button away', async () => {
    const { id, card } = await startWithCard()
    await rig.ask('DEL', `order:${id}`)

    expect(await rig.telegram.press(RIDER, GROUP, card.id, DELIVERED)).toMatchObject({
      toast: 'This order is not stored any more.',
    })

    await rig.telegram.waitFor(() => cards()[0]?.buttons.length === 0)
    expect(await rig.ask('EXISTS', `order:${id}`)).toBe(0)
  })

  it('is answered with an error while the store is away, changes nothing, and works when it is back', async () => {
    const { card } = await startWithCard({ redis: { appendOnly: true } })
    await rig.redis.kill('SIGSTOP')
    const answer = rig.telegram.press(RIDER, GROUP, card.id, DELIVERED).catch(() => undefined)
    await rig.redis.kill('SIGKILL')

    expect(await answer).toMatchObject({ alert: true, toast: expect.stringContaining('the store is unreachable') })
    expect(cards()[0]?.text).toContain(': new')

    await rig.redis.restart()
    const delivered = rig.telegram.press(RIDER, GROUP, card.id, DELIVERED)
    expect(await delivered).toMatchObject({ toast: 'Done: delivered.' })
  })
})
