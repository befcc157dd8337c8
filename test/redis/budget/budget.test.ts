import { describe, expect, it } from 'vitest'
import type { RedisError } from '../../../src/errors.ts'
import { createBudget } from '../../../src/redis/budget/budget.ts'
import { watchLimit } from '../../../src/redis/budget/limit-watch.ts'
import { refusal } from '../../../src/redis/failures.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import { createMeter, isBilled, type Meter } from '../../../src/redis/meter.ts'
import type { Command, Connection, Reply } from '../../../src/redis/transport.ts'
import { fakeClock } from '../../support/clock.ts'

const MINUTE_MS = 60_000
const LIMIT = 10_000

/** What only a database of a provider tells. */
const PLAN = 'total_data_size:1000\r\nmax_data_size:268435456\r\n'

/** In which a running service keeps its budget. */
const STEP_MS = 17 * MINUTE_MS
const STEPS_A_DAY = 85

const refused = (name: string): RedisError =>
  refusal(name, 'ERR max requests limit exceeded. Limit: 10000, Usage: 10000.')

interface StartOptions {
  readonly isLimitGiven: boolean
  readonly kind: Connection['kind']
}

/** Instances on one database of a provider, which counts what is sent to it and can be told to refuse. */
function aRig(now = '2025-12-20T12:00:00+01:00') {
  const clock = fakeClock(now)
  const connection = createMemoryConnection({ clock })
  const provider = { processed: 5_000, isTelling: true, hasPlan: true, isRefusing: false, isHanging: false }
  const replyTo = async (command: Command): Promise<Reply> => {
    const [name] = command
    if (provider.isHanging) return await new Promise<never>(() => undefined)
    if (name === 'INFO') {
      const total = provider.isTelling ? `total_commands_processed:${provider.processed}\r\n` : ''
      return `redis_version:7.0.15\r\n${total}${provider.hasPlan ? PLAN : ''}`
    }
    if (provider.isRefusing && isBilled(name)) return refused(name)
    provider.processed += 1
    const [reply = null] = await connection.send([command])
    return reply
  }
  const start = async (limit = LIMIT, { isLimitGiven = true, kind = 'tcp' }: Partial<StartOptions> = {}) => {
    const watch = watchLimit(
      (commands) => Promise.all(commands.map(replyTo)),
      () => undefined,
    )
    const meter: Meter = createMeter(watch.send, { onBilled: (purpose, name) => budget.charge(purpose, name) })
    const config = { limit, isLimitGiven, resetDay: 1, developerApi: undefined }
    const options = { kind, limit: watch, config, clock, zone: 'Europe/Berlin' }
    const budget = createBudget({ send: meter.open('usage').send, ...options })
    await budget.load()
    const spend = async (count: number) => {
      const { send } = meter.open('orders')
      for (let at = 0; at < count; at += 1) await send([['GET', 'order:1']])
    }
    return { ...budget, meter, spend }
  }
  /** Until the next write. */
  const wait = () => clock.advance(STEP_MS)
  return { clock, provider, start, wait }
}

/** Commands of a day on which nothing but the budget is asked for. */
const costOfDay = async (isAsked: boolean) => {
  const { start, wait } = aRig()
  const one = await start()
  await one.spend(1)
  wait()
  await one.keep()
  const before = one.meter.cost().billed
  for (let at = 0; at < STEPS_A_DAY; at += 1) {
    wait()
    await one.keep()
    if (isAsked) await one.report()
  }
  return one.meter.cost().billed - before
}

/** An instance to which the provider has just refused a command. */
const reachIt = async () => {
  const rig = aRig()
  rig.provider.isTelling = false
  const one = await rig.start()
  rig.provider.isRefusing = true
  await one.spend(1)
  return { ...rig, one }
}

