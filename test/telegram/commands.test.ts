import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { importLines } from '../../src/orders/import.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { formerBotOrders } from '../support/orders.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import {
  ADMIN,
  GROUP,
  OFFICE,
  OTHER_ADMIN,
  startServiceRig,
  STRANGER,
  until,
  WEBHOOK_SECRET,
  type ServiceRig,
  type ServiceRigOptions,
} from '../support/bot-rig.ts'

let rig: ServiceRig

const start = async (options: ServiceRigOptions = {}) => {
  rig = await startServiceRig({ env: { ORDERS_CHAT_ID: '' }, ...options })
  await rig.redis.resetStats()
}

afterEach(async () => {
  await rig.stop()
})

const fromBot = (chat: number) => rig.telegram.chat(chat).messages.filter(({ isFromBot }) => isFromBot)

async function answerTo(text: string, { by = ADMIN, chat = ADMIN } = {}) {
  const before = new Set(fromBot(chat).map(({ id }) => id))
  rig.telegram.say(by, chat, text)
  return await rig.telegram.waitFor(() => fromBot(chat).find(({ id }) => !before.has(id)))
}

const linesOf = (text: string) => new Set(text.split('\n'))
const hasCleanedUp = () => fromBot(ADMIN).some(({ text }) => text.startsWith('✅'))

const params = (wanted: string) =>
  rig.telegram.calls.filter(({ method }) => method === wanted).map((call) => call.params)

describeWithRedis('At boot', () => {
  it('the bot sets its webhook with the secret, and for all but messages and presses it does not ask', async () => {
    await start()

    expect(params('setWebhook')).toEqual([
      {
        url: `${rig.url()}/telegram/webhook`,
        secret_token: WEBHOOK_SECRET,
        allowed_updates: ['message', 'callback_query'],
      },
    ])
  })

  it('commands are published: two for everybody, the admins’ ones in their chats only, also where one never pressed Start', async () => {
    await start()

    const published = params('setMyCommands').map(({ commands, scope }) => [
      scope,
      (commands as { command: string }[]).map(({ command }) => command).join(' '),
    ])
    const all = 'start help orders cleanup status usage redis export'
    expect(published).toEqual([
      [undefined, 'start help'],
      [{ type: 'chat', chat_id: ADMIN }, all],
      [{ type: 'chat', chat_id: OTHER_ADMIN }, all],
    ])
    expect((await fetch(`${rig.url()}/readyz`)).status).toBe(200)
  })

  it('a preview of a pull request leaves webhook and commands alone', async () => {
    await start({ isStarted: false })

    await rig.begin({ IS_PULL_REQUEST: 'true' })
    await rig.telegram.waitFor(() => params('getMe').length > 0)
    await until(async () => (await fetch(`${rig.url()}/healthz`)).ok)

    expect(rig.telegram.calls.map(({ method }) => method)).toEqual(['getMe'])
  })

  it('the bot tries again until Telegram answers', async () => {
    await start({ isStarted: false })
    rig.telegram.failNext('getMe', 'reset')

    await rig.start()

    expect(params('getMe')).toHaveLength(2)
    expect(params('setWebhook')).toHaveLength(1)
  })
})

describeWithRedis('What is no command', () => {
  it.each(['hello', '/nonsense', '🤷'])('%s is answered in a private chat with where to look', async (text) => {
    await start()

    for (const id of [ADMIN, STRANGER]) {
      expect((await answerTo(text, { by: id, chat: id })).text).toBe(
        'I do not know that. /help lists what you can ask me.',
      )
    }
  })

  it('is not answered in a group, also where the bot sees all of it', async () => {
    await start()

    rig.telegram.say(ADMIN, OFFICE, 'hello')
    rig.telegram.say(ADMIN, GROUP, '/nonsense')
    await answerTo('/help')

    expect([...fromBot(OFFICE), ...fromBot(GROUP)]).toEqual([])
  })
})

describeWithRedis('/start and /help', () => {
  it('tell everybody their id, and only admins the admins’ commands', async () => {
    await start()

    expect((await answerTo('/start', { by: STRANGER, chat: STRANGER })).text).toContain('Your id is 44.')
    const help = await answerTo('/help', { by: STRANGER, chat: STRANGER })
    expect(help.text).toBe('/start what this bot is\n/help what you can ask it')
    expect((await answerTo('/help')).text).toContain('/cleanup [days] [preview]')
    expect(await rig.billed()).toEqual({})
  })
})

