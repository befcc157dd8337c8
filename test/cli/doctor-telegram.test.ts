import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/cli/doctor-check.ts'
import { checkPublicAddress } from '../../src/cli/doctor-public-address.ts'
import { checkAdmins, checkBot, checkOrdersChat, createBotCalls } from '../../src/cli/doctor-telegram.ts'
import { checkWebhook } from '../../src/cli/doctor-webhook.ts'
import type { TelegramConfig } from '../../src/config.ts'
import { fakeClock } from '../support/clock.ts'
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts'

const NOW = '2026-11-20T12:00:00Z'
const clock = fakeClock(NOW)
const { signal } = new AbortController()

const configOf = (given: Partial<TelegramConfig>): TelegramConfig => ({
  token: '1234567:TEST-token_for-orderly',
  apiRoot: undefined,
  publicUrl: 'https://orders.shop.test',
  webhookSecret: 'WEBHOOKSECRET',
  isPreview: false,
  ...given,
})

const callsOf = (config: TelegramConfig) => createBotCalls(config, { clock, signal })

const ADMIN = 11
const GROUP = -4400

describe('at the Bot API', () => {
  let telegram: TelegramStandIn
  let config: TelegramConfig

  beforeEach(async () => {
    telegram = await startTelegram({
      people: [{ id: ADMIN, firstName: 'Ada' }],
      chats: [{ id: GROUP, title: 'Orders', members: [ADMIN] }],
    })
    config = configOf({ token: telegram.token, apiRoot: telegram.url })
  })
  afterEach(async () => {
    await telegram.stop()
  })

  const set = async (method: string) => {
    const answer = await fetch(`${telegram.url}/bot${telegram.token}/${method}`)
    expect(answer.status).toBe(200)
  }
  const webhook = (given: Partial<TelegramConfig> = {}) => {
    const own = { ...config, ...given }
    return checkWebhook(callsOf(own).call, own, { clock })
  }

  it('a token that Telegram knows is well, and the bot is named', async () => {
    expect(await checkBot(callsOf(config).call, config)).toEqual({
      verdict: 'ok',
      detail: '@orderly_test_bot',
      fix: null,
    })
  })

  it('a wrong token fails with where to get the right one', async () => {
    const wrong = configOf({ apiRoot: telegram.url, token: '7654321:SECRETSECRET' })

    const found = await checkBot(callsOf(wrong).call, wrong)

    expect(found).toMatchObject({ verdict: 'fail', fix: expect.stringContaining('TELEGRAM_BOT_TOKEN') })
    expect(JSON.stringify(found)).not.toMatch(/SECRET|7654321/)
  })

  it('tells by how much its clock is ahead', async () => {
    const calls = createBotCalls(config, { clock: () => Date.now() - 3_600_000, signal })
    expect(calls.aheadMs()).toBeUndefined()

    await calls.call('getMe')

    expect(Math.abs((calls.aheadMs() ?? 0) - 3_600_000)).toBeLessThan(60_000)
  })

  it('the webhook is well where it is ours', async () => {
    await set('setWebhook?url=https://orders.shop.test/telegram/webhook&allowed_updates=["message","callback_query"]')

    expect(await webhook()).toEqual({ verdict: 'ok', detail: 'ours, nothing is waiting', fix: null })
  })

  it.each([
    ['there is none', undefined, {}, 'fail', 'Telegram has no webhook'],
    [
      'it is somebody else’s',
      'setWebhook?url=https://other.test/SECRET',
      {},
      'fail',
      'Telegram sends to another address',
    ],
    [
      'it brings too little',
      'setWebhook?url=https://orders.shop.test/telegram/webhook&allowed_updates=["message"]',
      {},
      'fail',
      'Telegram does not send all that the bot needs',
    ],
    [
      'there is none and none is wanted',
      undefined,
      { publicUrl: undefined },
      'ok',
      'none is set, for this service polls',
    ],
    [
      'there is one though the service polls',
      'setWebhook?url=https://other.test/SECRET',
      { publicUrl: undefined },
      'warn',
      'one is set, though',
    ],
    ['this is a preview', undefined, { isPreview: true }, 'off', 'a preview of a pull request'],
  ])('the webhook is judged where %s', async (_, method, given, verdict, detail) => {
    if (method !== undefined) await set(method)

    const found = await webhook(given)

    expect(found).toMatchObject({ verdict, detail: expect.stringContaining(detail) })
    expect(found.fix === null).toBe(verdict === 'ok' || verdict === 'off')
    expect(JSON.stringify(found)).not.toMatch(/SECRET|other\.test/)
  })

  it('the orders chat is well where the bot is in it, and fails where Telegram does not know it', async () => {
    expect((await checkOrdersChat(callsOf(config).call, GROUP)).verdict).toBe('ok')
    expect(await checkOrdersChat(callsOf(config).call, -999)).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('ORDERS_CHAT_ID'),
    })
  })

  it('admins that the bot does not know are told by their place in ADMIN_IDS, not by their id', async () => {
    const { call } = callsOf(config)

    expect(await checkAdmins(call, [ADMIN])).toEqual({
      verdict: 'ok',
      detail: '1 admin, all known to the bot',
      fix: null,
    })
    const found = await checkAdmins(call, [ADMIN, 987_654_321])
    expect(found).toMatchObject({ verdict: 'warn', detail: 'of 2 in ADMIN_IDS the bot does not know no. 2' })
    expect(JSON.stringify(found)).not.toContain('987654321')
    expect((await checkAdmins(call, [])).verdict).toBe('warn')
  })
})

