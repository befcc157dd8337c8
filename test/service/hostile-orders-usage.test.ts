import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { parseScrape } from '../http/metrics-text.ts'
import { ADMIN, OTHER_ADMIN, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { callOrderly, envelopeOf } from '../support/cli.ts'
import { instant } from '../support/clock.ts'
import { hostileRows, outOfPlaceIn } from '../support/hostile.ts'
import { describeWithRedis } from '../support/redis-server.ts'

const NOW = '2025-12-08T21:00:00+01:00'
const API_TOKEN = 'APISECRET-0123456789'
const PATIENCE_MS = 20_000

/** What a boot wrote, with a column of any name. */
const boot = (column: string, count: unknown, more: object = {}) =>
  JSON.stringify({
    from: instant('2025-12-01T00:00:00+01:00'),
    of: [column],
    days: { '2025-12-05': [0, 0, count] },
    ...more,
  })

/** Fields of the month that no Orderly wrote. */
const spoilt: Readonly<Record<string, string>> = {
  'boot:negative': boot('orders GET', -5),
  'boot:endless': boot('orders GET', 1).replace(',1]', ',1e999]'),
  'boot:beyond what is exact': boot('orders GET', 2 ** 53 + 2),
  'boot:text': boot('orders GET', '7'),
  'boot:another date': boot('orders GET', 7, { days: { '2025-12-05\u001b[2J': [0, 0, 7] } }),
  'boot:no date': boot('orders GET', 7, { days: { __proto__x: [0, 0, 7] } }),
  'boot:a list': '[]',
  'boot:nothing': '',
  'boot:deep': '['.repeat(50_000),
  prior: '[1e999,"a"]',
  baseline: '{"at":"now","processed":-1,"own":{}}',
}

let rig: ServiceRig
let folder: string

const fromBot = () => rig.telegram.chat(ADMIN).messages.filter(({ isFromBot }) => isFromBot)
const askApi = (path: string) => fetch(rig.url() + path, { headers: { authorization: `Bearer ${API_TOKEN}` } })

/** What nobody but a hostile field would say, where names are not told at all. */
const FOREIGN = /owned|forged|evil|bold|WWW|long long|שלום|31m|__proto__|constructor/

/** Each hostile name was counted once, and 1 000 commands under a name of our own. */
const SPENT = 1_000 + hostileRows.length

describeWithRedis('A month of hostile usage', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orderly-hostile-'))
    rig = await startServiceRig({
      now: NOW,
      isStarted: false,
      env: { API_TOKEN, ORDERS_CHAT_ID: '' },
      telegram: {
        chats: [],
        people: [
          { id: ADMIN, firstName: 'Anna' },
          { id: OTHER_ADMIN, firstName: 'Ben' },
        ],
      },
    })
    const fields = hostileRows.flatMap(([, text], at) => [
      [`boot:${at}`, boot(`${text.slice(0, 1_000).replaceAll(' ', '_')} GET`, 1)],
      [text, text],
      [`told:${text}`, text],
    ])
    const all = [...fields, ['boot:ours', boot('orders GET', 1_000)], ...Object.entries(spoilt)]
    await rig.ask('HSET', 'orderly:usage:2025-12', ...all.flat())
    await rig.start()
  }, 60_000)
  afterAll(async () => {
    await rig.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is counted as far as it is counts, and told by /api/usage as one JSON text', async () => {
    const response = await askApi('/api/usage')
    const report = (await response.json()) as BudgetReport

    expect(response.status).toBe(200)
    expect(report.own).toBeGreaterThanOrEqual(SPENT)
    expect(report.own).toBeLessThan(SPENT + 100)
    expect(report.days.every(({ date }) => /^2025-12-0\d$/.test(date))).toBe(true)
    expect(report.purposes.filter(({ name }) => !/^[a-z:-]{1,20}$/.test(name))).toEqual([])
    expect(report.purposes).toContainEqual({ name: 'other', commands: hostileRows.length })
  })

  it('brings no label of its own into /metrics', async () => {
    const text = await (await askApi('/metrics')).text()

    const purposes = parseScrape(text).samples.filter(({ name }) => name === 'orderly_budget_own_commands')
    expect(purposes.length).toBeGreaterThan(1)
    expect(text).not.toMatch(/owned|forged|evil|bold|WWW|long_long|שלום|31m|__proto__/)
    expect(outOfPlaceIn(text)).toEqual([])
  })

  it('is a picture with a caption that says nothing of it', async () => {
    rig.telegram.say(ADMIN, ADMIN, '/usage')

    const message = await rig.telegram.waitFor(
      () => fromBot().find(({ text }) => text.includes('commands used')),
      PATIENCE_MS,
    )

    expect(message.text).toMatch(/^1\u202f0\d\d of 500\u202f000 commands used \(/)
    expect(message.text.length).toBeLessThanOrEqual(1_024)
    expect(message.text).not.toMatch(FOREIGN)
    expect(outOfPlaceIn(message.text)).toEqual([])
    expect(message.photo?.bytes.subarray(1, 4).toString()).toBe('PNG')
  })

  it('steers no terminal at orderly usage, and is one object with --json', async () => {
    const env = { REDIS_URL: rig.redis.url }
    const png = join(folder, 'usage.png')
    const text = await callOrderly(['usage', '--png', png], { env })
    const json = await callOrderly(['usage', '--json'], { env })

    expect([text.code, json.code]).toEqual([0, 0])
    expect(outOfPlaceIn(text.stdout + text.stderr + json.stdout)).toEqual([])
    expect(text.stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
    expect(envelopeOf(json)).toMatchObject({ ok: true, command: 'usage' })
    expect(readFileSync(png).subarray(1, 4).toString()).toBe('PNG')
  })

  it('leaves nothing in the log', () => {
    expect(rig.log()).not.toMatch(FOREIGN)
    expect(rig.log()).not.toMatch(/"level":[56]0/)
  })
})
