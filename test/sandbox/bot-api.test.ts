import { Bot, GrammyError, HttpError, InlineKeyboard, InputFile, type Api } from 'grammy'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeClock } from '../support/clock.ts'
import { type FakeWebhook, startFakeWebhook } from '../support/fake-webhook.ts'
import { startTelegram, type TelegramOptions, type TelegramStandIn } from '../support/telegram.ts'

const ANNA = 11
const BEN = 22
const STRANGER = 33
const GROUP = -4400
const SUPERGROUP = -1_001_234_567_890
const UNMODIFIED =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message'

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

interface Rig {
  readonly telegram: TelegramStandIn
  readonly bot: Bot
  readonly api: Api
  readonly clock: ReturnType<typeof fakeClock>
}

async function start(options: Partial<TelegramOptions> = {}): Promise<Rig> {
  const clock = fakeClock('2026-03-02T10:00:00Z')
  const telegram = await startTelegram({
    clock,
    resendMs: [0, 1],
    chats: [
      { id: GROUP, title: 'Riders', members: [ANNA, BEN], owner: BEN },
      { id: SUPERGROUP, title: 'Dispatch', members: [ANNA, BEN], admins: [BEN], botIsAdmin: true },
    ],
    people: [
      { id: ANNA, firstName: 'Anna', username: 'anna', languageCode: 'de' },
      { id: BEN, firstName: 'Ben' },
      { id: STRANGER, firstName: 'Eve', hasStarted: false },
    ],
    ...options,
  })
  stops.push(telegram.stop)
  const bot = new Bot(telegram.token, { client: { apiRoot: telegram.url } })
  return { telegram, bot, api: bot.api, clock }
}

async function startWithWebhook(options: Partial<TelegramOptions> = {}): Promise<Rig & { webhook: FakeWebhook }> {
  const rig = await start(options)
  const webhook = await startFakeWebhook()
  stops.push(webhook.stop)
  await rig.api.setWebhook(webhook.url, { secret_token: 'a_Secret-1' })
  return { ...rig, webhook }
}

/** How a call is refused: status, description and parameters. */
async function refusal(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => new Error('The call was not refused.'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GrammyError)) throw error
  return [error.error_code, error.description, error.parameters] as const
}

const named = (command: string) => [{ command, description: command }]

const textsOf = (webhook: FakeWebhook) => webhook.received.map(({ message }) => message?.text)

