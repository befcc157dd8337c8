import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import { fastify, type FastifyInstance } from 'fastify'
import { Bot, GrammyError, HttpError, InlineKeyboard, InputFile, type Api } from 'grammy'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCallLog } from '../../src/sandbox/bot-api/call-log.ts'
import {
  createStandIn,
  type Happening,
  type StandIn,
  type StandInOptions,
  UnansweredPress,
} from '../../src/sandbox/bot-api/stand-in.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { startFakeWebhook } from '../support/fake-webhook.ts'

const ANNA = 11
const BEN = 22
const GROUP = -4400
const SECRET = 'a_Secret-1'
const keyboard = new InlineKeyboard()
  .text('Accept', 'a:1')
  .text('Reject', 'r:1')
  .row()
  .url('Map', 'https://example.org/')

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

interface Rig {
  readonly telegram: StandIn
  readonly app: FastifyInstance
  readonly api: Api
  readonly clock: FakeClock
}

/** A stand-in without any socket: grammY's calls are injected. */
async function start(options: Partial<StandInOptions> = {}, prefix = ''): Promise<Rig> {
  const clock = fakeClock('2026-03-02T10:00:00Z')
  const telegram = createStandIn({
    clock,
    resendMs: [0, 1],
    chats: [{ id: GROUP, title: 'Riders', members: [ANNA, BEN], owner: BEN }],
    people: [
      { id: ANNA, firstName: 'Anna', languageCode: 'de-AT' },
      { id: BEN, firstName: 'Ben' },
    ],
    ...options,
  })
  const app = fastify()
  await app.register(telegram.plugin, { prefix })
  stops.push(() => app.close(), telegram.stop)
  return { telegram, app, api: apiOver(app, telegram.token, prefix), clock }
}

interface Sent {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

function apiOver(app: FastifyInstance, token: string, prefix = ''): Api {
  const injected = async (url: string, { method, headers, body }: Sent) => {
    const { pathname, search } = new URL(url)
    const { statusCode, rawPayload } = await app.inject({ method, url: pathname + search, headers, payload: body })
    return new Response(new Uint8Array(rawPayload), { status: statusCode })
  }
  return new Bot(token, { client: { apiRoot: `http://telegram${prefix}`, fetch: injected as never } }).api
}

/** A stand-in below a prefix of a server that has other ideas about bodies, errors and limits. */
async function startInside() {
  const telegram = createStandIn({ people: [{ id: ANNA, firstName: 'Anna' }] })
  const app = fastify({ bodyLimit: 1000 })
  app.removeContentTypeParser('text/plain')
  await app.register(helmet)
  await app.register(rateLimit, { max: 1, timeWindow: 60_000 })
  app.addHook('onRequest', async ({ is404 }) => {
    if (is404) throw new Error('There is no such route.')
  })
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ mine: String(error) }))
  app.post('/echo', ({ body }) => ({ body }))
  await app.register(telegram.plugin, { prefix: '/sandbox' })
  stops.push(() => app.close(), telegram.stop)
  const ask = async (path: string, payload = '', type = 'application/json') => {
    const headers = { 'content-type': type }
    const response = await app.inject({ method: 'POST', url: `/sandbox${path}`, payload, headers })
    return [response.statusCode, response.json()] as const
  }
  return { telegram, app, api: apiOver(app, telegram.token, '/sandbox'), ask }
}

/** All that happens from now on. */
function watched(telegram: StandIn): Happening[] {
  const seen: Happening[] = []
  telegram.watch((happening) => void seen.push(happening))
  return seen
}

const refused = (error_code: number, description: string) => [error_code, { ok: false, error_code, description }]

const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((reason: unknown) => reason)
  return error instanceof GrammyError ? [error.error_code, error.description] : error
}

