import { describe, expect, it } from 'vitest'
import type { RedisError } from '../../../src/errors.ts'
import { createBudget } from '../../../src/redis/budget/budget.ts'
import { watchLimit } from '../../../src/redis/budget/limit-watch.ts'
import { refusal } from '../../../src/redis/failures.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import { createMeter, isBilled, type Meter } from '../../../src/redis/meter.ts'
import type { Command, Reply } from '../../../src/redis/transport.ts'
import { fakeClock } from '../../support/clock.ts'

const MINUTE_MS = 60_000
const LIMIT = 10_000

/** Instances on one database of a provider, which counts what is sent to it and can be told to refuse. */
function aRig(now = '2025-12-20T12:00:00+01:00') {
  const clock = fakeClock(now)
  const connection = createMemoryConnection({ clock })
  const provider = { processed: 5_000, isTelling: true, isRefusing: false }
  const refused = (name: string): RedisError =>
    refusal(name, 'ERR max requests limit exceeded. Limit: 10000, Usage: 10000.')
  const replyTo = async (command: Command): Promise<Reply> => {
    const [name] = command
    if (name === 'INFO') {
      const total = provider.isTelling ? `total_commands_processed:${provider.processed}\r\n` : ''
      return `${total}total_data_size:1000\r\nmax_data_size:268435456\r\n`
    }
    if (provider.isRefusing && isBilled(name)) return refused(name)
    provider.processed += 1
    const [reply = null] = await connection.send([command])
    return reply
  }
  const start = async (limit = LIMIT) => {
    const watch = watchLimit(
      (commands) => Promise.all(commands.map(replyTo)),
      () => undefined,
    )
    const meter: Meter = createMeter(watch.send, { onBilled: (purpose, name) => budget.charge(purpose, name) })
    const config = { limit, resetDay: 1, developerApi: undefined }
    const options = { limit: watch, config, clock, zone: 'Europe/Berlin' }
    const budget = createBudget({ send: meter.open('usage').send, ...options })
    await budget.load()
    const spend = async (count: number) => {
      const { send } = meter.open('orders')
      for (let at = 0; at < count; at += 1) await send([['GET', 'order:1']])
    }
    return { ...budget, meter, spend }
  }
  /** Until the next write. */
  const wait = () => clock.advance(16 * MINUTE_MS)
  return { clock, provider, start, wait }
}

describe('the budget over all instances', () => {
  it('adds up what each of them wrote, for one command of whoever asks within 10 minutes', async () => {
    const { start, wait } = aRig()
    const [one, other] = [await start(), await start()]
    await one.spend(100)
    await other.spend(50)
    wait()
    await one.keep()
    await other.keep()

    const before = one.meter.cost().billed
    expect((await one.report()).own).toBeGreaterThanOrEqual(150)
    await one.report()

    expect(one.meter.cost().billed - before).toBe(1)
  })

  it('does not read at once what it has just loaded', async () => {
    const { start } = aRig()
    const one = await start()
    const before = one.meter.cost().billed

    await one.report()

    expect(one.meter.cost().billed).toBe(before)
  })
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

describe("at the provider's limit", () => {
  const reachIt = async () => {
    const rig = aRig()
    const one = await rig.start()
    rig.provider.isRefusing = true
    await one.spend(1)
    return { ...rig, one }
  }

  it('everything is used, nothing optional goes on, and nobody can be asked who warns', async () => {
    const { one } = await reachIt()

    expect(one.known()).toMatchObject({ used: LIMIT, isLimitReached: true, mode: 'saver' })
    expect(one.isSaving()).toBe(true)
    expect(await one.claimWarnings()).toEqual([])
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