describe('Refusals', () => {
  it.each([
    ['another token', '1234567:other', 401, 'Unauthorized'],
    ['what is no token', 'nonsense', 401, 'Unauthorized: invalid token specified'],
  ])('refuses %s', async (_what, token, status, description) => {
    const { telegram } = await start()
    const { api } = new Bot(token, { client: { apiRoot: telegram.url } })

    expect(await refusal(api.getMe())).toEqual([status, description, {}])
  })

  it('does not know every method, and takes those it knows in any case of letters', async () => {
    const { telegram } = await start()
    const call = async (path: string) => (await fetch(`${telegram.url}${path}`)).json()

    expect(await call(`/bot${telegram.token}/sendPigeon`)).toEqual({
      ok: false,
      error_code: 404,
      description: 'Not Found: method not found',
    })
    expect(await call('/elsewhere')).toMatchObject({ ok: false, error_code: 404, description: 'Not Found' })
    expect(await call(`/bot${telegram.token}/GETME`)).toMatchObject({ ok: true, result: { id: 1234567 } })
  })

  const cases: [string, number, string, (api: Api) => Promise<unknown>][] = [
    ['an unknown chat', 400, 'Bad Request: chat not found', (api) => api.sendMessage(999, 'hi')],
    ['no chat', 400, 'Bad Request: chat_id is empty', (api) => api.sendMessage('', 'hi')],
    [
      'a person who never pressed Start',
      403,
      "Forbidden: bot can't initiate conversation with a user",
      (api) => api.sendMessage(STRANGER, 'hi'),
    ],
    ['an empty text', 400, 'Bad Request: message text is empty', (api) => api.sendMessage(ANNA, '')],
    ['a blank text', 400, 'Bad Request: text must be non-empty', (api) => api.sendMessage(ANNA, ' \n ')],
    ['a long text', 400, 'Bad Request: message is too long', (api) => api.sendMessage(ANNA, 'x'.repeat(4097))],
    ['a huge text', 400, 'Bad Request: text is too long', (api) => api.sendMessage(ANNA, 'x'.repeat(32_769))],
    [
      'a long caption',
      400,
      'Bad Request: message caption is too long',
      (api) => api.sendDocument(ANNA, new InputFile(Buffer.from('x'), 'x.txt'), { caption: 'x'.repeat(1025) }),
    ],
    [
      'a text that is an object',
      400,
      'Bad Request: field "text" must be of type String',
      (api) => api.raw.sendMessage({ chat_id: ANNA, text: {} as string }),
    ],
    [
      'an entity behind the end',
      400,
      'Bad Request: entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 4',
      (api) => api.sendMessage(ANNA, '🚲x', { entities: [{ type: 'bold', offset: 2, length: 2 }] }),
    ],
    [
      'an entity that begins behind the end',
      400,
      'Bad Request: entity begins after the end of the text at UTF-16 offset 9',
      (api) => api.sendMessage(ANNA, 'abc', { entities: [{ type: 'bold', offset: 9, length: 1 }] }),
    ],
    [
      'an entity that cuts an emoji',
      400,
      'Bad Request: entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4',
      (api) => api.sendMessage(ANNA, '🚲', { entities: [{ type: 'bold', offset: 0, length: 1 }] }),
    ],
    [
      'an entity without a length',
      400,
      'Bad Request: can\'t parse MessageEntity: Can\'t find field "length"',
      (api) => api.raw.sendMessage({ chat_id: ANNA, text: 'a', entities: [{ type: 'bold', offset: 0 }] as never }),
    ],
    [
      'an entity of an unknown type',
      400,
      "Bad Request: can't parse MessageEntity: Unsupported type specified",
      (api) =>
        api.raw.sendMessage({ chat_id: ANNA, text: 'a', entities: [{ type: 'loud', offset: 0, length: 1 }] as never }),
    ],
    [
      'button data of 65 bytes',
      400,
      'Bad Request: BUTTON_DATA_INVALID',
      (api) => api.sendMessage(ANNA, 'a', { reply_markup: new InlineKeyboard().text('b', `${'ü'.repeat(32)}x`) }),
    ],
    [
      'empty button data',
      400,
      "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
      (api) => api.sendMessage(ANNA, 'a', { reply_markup: new InlineKeyboard().text('b', '') }),
    ],
    [
      'a button without a text',
      400,
      'Bad Request: inline keyboard button text must be non-empty',
      (api) => api.sendMessage(ANNA, 'a', { reply_markup: new InlineKeyboard().text('', 'x') }),
    ],
    [
      'a keyboard that is no object',
      400,
      'Bad Request: object expected as reply markup',
      (api) => api.raw.sendMessage({ chat_id: ANNA, text: 'a', reply_markup: [] as never }),
    ],
    [
      'a reply to nothing',
      400,
      'Bad Request: message to be replied not found',
      (api) => api.sendMessage(ANNA, 'a', { reply_parameters: { message_id: 77 } }),
    ],
    ['an edit of nothing', 400, 'Bad Request: message to edit not found', (api) => api.editMessageText(ANNA, 77, 'a')],
    ['deleting nothing', 400, 'Bad Request: message to delete not found', (api) => api.deleteMessage(ANNA, 77)],
    [
      'an answer to no query',
      400,
      'Bad Request: query is too old and response timeout expired or query ID is invalid',
      (api) => api.answerCallbackQuery('1'),
    ],
    [
      'a long answer',
      400,
      'Bad Request: MESSAGE_TOO_LONG',
      (api) => api.answerCallbackQuery('1', { text: 'x'.repeat(201) }),
    ],
    [
      'a command with a capital letter',
      400,
      'Bad Request: BOT_COMMAND_INVALID',
      (api) => api.setMyCommands([{ command: 'Orders', description: 'd' }]),
    ],
    [
      'a command without a description',
      400,
      'Bad Request: command description must be non-empty',
      (api) => api.setMyCommands([{ command: 'orders', description: '' }]),
    ],
    [
      'an unknown language',
      400,
      'Bad Request: invalid language code specified',
      (api) => api.setMyCommands([], { language_code: 'deu' as 'de' }),
    ],
    [
      'commands for a person who never pressed Start',
      400,
      'Bad Request: chat not found',
      (api) => api.setMyCommands([], { scope: { type: 'chat', chat_id: STRANGER } }),
    ],
    [
      'an unknown action',
      400,
      'Bad Request: wrong parameter action in request',
      (api) => api.sendChatAction(ANNA, 'juggle' as 'typing'),
    ],
    [
      'a document that is no file',
      400,
      'Bad Request: wrong file identifier/HTTP URL specified',
      (api) => api.sendDocument(ANNA, 'BQAC-unknown'),
    ],
    [
      'an empty file',
      400,
      'Bad Request: file must be non-empty',
      (api) => api.sendDocument(ANNA, new InputFile(Buffer.alloc(0), 'a.txt')),
    ],
    ['an unknown member', 400, 'Bad Request: user not found', (api) => api.getChatMember(GROUP, 999)],
    [
      'the admins of a private chat',
      400,
      'Bad Request: there are no administrators in the private chat',
      (api) => api.getChatAdministrators(ANNA),
    ],
    [
      'a webhook without https',
      400,
      'Bad Request: bad webhook: An HTTPS URL must be provided for webhook',
      (api) => api.setWebhook('http://example.org/hook'),
    ],
    [
      'a webhook on another port',
      400,
      'Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443',
      (api) => api.setWebhook('https://example.org:3000/hook'),
    ],
    [
      'a secret in base64',
      400,
      'Bad Request: secret token contains unallowed characters',
      (api) => api.setWebhook('https://example.org/hook', { secret_token: 'abc+/=' }),
    ],
    [
      'a long secret',
      400,
      'Bad Request: secret token is too long',
      (api) => api.setWebhook('https://example.org/hook', { secret_token: 'x'.repeat(257) }),
    ],
  ]

  it.each(cases)('refuses %s', async (_what, status, description, call) => {
    const { api } = await start()

    expect(await refusal(call(api))).toEqual([status, description, {}])
  })

  it('refuses an edit that changes nothing, of text, entities or buttons', async () => {
    const { api, telegram } = await start()
    const reply_markup = new InlineKeyboard().text('Accept', 'a')
    const { message_id } = await api.sendMessage(ANNA, ' Order 1 ', { reply_markup })

    expect(await refusal(api.editMessageText(ANNA, message_id, 'Order 1', { reply_markup }))).toEqual([
      400,
      `Bad Request: ${UNMODIFIED}`,
      {},
    ])
    expect(await refusal(api.editMessageReplyMarkup(ANNA, message_id, { reply_markup }))).toMatchObject({
      1: `Bad Request: ${UNMODIFIED}`,
    })
    await api.editMessageReplyMarkup(ANNA, message_id)
    expect(telegram.chat(ANNA).messages).toMatchObject([{ text: 'Order 1', buttons: [], edits: 1 }])
  })

  it('lets a bot delete messages of others only where it is an admin or alone with them', async () => {
    const { api, telegram } = await start()
    const inGroup = telegram.say(ANNA, GROUP, '/cleanup')
    const inSupergroup = telegram.say(ANNA, SUPERGROUP, '/cleanup')
    const alone = telegram.say(ANNA, ANNA, '/cleanup')

    expect(await refusal(api.deleteMessage(GROUP, inGroup.id))).toEqual([
      400,
      "Bad Request: message can't be deleted",
      {},
    ])
    await api.deleteMessage(SUPERGROUP, inSupergroup.id)
    await api.deleteMessages(ANNA, [alone.id, 999])
    expect([GROUP, SUPERGROUP, ANNA].map((id) => telegram.chat(id).messages.length)).toEqual([1, 0, 0])
  })

  it('lets a bot delete its own messages for 48 hours, and edit nobody else’s', async () => {
    const { api, clock, telegram } = await start()
    const { message_id } = await api.sendMessage(ANNA, 'old')
    const theirs = telegram.say(ANNA, ANNA, 'mine')
    clock.advance(48 * 3_600_000 + 1000)

    expect(await refusal(api.deleteMessage(ANNA, message_id))).toMatchObject({
      1: "Bad Request: message can't be deleted for everyone",
    })
    expect(await refusal(api.editMessageText(ANNA, theirs.id, 'yours'))).toMatchObject({
      1: "Bad Request: message can't be edited",
    })
  })

  it('tells a bot that it was blocked, until the person says something again', async () => {
    const { api, telegram } = await start()
    telegram.block(ANNA)

    expect(await refusal(api.sendMessage(ANNA, 'hi'))).toEqual([403, 'Forbidden: bot was blocked by the user', {}])
    telegram.say(ANNA, ANNA, '/start')
    expect(await api.sendMessage(ANNA, 'hi')).toMatchObject({ text: 'hi' })
  })

  it.each([
    [GROUP, 'Forbidden: bot was kicked from the group chat'],
    [SUPERGROUP, 'Forbidden: bot was kicked from the supergroup chat'],
  ])('tells a bot that it was kicked from %i', async (chat, description) => {
    const { api, telegram } = await start()
    telegram.kick(chat)

    expect(await refusal(api.sendMessage(chat, 'hi'))).toEqual([403, description, {}])
  })

  it('names the new id of a group that became a supergroup', async () => {
    const { api, telegram } = await start()
    const to = telegram.migrate(GROUP)

    expect(await refusal(api.sendMessage(GROUP, 'hi'))).toEqual([
      400,
      'Bad Request: group chat was upgraded to a supergroup chat',
      { migrate_to_chat_id: to },
    ])
    expect(await api.sendMessage(to, 'hi')).toMatchObject({ message_id: 2, chat: { type: 'supergroup' } })
    expect(await api.getUpdates()).toMatchObject([
      { message: { chat: { id: GROUP }, migrate_to_chat_id: to } },
      { message: { chat: { id: to }, migrate_from_chat_id: GROUP } },
    ])
  })
})

