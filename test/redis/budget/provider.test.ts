import { describe, expect, it } from 'vitest'
import { RedisError } from '../../../src/errors.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import { createProvider } from '../../../src/redis/budget/provider.ts'
import type { MonthUsage } from '../../../src/redis/budget/usage.ts'
import { fakeClock } from '../../support/clock.ts'
import { MB, rig, upstash, ZONE } from './provider-rig.ts'

const withoutRoom = () => Promise.reject(new RedisError('REDIS_FULL', 'No room.'))

const storageOf = async (info: string) => {
  const { provider, state } = rig()
  state.info = info
  return (await provider.look())?.storage
}

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
    const { clock, provider, usage } = rig()
    const broken = createProvider({
      send: () => Promise.reject(new TypeError('a defect')),
      clock,
      resetDay: 1,
      usage,
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
    expect(await storageOf(upstash(1))).toEqual({ usedBytes: 51 * MB, limitBytes: 256 * MB })
    expect(await storageOf('total_commands_processed:1\r\ntotal_data_size:5\r\nmax_data_size:256MB')).toEqual({
      usedBytes: 5,
      limitBytes: null,
    })
    expect(await storageOf('total_commands_processed:1\r\nmax_data_size:256000000')).toBeNull()
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

describe('what was told once in a month', () => {
  it.each([
    ['the database does not answer', new RedisError('REDIS_UNREACHABLE', 'No.')],
    ['the database tells nothing', ''],
    ['the running total is missing', 'total_data_size:51000000\r\nmax_data_size:256000000'],
    ['only the running total is told', 'total_commands_processed:9000\r\nmax_data_size:256000000'],
  ])('stands while %s', async (_, info) => {
    const { provider, state } = rig()
    await provider.look()
    state.info = upstash(9_000)
    const before = await provider.look()
    state.info = info

    expect(await provider.look()).toEqual(before)
    expect(before?.count?.used).toBe(8_000)
  })

  it('is forgotten in the next month', async () => {
    const { provider, state, clock } = rig()
    await provider.look()
    state.info = new RedisError('REDIS_UNREACHABLE', 'No.')
    clock.moveTo('2026-12-01T00:20:00+01:00')

    expect(await provider.look()).toBeNull()
  })

  it('does not come from a look that went on over the end of a month', async () => {
    const clock = fakeClock('2026-11-30T23:59:59+01:00')
    const known = () => rig({ at: new Date(clock()).toISOString() }).usage.known()
    const provider = createProvider({
      send: async () => {
        clock.moveTo('2026-12-01T00:00:01+01:00')
        return [upstash(7)]
      },
      clock,
      resetDay: 1,
      usage: { known, putOnce: async () => true, put: async () => undefined },
    })

    expect(await provider.look()).toBeNull()
    expect(await provider.look()).toMatchObject({ count: { used: 0 } })
  })
})