describe('Through inject', () => {
  it('serves grammY, uploads included', async () => {
    const { api, telegram } = await start()
    const { message_id } = await api.sendMessage(ANNA, 'hi', { reply_markup: keyboard })
    await api.editMessageText(ANNA, message_id, 'hello')
    await api.sendDocument(ANNA, new InputFile(Buffer.from('a;b'), 'orders May.csv'), { caption: 'Grüße' })

    expect(telegram.chat(ANNA).messages).toMatchObject([
      { text: 'hello', edits: 1 },
      { text: 'Grüße', document: { fileName: 'orders May.csv', mimeType: 'text/csv', bytes: Buffer.from('a;b') } },
    ])
    expect(await refusal(api.sendMessage(999, 'hi'))).toEqual([400, 'Bad Request: chat not found'])
  })

  it.each(['reset', 'reset-after'] as const)('rejects a call whose connection breaks (%s)', async (fault) => {
    const { api, app, telegram } = await start()
    telegram.failNext('*', fault)
    telegram.failNext('*', fault)

    expect(await refusal(api.getMe())).toBeInstanceOf(HttpError)
    await expect(app.inject(`/bot${telegram.token}/getMe`)).rejects.toMatchObject({ code: 'LIGHT_ECONNRESET' })
    expect(telegram.calls.map(({ status }) => status)).toEqual([undefined, undefined])
    await api.getMe()
  })

  it('rejects what got no answer, and what still comes, at the end', async () => {
    const { api, telegram } = await start()
    telegram.failNext('getMe', 'hang')
    const calls = [api.getMe(), api.getUpdates({ timeout: 50 })].map(refusal)
    await expect.poll(() => telegram.calls.length).toBe(2)
    telegram.stop()
    telegram.stop()

    expect(await Promise.all([...calls, refusal(api.getMe())])).toEqual([1, 2, 3].map(() => expect.any(HttpError)))
  })
})

