import { pino } from 'pino'
import { afterEach, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { encodeBoot } from '../../src/redis/budget/boot-field.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createServiceBudget } from '../../src/service-budget.ts'
import { ADMIN, GROUP, startServiceRig, type ServiceRig } from '../support/bot-rig.ts'
import { fakeClock, instant } from '../support/clock.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'

/** Waits until it holds, also on a busy machine. */
const patiently = (holds: () => unknown) => vi.waitFor(holds, { timeout: 8_000, interval: 50 })

const NOW = '2025-12-20T12:00:00+01:00'
const MONTH = 'orderly:usage:2025-12'
const LIMIT = 100_000

/** What an instance that is gone counted since the month began, so many commands a day. */
const aMonth = (perDay: number) =>
  encodeBoot({
    fromMs: instant('2025-12-01T00:00:00+01:00'),
    days: Object.fromEntries(
      Array.from({ length: 19 }, (_, at) => [
        `2025-12-${String(at + 1).padStart(2, '0')}`,
        { commands: { orders: { GET: perDay } }, orders: 45, sweepBytes: 0 },
      ]),
    ),
  })

describeWithRedis("the month's budget of a service", () => {
  let rig: ServiceRig
  afterEach(() => rig.stop())

  const prepare = async (perDay: number) => {
    rig = await startServiceRig({ isStarted: false, now: NOW, env: { COMMAND_BUDGET: String(LIMIT) } })
    if (perDay > 0) await rig.ask('HSET', MONTH, 'boot:gone', aMonth(perDay))
  }
  const startWith = async (perDay: number) => {
    await prepare(perDay)
    await rig.start()
  }
  const said = (chatId = ADMIN) =>
    rig.telegram.chat(chatId).messages.flatMap(({ isFromBot, text }) => (isFromBot ? [text] : []))
  const receive = async (sourceId = '1') => {
    const { status } = await rig.receive({ source_id: sourceId, created_at: NOW })
    return status
  }
  const warnings = () => said().filter((text) => /^[⚠📈⛔]/u.test(text))
  /** What the logs tell of warnings. */
  const logged = () =>
    rig
      .log()
      .split('\n')
      .filter((line) => line.includes('"budget.warning"'))
      .map((line): unknown => JSON.parse(line))
  const told = async (warning: string) => rig.ask('HGET', MONTH, `told:${warning}:${LIMIT}:2025-12-01`)
  const endAll = async () => {
    for (const service of rig.services.splice(0)) await service.stop()
  }

  it('is told to every admin once, however many instances start', async () => {
    await startWith(4_500)
    await patiently(() => expect(warnings()).toHaveLength(1))
    expect(warnings()[0]).toMatch(/^⚠️ The mark of 80 % is reached: 85.5\d\d of 100.000 commands used/)
    await patiently(async () => expect(await rig.ask('HGET', MONTH, 'told:80:100000:2025-12-01')).not.toBeNull())

    await rig.start()
    await rig.start()
    rig.telegram.say(ADMIN, ADMIN, '/status')
    await patiently(() => expect(said().at(-1)).toContain('100\u202f000 this month (86\u202f%)'))

    expect(warnings()).toHaveLength(1)
  })

  it('that nobody can be told is in the log, and told by the first start that knows an admin', async () => {
    await prepare(4_500)
    await rig.begin({ ADMIN_IDS: '' })
    await patiently(() => expect(logged()).toMatchObject([{ level: 40, warning: '80', told: 0 }]))
    await endAll()
    const marks = [await rig.ask('HKEYS', MONTH)].flat().map(String)
    expect(marks.filter((mark) => /^(warned|told)/.test(mark))).toEqual([])

    await rig.start()

    await patiently(() => expect(warnings()).toHaveLength(1))
    await patiently(() => expect(logged().at(-1)).toMatchObject({ level: 40, warning: '80', told: 1 }))
    await patiently(async () => expect(await told('80')).not.toBeNull())
  })

  it('that each admin refused does not count as told, and a later start tries once more', async () => {
    await prepare(4_500)
    rig.telegram.block(ADMIN)
    await rig.start()
    await patiently(() => expect(logged()).toMatchObject([{ warning: '80', told: 0 }]))
    await endAll()
    expect(await told('80')).toBeNull()

    rig.telegram.unblock(ADMIN)
    rig.clock.advance(16 * 60_000)
    await rig.start()

    await patiently(() => expect(warnings()).toHaveLength(1))
    await patiently(async () => expect(await told('80')).not.toBeNull())
  })

  it('is kept, and warned of, while the service runs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      await startWith(4_100)
      expect(await receive()).toBe(201)
      await rig.ask('HSET', MONTH, 'boot:other', aMonth(300))
      rig.clock.advance(5 * 3_600_000)
      vi.advanceTimersByTime(17 * 60_000)

      await patiently(async () => expect(await rig.billed()).toMatchObject({ HSET: expect.any(Number) }))
      await patiently(() => expect(warnings().at(-1)).toMatch(/^⚠️ The mark of 80 % is reached/))
    } finally {
      vi.useRealTimers()
    }
  })

  it('is told as soon as the forecast crosses the limit', async () => {
    await startWith(3_700)

    await patiently(() => expect(warnings()).toHaveLength(1))
    expect(warnings()[0]).toMatch(/^📈 At this pace the month's 100.000 Redis commands are used up around \d+ Dec/)
  })

  it('warns of nothing and saves nothing on a Redis that nobody bills, unless somebody chose a budget', async () => {
    await prepare(27_000)
    await rig.start({ COMMAND_BUDGET: '' })
    rig.telegram.say(ADMIN, ADMIN, '/usage')
    await patiently(() => expect(rig.telegram.calls.some(({ method }) => method === 'sendPhoto')).toBe(true))

    expect(warnings()).toEqual([])
    expect(await told('95')).toBeNull()
    expect(JSON.stringify(rig.telegram.chat(ADMIN))).toContain('Nobody bills this Redis')
  })

  it('is silent while the month ends within it', async () => {
    await startWith(2_000)
    rig.telegram.say(ADMIN, ADMIN, '/status')
    await patiently(() => expect(said().at(-1)).toContain('this month (38\u202f%)'))

    expect(warnings()).toEqual([])
  })

  it('above 98 % is spent on orders alone: nothing is counted in Redis before the end, and no list is loaded again', async () => {
    await startWith(5_200)
    await patiently(() => expect(warnings()).toHaveLength(1))
    await patiently(async () => expect(await rig.ask('HGET', MONTH, 'told:95:100000:2025-12-01')).not.toBeNull())
    await rig.redis.resetStats()
    rig.clock.advance(60_000)

    // Another writer on the same store would make the list load again.
    rig.telegram.say(ADMIN, ADMIN, '/orders')
    await patiently(() => expect(said().at(-1)).toMatch(/no open orders/i))
    expect(await receive()).toBe(201)
    await patiently(() => expect(said(GROUP)).toHaveLength(1))
    for (const service of rig.services.splice(0)) await service.stop()

    const { SET, APPEND, ...others } = await rig.billed()
    expect({ SET, APPEND }).toEqual({ SET: 1, APPEND: 1 })
    expect(others).toEqual({ HSET: 1 })
  })

  it('is written at the end of a service, so that the next one goes on from there', async () => {
    await startWith(0)
    for (const id of ['1', '2', '3']) expect(await receive(id)).toBe(201)
    const before = await rig.billed()
    const spent = Object.values(before).reduce((sum, count) => sum + count, 0)
    for (const service of rig.services.splice(0)) await service.stop()

    const { HSET, EXPIRE } = await rig.billed()
    expect({ HSET, EXPIRE }).toEqual({ HSET: 1, EXPIRE: 1 })
    await rig.start()
    rig.telegram.say(ADMIN, ADMIN, '/status')

    await patiently(() => expect(said().at(-1)).toMatch(/^Redis commands since start: \d+; \d+ of/m))
    const [, total = ''] = /; (\d+) of/.exec(said().at(-1) ?? '') ?? []
    expect(Number(total)).toBeGreaterThanOrEqual(spent + 2)
  })

  it('is told once when the provider refuses, and what is optional stops at once', async () => {
    rig = await startServiceRig({ isStarted: false, now: NOW })
    const rest = await startRestServer({ redisUrl: rig.redis.url })
    try {
      const env = { REDIS_URL: '', UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }
      await rig.start(env)
      const asked: string[] = []
      rest.faults.onRequest = (commands) => {
        asked.push(...commands.map(([name = '']) => name))
        return 'limit'
      }
      for (const id of ['1', '2', '3']) expect(await receive(id)).toBe(503)
      await patiently(() => expect(warnings()).toHaveLength(1))
      expect(warnings()[0]).toContain('until its reset on 1 Jan')

      asked.length = 0
      rig.telegram.say(ADMIN, ADMIN, '/usage')
      await patiently(() => expect(said().at(-1)).toContain('Saver mode'))
      for (const service of rig.services.splice(0)) await service.stop()

      expect(asked.filter((name) => name !== 'INFO')).toEqual([])
      expect(warnings()).toHaveLength(1)
    } finally {
      await rest.stop()
    }
  })
})

it('a warning that nobody can be told is in the log once a month, however often it is due', async () => {
  const clock = fakeClock(NOW)
  const connection = createMemoryConnection({ clock })
  await connection.send([['HSET', MONTH, 'boot:gone', aMonth(4_500)]])
  const log = pino({ level: 'silent' })
  const app = await createApp(readConfig({ COMMAND_BUDGET: String(LIMIT) }), log, { clock, connection })
  const emitted: unknown[] = []
  const budget = createServiceBudget({
    app,
    emit: (...event) => void emitted.push(event),
    warn: () => Promise.reject(new Error('Nobody is there.')),
    onError: (error) => void emitted.push(error),
  })

  await budget.learn()
  await budget.learn()
  expect(emitted).toEqual([['warn', 'budget.warning', { warning: '80', told: 0 }]])
  await connection.send([['HSET', MONTH, 'boot:gone', aMonth(4_900)]])
  await budget.learn()

  expect(emitted.slice(1)).toEqual([['warn', 'budget.warning', { warning: '90', told: 0 }]])
  await app.close()
})
