import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { RedisError } from '../../../src/errors.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import type { DeveloperAnswer } from '../../../src/redis/budget/developer-api.ts'
import { createProvider, type ProviderOptions } from '../../../src/redis/budget/provider.ts'
import type { MonthUsage } from '../../../src/redis/budget/usage.ts'
import { fakeClock, instant } from '../../support/clock.ts'

const ZONE = 'Europe/Berlin'
const MB = 1_000_000

/** The INFO of an Upstash database, as far as it is read. */
const upstash = (processed: number | string, ...lines: readonly string[]) =>
  [
    '# Stats',
    `total_commands_processed:${processed}`,
    'total_data_size:51000000',
    'max_data_size:256000000',
    ...lines,
  ].join('\r\n')

/** A month's hash that instances share, as Redis keeps it. */
const sharedMarks = () => new Map<string, string>()

interface RigOptions {
  readonly at?: string
  readonly resetDay?: number
  readonly marks?: Map<string, string>
  readonly api?: DeveloperAnswer
}

/** One instance: its provider, the server's answer, and what it counted itself. */
function rig({ at = '2026-11-01T00:10:00+01:00', resetDay = 1, marks = sharedMarks(), api }: RigOptions = {}) {
  const clock = fakeClock(at)
  const state = { info: upstash(1_000) as string | RedisError, own: 0, known: new Map(marks), writes: 0 }
  const usage: ProviderOptions['usage'] = {
    known: (): MonthUsage => ({
      month: budgetMonthAt(clock(), { resetDay, zone: ZONE }),
      countedFromMs: clock(),
      days: { '2026-11-01': { commands: { orders: { GET: state.own } }, orders: 0, sweepBytes: 0 } },
      prior: [],
      marks: state.known,
    }),
    putOnce: async (mark: string, value: string) => {
      state.writes += 1
      if (marks.has(mark)) return false
      marks.set(mark, value)
      return true
    },
    put: async (mark: string, value: string) => {
      state.writes += 1
      marks.set(mark, value)
    },
  }
  const send: ProviderOptions['send'] = async () => {
    if (state.info instanceof RedisError) throw state.info
    return [state.info]
  }
  const developerApi = api && { look: async () => api }
  const provider = createProvider({ send, clock, usage, resetDay, ...(developerApi && { developerApi }) })
  const reload = () => void (state.known = new Map(marks))
  return { provider, clock, state, marks, reload }
}

const withoutRoom = () => Promise.reject(new RedisError('REDIS_FULL', 'No room.'))

const startOf = (iso: string) => budgetMonthAt(Date.parse(iso), { resetDay: 1, zone: ZONE }).startMs