describe('In a larger server', () => {
  it('has its own bodies, errors and limits, and leaves those of the parent alone', async () => {
    const { api, app } = await startInside()
    await api.sendDocument(ANNA, new InputFile(Buffer.alloc(2_000_000), 'a.pdf'))
    await api.getMe()

    const echo = async (payload: string) => {
      const response = await app.inject({
        method: 'POST',
        url: '/echo',
        payload,
        headers: { 'content-type': 'text/plain' },
      })
      return response.statusCode
    }
    expect(await refusal(api.sendMessage(1, 'x'))).toEqual([400, 'Bad Request: chat not found'])
    expect(await echo('x')).toBe(418)
    expect((await app.inject('/sandbox/else')).statusCode).toBe(418)
  })

  it('takes parameters from anywhere, and methods in any case of letters', async () => {
    const { app, ask, telegram } = await startInside()
    const form = 'application/x-www-form-urlencoded'
    const part = '--x\r\ncontent-disposition: form-data; name="text"\r\n\r\n4\r\n--x--'
    const asked = await app.inject(`/sandbox/bot${telegram.token}/SendMessage?chat_id=${ANNA}&text=1`)
    await ask(`/bot${telegram.token}/sendMessage`, `chat_id=${ANNA}&text=2+%26`, form)
    await ask(`/bot${telegram.token}/sendmessage?chat_id=5`, `{"chat_id":${ANNA},"text":"3"}`)
    await ask(`/bot${telegram.token}/SENDMESSAGE?chat_id=${ANNA}`, part, 'multipart/form-data; boundary=x')

    expect(asked.json()).toMatchObject({ ok: true, result: { text: '1' } })
    expect(telegram.chat(ANNA).messages.map(({ text }) => text)).toEqual(['1', '2 &', '3', '4'])
  })

  it('does not carry a call out for HEAD', async () => {
    const { app, telegram } = await startInside()
    await app.inject({ method: 'HEAD', url: `/sandbox/bot${telegram.token}/sendMessage?chat_id=${ANNA}&text=1` })

    expect(telegram.chat(ANNA).messages).toEqual([])
  })

  it('refuses and logs what it cannot read, does not know, or is too large', async () => {
    const { ask, telegram } = await startInside()
    const path = `/bot${telegram.token}/sendMessage`

    expect(await ask(path, '[1')).toEqual(refused(400, "Bad Request: can't parse JSON object"))
    expect(await ask(path, 'x', 'multipart/form-data')).toEqual(refused(400, 'Bad Request: boundary not found'))
    expect(await ask(path, '-', 'multipart/form-data; boundary=x')).toEqual(
      refused(400, "Bad Request: can't parse multipart/form-data"),
    )
    expect(await ask(path, 'x'.repeat(52 * 1024 * 1024))).toEqual(refused(413, 'Request Entity Too Large'))
    expect(await ask(`/bot${telegram.token}/sendPigeon`)).toEqual(refused(404, 'Not Found: method not found'))
    expect(telegram.calls.map(({ method, status }) => [method, status])).toEqual([
      ['sendMessage', 400],
      ['sendMessage', 400],
      ['sendMessage', 400],
      ['sendMessage', 413],
      ['sendPigeon', 404],
    ])
    expect(await ask('/bot1:x/getMe')).toEqual(refused(401, 'Unauthorized'))
    expect(await ask('/botnonsense/getMe')).toEqual(refused(401, 'Unauthorized: invalid token specified'))
    expect(await ask(`/bot${telegram.token}`)).toEqual(refused(404, 'Not Found'))
    expect(telegram.calls).toHaveLength(5)
  })

  it.each([
    ['1:x/sendMessage', 401],
    ['1:x', 404],
  ])('does not wait for the body of a call to %s', async (path, status) => {
    const { app } = await startInside()
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const call = request({
      port,
      path: `/sandbox/bot${path}`,
      method: 'POST',
      headers: { 'content-length': 50_000_000 },
    })
    call.on('error', () => undefined).write('{"text":"')
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    call.destroy()

    expect(response.statusCode).toBe(status)
  })

  it('serves the files that were sent, and knows no others', async () => {
    const { api, app, telegram } = await startInside()
    const { document } = await api.sendDocument(ANNA, new InputFile(Buffer.from('a;b'), 'orders.csv'))
    const { file_path } = await api.getFile(document.file_id)
    const served = await app.inject(`/sandbox/file/bot${telegram.token}/${file_path}`)

    expect([served.statusCode, served.headers['content-type'], served.payload]).toEqual([200, 'text/csv', 'a;b'])
    expect(telegram.file(document.file_id)?.fileName).toBe('orders.csv')
    for (const path of [`/file/bot${telegram.token}/documents/file_9.pdf`, '/file/bot1:x/documents/file_1.pdf']) {
      const response = await app.inject(`/sandbox${path}`)
      expect([response.statusCode, response.json()]).toEqual([
        404,
        { ok: false, error_code: 404, description: 'Not Found' },
      ])
    }
  })

  it.each(['reset', 'down', 'hang'] as const)('breaks real connections (%s)', async (fault) => {
    const { app, telegram } = await startInside()
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    if (fault === 'down') telegram.downFor(60_000)
    else telegram.failNext('*', fault)
    // A call that gets no answer ends with the stand-in.
    telegram.watch(({ kind }) => void (kind === 'call' && fault === 'hang' && setImmediate(telegram.stop)))
    const asked = fetch(`${url}/sandbox/bot${telegram.token}/getMe`).catch((error: unknown) => error)

    expect(await asked).toBeInstanceOf(TypeError)
  })
})