describe('the budget over all instances', () => {
  it('adds up what each of them wrote, for one command of whoever asks within half an hour', async () => {
    const { clock, start, wait } = aRig()
    const [one, other] = [await start(), await start()]
    await one.spend(100)
    await other.spend(50)
    wait()
    await one.keep()
    await other.keep()
    wait()

    const before = one.meter.cost().billed
    expect((await one.report()).own).toBeGreaterThanOrEqual(150)
    clock.advance(29 * MINUTE_MS)
    await one.report()

    expect(one.meter.cost().billed - before).toBe(1)
  })

  it('is told as far as it is known while the store answers nothing', async () => {
    const { clock, provider, start } = aRig()
    const one = await start()
    await one.spend(10)
    clock.advance(60 * MINUTE_MS)
    provider.isHanging = true

    expect((await one.report()).own).toBeGreaterThanOrEqual(10)
  })

  it('does not read at once what it has just loaded', async () => {
    const { start } = aRig()
    const one = await start()
    const before = one.meter.cost().billed

    await one.report()

    expect(one.meter.cost().billed).toBe(before)
  })
})

describe('keeping it', () => {
  it('reads what others wrote every 4 hours, so that all of them know where the month stands', async () => {
    const { provider, start, wait } = aRig()
    provider.isTelling = false
    const [one, other] = [await start(), await start()]
    await one.spend(4_500)
    await other.spend(4_500)

    for (let minutes = 0; minutes <= 4 * 60; minutes += 17) {
      wait()
      await one.keep()
      await other.keep()
    }

    expect(one.known().own).toBeGreaterThan(9_000)
    expect(other.known().own).toBeGreaterThan(9_000)
    expect((await other.claimWarnings()).map(({ warning }) => warning)).toEqual([90])
  })

  it('costs an instance that has nothing to do 6 commands a day, and one that is asked all day 48', async () => {
    expect(await costOfDay(false)).toBeLessThanOrEqual(6)
    expect(await costOfDay(true)).toBeLessThanOrEqual(48)
  })

  it.each(['2025-12-01', '2025-12-08', '2025-12-20'])(
    'costs at most 100 commands a day, also one with a restart in which something is spent all the time: %s',
    async (date) => {
      const { clock, start, wait } = aRig(`${date}T00:00:00+01:00`)
      clock.advance(-90 * MINUTE_MS)
      const boots = [await start()]
      const cost = () => boots.reduce((sum, { meter }) => sum + (meter.costByPurpose()['usage']?.billed ?? 0), 0)
      const work = async (steps: number) => {
        for (let at = 0; at < steps; at += 1) {
          await boots.at(-1)?.spend(1)
          wait()
          await boots.at(-1)?.keep()
        }
      }
      await work(5)
      const before = cost()

      await work(40)
      await boots[0]?.spend(1)
      await boots[0]?.end()
      boots.push(await start())
      await work(STEPS_A_DAY - 40)

      expect(cost() - before).toBeLessThanOrEqual(100)
      expect(cost() - before).toBeGreaterThan(80)
    },
  )
})

describe("the provider's count", () => {
  it('counts where it is larger than ours, and what others spent is told by day', async () => {
    const { provider, start } = aRig('2025-12-01T00:05:00+01:00')
    const one = await start()
    provider.processed += 3_000

    const report = await one.report()

    expect(report.used).toBeGreaterThanOrEqual(3_000)
    expect(report.days.reduce((sum, { others }) => sum + others, 0)).toBe(report.used - report.own)
  })

  it('of a month is not taken for that of the next one', async () => {
    const { clock, provider, start } = aRig('2025-12-01T00:05:00+01:00')
    const one = await start()
    provider.processed += 9_900
    expect((await one.report()).mode).toBe('saver')

    clock.moveTo('2026-01-01T00:05:00+01:00')

    expect(one.known()).toMatchObject({ provider: null, mode: 'normal' })
    expect(one.known().used).toBeLessThan(10)
    expect(await one.claimWarnings()).toEqual([])
  })

  it('never falls within a month, although it is not told for a while', async () => {
    const { provider, start, wait } = aRig('2025-12-01T00:05:00+01:00')
    const one = await start()
    provider.processed += 9_900
    const { used } = await one.report()

    wait()
    provider.isTelling = false

    expect((await one.report()).used).toBeGreaterThanOrEqual(used)
    expect(one.isSaving()).toBe(true)
  })
})

