import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compact } from '../../src/charts/compact.ts'
import { short } from '../../src/redis/budget/number-text.ts'
import { drawable, fitText } from '../../src/charts/drawable.ts'
import { textWidth } from '../../src/charts/text-width.ts'
import { inter } from '../support/inter.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 400 })

describe('a text for a picture', () => {
  it.each([
    ['359\u202f613 of 500\u202f000', '359\u2009613 of 500\u2009000'],
    ['518K–561K', '518K–561K'],
    ['a\u00a0b\tc\nd', 'a b c d'],
    ['x\u0000\u0007\u001b\u007f\u0085y', 'xy'],
    ['\u202eabc\u202c\u200f', 'abc'],
    ['Zürich, Åre, Łódź', 'Zürich, Åre, ?ód?'],
    ['u\u0308ber', 'über'],
    ['→ ✓ 😀 日本', '? ? ? ??'],
    ['\ud800', ''],
  ])('is %j as %j', (text, drawn) => {
    expect(drawable(text)).toBe(drawn)
  })

  it('never holds what the fonts lack', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const character of drawable(text)) {
          expect(inter.regular.has(character) && inter.bold.has(character)).toBe(true)
        }
      }),
    )
  })

  it('has the width that the fonts give it, of accented letters nearly', () => {
    for (const bold of [false, true]) {
      const font = bold ? inter.bold : inter.regular
      for (let code = 0x20; code < 0x7f; code += 1) {
        const character = String.fromCodePoint(code)
        expect(textWidth(character, { size: 1, bold })).toBeCloseTo(font.width(character), 10)
      }
      for (const character of ['\u2009', '–', '…', 'ß']) {
        expect(textWidth(character, { size: 1, bold })).toBeCloseTo(font.width(character), 10)
      }
      for (const character of 'äöüÄÖÜéèçñåø') {
        const drawn = drawable(character)
        expect(Math.abs(textWidth(drawn, { size: 1, bold }) - font.width(drawn))).toBeLessThan(0.02)
      }
    }
  })

  it('always fits after fitting, and is whole where it can be', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), fc.integer({ min: 100, max: 800 }), (text, bold, width) => {
        const drawn = drawable(text)
        const fitted = fitText(drawn, { size: 20, bold, width })

        expect(textWidth(fitted.text, { size: fitted.size, bold })).toBeLessThanOrEqual(width + 1e-9)
        expect(fitted.size).toBeGreaterThanOrEqual(15)
        const isWhole = textWidth(drawn, { size: 15, bold }) <= width
        expect([drawn, `${fitted.text.slice(0, -1)}…`].indexOf(fitted.text)).toBe(isWhole ? 0 : 1)
      }),
    )
  })
})

/** What a count in a picture stands for. */
function valueOf(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,3}(?:\.\d{1,2})?)([KMBT]?)$/.exec(text) ?? []
  return Number(digits) * 1_000 ** ['', 'K', 'M', 'B', 'T'].indexOf(unit)
}

describe('a count in a picture', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [999.6, '1K'],
    [1_000, '1K'],
    [1_234, '1.2K'],
    [9_949, '9.9K'],
    [9_950, '10K'],
    [359_613, '360K'],
    [500_000, '500K'],
    [999_499, '999K'],
    [999_500, '1M'],
    [12_340_000, '12M'],
    [1e12, '1T'],
    [999_499_999_999_999, '999T'],
    [1e15, '>999T'],
    [Infinity, '>999T'],
  ])('of %d is %s', (value, text) => {
    expect(compact(value)).toBe(text)
  })

  it('never takes more than five characters, is told as beside the picture, and never falls when the count rises', () => {
    const count = fc.double({ min: 0, max: 14.9, noNaN: true }).map((power) => Math.floor(10 ** power))
    fc.assert(
      fc.property(count, count, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)]

        expect(compact(high).length).toBeLessThanOrEqual(5)
        expect(compact(one)).toBe(short(one))
        expect(valueOf(compact(low))).toBeLessThanOrEqual(valueOf(compact(high)))
        expect(Math.abs(valueOf(compact(one)) - one)).toBeLessThanOrEqual(one * 0.05 + 1e-6)
      }),
    )
  })
})
