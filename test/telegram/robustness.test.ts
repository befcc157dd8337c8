import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { describeWithRedis } from '../support/redis-server.ts'
import { ADMIN, GROUP, startServiceRig, STRANGER, WEBHOOK_SECRET, type ServiceRig } from '../support/bot-rig.ts'

let rig: ServiceRig
const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)

const start = async (...given: Parameters<typeof startServiceRig>) => {
  process.on('unhandledRejection', note)
  rig = await startServiceRig(...given)
}

afterEach(async () => {
  await rig.stop()
  process.off('unhandledRejection', note)
  const missed = unhandled.splice(0)
  if (missed.length > 0) throw new AggregateError(missed, 'A failure was handled by nobody.')
})

const fromBot = (chat = ADMIN) => rig.telegram.chat(chat).messages.filter(({ isFromBot }) => isFromBot)
const sends = () => rig.telegram.calls.filter(({ method }) => method === 'sendMessage').length

const chat = { id: ADMIN, type: 'private', first_name: 'Anna' }
const from = { id: ADMIN, is_bot: false, first_name: 'Anna' }
const saying = (text: string, more: object = {}) => ({
  message_id: 1,
  date: 1,
  chat,
  from,
  text,
  entities: [{ type: 'bot_command', offset: 0, length: text.split(' ')[0]?.length ?? 0 }],
  ...more,
})

