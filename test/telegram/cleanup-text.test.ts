import { describe, expect, it } from 'vitest'
import { cleanupText } from '../../src/telegram/cleanup-text.ts'
import { aReport } from './reports.ts'

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