describe('Messages', () => {
  it('keeps text, entities, buttons and replies, and gives them back', async () => {
    const { api, telegram } = await start()
    const asked = telegram.say(ANNA, ANNA, 'well?')
    const sent = await api.sendMessage(ANNA, '  🚲 Order\r\n1\t!  ', {
      entities: [{ type: 'bold', offset: 5, length: 5 }],
      reply_markup: new InlineKeyboard().text('Accept', 'a:1').row().url('Map', 'https://example.org/map'),
      reply_parameters: { message_id: asked.id },
      link_preview_options: { is_disabled: true },
    })

    expect(sent).toMatchObject({
      from: { is_bot: true, username: 'orderly_test_bot' },
      chat: { id: ANNA, type: 'private', first_name: 'Anna' },
      text: '🚲 Order\n1 !',
      entities: [{ type: 'bold', offset: 3, length: 5 }],
      reply_to_message: { text: 'well?' },
      link_preview_options: { is_disabled: true },
    })
    expect(telegram.chat(ANNA).messages.at(-1)).toMatchObject({
      text: '🚲 Order\n1 !',
      replyTo: asked.id,
      buttons: [[{ text: 'Accept', callbackData: 'a:1' }], [{ text: 'Map', url: 'https://example.org/map' }]],
      edits: 0,
    })
  })

  it('takes 4096 characters, however many bytes they have', async () => {
    const { api } = await start()

    expect((await api.sendMessage(ANNA, '🚲'.repeat(4096))).text).toHaveLength(8192)
  })

  it('keeps the bytes of a document, and sends it again by its id', async () => {
    const { api, telegram } = await start()
    const bytes = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10, 13, 10, 7])
    const { document } = await api.sendDocument(ANNA, new InputFile(bytes, 'orders May.csv'), {
      caption: 'Here you are',
      caption_entities: [{ type: 'italic', offset: 0, length: 4 }],
    })
    await api.sendDocument(BEN, document.file_id)

    expect(document).toMatchObject({ file_name: 'orders May.csv', mime_type: 'text/csv', file_size: 11 })
    expect(telegram.chat(ANNA).messages).toMatchObject([{ text: 'Here you are', entities: [{ type: 'italic' }] }])
    expect(telegram.chat(ANNA).messages[0]?.document?.bytes.equals(bytes)).toBe(true)
    expect(telegram.chat(BEN).messages[0]?.document?.bytes.equals(bytes)).toBe(true)
  })

  it('numbers the messages of a supergroup on their own', async () => {
    const { api, telegram } = await start()
    await api.sendMessage(ANNA, '1')
    await api.sendMessage(GROUP, '2')

    expect((await api.sendMessage(SUPERGROUP, '1')).message_id).toBe(1)
    expect(telegram.say(BEN, BEN, '3').id).toBe(3)
  })

  it('notes what the bot asked for, and what came of it', async () => {
    const { api, telegram } = await start()
    await api.sendMessage(ANNA, 'hi')
    await refusal(api.sendMessage(999, 'hi'))

    expect(telegram.calls).toMatchObject([
      { method: 'sendMessage', params: { chat_id: ANNA, text: 'hi' }, status: 200 },
      { method: 'sendMessage', status: 400, description: 'Bad Request: chat not found' },
    ])
  })
})

