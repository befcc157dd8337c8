import { describe, expect, it } from 'vitest'
import { packageLogger } from '../../src/engine/log.ts'
import { createLog } from '../../src/log.ts'

/** What is written of what the package says, as one text. */
function written(most: 'debug' | 'warn', say: (logger: ReturnType<typeof packageLogger>) => void): string {
  const lines: string[] = []
  say(packageLogger(createLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } }), most))
  return lines.join('')
}

describe('what the package says', () => {
  it.each([
    ['an object beside the sentence', [{ input: 'SECRET', env: { KEY: 'SECRET' } }, 'A sentence.']],
    ['an object after the sentence', ['A sentence.', { payload: 'SECRET' }]],
    ['an error in an object', [{ err: new TypeError('SECRET'), body: 'SECRET' }, 'A sentence.']],
    ['a bare error', ['A sentence.', new TypeError('SECRET')]],
  ])('is logged without %s, but for the kind of an error', (what, said) => {
    const text = written('warn', ({ error }) => error(...said))

    expect(text).toContain('"msg":"A sentence."')
    expect(text).not.toContain('SECRET')
    expect(text.includes('"type":"TypeError"')).toBe(what.includes('error'))
  })

  it.each([
    ['warn', [20, 20, 40, 40]],
    ['debug', [20, 20, 20, 20]],
  ] as const)('is at most at the level %s', (most, levels) => {
    const text = written(most, ({ debug, info, warn, error }) => {
      for (const say of [debug, info, warn, error]) say('A sentence.')
    })

    expect([...text.matchAll(/"level":(\d+)/g)].map(([, level]) => Number(level))).toEqual(levels)
  })
})
