import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globTest } from '../../src/redis/memory/glob.ts'

describe('a glob pattern', () => {
  it.each([
    ['order:*', ['order:1', 'order:'], ['orders', 'xorder:1']],
    ['*', ['a', 'ü', 'a\nb'], []],
    ['a*b*c', ['abc', 'aXbYc', 'abcbc'], ['ab', 'abcd']],
    ['a?c', ['abc', 'a*c'], ['ac', 'abbc']],
    ['??', ['ab', 'ü'], ['a', 'abc']],
    ['[abc]', ['a', 'c'], ['d', 'ab']],
    ['[^abc]', ['d', '^'], ['a']],
    ['[a-c]x', ['ax', 'cx'], ['dx', '-x']],
    ['[c-a]x', ['bx'], ['dx']],
    ['[a-]', ['a', '_'], ['-', 'b']],
    [String.raw`[\]a]`, [']', 'a'], ['\\']],
    [String.raw`\*`, ['*'], ['a', String.raw`\*`]],
    [String.raw`a\?`, ['a?'], ['ab']],
    ['a\\', ['a\\'], ['a']],
    ['[abc', ['a', 'c'], ['d', '[abc']],
    ['a**', ['a', 'ab'], ['b']],
    ['a.c+(x|y)$', ['a.c+(x|y)$'], ['abc', 'abcx']],
  ])('%s takes what it should and nothing else', (pattern, taken, left) => {
    const test = globTest(pattern)

    expect(taken.filter((text) => !test(text))).toEqual([])
    expect(left.filter(test)).toEqual([])
  })

  it('takes any text that it spells with escapes', () => {
    const characters = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))

    fc.assert(
      fc.property(characters, (text) => {
        const pattern = text.map((character) => `\\${character}`).join('')
        expect(globTest(pattern)(text.join(''))).toBe(true)
      }),
    )
  })

  it('decides a hostile pattern in steps that grow no faster than the two lengths multiplied', () => {
    const test = globTest('a*'.repeat(2_000) + 'b')

    expect(test('a'.repeat(4_000))).toBe(false)
  })
})