describe('a warning', () => {
  it('that a higher one made superfluous is not told after a restart either', async () => {
    const { start, wait } = aRig()
    const one = await start()
    await one.spend(8_600)
    const [claimed, ...further] = await one.claimWarnings()
    expect([claimed?.warning, further]).toEqual([80, []])
    await claimed?.noteTold()
    await one.end()
    wait()

    const next = await start()
    await next.spend(500)

    expect((await next.claimWarnings()).map(({ warning }) => warning)).toEqual([90])
  })

  it('that its instance never told, for it was killed, is told by one that goes on', async () => {
    const { start, wait } = aRig()
    const [one, other] = [await start(), await start()]
    await one.spend(8_600)
    await other.spend(8_600)
    expect(await one.claimWarnings()).toHaveLength(1)
    expect(await other.claimWarnings()).toEqual([])

    wait()

    expect((await other.claimWarnings()).map(({ warning }) => warning)).toEqual([80])
  })

  it('comes again for a budget that was raised', async () => {
    const { start } = aRig()
    const one = await start()
    await one.spend(9_600)
    const [claimed] = await one.claimWarnings()
    await claimed?.noteTold()
    await one.end()

    const raised = await start(2 * LIMIT)
    await raised.spend(7_000)

    expect((await raised.claimWarnings()).map(({ warning }) => warning)).toEqual([80])
  })
})

describe('a limit that nobody chose', () => {
  it.each([
    ['means nothing to a Redis that tells of no plan', 'tcp', false, false],
    ['is that of a provider over TCP', 'tcp', true, true],
    ['is that of a provider over REST, whatever it tells', 'upstash', false, true],
  ] as const)('%s', async (_, kind, hasPlan, isEnforced) => {
    const { provider, start } = aRig()
    provider.hasPlan = hasPlan
    const one = await start(LIMIT, { isLimitGiven: false, kind })
    await one.spend(9_900)

    expect(one.known()).toMatchObject({ isEnforced, mode: isEnforced ? 'saver' : 'normal' })
    expect((await one.claimWarnings()).length).toBe(isEnforced ? 1 : 0)
  })
})

describe('saver mode', () => {
  it('is remembered over restarts, although the provider tells nothing', async () => {
    const { provider, start } = aRig()
    provider.isTelling = false
    for (let boot = 0; boot < 3; boot += 1) {
      const one = await start()
      await one.spend(3_400)
      await one.end()
    }

    const next = await start()

    expect(next.known().mode).toBe('saver')
    expect(next.known().used).toBeGreaterThan(10_200)
  })
})

describe("at the provider's limit", () => {
  it('everything is used, nothing optional goes on, and nobody can be asked who warns', async () => {
    const { one } = await reachIt()

    expect(one.known()).toMatchObject({ used: LIMIT, isLimitReached: true, mode: 'saver' })
    expect(one.isSaving()).toBe(true)
    expect(await one.claimWarnings()).toEqual([])
  })

  it('a count of the provider that is smaller stands, for its plan may allow less', async () => {
    const { provider, start } = aRig()
    const one = await start()
    provider.isRefusing = true
    await one.spend(1)

    expect(one.known()).toMatchObject({ isLimitReached: true, mode: 'saver' })
    expect(one.known().used).toBeLessThan(10)
  })

  it('of the last month, as it may be in another zone, nothing of the new one is used up', async () => {
    const { provider, start } = aRig('2025-12-01T00:10:00+01:00')
    provider.isTelling = false
    const one = await start()
    provider.isRefusing = true
    await one.spend(1)

    expect(one.known().used).toBeLessThan(10)
  })

  it('one command in 10 minutes finds out whether it is over', async () => {
    const { one, wait, provider } = await reachIt()
    wait()
    const before = one.meter.cost().billed
    await one.keep()
    await one.report()
    expect(one.isSaving()).toBe(true)
    expect(one.meter.cost().billed - before).toBe(1)

    provider.isRefusing = false
    wait()
    await one.keep()

    expect(one.isSaving()).toBe(false)
    expect(one.known().isLimitReached).toBe(false)
  })
})