describe('the running total of an Upstash database', () => {
  it('counts from the baseline of the month, with what Orderly had counted before it', async () => {
    const { provider, state } = rig()
    state.own = 40

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 40 })

    state.info = upstash(1_500)
    expect((await provider.look())?.count).toEqual({ source: 'info', used: 540 })
  })

  it('costs one command a month, however often it is looked at', async () => {
    const { provider, state, reload } = rig()

    await Promise.all([provider.look(), provider.look()])
    await provider.look()
    reload()
    await provider.look()

    expect(state.writes).toBe(1)
  })

  it('has one baseline for all instances: the first one counts', async () => {
    const marks = sharedMarks()
    const [first, second] = [rig({ marks }), rig({ marks })]
    await first.provider.look()
    second.state.info = upstash(1_200)

    expect((await second.provider.look())?.count).toBeNull()
    expect((await second.provider.look())?.count).toBeNull()
    expect(second.state.writes).toBe(1)

    second.reload()
    expect((await second.provider.look())?.count).toEqual({ source: 'info', used: 200 })
  })

  it('survives a restart of the process', async () => {
    const before = rig()
    await before.provider.look()
    const after = rig({ marks: before.marks, at: '2026-11-12T12:00:00+01:00' })
    after.state.info = upstash(9_000)

    expect((await after.provider.look())?.count?.used).toBe(8_000)
    expect(after.state.writes).toBe(0)
  })

  it('begins anew from our own count when the server begins anew', async () => {
    const { provider, state, reload } = rig()
    await provider.look()
    state.own = 700
    state.info = upstash(5)

    expect((await provider.look())?.count?.used).toBe(700)
    state.info = upstash(105)
    expect((await provider.look())?.count?.used).toBe(800)
    reload()
    expect((await provider.look())?.count?.used).toBe(800)
    expect(state.writes).toBe(2)
  })

  it('begins anew a second time, too', async () => {
    const { provider, state } = rig()
    await provider.look()
    state.info = upstash(500)
    await provider.look()
    state.own = 30
    state.info = upstash(2)

    expect((await provider.look())?.count?.used).toBe(30)
  })

  it('has a new baseline in each month', async () => {
    const { provider, state, clock, marks } = rig()
    await provider.look()
    clock.moveTo('2026-12-01T00:20:00+01:00')
    marks.clear()
    state.info = upstash(50_000)

    expect((await provider.look())?.count?.used).toBe(0)
    expect(state.writes).toBe(2)
  })

  it.each([
    'what',
    '{}',
    '[]',
    'null',
    '{"at":"1","processed":1,"own":1}',
    '{"at":1793487600000,"processed":-1,"own":0}',
    '{"at":1793487600000,"processed":1e999,"own":0}',
    '{"at":1,"processed":1,"own":0}',
    '{"at":4102444800000,"processed":1,"own":0}',
    '{"__proto__":{"at":1}}',
  ])('replaces a stored baseline that cannot be one: %s', async (text) => {
    const { provider, state, marks } = rig({ marks: new Map([['baseline', text]]) })

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 0 })
    expect(state.writes).toBe(1)
    expect(JSON.parse(marks.get('baseline') ?? '')).toEqual({
      at: Date.parse('2026-11-01T00:10:00+01:00'),
      processed: 1_000,
      own: 0,
    })
  })

  it('covers the whole month from a baseline of its first hour, and else the time from the baseline on', async () => {
    const early = rig()
    const late = rig({ at: '2026-11-05T12:00:00+01:00' })

    expect((await early.provider.look())?.coversFromMs).toBe(startOf('2026-11-01T12:00:00+01:00'))
    expect((await late.provider.look())?.coversFromMs).toBe(late.clock())
  })

  it('never counts less than Orderly had counted at the baseline, nor falls while the total rises', async () => {
    const steps = fc.array(fc.record({ theirs: fc.nat(1_000), ours: fc.nat(100) }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(10_000), async (spent, own) => {
        const { provider, state } = rig()
        state.own = own
        let [total, before] = [1_000, own]
        for (const { theirs, ours } of spent) {
          total += theirs + ours
          state.own += ours
          state.info = upstash(total)
          const used = (await provider.look())?.count?.used ?? -1
          expect(used).toBeGreaterThanOrEqual(before)
          before = used
        }
      }),
    )
  })
})