describe('Chats and commands', () => {
  it('knows chats, members and admins', async () => {
    const { api } = await start()

    expect(await api.getMe()).toMatchObject({ id: 1234567, is_bot: true, can_read_all_group_messages: false })
    expect(await api.getChat(GROUP)).toMatchObject({ type: 'group', title: 'Riders' })
    expect(await api.getChat(ANNA)).toMatchObject({ type: 'private', username: 'anna' })
    expect(await api.getChatMember(GROUP, ANNA)).toMatchObject({ status: 'member', user: { first_name: 'Anna' } })
    expect(await api.getChatMember(GROUP, STRANGER)).toMatchObject({ status: 'left' })
    expect((await api.getChatAdministrators(GROUP)).map(({ status }) => status)).toEqual(['creator'])
    expect((await api.getChatAdministrators(SUPERGROUP)).map(({ user }) => user.id)).toEqual([BEN, 1234567])
    expect(await api.sendChatAction(ANNA, 'typing')).toBe(true)
  })

  it('keeps commands for each scope and language apart', async () => {
    const { api } = await start()
    const scope = { type: 'chat', chat_id: ANNA } as const
    await api.setMyCommands(named('start'))
    await api.setMyCommands(named('los'), { language_code: 'de' })
    await api.setMyCommands(named('cleanup'), { scope })

    expect(await api.getMyCommands()).toEqual(named('start'))
    expect(await api.getMyCommands({ language_code: 'de' })).toEqual(named('los'))
    expect(await api.getMyCommands({ scope })).toEqual(named('cleanup'))
    expect(await api.getMyCommands({ scope: { type: 'all_group_chats' } })).toEqual([])
    await api.deleteMyCommands({ scope })
    expect(await api.getMyCommands({ scope })).toEqual([])
  })
})

