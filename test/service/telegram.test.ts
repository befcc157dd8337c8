import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { startTelegram } from '../support/telegram.ts'
import {
  anOrderOfNow,
  askFor,
  atTheEnd,
  botToken,
  handIn,
  intakeEnv,
  SECRET,
  startService,
  untilReady,
  waitFor,
  webhookSecret,
} from '../support/service-process.ts'

const ADMIN = 11
const GROUP = -4400

async function aTelegram(token = botToken) {
  const telegram = await startTelegram({
    token,
    people: [{ id: ADMIN, firstName: 'Anna' }],
    chats: [{ id: GROUP, title: 'Riders', members: [ADMIN] }],
  })
  atTheEnd(telegram.stop)
  const env = {
    ...intakeEnv,
    TELEGRAM_BOT_TOKEN: botToken,
    TELEGRAM_API_ROOT: telegram.url,
    ADMIN_IDS: String(ADMIN),
    ORDERS_CHAT_ID: String(GROUP),
  }
  return { telegram, env }
}

/** A server that takes connections and never says anything; or a free port, where it is closed at once. */
async function silentPort(isOpen: boolean): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (isOpen) atTheEnd(() => void server.close())
  else server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

it.concurrent('without a public address the bot polls, answers, and shows orders', async () => {
  const { telegram, env } = await aTelegram()
  const service = startService(env)
  await untilReady(service)
  expect(service.log()[0]).toMatchObject({ msg: 'Listening; the bot polls, for PUBLIC_URL is not set.' })

  telegram.say(ADMIN, ADMIN, '/start')
  await telegram.waitFor(() => telegram.chat(ADMIN).messages.find(({ text }) => text.includes(`Your id is ${ADMIN}`)))
  expect((await handIn(service, anOrderOfNow())).status).toBe(201)
  await telegram.waitFor(() => telegram.chat(GROUP).messages.find(({ text }) => text.includes(SECRET)))

  const startedAtMs = performance.now()
  expect((await service.stop()).code).toBe(0)
  expect(performance.now() - startedAtMs).toBeLessThan(10_000)
})

it.concurrent(
  'with a public address the bot sets its webhook with the secret, and writes neither anywhere',
  async () => {
    const { telegram, env } = await aTelegram()
    const port = String(await silentPort(false))
    const service = startService({
      ...env,
      PORT: port,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      WEBHOOK_SECRET: webhookSecret,
      LOG_LEVEL: 'trace',
    })
    await untilReady(service)
    expect(telegram.calls.find(({ method }) => method === 'setWebhook')).toMatchObject({
      params: { url: `http://127.0.0.1:${port}/telegram/webhook`, secret_token: webhookSecret },
    })

    telegram.failNext('sendMessage', { status: 400, description: `Bad Request: ${SECRET}` })
    telegram.say(ADMIN, ADMIN, `/status ${SECRET}`)
    await waitFor(() => service.log().find(({ err }) => JSON.stringify(err ?? '').includes('sendMessage')))
    telegram.say(ADMIN, ADMIN, '/status')
    await telegram.waitFor(() => telegram.chat(ADMIN).messages.find(({ text }) => text.startsWith('Orderly ')))

    expect((await service.stop()).code).toBe(0)
  },
)

it.concurrent('a token that Telegram refuses keeps nobody from handing orders in, and is told', async () => {
  const { env } = await aTelegram('1234567:another-one_altogether')
  const service = startService(env)
  await service.url

  await waitFor(() => service.log().find(({ err }) => JSON.stringify(err ?? '').includes('"status":401')))
  expect(await askFor(service, '/readyz')).toMatchObject({
    status: 503,
    body: { because: expect.stringContaining('TELEGRAM_BOT_TOKEN') },
  })
  expect((await askFor(service, '/healthz')).status).toBe(200)
  expect((await handIn(service, anOrderOfNow())).status).toBe(201)
  expect((await service.stop()).code).toBe(0)
})

it.concurrent.each([
  ['holds every answer back', true],
  ['is not there', false],
])('a Telegram that %s holds nothing up', { timeout: 40_000 }, async (_, isOpen) => {
  const { env } = await aTelegram()
  const service = startService({ ...env, TELEGRAM_API_ROOT: `http://127.0.0.1:${await silentPort(isOpen)}` })
  await service.url

  expect((await askFor(service, '/healthz')).status).toBe(200)
  expect((await handIn(service, anOrderOfNow())).status).toBe(201)
  expect(await askFor(service, '/readyz')).toMatchObject({
    status: 503,
    body: { because: expect.stringContaining('Telegram has not answered yet') },
  })
  const startedAtMs = performance.now()
  expect((await service.stop()).code).toBe(0)
  expect(performance.now() - startedAtMs).toBeLessThan(25_000)
})

it.concurrent('a bot that is just about to poll is stopped like any other', { timeout: 40_000 }, async () => {
  const { telegram, env } = await aTelegram()
  telegram.slowBy(300)
  const service = startService(env)
  await waitFor(() => telegram.calls.find(({ method }) => method === 'setMyCommands'))

  const startedAtMs = performance.now()
  expect((await service.stop()).code).toBe(0)
  expect(performance.now() - startedAtMs).toBeLessThan(15_000)
})