let server: Server | undefined

afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  if (server?.listening === true) await once(server, 'close')
  server = undefined
})

/** A server that answers everything with the same status and body, the path of the request put in for `{path}`. */
async function serverThat(status: number, body: unknown): Promise<string> {
  server = createServer(({ url = '' }, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(text.replaceAll('{path}', url))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
}

describe('a Bot API that lies', () => {
  const token = '1234567:SECRETSECRETSECRET'
  const looks: readonly (readonly [string, (config: TelegramConfig) => Promise<Finding>])[] = [
    ['bot', (config) => checkBot(callsOf(config).call, config)],
    ['webhook', (config) => checkWebhook(callsOf(config).call, config, { clock })],
    ['orders chat', (config) => checkOrdersChat(callsOf(config).call, GROUP)],
    ['admins', (config) => checkAdmins(callsOf(config).call, [ADMIN])],
  ]
  const echoes = { username: 'SECRETSECRETSECRET', url: '{path}', last_error_message: '{path}', title: '{path}' }

  it.each([
    [
      'an error with the token in it',
      400,
      { ok: false, description: '{path}', parameters: { migrate_to_chat_id: '{path}' } },
    ],
    ['a result with the token in it', 200, { ok: true, result: { ...echoes, allowed_updates: ['{path}'] } }],
    ['a redirect', 302, {}],
    ['a page', 502, '<html>{path}</html>'],
    ['nothing', 200, ''],
    ['a list', 200, [{ ok: true }]],
    ['a number', 200, 1],
    ['a result that is none', 200, { ok: true, result: null }],
  ])('with %s is told in words of ours', async (_, status, body) => {
    const config = configOf({ token, apiRoot: await serverThat(status, body) })

    for (const [name, look] of looks) {
      const found = await look(config)
      expect([name, JSON.stringify(found)]).toEqual([name, expect.not.stringMatching(/SECRET|bot1234567|127\.0\.0\.1/)])
    }
  })

  it('that does not answer is said once for each look, with the cause', async () => {
    const config = configOf({ token, apiRoot: 'http://127.0.0.1:1' })

    for (const [, look] of looks) {
      const found = await look(config)
      expect(found).toMatchObject({ verdict: 'fail', detail: expect.stringMatching(/^Telegram could not be asked: /) })
      expect(JSON.stringify(found)).not.toMatch(/SECRET|127\.0\.0\.1/)
    }
  })

  it.each([429, 500, 502])('that is in trouble (%i) knows nothing about chats', async (status) => {
    const config = configOf({ token, apiRoot: await serverThat(status, { ok: false, error_code: status }) })
    const { call } = callsOf(config)

    for (const found of [await checkOrdersChat(call, GROUP), await checkAdmins(call, [ADMIN])]) {
      expect(found).toMatchObject({ verdict: 'fail', detail: `Telegram refused with status ${status}` })
    }
  })

  it('that says where a group went is believed when it is a number', async () => {
    const apiRoot = await serverThat(400, { ok: false, parameters: { migrate_to_chat_id: -1_001_234 } })
    const { call } = createBotCalls(configOf({ token, apiRoot }), { clock, signal })

    expect((await checkOrdersChat(call, GROUP)).fix).toBe('Set ORDERS_CHAT_ID to -1001234.')
  })
})

describe('what Telegram tells of deliveries', () => {
  const seconds = Date.parse(NOW) / 1_000
  const ours = { url: 'https://orders.shop.test/telegram/webhook' }

  it.each([
    [
      'a failure of a minute ago with updates waiting',
      60,
      3,
      'Wrong response from the webhook: 502 Bad Gateway',
      'fail',
      'ours, but 3 updates waiting; the latest failure 1 minute ago: the service answered with status 502',
    ],
    [
      'a failure of a minute ago that is over',
      60,
      0,
      'Connection timed out',
      'warn',
      'ours, nothing is waiting; the latest failure 1 minute ago: no answer in time',
    ],
    [
      'a failure of yesterday',
      86_400,
      0,
      'Connection refused',
      'ok',
      'ours, nothing is waiting; the latest failure 24 hours ago: the connection was refused or broken',
    ],
    [
      'a failure of last week',
      7 * 86_400,
      0,
      'SSL error {path}',
      'ok',
      'ours, nothing is waiting; the latest failure 7 days ago: the certificate of the public address was not accepted',
    ],
    [
      'a failure in words that nobody knows',
      60,
      1,
      'SECRET',
      'fail',
      'ours, but 1 update waiting; the latest failure 1 minute ago: of a kind that is not known here',
    ],
  ])('%s', async (_, agoSeconds, pending, message, verdict, detail) => {
    const told = {
      ...ours,
      pending_update_count: pending,
      last_error_date: seconds - agoSeconds,
      last_error_message: message,
    }
    const config = configOf({ apiRoot: await serverThat(200, { ok: true, result: told }) })

    expect(await checkWebhook(callsOf(config).call, config, { clock })).toMatchObject({
      verdict,
      detail,
    })
  })

  it.each([
    [100, 'ok'],
    [101, 'warn'],
  ])('%i updates waiting without a failure are %s', async (pending, verdict) => {
    const apiRoot = await serverThat(200, { ok: true, result: { ...ours, pending_update_count: pending } })
    const config = configOf({ apiRoot })

    expect((await checkWebhook(callsOf(config).call, config, { clock })).verdict).toBe(verdict)
  })
})

describe('the public address', () => {
  it.each([
    [200, { status: 'ok' }, 'ok', 'it answers'],
    [200, { status: 'SECRET' }, 'fail', 'it answers with something else than Orderly'],
    [200, 'SECRET', 'fail', 'it answers with something else than Orderly'],
    [503, { status: 'ok' }, 'fail', 'it answers with status 503'],
    [301, '', 'fail', 'it answers with status 301'],
  ])('that answers with %i and %j is judged %s', async (status, body, verdict, detail) => {
    expect(await checkPublicAddress(await serverThat(status, body), signal)).toMatchObject({ verdict, detail })
  })

  it('that does not answer fails with the cause, and is off where there is none', async () => {
    expect(await checkPublicAddress('http://127.0.0.1:1', signal)).toMatchObject({
      verdict: 'fail',
      detail: expect.stringMatching(/^it does not answer: the connection failed/),
    })
    expect((await checkPublicAddress(undefined, signal)).verdict).toBe('off')
  })
})
