import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { personViews } from '../../src/sandbox/people.ts'
import { tellStory } from '../../src/sandbox/story.ts'
import { instant } from '../support/clock.ts'
import { documentText, tableRows } from '../support/markdown.ts'

const page = documentText('docs/sandbox.md')
const scripts = ['trouble.js', 'chat-head.js']
  .map((name) => readFileSync(join(import.meta.dirname, '../../src/sandbox/page', name), 'utf8'))
  .join('\n')

describe('docs/sandbox.md', () => {
  it('names the people who are there, with their roles', () => {
    expect(tableRows(page, 'who').map(([name, role]) => [name, role])).toEqual(
      personViews.map(({ name, role }) => [name, role]),
    )
  })

  it('names buttons that the page has, and all that make trouble', () => {
    const named = tableRows(page, 'button').flatMap(([names = '']) => names.replaceAll(/ \([^)]*\)/g, '').split(', '))

    expect(named.length).toBeGreaterThan(5)
    for (const name of named) expect(scripts).toContain(`'${name}`)
    for (const [, label = ''] of scripts.matchAll(/^ {2}\['([^']+)', '(?!calm)/gm)) {
      expect(page).toContain(label.replace(/ \(.*/, ''))
    }
  })

  it('counts the orders of the story', () => {
    const orders = tellStory({ nowMs: instant('2025-12-08T21:00:00+01:00'), zone: 'Europe/Berlin' }).length

    expect(page).toContain(`The store holds ${orders} orders of the last eight days`)
  })
})