describe('The webhook', () => {
  it('gets updates with the secret and increasing ids', async () => {
    const { telegram, webhook, clock } = await startWithWebhook()
    telegram.say(ANNA, ANNA, '/start now')
    telegram.say(ANNA, ANNA, 'see a/b and /help@orderly_test_bot')
    await telegram.waitFor(() => telegram.pendingUpdates === 0)

    expect(webhook.secrets).toEqual(['a_Secret-1', 'a_Secret-1'])
    expect(webhook.received).toMatchObject([
      {
        message: {
          date: clock() / 1000,
          from: { id: ANNA, is_bot: false, language_code: 'de' },
          text: '/start now',
          entities: [{ type: 'bot_command', offset: 0, length: 6 }],
        },
      },
      { message: { entities: [{ type: 'bot_command', offset: 12, length: 22 }] } },
    ])
    const [first, second] = webhook.received.map(({ update_id }) => update_id)
    expect(second).toBe(Number(first) + 1)
  })

  it('gets the messages of one chat one after the other, and those of two chats side by side', async () => {
    const { telegram, webhook } = await startWithWebhook()
    const blocked = new Set(['first'])
    webhook.answer = async ({ message }) => {
      await telegram.waitFor(() => !blocked.has(message?.text ?? ''))
      return 200
    }
    telegram.say(ANNA, ANNA, 'first')
    telegram.say(ANNA, ANNA, 'second')
    telegram.say(BEN, BEN, 'third')
    await telegram.waitFor(() => telegram.pendingUpdates === 2)

    expect(textsOf(webhook)).toEqual(['first', 'third'])
    blocked.clear()
    await telegram.waitFor(() => telegram.pendingUpdates === 0)
    expect(textsOf(webhook)).toEqual(['first', 'third', 'second'])
  })

  it('gets button presses of two people side by side, and those of one person in their order', async () => {
    const { api, telegram, webhook } = await startWithWebhook()
    const reply_markup = new InlineKeyboard().text('A', 'a').text('B', 'b')
    const { message_id } = await api.sendMessage(SUPERGROUP, 'card', { reply_markup })
    let open = false
    webhook.answer = async ({ callback_query }) => {
      await telegram.waitFor(() => open)
      await api.answerCallbackQuery(callback_query?.id ?? '', { text: `${callback_query?.data}!` })
      return 200
    }
    const presses = [
      telegram.press(ANNA, SUPERGROUP, message_id, 'A'),
      telegram.press(ANNA, SUPERGROUP, message_id, 'b'),
      telegram.press(BEN, SUPERGROUP, message_id, 'A'),
    ]
    await telegram.waitFor(() => webhook.received.length === 2)

    expect(webhook.received.map(({ callback_query }) => callback_query?.from.id)).toEqual([ANNA, BEN])
    open = true
    expect(await Promise.all(presses)).toEqual(['a!', 'b!', 'a!'].map((toast) => ({ toast, alert: false })))
  })

  it.each([[500], [401], [302], ['reset'], ['hang']] as const)('gets an update again after %s', async (failure) => {
    const { api, telegram, webhook } = await startWithWebhook({ answerWithinMs: 200 })
    webhook.answer = (_update, index) => (index < 3 ? failure : 200)
    telegram.say(ANNA, ANNA, 'once')
    await telegram.waitFor(() => telegram.pendingUpdates === 0)

    expect(new Set(webhook.received.map(({ update_id }) => update_id)).size).toBe(1)
    expect(telegram.deliveries.map(({ status }) => status === 200)).toEqual([false, false, false, true])
    expect((await api.getWebhookInfo()).last_error_message).toBe(telegram.deliveries[0]?.failure)
  })

  it('waits longer and longer before it sends again', async () => {
    const { telegram, webhook } = await startWithWebhook({ resendMs: [0, 20, 60] })
    const arrivals: number[] = []
    webhook.answer = (_update, index) => {
      arrivals.push(performance.now())
      return index < 3 ? 503 : 200
    }
    telegram.say(ANNA, ANNA, 'once')
    await telegram.waitFor(() => telegram.pendingUpdates === 0)

    const pauses = arrivals.slice(1).map((at, index) => at - Number(arrivals[index]))
    expect(pauses[1]).toBeGreaterThan(18)
    expect(pauses[2]).toBeGreaterThan(58)
  })

  it('forgets a button press after 150 seconds and a message after a day', async () => {
    const { api, clock, telegram, webhook } = await startWithWebhook({ pressWithinMs: 30 })
    const { message_id } = await api.sendMessage(ANNA, 'card', { reply_markup: new InlineKeyboard().text('A', 'a') })
    webhook.answer = () => 503
    const press = telegram.press(ANNA, ANNA, message_id, 'A')
    telegram.say(ANNA, ANNA, 'hello')
    await expect(press).rejects.toThrow('Nobody answered')

    clock.advance(149_999)
    expect(telegram.pendingUpdates).toBe(2)
    clock.advance(1)
    expect(telegram.pendingUpdates).toBe(1)
    clock.advance(86_400_000)
    expect(telegram.pendingUpdates).toBe(0)
  })

  it('gets only the updates it asked for', async () => {
    const { api, telegram, webhook } = await startWithWebhook()
    await api.setWebhook(webhook.url, { secret_token: 'a_Secret-1', allowed_updates: ['callback_query'] })
    telegram.say(ANNA, ANNA, 'hello')

    expect(telegram.pendingUpdates).toBe(0)
    expect(await telegram.deliver({ message_reaction: {} as never })).toBe('not allowed')
    expect((await api.getWebhookInfo()).allowed_updates).toEqual(['callback_query'])
  })

  it('gets any update, also twice', async () => {
    const { telegram, webhook } = await startWithWebhook()

    expect(await telegram.deliver({ update_id: 5, poll: {} as never })).toBe('delivered')
    expect(await telegram.deliverTwice({ my_chat_member: {} as never })).toBe('delivered')
    expect(webhook.received.map(({ update_id }) => update_id)).toEqual([5, 731_000_001, 731_000_001])
  })

  it('drops what waits, if told so, and says whether it changed anything', async () => {
    const { api, telegram, webhook } = await start().then(async (rig) => ({
      ...rig,
      webhook: await startFakeWebhook(),
    }))
    stops.push(webhook.stop)
    telegram.say(ANNA, ANNA, 'lost')
    const set = async (query: string) =>
      (await (await fetch(`${telegram.url}/bot${telegram.token}/${query}`)).json()) as { description: string }

    expect(await set(`setWebhook?url=${webhook.url}&drop_pending_updates=true`)).toMatchObject({
      description: 'Webhook was set',
    })
    expect(await set(`setWebhook?url=${webhook.url}`)).toMatchObject({ description: 'Webhook is already set' })
    expect(await set(`setWebhook?url=${webhook.url}&drop_pending_updates=1`)).toMatchObject({
      description: 'Webhook was set',
    })
    expect(await api.getWebhookInfo()).toMatchObject({ url: webhook.url, pending_update_count: 0, max_connections: 40 })
    expect(await set('deleteWebhook')).toMatchObject({ description: 'Webhook was deleted' })
    expect(await set('deleteWebhook')).toMatchObject({ description: 'Webhook is already deleted' })
    expect(webhook.received).toEqual([])
  })

  it('hands over to another webhook what the former did not take', async () => {
    const { api, telegram, webhook } = await startWithWebhook({ resendMs: [15] })
    const next = await startFakeWebhook()
    stops.push(next.stop)
    webhook.answer = () => 503
    const enoughForAnother = performance.now() + 60
    next.answer = async () => {
      await telegram.waitFor(() => performance.now() > enoughForAnother)
      return 200
    }
    telegram.say(ANNA, ANNA, 'hello')
    await telegram.waitFor(() => telegram.deliveries.length === 1)
    await api.setWebhook(next.url)
    await telegram.waitFor(() => telegram.pendingUpdates === 0)

    expect([textsOf(webhook), textsOf(next)]).toEqual([['hello'], ['hello']])
    expect(next.secrets).toEqual([undefined])
    expect(await api.getWebhookInfo()).not.toHaveProperty('last_error_message')
  })
})

