import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { billedIn, sumOf } from '../support/billing.ts'
import { fakeClock, instant, type FakeClock } from '../support/clock.ts'
import { formerBotOrders } from '../support/orders.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp, textReply, type RespConnection } from '../support/resp.ts'
import { createInstance } from '../support/schedule-instance.ts'
import type { ScheduleState, ScheduleTask } from '../support/schedule-process.ts'
import { allKeys } from '../support/sweep-rig.ts'
import { gate } from '../http/rig.ts'
import { failure, spoil } from '../support/transport.ts'

const SLOT = '2025-12-11T23:59:00+01:00'
const SLOT_NAME = '2025-12-11T23:59'
const LOCK = 'orderly:lock:orders'

const after = (seconds: number) => new Date(instant(SLOT) + seconds * 1_000).toISOString()

const refuse = async () => Promise.reject(failure('REDIS_REFUSED'))

describeWithRedis('the slot of 11 December 2025, 23:59 in Berlin', () => {
  let redis: RedisServer
  let connection: RespConnection
  beforeAll(async () => {
    redis = await startRedisServer()
    connection = await openResp(redis.url)
  })
  afterAll(async () => {
    connection.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await ask('FLUSHALL')
    await ask('MSET', ...formerBotOrders.flatMap(({ key, value }) => [key, value]))
    await ask('SET', 'orderly:schedule:orders', '2025-12-08T23:59')
  })

  const ask = async (...command: string[]) => textReply((await connection.call([command]))[0] ?? null)
  const orderKeys = async () => ((await ask('KEYS', 'order:*')) as string[]).toSorted()
  const billed = async () => sumOf(billedIn(await redis.stats()))

  /** An instance that has booted on the evening before its slot. */
  const booted = async (clock: FakeClock) => {
    const instance = await createInstance({ clock, env: { REDIS_URL: redis.url } })
    onTestFinished(() => instance.stop())
    await instance.start()
    return instance
  }
  const doneBy = (...instances: readonly Awaited<ReturnType<typeof booted>>[]) =>
    instances.flatMap(({ runs }) => runs.map(({ report }) => report)).filter(({ outcome }) => outcome === 'done')

  it('deletes 215 of 225 orders, once, for at most 10 commands', async () => {
    const clock = fakeClock('2025-12-11T22:00:00+01:00')
    const instance = await booted(clock)
    await redis.resetStats()

    clock.moveTo(SLOT)
    await instance.check()
    const cost = await billed()
    clock.advance(60_000)
    await instance.check()

    expect(doneBy(instance)).toMatchObject([
      { trigger: 'schedule', deleted: 215, scanned: 225, asOf: '2025-12-11T23:59:00.000+01:00', attempt: 1 },
    ])
    expect(instance.announced).toHaveLength(1)
    expect(await orderKeys()).toHaveLength(10)
    expect(await ask('GET', 'orderly:schedule:orders')).toBe(SLOT_NAME)
    expect(await ask('XLEN', 'orderly:sweeps:orders')).toBe(1)
    console.log(`A scheduled slot was billed ${cost} commands by the server's own count.`)
    expect(cost).toBeLessThanOrEqual(10)
    expect(instance.runs[0]?.report.billedCommands).toBe(cost)
    expect(await ask('EXISTS', LOCK)).toBe(0)
  })

  it('is caught up at 08:00 by a service that slept through it, which deletes exactly the same orders', async () => {
    const clock = fakeClock('2025-12-11T22:00:00+01:00')
    const awake = await booted(clock)
    clock.moveTo(SLOT)
    await awake.check()
    const left = await orderKeys()
    await ask('FLUSHALL')
    await ask('MSET', ...formerBotOrders.flatMap(({ key, value }) => [key, value]))
    await ask('SET', 'orderly:schedule:orders', '2025-12-08T23:59')
    await redis.resetStats()

    const late = await booted(fakeClock('2025-12-12T08:00:00+01:00'))
    const cost = await billed()

    expect(doneBy(late)).toMatchObject([
      {
        trigger: 'catch-up',
        deleted: 215,
        asOf: '2025-12-11T23:59:00.000+01:00',
        cutoff: '2025-12-09T00:00:00.000+01:00',
      },
    ])
    expect(await orderKeys()).toEqual(left)
    // The boot's own read of the last done slot comes to the ten of a slot.
    expect(cost).toBeLessThanOrEqual(11)
  })

  it('is done once by two instances of one process, twenty times over', async () => {
    for (let round = 0; round < 20; round++) {
      await ask('SET', 'orderly:schedule:orders', '2025-12-08T23:59')
      await ask('MSET', ...formerBotOrders.flatMap(({ key, value }) => [key, value]))
      const clock = fakeClock('2025-12-11T22:00:00+01:00')
      const [one, two] = [await booted(clock), await booted(clock)]

      clock.moveTo(SLOT)
      await Promise.all([one.check(), two.check()])
      clock.advance(30_000)
      await Promise.all([one.check(), two.check()])

      expect(doneBy(one, two)).toMatchObject([{ deleted: 215 }])
      expect(one.announced.length + two.announced.length).toBe(1)
      expect(await orderKeys()).toHaveLength(10)
      // Neither asks again.
      const sent = one.transport.sent().length + two.transport.sent().length
      clock.advance(3_600_000)
      await Promise.all([one.check(), two.check()])
      expect(one.transport.sent().length + two.transport.sent().length).toBe(sent)
    }
  })

  it.each([
    ['the deletion', 'UNLINK'],
    ['the mark', 'SET'],
  ])('stays undone when %s fails, is told once, and is completed by a later try', async (_, command) => {
    const clock = fakeClock('2025-12-11T22:00:00+01:00')
    const instance = await booted(clock)
    clock.moveTo(SLOT)
    const isMeant = (words: readonly (string | number)[]) => words[0] === command && words[1] !== LOCK
    instance.transport.onRequest = async (commands, carryOut) => (commands.some(isMeant) ? refuse() : carryOut())
    await instance.check()
    clock.advance(60_000)
    await instance.check()

    expect(instance.runs.map(({ report }) => report.outcome)).toEqual(['failed', 'failed'])
    expect(instance.announced).toMatchObject([{ outcome: 'failed', attempt: 1 }])
    expect(await ask('GET', 'orderly:schedule:orders')).toBe('2025-12-08T23:59')

    instance.transport.onRequest = undefined
    clock.advance(120_000)
    await instance.check()

    expect(instance.announced).toMatchObject([{ outcome: 'failed' }, { outcome: 'done', attempt: 3 }])
    expect(await orderKeys()).toHaveLength(10)
    expect(await ask('GET', 'orderly:schedule:orders')).toBe(SLOT_NAME)
  })

  it('is left alone where the schedule is switched off', async () => {
    const clock = fakeClock('2025-12-12T08:00:00+01:00')
    const instance = await createInstance({ clock, env: { REDIS_URL: redis.url, SWEEP_ENABLED: 'false' } })
    onTestFinished(() => instance.stop())

    await instance.start()
    await instance.check()

    expect(instance.isScheduled).toBe(false)
    expect(instance.transport.sent()).toEqual([])
    expect(await orderKeys()).toHaveLength(225)
  })

  it('is told once when it fails after Redis was unreachable at boot', async () => {
    const clock = fakeClock('2025-12-12T08:00:00+01:00')
    const instance = await createInstance({ clock, env: { REDIS_URL: redis.url } })
    onTestFinished(() => instance.stop())
    instance.transport.onRequest = refuse
    await instance.start()
    instance.transport.onRequest = spoil('UNLINK', refuse)
    clock.advance(60_000)
    await instance.check()

    expect(instance.announced).toMatchObject([{ outcome: 'failed', attempt: 1 }])
  })

  describe('with processes of their own', () => {
    it('is done once by two of them', async () => {
      const task = { url: redis.url, now: '2025-12-11T22:00:00+01:00' }
      const both = await Promise.all([startProcess(task), startProcess(task)])
      await redis.resetStats()

      await Promise.all(both.map(({ moveTo }) => moveTo(SLOT)))
      await Promise.all(both.map(({ moveTo }) => moveTo(after(30))))
      const cost = await billed()
      const states = await Promise.all(both.map(({ moveTo }) => moveTo(after(3_600))))
      expect(await billed()).toBe(cost)

      const runs = states.flatMap((state) => state.runs)
      expect(runs.filter(({ outcome }) => outcome === 'done')).toEqual([
        { outcome: 'done', deleted: 215, asOf: '2025-12-11T23:59:00.000+01:00' },
      ])
      expect(runs.filter(({ outcome }) => outcome !== 'done').every(({ outcome }) => outcome === 'skipped')).toBe(true)
      expect(await orderKeys()).toHaveLength(10)
      expect(await ask('XLEN', 'orderly:sweeps:orders')).toBe(1)
      console.log(`A slot with two processes was billed ${cost} commands, ${runs.length - 1} of its runs skipped.`)
    })

    it.each(['before', 'after'] as const)(
      'is completed within two minutes by another when the one at work is killed %s its deletion',
      async (hang) => {
        const working = await startProcess({ url: redis.url, now: '2025-12-11T22:00:00+01:00', hang })
        expect(await working.moveTo(SLOT)).toMatchObject({ isHanging: true })
        expect(await orderKeys()).toHaveLength(hang === 'before' ? 225 : 10)
        await working.kill()
        const leaseMs = Number(await ask('PTTL', LOCK))
        expect(leaseMs).toBeGreaterThan(100_000)
        expect(leaseMs).toBeLessThanOrEqual(120_000)

        const clock = fakeClock(after(1))
        const other = await booted(clock)
        expect(other.runs).toMatchObject([{ code: 'LOCKED' }])
        for (let seconds = 30; seconds <= 120; seconds += 30) {
          if (seconds === 120) await ask('PEXPIRE', LOCK, '0')
          clock.advance(30_000)
          await other.check()
        }

        expect(doneBy(other)).toMatchObject([{ deleted: hang === 'before' ? 215 : 0, trigger: 'schedule', attempt: 1 }])
        expect(clock() - instant(SLOT)).toBeLessThanOrEqual(121_000)
        expect(await orderKeys()).toHaveLength(10)
        expect(await ask('GET', 'orderly:schedule:orders')).toBe(SLOT_NAME)
      },
    )
  })
})

