import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCommands } from '../../src/sandbox/bot-api/formatted-text.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { lastReport } from '../../src/sweeps/history.ts'
import { parseScrape } from '../http/metrics-text.ts'
import { ADMIN, OTHER_ADMIN, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { fakeClock } from '../support/clock.ts'
import { fitting, hostileRows, hostileTexts, openIsolates, outOfPlaceIn } from '../support/hostile.ts'
import { anIntake } from '../support/orders.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import type { ChatMessage } from '../support/telegram.ts'

const NOW = '2025-12-08T21:00:00+01:00'
const API_TOKEN = 'APISECRET-0123456789'
const PATIENCE_MS = 20_000

/** Both have pressed Start, so that telling them of anything is no failure. */
const ADMINS = [
  { id: ADMIN, firstName: 'Anna' },
  { id: OTHER_ADMIN, firstName: 'Ben' },
]

let rig: ServiceRig

const fromBot = () => rig.telegram.chat(ADMIN).messages.filter(({ isFromBot }) => isFromBot)

/** What the bot answers in the end: messages of progress are edited. */
const ask = (command: string, like: RegExp): Promise<ChatMessage> => {
  const before = fromBot().length
  rig.telegram.say(ADMIN, ADMIN, command)
  return rig.telegram.waitFor(
    () =>
      fromBot()
        .slice(before)
        .find(({ text }) => like.test(text)),
    PATIENCE_MS,
  )
}

function expectInItsPlace({ text, entities }: ChatMessage): void {
  expect(text.length).toBeLessThanOrEqual(4_096)
  expect(entities).toEqual([])
  expect(outOfPlaceIn(text)).toEqual([])
  expect(text.split('\n').filter((line) => openIsolates(line) !== 0)).toEqual([])
}

/** Long past, so that a cleanup deletes it and its log names it. */
const OLD = { status: 'delivered', created_at: '2025-12-01T18:00:00+01:00' }

/** What nobody but a hostile key or value would say. */
const FOREIGN = /owned|forged|evil|bold|WWW|long long|שלום|31m/

describeWithRedis('A store of hostile keys and values', () => {
  beforeAll(async () => {
    rig = await startServiceRig({
      now: NOW,
      isStarted: false,
      env: { API_TOKEN, ORDERS_CHAT_ID: '' },
      telegram: { people: ADMINS, chats: [] },
    })
    for (const [, text] of hostileRows) {
      await rig.ask('SET', `order:${text}`, text)
      await rig.ask('SET', `order:status ${text}`, JSON.stringify({ status: text, created_at: text }))
      await rig.ask('SET', `order:old ${text}`, JSON.stringify(OLD))
      await rig.ask('SET', `${text}:1`, text)
      await rig.ask('SET', `${fitting(text, 30)}:2`, text)
    }
    const report = {
      startedAt: NOW,
      outcome: 'failed',
      deleted: 1,
      dryRun: false,
      because: hostileTexts['half a character'],
    }
    await rig.ask('XADD', 'orderly:sweeps:orders', '*', 'report', JSON.stringify(report))
    await rig.start()
  }, 60_000)
  afterAll(() => rig.stop())

  it('is loaded, and the service is ready and says nothing of it', async () => {
    const response = await fetch(`${rig.url()}/readyz`)

    expect([response.status, await response.json()]).toEqual([200, { status: 'ready', because: null }])
    expectInItsPlace(await ask('/orders', /./))
  })

  it('is told of in one line each by /status and /redis, which name no such key', async () => {
    const status = await ask('/status', /^Orderly/)
    const redis = await ask('/redis', /Redis of orders/)

    expectInItsPlace(status)
    expect(status.text).toMatch(/^Last cleanup: 2025-12-08 21:00, failed, 1 deleted: half \ufffd and \ufffd half$/m)
    expectInItsPlace(redis)
    expect(findCommands(redis.text)).toEqual([])
    expect(redis.text).toContain('Largest families of keys:')
    expect(redis.text).not.toMatch(/owned|forged|evil|bold|31m|__proto__/)
  })

  it('leaves /metrics the text that Prometheus reads, with no label of its own', async () => {
    const response = await fetch(`${rig.url()}/metrics`, { headers: { authorization: `Bearer ${API_TOKEN}` } })
    const text = await response.text()

    const { samples } = parseScrape(text)
    expect(samples.length).toBeGreaterThan(20)
    expect(outOfPlaceIn(text)).toEqual([])
    const labels = samples.flatMap((sample) => Object.values(sample.labels))
    expect(labels.filter((label) => label.length > 80 || /["{}<>\\]/.test(label))).toEqual([])
    expect(text).not.toMatch(/forged/)
  })

  it('is cleaned up of what is due, the rest kept and counted, and nothing of it shown', async () => {
    const done = await ask('/cleanup 0', /complete/)

    expectInItsPlace(done)
    expect(done.text).toContain(`📊 Deleted: ${hostileRows.length} orders\n`)
    expect(done.text).toMatch(/^❓ Unreadable, kept: \d{2}$/m)
    expect(done.text).not.toMatch(FOREIGN)
    expect(await rig.ask('EXISTS', `order:${hostileTexts['a script']}`, `order:${hostileTexts['a long name']}`)).toBe(2)
  })

  it('may name the holder of a lock, who is told as text', async () => {
    // The last one is cut inside a character.
    for (const text of [...Object.values(hostileTexts), `x${'🍕'.repeat(150)}`]) {
      await rig.ask('SET', 'orderly:lock:orders', `token ${text}`)

      const refused = await ask('/cleanup 1', /^⏳/u)

      expectInItsPlace(refused)
      expect(refused.text).toContain('is already running')
      expect(refused.text.split('\n')).toHaveLength(1)
      expect(refused.text.length).toBeLessThan(400)
    }
  })

  it('leaves the log one object a line, which names what was deleted and steers no terminal', () => {
    const log = rig.log()
    const lines = log.trimEnd().split('\n')

    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'))
    expect(outOfPlaceIn(log)).toEqual([])
    const deleted = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'order.deleted')
    expect(deleted.map(({ order }) => order)).toContain(`old ${hostileTexts['sequences of a terminal']}`)
    expect(lines.filter((line) => /"level":[56]0/.test(line))).toEqual([])
  })
})

/** Hands an order in, and resolves with the refusal. */
const refusal = async (fields: Readonly<Record<string, unknown>>) => {
  const response = await fetch(`${rig.url()}/intake/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${rig.env['INTAKE_TOKEN']}` },
    body: JSON.stringify(anIntake(fields)),
  })
  const { error } = (await response.json()) as { readonly error: { readonly message: string } }
  return { status: response.status, error: error.message }
}

describeWithRedis('An intake that breaks a rule', () => {
  beforeAll(async () => {
    rig = await startServiceRig({ now: NOW, env: { ORDERS_CHAT_ID: '' } })
  }, 60_000)
  afterAll(() => rig.stop())

  it.each(hostileRows)(
    'by %s is refused by the names of its fields, and nothing of it is repeated',
    async (_, text) => {
      const wrong = {
        created_at: text,
        wanted_at: text,
        total: { amount: text, currency: text },
        tip: { amount: Number.MAX_VALUE, currency: text },
        items: [{ vendor: [], quantity: text, name: { [`a ${fitting(text, 9_000)}`]: 1 } }],
        pickup: text,
      }

      for (const [field, value] of Object.entries(wrong)) {
        const { status, error } = await refusal({ [field]: value })

        expect([field, status]).toEqual([field, 422])
        expect(error).toMatch(new RegExp(`^${field}[.:]|^${field} must`))
        expect(error.length).toBeLessThan(500)
        expect(outOfPlaceIn(error)).toEqual([])
        expect(error).not.toMatch(FOREIGN)
      }
      expect(rig.log()).not.toMatch(FOREIGN)
    },
  )
})

describe('A stored report of a sweep that nobody can show', () => {
  const report = { startedAt: NOW, outcome: 'done', deleted: 3, because: null, parts: null }

  /** The last report where this is what is stored. */
  const stored = async (text: string) => {
    const { send } = createMemoryConnection({ clock: fakeClock(NOW) })
    await send([['XADD', 'orderly:sweeps:orders', 'MAXLEN', 20, '*', 'report', text]])
    return await lastReport(send, 'orders')
  }

  it.each([
    ['is no JSON', '{'],
    ['is no object', 'null'],
    ['has a time that is none', JSON.stringify({ ...report, startedAt: `${NOW}\nforged` })],
    ['has an outcome of several words', JSON.stringify({ ...report, outcome: 'done\nforged: line' })],
    ['has a very long outcome', JSON.stringify({ ...report, outcome: 'x'.repeat(10_000) })],
    ['has a count that is none', JSON.stringify({ ...report, deleted: '3' })],
    ['has a reason that is no text', JSON.stringify({ ...report, because: { length: 1 } })],
    ['has parts that are no list', JSON.stringify({ ...report, parts: { length: 1 } })],
    ['has a part that is none', JSON.stringify({ ...report, parts: [null] })],
    ['has a part without a name', JSON.stringify({ ...report, parts: [{ name: 7, because: null }] })],
    ['has a part whose reason is no text', JSON.stringify({ ...report, parts: [{ name: 'a', because: 7 }] })],
  ])('because it %s counts as none', async (_, text) => {
    expect(await stored(JSON.stringify(report))).toMatchObject({ outcome: 'done', deleted: 3 })
    expect(await stored(text)).toBeUndefined()
  })
})
