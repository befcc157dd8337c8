import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  anOrderOfNow,
  askFor,
  atTheEnd,
  botToken,
  handIn,
  intakeEnv,
  residentBytes,
  SECRET,
  startService,
  untilReady,
} from '../support/service-process.ts'
import { startTelegram } from '../support/telegram.ts'

/** A port that another program listens at. */
async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  atTheEnd(() => void server.close())
  const address = server.address()
  return String(typeof address === 'object' && address !== null ? address.port : 0)
}

/** The variables of a service whose bot polls a stand-in. */
async function aBot() {
  const telegram = await startTelegram({
    token: botToken,
    people: [{ id: 11, firstName: 'Anna' }],
    chats: [{ id: -4400, title: 'Riders', members: [11] }],
  })
  atTheEnd(telegram.stop)
  return { TELEGRAM_BOT_TOKEN: botToken, TELEGRAM_API_ROOT: telegram.url, ADMIN_IDS: '11', ORDERS_CHAT_ID: '-4400' }
}

describe('a service with little configuration', () => {
  it('starts as a sandbox, says so in one line, and answers', async () => {
    const service = startService()

    expect(await askFor(service, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
    await untilReady(service)
    expect(await askFor(service, '/readyz')).toMatchObject({ status: 200, body: { status: 'ready', because: null } })
    expect(service.log().filter(({ event }) => event !== 'request.failed')).toMatchObject([{ sandbox: true }])

    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' })
  })

  it('answers within 2 s of its start', { retry: 2 }, async () => {
    const startedAt = performance.now()
    const service = startService()

    expect((await askFor(service, '/healthz')).status).toBe(200)

    const tookMs = Math.round(performance.now() - startedAt)
    console.log(`from start to /healthz: ${tookMs} ms (at most 2000)`)
    expect(tookMs).toBeLessThan(2_000)
  })

  it.each([
    ['with a bot', 150],
    // Telegram, its messages and the traffic are in the same process.
    ['as a sandbox', 170],
  ] as const)('%s holds less than %i MB after 1 000 orders', { timeout: 40_000 }, async (kind, most) => {
    const service = startService({ ...intakeEnv, ...(kind === 'with a bot' && (await aBot())) })
    const order = () => handIn(service, anOrderOfNow())

    for (let batch = 0; batch < 50; batch++) {
      const answers = await Promise.all(Array.from({ length: 20 }, order))
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 201))
    }

    if (!existsSync('/proc/self/status')) return
    const megabytes = Math.round(residentBytes(service.child) / 1_000_000)
    console.log(`resident memory ${kind} after 1 000 orders: ${megabytes} MB (at most ${most})`)
    expect(megabytes).toBeLessThan(most)
  })

  it('with a bot but no token for the intake takes no orders in', async () => {
    const service = startService(await aBot())

    expect(await handIn(service, anOrderOfNow())).toMatchObject({
      status: 404,
      body: { error: { code: 'INTAKE_OFF' } },
    })
  })

  it('is stopped well by the Ctrl-C that a terminal sends to npm start and all below it', async () => {
    const service = startService({}, { byNpm: true })
    await untilReady(service)

    await service.stop('SIGINT')

    expect(service.log().at(-1)).toMatchObject({ event: 'service.stopped' })
  })
})

describe('a configuration that is not usable', () => {
  it('ends the process with code 1 before it listens, naming each variable and never a value', async () => {
    const wrong = {
      PORT: `${SECRET}1`,
      LOG_LEVEL: SECRET,
      TELEGRAM_BOT_TOKEN: SECRET,
      PUBLIC_URL: `ftp://${SECRET}`,
      ADMIN_IDS: SECRET,
      REDIS_URL: `http://:${SECRET}@x`,
      SWEEP_AT: SECRET,
      INTAKE_TOKEN: 'gEheim',
    }
    const { code, stdout, stderr } = await startService(wrong).ended

    expect(code).toBe(1)
    expect(stdout).toBe('')
    for (const name of Object.keys(wrong)) expect(stderr).toMatch(new RegExp(`^ {2}${name} must be .+\\.$`, 'm'))
    expect(stderr).toContain('docs/configuration.md')
  })

  it('is one whose port is taken', async () => {
    const { code, stderr } = await startService({ PORT: await takenPort() }).ended

    expect(code).toBe(1)
    expect(stderr).toContain('PORT is taken: another program listens there. Set another one.')
    expect(stderr).not.toContain('    at ')
  })

  it('is one whose host is none of this machine', async () => {
    const { code, stderr } = await startService({ ...(await aBot()), HOST: '192.0.2.1' }).ended

    expect(code).toBe(1)
    expect(stderr).toContain('HOST is no address of this machine.')
  })
})
