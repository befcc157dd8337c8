import { describe, expect, it } from 'vitest'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { cleanupText } from '../../src/telegram/cleanup-text.ts'

const aReport = (given: Partial<SweepReport>): SweepReport => ({
  id: '01KMQF6WW00000000000000001',
  startedAt: '2025-12-08T21:00:00.000+01:00',
  attempt: 1,
  sweep: 'orders',
  trigger: 'command',
  by: '5',
  dryRun: false,
  asOf: '2025-12-08T21:00:00.000+01:00',
  zone: 'Europe/Berlin',
  days: 2,
  cutoff: '2025-12-06T00:00:00.000+01:00',
  extendedCutoff: '2025-12-04T00:00:00.000+01:00',
  outcome: 'done',
  because: null,
  scanned: 225,
  due: 143,
  deleted: 143,
  kept: 82,
  keptOpen: 0,
  unreadable: { count: 0, sample: [] },
  parts: null,
  commands: {},
  billedCommands: 0,
  requests: 0,
  valueBytes: 0,
  durationMs: 400,
  ...given,
})

describe('the answer to /cleanup', () => {
  it('begins with the five lines that scripts and habits rely on', () => {
    expect(cleanupText(aReport({})).split('\n').slice(0, 5)).toEqual([
      '✅ Redis cleanup complete!',
      '',
      '📊 Deleted: 143 orders',
      '📅 Cutoff date: 2025-12-06',
      '📅 Kept: Orders from 2025-12-06 onwards',
    ])
  })

  it('leaves lines out that would say zero', () => {
    const text = cleanupText(aReport({}))

    expect(text).not.toMatch(/open|Unreadable|Redis commands/)
    expect(text.split('\n')).toHaveLength(6)
  })

  it('tells what else somebody should know', () => {
    const counts = {
      keptOpen: 3,
      unreadable: { count: 2, sample: ['order:x'] },
      billedCommands: 8,
      commands: { SCAN: 1 },
    }

    expect(cleanupText(aReport(counts))).toMatch(/open: 3.*2025-12-04[^]*Unreadable, kept: 2[^]*commands: 8 \(SCAN 1\)/)
  })

  it.each(['failed', 'stopped'] as const)('of a run that %s says why, and what was deleted until then', (outcome) => {
    const text = cleanupText(aReport({ outcome, because: 'Redis did not answer a deletion.', deleted: 57 }))

    expect(text).toMatch(/Redis did not answer a deletion\.[^]*57 orders/)
    expect(text).not.toMatch('complete')
  })
})
