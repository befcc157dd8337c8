import { describe, expect, it } from 'vitest'
import type { BudgetWarning } from '../../src/redis/budget/budget-report.ts'
import { warningText } from '../../src/telegram/warning-text.ts'
import { aBudgetReport } from '../support/budget-report.ts'

const warnings: readonly BudgetWarning[] = [80, 90, 95, 'forecast', 'limit']
const { forecast } = aBudgetReport()

/** With ordinary spaces, as a test is written. */
const linesOf = (...given: Parameters<typeof warningText>) =>
  warningText(...given)
    .replaceAll(/[\u202f\u00a0]/g, ' ')
    .split('\n')

describe('The text of a warning', () => {
  it('of a share says what is used, when the limit and the reset come, and what is beyond', () => {
    expect(linesOf(80, aBudgetReport({ used: 409_613, share: 0.819226 })).slice(0, 3)).toEqual([
      '⚠️ The mark of 80 % is reached: 409 613 of 500 000 commands used (82 %).',
      'At this pace the limit is reached around 28 Nov; the counter starts from 0 on 1 Dec.',
      'Beyond the limit every command is refused, reads too. Paid as you go, 100 000 commands cost $0.20: $0.08 for what goes beyond the limit until 1 Dec.',
    ])
  })

  it('of a share that lasts says so', () => {
    const lasting = { ...forecast, end: 450_000, limitOn: null, limitAtMs: null, costUsd: 0 }

    expect(linesOf(80, aBudgetReport({ used: 405_000, share: 0.81, forecast: lasting })).slice(1, 3)).toEqual([
      'At this pace they last until the counter starts from 0 on 1 Dec.',
      'Beyond the limit every command is refused, reads too. Paid as you go, 100 000 commands cost $0.20.',
    ])
  })

  it('of a share says so where the limit is behind', () => {
    const behind = aBudgetReport({ used: 503_000, share: 1.006, forecast: { ...forecast, limitOn: '2025-11-19' } })

    expect(linesOf(95, behind)[1]).toBe(
      'By this count the limit was reached on 19 Nov; the counter starts from 0 on 1 Dec.',
    )
  })

  it('of a forecast says what is expected, with its range', () => {
    expect(linesOf('forecast', aBudgetReport()).slice(0, 2)).toEqual([
      "📈 At this pace the month's 500 000 Redis commands are used up around 28 Nov, before the counter starts from 0 on 1 Dec.",
      'So far 359 613 are used; by the end of the month it will be about 539K (518K to 561K). Then the counter starts from 0 on 1 Dec.',
    ])
  })

  it('of the limit says what happens to orders, buttons and cleanups until the reset', () => {
    expect(linesOf('limit', aBudgetReport({ isLimitReached: true })).slice(0, 3)).toEqual([
      "⛔ The provider's limit is reached: it refuses every Redis command, reads too, until its reset on 1 Dec.",
      'Orders that come in now are answered 503 and are not stored: they are in only once their sender tries again after that. Buttons on cards and cleanups fail until then.',
      'A paid plan ends this at once. Paid as you go, 100 000 commands cost $0.20: $0.08 for what goes beyond the limit until 1 Dec.',
    ])
  })

  it('of the limit offers what saves commands for the next month only', () => {
    const lines = linesOf('limit', aBudgetReport({ isLimitReached: true }))

    expect(lines.slice(lines.indexOf('What helps now:'), -2).map((line) => line.replace(/:.+/, ''))).toEqual([
      'What helps now:',
      '• a paid plan',
      'What helps for the next month:',
      '• fewer features',
      '• a stricter retention',
    ])
    expect(linesOf(95, aBudgetReport())).toContain('What helps:')
  })

  it.each(warnings)(
    '%s names the reset, the price, every way out, and that deleting does not lower the counter',
    (warning) => {
      for (const costUsd of [0, 0.003, 2.5]) {
        const text = linesOf(warning, aBudgetReport({ forecast: { ...forecast, costUsd } })).join('\n')
        for (const part of [
          '1 Dec',
          '$0.20',
          'a paid plan',
          'fewer features',
          'a stricter retention',
          'RETENTION_DAYS',
        ]) {
          expect(text).toContain(part)
        }
        expect(text).toMatch(/Deleting orders saves .* It does not lower the counter\.$/)
        expect(text).not.toMatch(/undefined|null|NaN|\$0\.00/)
        expect(text.length).toBeLessThanOrEqual(4_096)
      }
    },
  )
})