describe('Stopping', () => {
  it('breaks polls off, ends waits, and can be done twice', async () => {
    const { api, telegram } = await start()
    const polled = api.getUpdates({ timeout: 5 }).catch((error: unknown) => error)
    const waited = telegram.waitFor(() => false).catch((error: unknown) => error)
    await telegram.waitFor(() => telegram.calls.length === 1)
    await telegram.stop()
    await telegram.stop()

    expect(await polled).toBeInstanceOf(HttpError)
    expect(String(await waited)).toContain('Stopped while waiting for')
  })
})

describe('Button presses', () => {
  it('are answered with a toast, an alert or nothing, and only once', async () => {
    const { api, telegram, webhook } = await startWithWebhook()
    const { message_id } = await api.sendMessage(ANNA, 'card', { reply_markup: new InlineKeyboard().text('A', 'a') })
    const answers = [{ text: 'Done' }, { text: 'No!', show_alert: true }, {}]
    const press = async (answer: object) => {
      webhook.answer = async ({ callback_query }) => {
        await api.answerCallbackQuery(callback_query?.id ?? '', answer)
        return 200
      }
      return telegram.press(ANNA, ANNA, message_id, 'A')
    }

    const seen = []
    for (const answer of answers) seen.push(await press(answer))
    expect(seen).toEqual([{ toast: 'Done', alert: false }, { toast: 'No!', alert: true }, {}])
    const { callback_query } = webhook.received[0] ?? {}
    expect(callback_query).toMatchObject({ data: 'a', message: { message_id, text: 'card' }, from: { id: ANNA } })
    expect(await refusal(api.answerCallbackQuery(callback_query?.id ?? ''))).toMatchObject({
      1: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
    })
  })

  it('cannot be answered after 150 seconds', async () => {
    const { api, clock, telegram, webhook } = await startWithWebhook({ pressWithinMs: 40 })
    const { message_id } = await api.sendMessage(ANNA, 'card', { reply_markup: new InlineKeyboard().text('A', 'a') })

    await expect(telegram.press(ANNA, ANNA, message_id, 'A')).rejects.toThrow(
      'Nobody answered the press of "A" within 40 ms.',
    )
    clock.advance(150_000)
    expect(await refusal(api.answerCallbackQuery(webhook.received[0]?.callback_query?.id ?? ''))).toMatchObject({
      0: 400,
    })
  })

  it('need a button that is there', async () => {
    const { api, telegram } = await start()
    const { message_id } = await api.sendMessage(GROUP, 'card', { reply_markup: new InlineKeyboard().text('A', 'a') })

    await expect(telegram.press(ANNA, GROUP, message_id, 'B')).rejects.toThrow(
      'There is no button "B" to press, only: A.',
    )
    await expect(telegram.press(STRANGER, GROUP, message_id, 'A')).rejects.toThrow('User 33 is not in chat -4400.')
    await api.deleteMessage(GROUP, message_id)
    await expect(telegram.press(ANNA, GROUP, message_id, 'A')).rejects.toThrow('There is no message 1 in chat -4400.')
  })
})