it('a run does not hold up stopping: after a grace it is interrupted, and nothing is half done', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = fakeClock('2025-12-12T08:00:00+01:00')
  const connection = createMemoryConnection({ clock })
  const keys = async () => (await allKeys(connection.send)).toSorted()
  await connection.send(formerBotOrders.map(({ key, value }) => ['SET', key, value]))
  await connection.send([['SET', 'orderly:schedule:orders', '2025-12-08T23:59']])
  const before = await keys()
  const instance = await createInstance({ clock, connection })
  const scan = gate()
  instance.transport.onRequest = async (commands, carryOut) => {
    if (commands.some(([name]) => name === 'SCAN')) await scan.opened
    return await carryOut()
  }

  const started = instance.start()
  while (instance.transport.sent().every(([name]) => name !== 'SCAN')) await vi.advanceTimersByTimeAsync(1)
  const stopped = instance.stopSchedule()
  await vi.advanceTimersByTimeAsync(5_000)
  scan.open()
  await Promise.all([started, stopped])

  expect(instance.runs.map(({ code }) => code)).toEqual(['INTERRUPTED'])
  expect(await keys()).toEqual([...before, 'orderly:sweeps:orders'])
  expect(await connection.send([['GET', 'orderly:schedule:orders']])).toEqual(['2025-12-08T23:59'])
})

/** Starts one and resolves when it has booted. */
async function startProcess(task: ScheduleTask) {
  const file = join(import.meta.dirname, '../support/schedule-process.ts')
  const words = ['--import', 'tsx', file, JSON.stringify(task)]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const heard = async (): Promise<ScheduleState> => JSON.parse(String((await lines.next()).value))
  const first = await heard()
  return {
    first,
    moveTo: async (iso: string) => {
      child.stdin.write(`${iso}\n`)
      return await heard()
    },
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
