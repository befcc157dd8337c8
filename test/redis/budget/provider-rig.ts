import { RedisError } from '../../../src/errors.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import type { DeveloperAnswer } from '../../../src/redis/budget/developer-api.ts'
import { createProvider, type ProviderOptions } from '../../../src/redis/budget/provider.ts'
import type { MonthUsage } from '../../../src/redis/budget/usage.ts'
import { fakeClock } from '../../support/clock.ts'

export const ZONE = 'Europe/Berlin'
export const MB = 1_000_000

/** The INFO of an Upstash database, as far as it is read. */
export const upstash = (processed: number | string, ...lines: readonly string[]) =>
  [
    '# Stats',
    `total_commands_processed:${processed}`,
    'total_data_size:51000000',
    'max_data_size:256000000',
    ...lines,
  ].join('\r\n')

/** A month's hash that instances share, as Redis keeps it. */
export const sharedMarks = () => new Map<string, string>()

interface RigOptions {
  readonly at?: string
  readonly resetDay?: number
  readonly marks?: Map<string, string>
  readonly api?: DeveloperAnswer
}

/** One instance: its provider, the server's answer, and what it counted itself. */
export function rig({ at = '2026-11-01T00:10:00+01:00', resetDay = 1, marks = sharedMarks(), api }: RigOptions = {}) {
  const clock = fakeClock(at)
  const state = { info: upstash(1_000) as string | RedisError, own: 0, known: new Map(marks), writes: 0, api }
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
  const silent: DeveloperAnswer = { isTold: false, isRefused: false, why: 'it did not answer' }
  const developerApi = api && { look: async () => state.api ?? silent }
  const provider = createProvider({ send, clock, usage, resetDay, ...(developerApi && { developerApi }) })
  /** What a look says when the server's running total is so high. */
  const countAt = async (processed: number) => {
    state.info = upstash(processed)
    return (await provider.look())?.count ?? null
  }
  const reload = () => void (state.known = new Map(marks))
  return { provider, usage, clock, state, marks, countAt, reload }
}
