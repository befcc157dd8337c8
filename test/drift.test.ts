import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variableNames } from '../src/config.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8')
const namesBy = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, name]) => name)

describe('the documented variables', () => {
  it.each([
    ['.env.example', /^(?:# ?)?([A-Z][A-Z0-9_]*)=/gm],
    ['docs/configuration.md', /^\| `([A-Z][A-Z0-9_]*)` \|/gm],
  ])('of %s are those that src/config.ts reads, in the same order', (name, pattern) => {
    expect(namesBy(pattern, read(name))).toEqual(variableNames)
  })

  it('are set to nothing in .env.example, so that a copy of it changes nothing', () => {
    expect(read('.env.example').match(/^[A-Z][A-Z0-9_]*=.+$/gm)).toBeNull()
  })
})
