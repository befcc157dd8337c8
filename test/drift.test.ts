import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig, variableNames } from '../src/config.ts'
import { codeIn, tableRows } from './support/markdown.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8')
const namesBy = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, name]) => name)

/** Variables whose rule nothing breaks that is short. */
const ANY_TEXT = new Set(['REDIS_PASSWORD', 'NODE_ENV', 'RENDER', 'RENDER_INSTANCE_ID'])

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

  it('have in docs/configuration.md the rule that a wrong value is told', () => {
    const rules = new Map(
      tableRows(read('docs/configuration.md'), 'variable').map(([name, , rule]) => [codeIn(name), rule]),
    )
    for (const name of variableNames.filter((one) => !ANY_TEXT.has(one))) {
      const [told = ''] = /(?<= must be ).+(?=\.$)/m.exec(problemOf(name)) ?? []
      expect([name, rules.get(name)?.startsWith(told.replace(/ \(.*/, ''))]).toEqual([name, true])
    }
  })

  it('are marked in both documents where the host sets them', () => {
    const hosts = ['NODE_ENV', 'RENDER', 'RENDER_EXTERNAL_URL', 'RENDER_INSTANCE_ID', 'IS_PULL_REQUEST']
    const marked = tableRows(read('docs/configuration.md'), 'variable').filter(
      ([, value]) => value === 'set by the host',
    )

    expect(marked.map(([name]) => codeIn(name))).toEqual(hosts)
    expect(
      read('.env.example')
        .split('Set by the host')[1]
        ?.match(/[A-Z_]+(?==)/g),
    ).toEqual(hosts)
  })
})

/** What a variable with a value that breaks every rule is told. */
function problemOf(name: string): string {
  try {
    readConfig({ [name]: 'what? :-(' })
    return ''
  } catch (error) {
    return String(error)
  }
}
