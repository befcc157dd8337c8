import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SweepPart, SweepReport } from '../../src/sweeps/report.ts'
import { cleanupText } from '../../src/telegram/cleanup-text.ts'
import { anInngestPlan, anInngestReport, aPart } from './reports.ts'

const linesOf = (report: SweepReport) => cleanupText(report).split('\n')

describe('the answer to /cleanup inngest', () => {
  it('tells the summary, the mode, both cutoffs, what went, and how long it took', () => {
    expect(linesOf(anInngestReport())).toEqual([
      '✅ Inngest cleanup complete!',
      '',
      '📊 Deleted 107 completed runs and 3 abandoned incomplete runs.',
      '🧭 Mode: aware of Redis (prefix estate)',
      '📅 Cutoff: 2025-11-08 21:00',
      '📅 Extended cutoff, for incomplete runs: 2025-10-09 21:00',
      '• completed runs: 107',
      '• abandoned incomplete runs: 3',
      '⏱ Took 1.2 s',
    ])
  })

  it('of a dry run tells what is due, never that anything was deleted', () => {
    const text = cleanupText(anInngestPlan())

    expect(text).toMatch(/^🔍 An Inngest cleanup that keeps 30 days would delete 110 runs\.\n/)
    expect(text).toContain('• completed runs: 107')
    expect(text).not.toMatch(/complete!|Deleted/)
  })

  it.each(['planned', 'done'] as const)(
    'of a run made dry by the configuration says so, though it ended %s',
    (outcome) => {
      const because = 'INNGEST_DRY_RUN is true: nothing was deleted.'

      const lines = linesOf(anInngestPlan({ outcome, because, days: 1, due: 1 }))

      expect(lines[0]).toBe('🔍 An Inngest cleanup that keeps 1 day would delete 1 run.')
      expect(lines).toContain(`ℹ️ ${because}`)
    },
  )

  it('names one cutoff where both are the same', () => {
    const { cutoff } = anInngestReport()

    expect(cleanupText(anInngestReport({ extendedCutoff: cutoff }))).not.toContain('Extended')
  })

  it('names no cutoff of queues, where what is kept goes by two ages and two numbers', () => {
    expect(cleanupText(anInngestReport({ sweep: 'bullmq' }))).not.toContain('Cutoff')
    expect(cleanupText(anInngestReport({ sweep: 'executions' }))).toContain('Cutoff')
  })

  it('names a part of nothing only where there is something to say of it', () => {
    const seenOnce = aPart({ name: 'orphaned state (Redis)', because: '5 seen once, due at the next pass' })

    const text = cleanupText(anInngestReport({ parts: [aPart({ name: 'spans', kept: 4 }), seenOnce] }))

    expect(text).toContain('• orphaned state (Redis): 0 (5 seen once, due at the next pass)')
    expect(text).not.toContain('spans')
  })

  it('tells what was kept only because nobody could tell whether it had ended', () => {
    const text = cleanupText(anInngestReport({ keptOpen: 12, unreadable: { count: 2, sample: [] } }))

    expect(text).toContain('🏃 Kept because incomplete: 12\n❓ Unreadable, kept: 2')
  })

  it.each([
    ['failed', '⚠️ The Inngest cleanup failed: The database does not answer.'],
    ['stopped', '⚠️ The Inngest cleanup stopped early: The database does not answer.'],
  ] as const)('of a run that %s says why once, and what was deleted until then', (outcome, first) => {
    const lines = linesOf(
      anInngestReport({ outcome, because: 'The database does not answer.', summary: null, parts: null, deleted: 57 }),
    )

    expect(lines.slice(0, 3)).toEqual([first, '', '📊 Deleted until then: 57 runs'])
    expect(lines.filter((line) => line.includes('does not answer'))).toHaveLength(1)
  })

  it.each([
    [
      'Another run holds the lock: schedule, started 2025-12-08T02:00:01.000+01:00.',
      '⏳ An Inngest cleanup is already running, started by the schedule at 2025-12-08 02:00.',
    ],
    [
      'Another cleaner holds the lock in the database.',
      '⏳ An Inngest cleanup is already running. Another cleaner holds the lock in the database.',
    ],
  ])('of a run that was kept out by another says by whom: %s', (because, text) => {
    expect(cleanupText(anInngestReport({ outcome: 'skipped', because }))).toBe(text)
  })

  it('cuts a long remark visibly and still ends with how long it took', () => {
    const text = cleanupText(anInngestReport({ because: '🍕'.repeat(5_000) }))

    expect(text).toMatch(/🍕…\n⏱ Took 1\.2 s$/u)
    expect(text.length).toBeLessThanOrEqual(4_096)
  })

  it('always fits one message', () => {
    const words = fc.string({ unit: 'binary', maxLength: 9_000 })
    const part: fc.Arbitrary<SweepPart> = fc.record({
      name: fc.string({ maxLength: 200 }),
      scanned: fc.nat(),
      due: fc.nat(),
      deleted: fc.nat(),
      kept: fc.nat(),
      because: fc.option(words),
    })
    const given = fc.record({
      outcome: fc.constantFrom('done', 'planned', 'skipped', 'stopped', 'failed'),
      dryRun: fc.boolean(),
      because: fc.option(words),
      summary: fc.option(words),
      mode: fc.option(words),
      parts: fc.option(fc.array(part, { maxLength: 60 })),
    })

    fc.assert(
      fc.property(given, (some) => {
        expect(cleanupText(anInngestReport(some)).length).toBeLessThanOrEqual(4_096)
      }),
    )
  })
})
