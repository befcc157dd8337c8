import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeResult, encodeResult } from '../../src/executions/values.ts'

const PLACE = { key: 'x-results', task: 'pay' }
const minusZeros = fc.constantFrom(-0, 0, '-0', '"-0"', 'a"-0', '-0-', '\\', { '-0': -0 }, [-0, { '-0-': '-0' }])
const value = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(minusZeros),
  fc.dictionary(fc.constantFrom('-0', '-0-', '__proto__', 'x'), minusZeros),
)

describe('the text of a result', () => {
  it('always becomes the same value again', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(decodeResult(encodeResult(one, PLACE), PLACE)).toStrictEqual(toPlain(one))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is plain JSON as the store before this one wrote it, but for -0', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (one) => {
        fc.pre(!hasMinusZero(one))
        expect(encodeResult(one, PLACE)).toBe(JSON.stringify(one))
      }),
    )
  })

  it('is empty for undefined, and for what turns itself into it', () => {
    expect(encodeResult(undefined, PLACE)).toBe('')
    expect(encodeResult({ toJSON: () => undefined }, PLACE)).toBe('')
    expect(decodeResult('', PLACE)).toBe(undefined)
  })

  it('keeps its error on one line and cuts it after 80 characters, never within one', () => {
    const broken = `${'🛵\n'.repeat(40)}END`

    expect(() => decodeResult(broken, PLACE)).toThrow(`begins with: ${'🛵 '.repeat(40)}. Remove`)
  })
})

/** Dictionaries of fast-check may have no prototype, which JSON cannot tell. */
const toPlain = (one: unknown): unknown => {
  if (Array.isArray(one)) return one.map(toPlain)
  if (typeof one !== 'object' || one === null) return one
  return Object.fromEntries(Object.entries(one).map(([name, inner]) => [name, toPlain(inner)]))
}

const hasMinusZero = (one: unknown): boolean =>
  Object.is(one, -0) || (typeof one === 'object' && one !== null && Object.values(one).some(hasMinusZero))