describe('Watching', () => {
  it('tells of messages, calls when they begin and when they end, and how long they took', async () => {
    const { api, clock, telegram } = await start()
    const seen = watched(telegram)
    telegram.slowBy(60_000)
    const sent = api.sendMessage(ANNA, 'hi')
    await expect.poll(() => seen.length).toBe(3)
    clock.advance(70)
    telegram.calm()
    const { message_id } = await sent
    await api.deleteMessage(ANNA, message_id)

    const call = { number: 1, method: 'sendMessage', params: { chat_id: ANNA, text: 'hi' } }
    expect(seen).toMatchObject([
      { kind: 'facts' },
      { kind: 'call', call },
      { kind: 'message', message: { chatId: ANNA, id: message_id, text: 'hi' } },
      { kind: 'facts' },
      { kind: 'call', call: { ...call, status: 200, ms: 70 } },
      { kind: 'call', call: { number: 2 } },
      { kind: 'deleted', chatId: ANNA, messageId: message_id },
      { kind: 'call', call: { number: 2, status: 200, ms: 0 } },
    ])
    expect(seen[1]).not.toHaveProperty('call.ms')
  })

  it('tells of deliveries when they begin and when they end, with what was sent', async () => {
    const { api, telegram } = await start()
    const webhook = await startFakeWebhook()
    stops.push(webhook.stop)
    webhook.answer = (_update, index) => (index === 0 ? 500 : 200)
    await api.setWebhook(webhook.url)
    const seen = watched(telegram)
    telegram.say(ANNA, ANNA, 'hi')
    await expect.poll(() => telegram.deliveries.length).toBe(2)

    const body = { update_id: 731_000_001, message: { text: 'hi' } }
    const attempts = seen.flatMap((happening) => (happening.kind === 'delivery' ? [happening.attempt] : []))
    expect(attempts).toMatchObject([
      { number: 2, kind: 'message', body },
      { number: 2, kind: 'message', body, ms: 0, status: 500, failure: expect.stringContaining('500') },
      { number: 3, body },
      { number: 3, body, ms: 0, status: 200 },
    ])
    expect(telegram.deliveries).toEqual([attempts[1], attempts[3]])
  })

  it('tells of flags, menus, faults and the webhook', async () => {
    const { api, telegram } = await start()
    const facts: string[] = []
    const tellsOf = async (what: string, act: () => unknown) => {
      const end = telegram.watch(({ kind }) => void (kind === 'facts' && !facts.includes(what) && facts.push(what)))
      await act()
      end()
    }
    const acts: Readonly<Record<string, () => unknown>> = {
      block: () => telegram.block(ANNA),
      unblock: () => telegram.unblock(ANNA),
      kick: () => telegram.kick(GROUP),
      admit: () => telegram.admit(GROUP),
      menu: () => api.setMyCommands([{ command: 'help', description: 'Help' }]),
      plan: () => telegram.failNext('getMe', 429),
      take: () => refusal(api.getMe()),
      down: () => telegram.downFor(1),
      up: () => vi.waitUntil(() => !telegram.faults().isDown),
      slow: () => telegram.slowBy(5),
      calm: () => telegram.calm(),
      webhook: () => api.setWebhook('https://example.org/'),
      migrate: () => telegram.migrate(GROUP),
    }
    for (const [what, act] of Object.entries(acts)) await tellsOf(what, act)

    expect(facts).toEqual(Object.keys(acts))
  })

  it('does not show the secret, though the log of calls has it', async () => {
    const { api, telegram } = await start()
    const seen = watched(telegram)
    await api.setWebhook('https://example.org/', { secret_token: SECRET })

    expect(telegram.calls[0]?.params).toMatchObject({ secret_token: SECRET })
    expect(seen).toContainEqual({ kind: 'call', call: expect.objectContaining({ status: 200 }) })
    expect(JSON.stringify(seen)).not.toContain(SECRET)
  })

  it('goes on when a listener throws, and ends for whoever does not want it any more', async () => {
    const { api, telegram } = await start()
    let [told, after] = [0, 0]
    const fail = () => {
      told += 1
      throw new Error('This listener is broken.')
    }
    const end = telegram.watch(fail)
    telegram.watch(() => (after += 1))
    await api.sendMessage(ANNA, 'hi')
    end()
    await api.sendMessage(ANNA, 'hi')

    expect([told, after]).toEqual([3, 6])
  })
})