describe('Privacy mode', () => {
  it('lets only commands and replies to the bot through', async () => {
    const { api, telegram } = await start()
    const { message_id } = await api.sendMessage(GROUP, 'card')
    const theirs = telegram.say(BEN, GROUP, 'hello all')
    telegram.say(ANNA, GROUP, 'hi', { replyTo: theirs.id })
    telegram.say(ANNA, GROUP, 'try /status')
    telegram.say(ANNA, GROUP, '/status@another_bot')
    telegram.say(ANNA, GROUP, '/status')
    telegram.say(ANNA, GROUP, '/status@Orderly_Test_Bot')
    telegram.say(ANNA, GROUP, 'thanks', { replyTo: message_id })

    const seen = (await api.getUpdates()).map(({ message }) => message?.text)
    expect(seen).toEqual(['/status', '/status@Orderly_Test_Bot', 'thanks'])
  })

  it('lets an admin see everything', async () => {
    const { api, telegram } = await start()
    telegram.say(BEN, SUPERGROUP, 'hello all')

    expect(await api.getUpdates()).toMatchObject([{ message: { text: 'hello all', chat: { type: 'supergroup' } } }])
  })
})

describe('Polling', () => {
  it('hands out updates at once or when they come, and again until they are confirmed', async () => {
    const { api, telegram } = await start()
    const polled = api.getUpdates({ timeout: 5 })
    await telegram.waitFor(() => telegram.calls.length === 1)
    telegram.say(ANNA, ANNA, 'one')
    const [first] = await polled
    telegram.say(ANNA, ANNA, 'two')

    expect(first?.message?.text).toBe('one')
    expect(await api.getUpdates()).toHaveLength(2)
    expect(await api.getUpdates({ limit: 1 })).toHaveLength(1)
    expect(await api.getUpdates({ offset: Number(first?.update_id) + 1 })).toMatchObject([{ message: { text: 'two' } }])
    expect(await api.getUpdates({ offset: Number(first?.update_id) + 2 })).toEqual([])
    expect(telegram.pendingUpdates).toBe(0)
  })

  it('is refused while there is a webhook, and ended by one and by another poll', async () => {
    const { api, telegram } = await start()
    const first = refusal(api.getUpdates({ timeout: 5 }))
    await telegram.waitFor(() => telegram.calls.length === 1)
    const second = refusal(api.getUpdates({ timeout: 5 }))

    expect((await first)[1]).toBe(
      'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    )
    await api.setWebhook('https://example.org/hook')
    expect((await second)[1]).toBe('Conflict: terminated by setWebhook request')
    expect(await refusal(api.getUpdates())).toEqual([
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      {},
    ])
  })

  it('serves a whole bot, which stops at once', async () => {
    const { bot, telegram } = await start()
    bot.command('start', (context) => context.reply(`Hello ${context.from?.first_name}`))
    const running = bot.start()
    telegram.say(ANNA, ANNA, '/start')
    await telegram.waitFor(() => telegram.chat(ANNA).messages.some(({ text }) => text === 'Hello Anna'))
    await bot.stop()
    await running

    expect(telegram.pendingUpdates).toBe(0)
  })
})

describe('Faults', () => {
  it.each([
    [429, [429, 'Too Many Requests: retry after 1', { retry_after: 1 }]],
    [{ status: 429, retryAfter: 7 }, [429, 'Too Many Requests: retry after 7', { retry_after: 7 }]],
    [500, [500, 'Internal Server Error', {}]],
    [{ status: 400, description: 'Bad Request: no' }, [400, 'Bad Request: no', {}]],
  ] as const)('refuses one call with %o', async (fault, expected) => {
    const { api, telegram } = await start()
    telegram.failNext('sendMessage', fault)

    await api.getMe()
    expect(await refusal(api.sendMessage(ANNA, 'hi'))).toEqual(expected)
    expect(telegram.chat(ANNA).messages).toEqual([])
    await api.sendMessage(ANNA, 'hi')
  })

  it.each([
    ['reset', 0],
    ['reset-after', 1],
  ] as const)('breaks the connection of one call (%s)', async (fault, sent) => {
    const { api, telegram } = await start()
    telegram.failNext('*', fault)

    await expect(api.sendMessage(ANNA, 'hi')).rejects.toThrow(HttpError)
    expect(telegram.chat(ANNA).messages).toHaveLength(sent)
    await api.getMe()
  })

  it('leaves one call without an answer', async () => {
    const { telegram } = await start()
    const { api } = new Bot(telegram.token, { client: { apiRoot: telegram.url, timeoutSeconds: 0.05 } })
    telegram.failNext('sendMessage', 'hang')

    await expect(api.sendMessage(ANNA, 'hi')).rejects.toThrow(HttpError)
    expect(telegram.chat(ANNA).messages).toEqual([])
  })

  it('is down for a while, while updates still arrive', async () => {
    const { api, telegram, webhook } = await startWithWebhook()
    telegram.downFor(60)
    telegram.say(ANNA, ANNA, 'hello')

    await expect(api.getMe()).rejects.toThrow(HttpError)
    await telegram.waitFor(() => webhook.received.length === 1)
    const isUp = () =>
      api.getMe().then(
        () => true,
        () => false,
      )
    await expect.poll(isUp, { timeout: 1000, interval: 5 }).toBe(true)
  })

  it('is slow until told otherwise', async () => {
    const { api, telegram } = await start()
    const startedAt = performance.now()
    telegram.slowBy(50)
    await api.getMe()

    expect(performance.now() - startedAt).toBeGreaterThan(48)
    telegram.slowBy(0)
    await api.getMe()
  })

  it('says what happened when something never came true', async () => {
    const { api, telegram } = await start()
    await api.sendMessage(ANNA, 'hi')

    await expect(telegram.waitFor(() => false, 5)).rejects.toThrow(
      /Not true within 5 ms[^]*sendMessage .*"hi".* -> 200/,
    )
    expect(await telegram.waitFor(() => telegram.calls.length)).toBe(1)
  })
})