describeWithRedis('/orders', () => {
  it('lists the open orders to admins anywhere and to all in the orders chat, for no command', async () => {
    await start({ env: { ORDERS_CHAT_ID: String(GROUP) } })
    expect((await answerTo('/orders')).text).toBe('No open orders.')
    await rig.receive()
    await rig.receive({ source_id: 'two', customer: { name: '<b>Pssst</b>' } })
    await rig.telegram.waitFor(() => fromBot(GROUP).length === 2)
    await until(async () => ((await rig.billed())['APPEND'] ?? 0) === 2)
    await rig.redis.resetStats()

    const list = 'Open orders: 2\n• shopify 6986534250496: new\n• shopify two: new'
    for (const asked of [{}, { chat: OFFICE }, { by: STRANGER, chat: GROUP }]) {
      expect(linesOf((await answerTo('/orders', asked)).text)).toEqual(linesOf(list))
    }
    expect((await answerTo('/orders', { by: STRANGER, chat: STRANGER })).text).toContain('for admins only')
    expect(await rig.billed()).toEqual({})
  })

  it('reads the store again when another instance may have written, and only then', async () => {
    await start()
    rig.clock.advance(31_000)
    await rig.ask(
      'SET',
      'order:of-another',
      JSON.stringify({ name: 'other', status: 'new', created_at: '2025-12-08T20:00:00+01:00' }),
    )

    expect((await answerTo('/orders')).text).toContain('• other: new')
    await rig.redis.resetStats()
    await answerTo('/orders')
    expect(await rig.billed()).toEqual({})
  })

  it('is cut visibly when it is too long for a message', async () => {
    await start({ isStarted: false })
    const orders = Array.from({ length: 200 }, (_, at) => [
      `order:${at}`,
      JSON.stringify({ name: `${at} ${'🍕'.repeat(30)}`, status: 'new', created_at: '2025-12-08T20:00:00+01:00' }),
    ])
    await rig.ask('MSET', ...orders.flat())
    await rig.start()

    const { text } = await answerTo('/orders')

    expect(text).toContain('Open orders: 200')
    expect(text.length).toBeLessThanOrEqual(4_096)
    expect(text.endsWith('…')).toBe(true)
  })
})

describeWithRedis('/status', () => {
  it('tells version, uptime, instance, store, orders, last run and next slot, for no command', async () => {
    await start({ hasFormerOrders: true, env: { ORDERS_CHAT_ID: '', RENDER_INSTANCE_ID: 'instance-7' } })
    rig.clock.advance(65 * 60_000)

    const { text } = await answerTo('/status')

    const [head, store, commands, ...rest] = text.split('\n')
    expect(head).toBe('Orderly 0.0.0-test, up 1 h 5 min, instance instance-7')
    expect(store).toMatch(/^Store: tcp, answers; \d+ orders held$/)
    expect(commands).toMatch(/^Redis commands since start: \d+; \d+ of 500\u202F000 this month \(under 1\u202F%\)$/)
    expect(rest).toEqual(['Last cleanup: none recorded', 'Next cleanup: 2025-12-08 23:59'])
    expect(await rig.billed()).toEqual({})
  })

  it('tells the last run after a cleanup, and after a restart', async () => {
    await start({ hasFormerOrders: true })
    await answerTo('/cleanup 2')
    await rig.telegram.waitFor(hasCleanedUp)
    const line = 'Last cleanup: 2025-12-08 21:00, done, 143 deleted'
    expect((await answerTo('/status')).text).toContain(line)

    await rig.start()

    expect((await answerTo('/status')).text).toContain(line)
  })
})

describeWithRedis('/export', () => {
  it('sends the stored orders as JSON lines that an import takes, to an admin in private', async () => {
    await start({ hasFormerOrders: true })
    await rig.receive()

    const { document, text } = await answerTo('/export')

    expect(text).toBe('226 orders. Keep this file safe.')
    expect(document?.fileName).toBe('orders-2025-12-08.jsonl')
    const lines = document?.bytes.toString().trimEnd().split('\n') ?? []
    const stored = new Map(lines.map((line) => JSON.parse(line)).map(({ key, value }) => [key, value]))
    expect(stored.size).toBe(226)
    for (const { key, value } of formerBotOrders) expect(stored.get(key)).toBe(value)
    expect(await importedInto(document?.bytes ?? Buffer.alloc(0))).toEqual({ imported: 226, existing: 0 })
  })

  it('is refused in groups, for the file holds customers’ data', async () => {
    await start({ hasFormerOrders: true })

    expect((await answerTo('/export', { chat: OFFICE })).text).toMatch(/Ask me in our private chat/)
    expect(params('sendDocument')).toEqual([])
    expect(await rig.billed()).toEqual({})
  })

  it('says that there is nothing when nothing is stored', async () => {
    await start()

    expect((await answerTo('/export')).text).toBe('There are no orders to export.')
  })
})

async function importedInto(bytes: Buffer) {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-export-'))
  const file = join(directory, 'orders.jsonl')
  writeFileSync(file, bytes)
  const { send } = createMemoryConnection({ clock: rig.clock })
  try {
    return await importLines(send, file, { signal: new AbortController().signal })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
