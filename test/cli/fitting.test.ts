import { stripVTControlCharacters } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitting } from '../../src/cli/fitting.ts'

const text = (...lengths: readonly number[]) => lengths.map((length) => 'x'.repeat(length)).join('\n')

describe('a text on a terminal', () => {
  it.each([
    ['with room for it', text(1, 1, 1), 4],
    ['with colours, which take none', `\u001b[32m${'x'.repeat(10)}\u001b[39m`, 2],
  ])('%s is left as it is', (_, whole, rows) => {
    expect(fitting(whole, { rows, columns: 10 })).toBe(whole)
  })

  it.each([
    [text(1, 1, 1, 1), 4, 2],
    [text(11, 1, 1, 1), 4, 1],
    [text(1, 30, 1, 1), 6, 2],
    [text(0, 0, 0, 0, 0), 5, 3],
  ])('%j of too many for %i rows is cut after %i lines, and says how many there are besides', (whole, rows, shown) => {
    const lines = whole.split('\n')

    expect(fitting(whole, { rows, columns: 10 }).split('\n')).toEqual([
      ...lines.slice(0, shown),
      `… and ${lines.length - shown} more lines: see them without --watch`,
    ])
  })

  it('never takes more lines than there are rows above the cursor, and always shows the first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 3, max: 40 }), (lengths, rows) => {
        const shown = fitting(text(...lengths), { rows, columns: 50 })

        expect(stripVTControlCharacters(shown).split('\n').length).toBeLessThan(rows)
        expect(shown.split('\n')[0]).toBe('x'.repeat(lengths[0] ?? 0))
      }),
    )
  })
})