describe('People', () => {
  it('press buttons by their position', async () => {
    const { api, telegram } = await start({ pressWithinMs: 1_000 })
    const { message_id } = await api.sendMessage(GROUP, 'card', { reply_markup: keyboard })
    const pressed = telegram.press(ANNA, GROUP, message_id, { row: 0, column: 1 })
    const [update] = await api.getUpdates()
    await api.answerCallbackQuery(update?.callback_query?.id ?? '', { text: 'Rejected' })

    expect(update?.callback_query?.data).toBe('r:1')
    expect(await pressed).toEqual({ toast: 'Rejected', alert: false })
    await expect(telegram.press(ANNA, GROUP, message_id, { row: 0, column: 0 })).rejects.toThrow(UnansweredPress)
    for (const [row, column] of [
      [0, 2],
      [1, 0],
      [2, 0],
    ] as const) {
      await expect(telegram.press(ANNA, GROUP, message_id, { row, column })).rejects.toThrow(
        `There is no button in row ${row}, column ${column}, to press, only: Accept, Reject, Map.`,
      )
    }
  })

  it('do not wait for an answer beyond the end', async () => {
    const { api, telegram } = await start()
    const { message_id } = await api.sendMessage(GROUP, 'card', { reply_markup: keyboard })
    const pressed = telegram.press(ANNA, GROUP, message_id, 'Accept')
    telegram.stop()

    await expect(pressed).rejects.toThrow('before the end')
    await expect(telegram.press(ANNA, GROUP, message_id, 'Accept')).rejects.toThrow('before the end')
  })

  it('block and unblock the bot', async () => {
    const { api, telegram } = await start()
    telegram.block(ANNA)

    expect(telegram.chat(ANNA).isBlocked).toBe(true)
    expect(await refusal(api.sendMessage(ANNA, 'hi'))).toEqual([403, 'Forbidden: bot was blocked by the user'])
    telegram.unblock(ANNA)
    expect(telegram.chat(ANNA).isBlocked).toBe(false)
    await api.sendMessage(ANNA, 'hi')
    expect(() => telegram.block(GROUP)).toThrow(`Chat ${GROUP} is no person's.`)
  })

  it('throw the bot out of a group and let it in again', async () => {
    const { api, telegram } = await start()
    telegram.kick(GROUP)
    telegram.say(ANNA, GROUP, '/status')

    expect(telegram.chat(GROUP).isBotRemoved).toBe(true)
    expect(await refusal(api.sendMessage(GROUP, 'hi'))).toEqual([403, 'Forbidden: bot was kicked from the group chat'])
    telegram.admit(GROUP)
    telegram.say(ANNA, GROUP, '/help')
    await api.sendMessage(GROUP, 'hi')
    expect((await api.getUpdates()).map(({ message }) => message?.text)).toEqual(['/help'])
    expect(() => telegram.admit(ANNA)).toThrow(`Chat ${ANNA} is no group.`)
  })

  it('are shown in their chats, the bot is not', async () => {
    const { telegram } = await start({
      people: [
        { id: ANNA, firstName: 'Anna' },
        { id: BEN, firstName: 'Ben', hasStarted: false },
      ],
    })
    const flags = { isBlocked: false, isBotRemoved: false, messages: [] }

    expect(telegram.chats()).toEqual([
      { id: ANNA, type: 'private', title: 'Anna', memberIds: [ANNA], hasStarted: true, ...flags },
      { id: BEN, type: 'private', title: 'Ben', memberIds: [BEN], hasStarted: false, ...flags },
      { id: GROUP, type: 'group', title: 'Riders', memberIds: [ANNA, BEN], hasStarted: true, ...flags },
    ])
    const to = telegram.migrate(GROUP)
    expect(telegram.chat(GROUP)).toMatchObject({ migratedTo: to })
    expect(telegram.chat(to)).toMatchObject({ memberIds: [ANNA, BEN], isBotRemoved: false })
  })

  it('see the menu that is meant for them', async () => {
    const { api, telegram } = await start()
    const put = (command: string, scope: object, language_code = '') =>
      api.setMyCommands([{ command, description: command }], { scope, language_code } as never)
    await put('all', { type: 'default' })
    await put('alle', { type: 'default' }, 'de')
    await put('admins', { type: 'chat_administrators', chat_id: GROUP })
    await put('members', { type: 'chat', chat_id: GROUP })
    const seen = (user: number, chat: number) => telegram.menuFor(user, chat).map(({ command }) => command)

    expect([seen(ANNA, ANNA), seen(BEN, BEN), seen(ANNA, GROUP), seen(BEN, GROUP), seen(ANNA, BEN)]).toEqual([
      ['alle'],
      ['all'],
      ['members'],
      ['admins'],
      [],
    ])
    await put('own', { type: 'chat_member', chat_id: GROUP, user_id: ANNA })
    expect(seen(ANNA, GROUP)).toEqual(['own'])
    await api.deleteMyCommands({ scope: { type: 'chat_administrators', chat_id: GROUP } })
    expect(seen(BEN, GROUP)).toEqual(['members'])
    telegram.kick(GROUP)
    expect(seen(BEN, GROUP)).toEqual([])
  })
})

