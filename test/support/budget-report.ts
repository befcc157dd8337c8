import { isoInstant } from '../../src/calendar.ts'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { instant } from './clock.ts'

const zone = 'Europe/Berlin'
const atMs = instant('2025-11-20T12:00:00+01:00')

const dates = Array.from({ length: 20 }, (_, at) => `2025-11-${String(at + 1).padStart(2, '0')}`)

/** A report whose every figure is known and told apart: the 20th of a month that will end beyond its limit. */
export const aBudgetReport = (given: Partial<BudgetReport> = {}): BudgetReport => ({
  at: isoInstant(atMs, zone),
  atMs,
  zone,
  month: {
    name: '2025-11',
    firstDay: '2025-11-01',
    lastDay: '2025-11-30',
    resetsOn: '2025-12-01',
    length: 30,
    startMs: instant('2025-11-01T00:00:00+01:00'),
    endMs: instant('2025-12-01T00:00:00+01:00'),
  },
  day: 20,
  limit: 500_000,
  isEnforced: true,
  used: 359_613,
  share: 0.719226,
  own: 340_000,
  provider: { source: 'info', used: 359_613 },
  difference: 'The provider counts 19 613 more than Orderly.',
  countedFrom: isoInstant(instant('2025-11-01T00:00:00+01:00'), zone),
  days: dates.map((date, at) => ({
    date,
    own: 17_000,
    others: at < 10 ? 0 : 1_961.3,
    orders: 45,
    cleanups: at === 7 ? 1 : 0,
  })),
  purposes: [
    { name: 'orders', commands: 339_000 },
    { name: 'sweep:orders', commands: 600 },
    { name: 'usage', commands: 400 },
  ],
  commands: [
    { name: 'APPEND', commands: 330_000 },
    { name: 'SET', commands: 10_000 },
  ],
  forecast: {
    end: 539_000,
    low: 518_000,
    high: 561_000,
    perDay: 17_900,
    limitOn: '2025-11-28',
    limitAtMs: instant('2025-11-28T07:00:00+01:00'),
    costUsd: 0.08,
    isFirm: true,
    isEarly: false,
  },
  orders: { count: 900, commandsPerOrder: 377.8, usualPerDay: 45, tomorrow: 17_000 },
  storage: { usedBytes: 1_500_000, limitBytes: 268_435_456 },
  bandwidth: { sweepBytes: 750_000, usedBytes: 40_000_000 },
  mode: 'normal',
  isLimitReached: false,
  ...given,
})

/** The same where neither the provider nor the future is known. */
export const anUncertainReport = (given: Partial<BudgetReport> = {}): BudgetReport => {
  const { bandwidth, forecast, orders, ...others } = aBudgetReport()
  return {
    ...others,
    provider: null,
    difference: null,
    forecast: { ...forecast, limitOn: null, limitAtMs: null },
    orders: { ...orders, count: 0, commandsPerOrder: null, usualPerDay: null, tomorrow: null },
    storage: null,
    bandwidth: { ...bandwidth, usedBytes: null },
    ...given,
  }
}