describe('a server', () => {
  it.each([
    ['one of somebody’s own', 'redis_version:7.2.4\r\ntotal_commands_processed:12\r\nused_memory:1000'],
    ['one that is embedded', 'redis_version:0\r\n'],
    ['one that tells nothing', ''],
  ])('that bills nobody is asked for nothing: %s', async (_, info) => {
    const { provider, state } = rig()
    state.info = info

    expect(await provider.look()).toBeNull()
    expect(state.writes).toBe(0)
  })

  it.each(['REDIS_UNREACHABLE', 'REDIS_LIMIT', 'REDIS_REFUSED'] as const)(
    'that fails (%s) tells nothing',
    async (code) => {
      const { provider, state } = rig()
      state.info = new RedisError(code, 'No.')

      expect(await provider.look()).toBeNull()
    },
  )

  it('whose answer is a defect of ours is no matter of course', async () => {
    const { clock, provider } = rig()
    const broken = createProvider({
      send: () => Promise.reject(new TypeError('a defect')),
      clock,
      resetDay: 1,
      usage: { known: () => expect.unreachable(), putOnce: async () => true, put: async () => undefined },
    })

    await expect(broken.look()).rejects.toThrow('a defect')
    expect(await provider.look()).not.toBeNull()
  })

  it.each(['', '-5', '1.5', 'NaN', '12345678901234567', '1e3'])('has no count where it tells %j', async (text) => {
    const { provider, state } = rig()
    state.info = upstash(text)

    expect(await provider.look()).toMatchObject({ count: null, storage: { usedBytes: 51 * MB } })
    expect(state.writes).toBe(0)
  })

  it('tells how much is stored and how much may be, unless it tells no number', async () => {
    const { provider, state } = rig()
    expect((await provider.look())?.storage).toEqual({ usedBytes: 51 * MB, limitBytes: 256 * MB })

    state.info = 'total_commands_processed:1\r\ntotal_data_size:5\r\nmax_data_size:256MB'
    expect((await provider.look())?.storage).toEqual({ usedBytes: 5, limitBytes: null })

    state.info = 'total_commands_processed:1\r\nmax_data_size:256000000'
    expect((await provider.look())?.storage).toBeNull()
  })

  it('that cannot keep a baseline still tells what is stored', async () => {
    const { clock } = rig()
    const known = (): MonthUsage => ({
      month: budgetMonthAt(clock(), { resetDay: 1, zone: ZONE }),
      countedFromMs: clock(),
      days: {},
      prior: [],
      marks: new Map(),
    })
    const provider = createProvider({
      send: async () => [upstash(7)],
      clock,
      resetDay: 1,
      usage: { known, putOnce: withoutRoom, put: async () => undefined },
    })

    expect(await provider.look()).toMatchObject({ count: null, storage: { usedBytes: 51 * MB } })
  })
})

describe('the developer API', () => {
  const figures = {
    isTold: true,
    atMs: Date.parse('2026-11-20T11:55:00Z'),
    requests: 359_613,
    bandwidthBytes: 7,
    storageBytes: 9,
    storageLimitBytes: 100,
    requestLimit: 500_000,
  } as const
  const at = '2026-11-20T13:00:00+01:00'

  it('has the word about the count of a calendar month', async () => {
    const { provider } = rig({ at, api: figures })

    expect(await provider.look()).toEqual({
      count: { source: 'developer-api', used: 359_613 },
      coversFromMs: startOf(at),
      running: { used: 0, fromMs: instant(at) },
      storage: { usedBytes: 51 * MB, limitBytes: 256 * MB },
      bandwidthBytes: 7,
    })
  })

  it('does not have it with another reset day, but its bandwidth is told', async () => {
    const { provider } = rig({ at, resetDay: 5, api: figures })

    expect(await provider.look()).toMatchObject({ count: { source: 'info', used: 0 }, bandwidthBytes: 7 })
  })

  it.each([
    ['before the month begins in UTC', '2026-12-01T00:30:00+01:00', '2026-11-30T23:30:00Z'],
    ['in the first hour in UTC', '2026-12-01T01:40:00+01:00', '2026-12-01T00:40:00Z'],
  ])('does not have it %s, when it may still tell the month before', async (_, now, toldAt) => {
    const { provider } = rig({ at: now, api: { ...figures, atMs: Date.parse(toldAt) } })

    expect((await provider.look())?.count).toEqual({ source: 'info', used: 0 })
  })

  it('leaves the count to the running total where it does not tell one', async () => {
    const { provider } = rig({ at, api: { ...figures, requests: null } })

    expect((await provider.look())?.count?.source).toBe('info')
  })

  it('tells alone what it can where the database does not answer', async () => {
    const { provider, state } = rig({ at, api: figures })
    state.info = new RedisError('REDIS_LIMIT', 'No.')

    expect(await provider.look()).toMatchObject({
      count: { source: 'developer-api', used: 359_613 },
      storage: { usedBytes: 9, limitBytes: 100 },
    })
  })

  it('changes nothing where it fails', async () => {
    const { provider } = rig({ at, api: { isTold: false, isRefused: true, why: 'it answered with status 401' } })

    expect(await provider.look()).toMatchObject({ count: { source: 'info' }, bandwidthBytes: null })
  })
})