describe('The latest update', () => {
  it('is sent again under its id, though it was taken', async () => {
    const { api, telegram } = await start()
    const webhook = await startFakeWebhook()
    stops.push(webhook.stop)
    await api.setWebhook(webhook.url)

    expect(telegram.deliverLastAgain()).toBeUndefined()
    telegram.say(ANNA, ANNA, 'one')
    telegram.say(ANNA, ANNA, 'two')
    await expect.poll(() => telegram.pendingUpdates).toBe(0)
    expect(telegram.deliverLastAgain()).toBe(731_000_002)
    telegram.say(ANNA, ANNA, 'three')
    await expect.poll(() => telegram.pendingUpdates).toBe(0)
    expect(webhook.received.map(({ update_id, message }) => [update_id, message?.text])).toEqual([
      [731_000_001, 'one'],
      [731_000_002, 'two'],
      [731_000_002, 'two'],
      [731_000_003, 'three'],
    ])
  })
})

describe('Faults', () => {
  it('are told, and ended by calm, which lets answers go that wait', async () => {
    const { api, telegram } = await start()
    telegram.slowBy(60_000)
    const slow = api.getMe()
    await expect.poll(() => telegram.calls.length).toBe(1)
    telegram.failNext('getMe', 429)
    telegram.failNext('*', 500)
    telegram.downFor(60_000)

    expect(telegram.faults()).toEqual({ planned: 2, isDown: true, slowMs: 60_000 })
    telegram.calm()
    expect(telegram.faults()).toEqual({ planned: 0, isDown: false, slowMs: 0 })
    await slow
    await api.getMe()
  })
})

describe('What is kept', () => {
  it('are the latest calls, whose answers are noted though others went', () => {
    const told: string[] = []
    let count = 0
    const log = createCallLog({
      clock: () => 5,
      nextNumber: () => (count += 1),
      onChange: ({ method, status }) => void told.push(`${method} ${status}`),
      most: 2,
    })
    const [first, second] = ['a', 'b', 'c'].map((method) => log.begin(method, {}))
    first?.({ status: 200 })
    second?.({ status: 400, description: 'no' })

    expect(log.calls).toEqual([
      { number: 2, method: 'b', params: {}, atMs: 5, ms: 0, status: 400, description: 'no' },
      { number: 3, method: 'c', params: {}, atMs: 5 },
    ])
    expect(told).toEqual(['a undefined', 'b undefined', 'c undefined', 'a 200', 'b 400'])
  })

  it('are 2000 messages of a chat', async () => {
    const { telegram } = await start()
    const seen = watched(telegram)
    for (let index = 1; index <= 2002; index += 1) telegram.say(ANNA, ANNA, `${index}`)

    const { messages } = telegram.chat(ANNA)
    expect([messages.length, messages[0]?.text, messages.at(-1)?.text]).toEqual([2000, '3', '2002'])
    expect(seen.filter(({ kind }) => kind === 'deleted')).toHaveLength(2)
  })
})
