import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'
import { bytesText, columns, counted, printable } from '../../src/cli/text.ts'
import { steeringIn } from '../support/cli.ts'
import { fakeClock } from '../support/clock.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 300 })

describe('printable', () => {
  it.each([
    ['Straße 17, 2. Stock 🏠', 'Straße 17, 2. Stock 🏠'],
    ['한국어 עברית', '한국어 עברית'],
    ['\u001b[31mred\u001b[0m', String.raw`\u{1b}[31mred\u{1b}[0m`],
    ['a\nb\r\tc', String.raw`a\u{a}b\u{d}\u{9}c`],
    ['\0', String.raw`\u{0}`],
    ['\u009b2J', String.raw`\u{9b}2J`],
    ['\u202egnp', String.raw`\u{202e}gnp`],
    ['a\u2028b', String.raw`a\u{2028}b`],
    ['', ''],
  ])('%j becomes %s', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('never lets a character through that steers a terminal or hides text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(steeringIn(printable(text))).toEqual([])
        expect(printable(text)).not.toMatch(/[\n\p{Cc}\p{Cf}]/u)
      }),
    )
  })

  it('is never longer than asked, and says with a sign that it was cut', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 80 }), (text, most) => {
        const shown = printable(text, most)
        expect(shown.length).toBeLessThanOrEqual(most + 1)
        expect(shown.length > most).toBe(shown.endsWith('…') && shown.length === most + 1)
      }),
    )
    expect(printable('a'.repeat(121))).toBe(`${'a'.repeat(120)}…`)
    expect(printable('a'.repeat(120))).toBe('a'.repeat(120))
  })

  it('cuts between characters, never inside an emoji', () => {
    for (const most of [1, 2, 3, 4]) expect(printable('🏠🏠🏠', most)).not.toMatch(/\p{Surrogate}/u)
  })
})

describe('columns', () => {
  it('are aligned by the widest cell, two spaces apart, without spaces at the end', () => {
    expect(
      columns([
        ['a', 'bb', 'c'],
        ['aaaa', 'b', ''],
      ]),
    ).toBe('  a     bb  c\n  aaaa  b')
  })

  it('stand rows of different lengths, and none', () => {
    expect(columns([['a'], ['bb', 'c']])).toBe('  a\n  bb  c')
    expect(columns([])).toBe('')
  })
})

describe('counted and bytesText', () => {
  it.each([
    [0, '0 orders'],
    [1, '1 order'],
    [2, '2 orders'],
  ])('%i is %s', (count, text) => {
    expect(counted(count, 'order')).toBe(text)
  })

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [267_049, '267.0 kB'],
    [3_000_000, '3.0 MB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text)
  })
})

function rig(isTerminal: boolean) {
  const clock = fakeClock('2025-12-08T21:00:00+01:00')
  const said: string[] = []
  return { clock, said, progress: createProgress({ isTerminal, stderr: (text) => void said.push(text) }, clock) }
}

/** Goes to the start of the line and empties it. */
const REWIND = '\r\u001b[K'

describe('progress', () => {
  it('is silent where stderr is no terminal', () => {
    const { clock, said, progress } = rig(false)

    for (let at = 0; at < 100; at++) {
      clock.advance(1_000)
      progress.show(`${at} orders judged`)
    }
    progress.clear()

    expect(said).toEqual([])
  })

  it('is silent in the first second', () => {
    const { clock, said, progress } = rig(true)

    progress.show('at once')
    clock.advance(999)
    progress.show('soon')
    progress.clear()

    expect(said).toEqual([])
  })

  it('overwrites one line at most five times a second, and removes it', () => {
    const { clock, said, progress } = rig(true)

    clock.advance(1_000)
    for (let at = 0; at < 100; at++) {
      progress.show(`${at} orders judged`)
      clock.advance(10)
    }
    progress.clear()

    const lines = said.slice(0, -1)
    expect(lines).toHaveLength(5)
    expect(lines.map((line) => line.replace(/\d+/, 'N'))).toEqual(lines.map(() => `${REWIND}N orders judged`))
    expect(said.at(-1)).toBe(REWIND)
  })
})
