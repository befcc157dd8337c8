import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  executionKeys,
  executionPattern,
  isExecutionId,
  LONE_SURROGATE,
  readExecutionKey,
  type ExecutionPart,
} from '../../src/executions/keys.ts'
import { globTest } from '../../src/redis/memory/glob.ts'

const PARTS: readonly ExecutionPart[] = ['execution', 'transactions', 'results']
const ending = fc.constantFrom('', '-results', '-transactions', '-', 'results')
const text = fc.tuple(fc.string({ unit: 'grapheme' }), ending, ending).map((parts) => parts.join(''))
const id = text.filter(isExecutionId)
const prefix = fc.oneof(text, fc.constantFrom('', 'exec:', '[a-z]*?', '\\')).filter((one) => !LONE_SURROGATE.test(one))

describe('the keys of an execution', () => {
  it('are never those of another execution', () => {
    fc.assert(
      fc.property(prefix, id, id, (of, one, other) => {
        fc.pre(one !== other)
        const keys = [one, other].flatMap((each) => Object.values(executionKeys(of, each)))

        expect(new Set(keys).size).toBe(6)
      }),
    )
  })

  it('are read back as what they are, and found by the pattern of their prefix', () => {
    fc.assert(
      fc.property(prefix, id, fc.constantFrom(...PARTS), (of, each, part) => {
        const key = executionKeys(of, each)[part]

        expect(readExecutionKey(of, key)).toEqual({ id: each, part })
        expect(globTest(executionPattern(of))(key)).toBe(true)
      }),
    )
  })

  it.each(['', 'exec:', 'exec:-results', 'exec:x-results-results', 'exec:x-transactions-results', 'other:x', 'exec'])(
    'are not what %j is under the prefix exec:',
    (key) => {
      expect(readExecutionKey('exec:', key)).toBe(undefined)
    },
  )
})
