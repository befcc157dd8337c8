import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { literally } from '../../../src/redis/pattern.ts'
import { baseKey, jobKey, metaKey, metaPattern, readKey } from '../../../src/sweeps/bullmq/keys.ts'

describe('a key of a queue', () => {
  it.each([
    ['bull:mail:meta', 'bull', { queue: 'mail', rest: 'meta' }],
    ['bull:mail:17', 'bull', { queue: 'mail', rest: '17' }],
    ['bull:mail:17:logs', 'bull', { queue: 'mail', rest: '17:logs' }],
    ['bull:mail:repeat:daily:1795176000000', 'bull', { queue: 'mail', rest: 'repeat:daily:1795176000000' }],
    ['{bull}:mail:meta', '{bull}', { queue: 'mail', rest: 'meta' }],
    ['shop:jobs:mail:meta', 'shop:jobs', { queue: 'mail', rest: 'meta' }],
    ['bull:Ä *?:meta', 'bull', { queue: 'Ä *?', rest: 'meta' }],
    // Of another prefix that begins alike: a queue `jobs` without a meta hash, as far as its name tells.
    ['shop:jobs:mail:meta', 'shop', { queue: 'jobs', rest: 'mail:meta' }],
  ])('%s under %s is taken apart', (key, prefix, { queue, rest }) => {
    expect(readKey(key, prefix)).toEqual({ prefix, queue, rest })
  })

  it.each([
    ['of another prefix', 'bullet:mail:meta'],
    ['without a queue', 'bull::meta'],
    ['with nothing after the queue', 'bull:mail'],
    ['of bytes that are no text', 'bull:m\ufffdl:meta'],
    ['that is the prefix', 'bull'],
  ])('%s is none', (_, key) => {
    expect(readKey(key, 'bull')).toBeUndefined()
  })

  it('is always read as it was spelled', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[:\ufffd]/.test(text))
    const id = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\ufffd'))
    fc.assert(
      fc.property(name, name, id, (prefix, queue, rest) => {
        expect(readKey(jobKey({ prefix, queue }, rest), prefix)).toEqual({ prefix, queue, rest })
      }),
    )
  })
})

describe('a pattern', () => {
  it('takes every character of a prefix for itself', () => {
    expect(literally(String.raw`a*b?c[d]e\f`)).toBe(String.raw`a\*b\?c\[d\]e\\f`)
    expect(metaPattern('b*')).toBe(String.raw`b\*:*:meta`)
  })

  it('is one of keys that all begin alike', () => {
    const place = { prefix: 'bull', queue: 'mail' }

    expect(metaKey(place)).toBe(`${baseKey(place)}meta`)
  })
})