describeWithRedis('Updates', () => {
  it('have one effect and one reply when they come twice', async () => {
    await start()
    const update = { update_id: 7, message: saying('/status') }

    await Promise.all([rig.post(JSON.stringify(update)), rig.post(JSON.stringify(update))])
    await rig.telegram.deliverTwice({ message: saying('/help') } as never)

    expect(sends()).toBe(2)
  })

  it('without the secret, or with a wrong one, are refused before the bot sees them', async () => {
    await start()
    const body = JSON.stringify({ update_id: 1, message: saying('/status') })
    const secrets = ['', 'x', `${WEBHOOK_SECRET} `, WEBHOOK_SECRET.toLowerCase(), `${WEBHOOK_SECRET}${WEBHOOK_SECRET}`]
    // A header's outer spaces are no part of it.
    const wrong = secrets.filter((secret) => secret.trim() !== WEBHOOK_SECRET)

    for (const secret of wrong) {
      expect((await rig.post(body, { 'x-telegram-bot-api-secret-token': secret })).status).toBe(401)
    }
    expect(sends()).toBe(0)
  })

  const KINDS = [
    'message',
    'edited_message',
    'channel_post',
    'edited_channel_post',
    'business_connection',
    'business_message',
    'message_reaction',
    'inline_query',
    'chosen_inline_result',
    'callback_query',
    'shipping_query',
    'poll',
    'pre_checkout_query',
    'poll_answer',
    'my_chat_member',
    'chat_member',
    'chat_join_request',
    'chat_boost',
    'of_the_future',
    '__proto__',
    'constructor',
  ]
  const VALUES: unknown[] = [
    null,
    0,
    true,
    'x',
    [],
    {},
    { chat: null, from: null, data: 1 },
    saying('/none', { from: null }),
  ]
  const MESSAGES: object[] = [
    saying('/cleanup 2', { text: 2 }),
    saying('/cleanup 2', { text: null }),
    saying('/cleanup 2', { text: ['/cleanup'] }),
    saying('/cleanup 2', { entities: null }),
    saying('/cleanup 2', { entities: 'bot_command' }),
    saying('/cleanup 2', { entities: [null] }),
    saying('/cleanup 2', { entities: [{ type: 'bot_command', offset: 1e9, length: 1e9 }] }),
    saying('/cleanup 2', { entities: [{ type: 'bot_command', offset: -5, length: -1 }] }),
    saying('/cleanup 2', { entities: [{ type: 'bot_command', offset: 'a', length: {} }] }),
    saying('/cleanup 2', { from: undefined }),
    saying('/cleanup 2', { from: { id: String(ADMIN) } }),
    saying('/cleanup 2', { from: { id: { valueOf: 11 } } }),
    saying('/cleanup 2', { chat: undefined }),
    saying('/cleanup 2', { chat: { id: 'x' } }),
    saying('/cleanup 2', { chat: {}, from: {} }),
    saying(`/start ${'x'.repeat(500_000)}`),
    saying(`/${'x'.repeat(100_000)}`),
    saying('/start', { from: { ...from, first_name: 5 } }),
    saying('/start', { from: { ...from, first_name: '💥'.repeat(50_000) } }),
    saying('/start', { reply_to_message: { reply_to_message: { text: 1 } } }),
    { migrate_to_chat_id: 'x', chat },
  ]
  const BODIES = [
    '',
    ' ',
    '{',
    '[]',
    'null',
    '1',
    '"x"',
    'true',
    '{}',
    '{"update_id":null}',
    '{"update_id":"1"}',
    '\0',
    '{"a":1}',

    '{"update_id":-1}',
    '{"update_id":1.5}',
    '{"update_id":1e400}',
    '{"update_id":[1]}',
    '[{"update_id":1}]',
    'a=b',
    `{"update_id":1,"message":"${'x'.repeat(1_100_000)}"}`,
    `{"update_id":2,"message":${'['.repeat(50_000)}`,
    `{"update_id":3,"message":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  ]

  it('of any shape are answered, and the service goes on', async () => {
    await start()
    const updates = KINDS.flatMap((kind) => VALUES.map((value) => `"${kind}":${JSON.stringify(value)}`))
    const messages = MESSAGES.map((message) => `"message":${JSON.stringify(message)}`)
    const bodies = [...BODIES, ...[...updates, ...messages].map((text, at) => `{"update_id":${at + 10},${text}}`)]
    expect(bodies.length).toBeGreaterThan(100)

    for (const body of bodies) {
      const { status } = await rig.post(body)
      expect([body.slice(0, 80), status === 200 || (status >= 400 && status < 500)]).toEqual([body.slice(0, 80), true])
    }

    const before = fromBot(STRANGER).length
    rig.telegram.say(STRANGER, STRANGER, '/start')
    await rig.telegram.waitFor(() => fromBot(STRANGER).length > before)
    const { status } = await rig.receive()
    expect(status).toBe(201)
    await rig.telegram.waitFor(() => fromBot(GROUP).some(({ text }) => text.includes('shopify 6986534250496')))
  })
})

describeWithRedis('A failure after the answer', () => {
  it('does not end the process, and is logged', async () => {
    await start()
    rig.clock.advance(31_000)
    await rig.redis.kill('SIGKILL')
    const refusal = { status: 400, description: 'Bad Request: of no use' }
    for (let at = 0; at < 3; at++) rig.telegram.failNext('sendDocument', refusal)
    for (let at = 0; at < 2; at++) rig.telegram.failNext('editMessageText', refusal)

    for (const command of ['/cleanup 2', '/cleanup 2 preview', '/export', '/orders', '/cleanup 0']) {
      rig.telegram.say(ADMIN, ADMIN, command)
    }
    await rig.telegram.waitFor(() => fromBot().some(({ text }) => text.startsWith('The export failed')), 10_000)
    await rig.telegram.waitFor(() => fromBot().some(({ text }) => text.includes('The cleanup failed')), 10_000)
    await rig.telegram.waitFor(() => fromBot().some(({ text }) => text.includes('the store is unreachable')), 10_000)

    rig.telegram.say(ADMIN, ADMIN, '/status')
    const status = await rig.telegram.waitFor(() => fromBot().find(({ text }) => text.startsWith('Orderly ')))
    expect(status.text).toContain('does not answer')
    await rig.redis.restart()
  })
})

describeWithRedis('The log', () => {
  /** What somebody would look for in a log that holds too much. */
  const PRIVATE = [
    'TEST-token_for-orderly',
    WEBHOOK_SECRET,
    'INTAKESECRET',
    'Zaphod',
    '+49 999',
    'Geheimgasse',
    'Pssst',
    'Trüffel',
    'MURMEL',
    'Wispern',
    '127.0.0.1:1',
  ]

  const order = {
    customer: { name: 'Zaphod B', phone: '+49 999 1', address: 'Geheimgasse 1' },
    items: [{ vendor: 'julis', quantity: 1, name: 'Trüffel', note: 'Pssst' }],
    note: 'Pssst',
  }

  it('never holds tokens, secrets or what people wrote, whatever Telegram answers', async () => {
    await start({ env: { LOG_LEVEL: 'trace' } })
    const refusals = [401, 403, 404, 500, 502].map((status) => ({ status, description: 'MURMEL' }))
    for (const fault of [...refusals, 'reset', 'reset-after'] as const) {
      for (const method of [
        'sendMessage',
        'answerCallbackQuery',
        'editMessageText',
        'deleteMessage',
        'getChatMember',
      ]) {
        rig.telegram.failNext(method, fault)
      }
    }

    const { id } = await rig.receive(order)
    await rig.receive({ ...order, source_id: '2', total: 'Pssst' })
    await rig.post(JSON.stringify({ update_id: 1, message: saying('/start Wispern', { chat: { id: 999 } }) }))
    await rig.post(JSON.stringify({ update_id: 2, message: { text: 'Wispern', chat: 5 } }))
    await rig.post('{"update_id":3,"message":"Wispern"', { 'x-request-id': 'Wispern Wispern' })
    await rig.post('{"update_id":4}', { 'x-telegram-bot-api-secret-token': 'Wispern' })
    for (let at = 0; at < 6; at++) rig.telegram.say(ADMIN, ADMIN, '/cleanup Wispern')
    await rig.post(
      JSON.stringify({
        update_id: 5,
        callback_query: {
          id: 'x',
          from,
          chat_instance: '1',
          message: saying('x', { chat: { id: GROUP } }),
          data: `md::${id}`,
        },
      }),
    )
    await rig.telegram.waitFor(() => rig.telegram.pendingUpdates === 0, 15_000)
    await sleep(500)

    const log = rig.log()
    expect(log).toContain('HttpError')
    expect(log).toContain('GrammyError')
    expect(PRIVATE.filter((text) => log.includes(text))).toEqual([])
  })

  it('does not hold them either when Telegram hangs or wants a long wait, which stopping does not wait for', async () => {
    await start()
    rig.telegram.failNext('sendMessage', 'hang')
    rig.telegram.say(ADMIN, ADMIN, '/cleanup 300 preview')
    await rig.telegram.waitFor(() => sends() === 1)
    rig.telegram.failNext('sendMessage', { status: 429, retryAfter: 30 })
    await rig.receive(order)
    await rig.telegram.waitFor(() => rig.telegram.calls.some(({ status }) => status === 429))
    const begunMs = performance.now()

    await rig.services[0]?.stop()

    expect(performance.now() - begunMs).toBeLessThan(12_000)
    expect(rig.log()).toContain('HttpError')
    expect(PRIVATE.filter((text) => rig.log().includes(text))).toEqual([])
  })

  it('does not hold the token either when Telegram does not know it', async () => {
    await start({ isStarted: false })
    rig.telegram.failNext('getMe', { status: 401, description: 'Unauthorized' })

    await rig.begin()
    await rig.telegram.waitFor(() => rig.telegram.calls.some(({ status }) => status === 401))
    await rig.receive(order)

    expect((await fetch(`${rig.url()}/healthz`)).status).toBe(200)
    expect((await fetch(`${rig.url()}/readyz`)).status).toBe(503)
    expect(rig.log()).toContain('GrammyError')
    expect(PRIVATE.slice(0, 9).filter((text) => rig.log().includes(text))).toEqual([])
  })
})
