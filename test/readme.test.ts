import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callOrderly, runOrderly } from './support/cli.ts'
import { redisAvailable, testRedis, type TestRedis } from './support/redis-server.ts'

const root = join(import.meta.dirname, '..')
const FIXTURES = 'test/fixtures'
const README = existsSync(join(root, 'README.md')) ? readFileSync(join(root, 'README.md'), 'utf8') : ''
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

/** One command of a shell example. */
interface ShellCommand {
  /** Of the README, from 1. */
  readonly line: number
  readonly words: readonly string[]
  /** Whether its example names a Redis that the reader has an account for. */
  readonly needsAccount: boolean
}

/** The commands of all shell examples, in their order: comments, prompts, assignments, redirections and pipes left out. */
export function shellCommandsIn(markdown: string): readonly ShellCommand[] {
  return shellFencesIn(markdown).flatMap(({ line, text }) => {
    const needsAccount = /UPSTASH_|rediss?:\/\//.test(text)
    const joined = text.replaceAll(/\\\n/g, ' \u0000')
    return joined.split('\n').flatMap((row, at, rows) => {
      const before = rows.slice(0, at).join('').split('\u0000').length - 1
      return commandsOf(row.replaceAll('\u0000', '')).map((words) => ({
        line: line + at + before,
        words,
        needsAccount,
      }))
    })
  })
}

interface Fence {
  /** Of its first line of code. */
  readonly line: number
  readonly text: string
}

function shellFencesIn(markdown: string): readonly Fence[] {
  const fences: Fence[] = []
  let open:
    { readonly mark: string; readonly isShell: boolean; readonly line: number; readonly rows: string[] } | undefined
  for (const [at, row] of markdown.split(/\r?\n/).entries()) {
    const [, mark = '', language = ''] = /^\s*(`{3,}|~{3,})\s*([\w-]*)/.exec(row) ?? []
    if (open === undefined) {
      if (mark !== '') open = { mark, isShell: /^(sh|bash|shell|console|zsh)$/.test(language), line: at + 2, rows: [] }
    } else if (mark.startsWith(open.mark) && row.trim() === mark) {
      if (open.isShell) fences.push({ line: open.line, text: open.rows.join('\n') })
      open = undefined
    } else {
      open.rows.push(row)
    }
  }
  if (open !== undefined) throw new Error(`The code block that begins before line ${open.line} never ends.`)
  return fences
}

/** Splits a row at `&&`, `||`, `;` and `|`, and each part into words, as a shell would. */
function commandsOf(row: string): readonly (readonly string[])[] {
  const tokens = [
    ...row
      .replace(/^\s*\$\s+/, '')
      .matchAll(/&&|\|\||[;|]|\d?>>?(?:&\d)?|#.*$|(?:"[^"]*"|'[^']*'|[^\s;|&>"'#]|(?<=\S)#|&(?!&))+/g),
  ]
  const commands: string[][] = [[]]
  let isRedirected = false
  for (const [token] of tokens) {
    if (token.startsWith('#')) break
    if (/^(&&|\|\||;|\|)$/.test(token)) commands.push([])
    else if (/^\d?>/.test(token)) isRedirected = !token.includes('&')
    else if (isRedirected) isRedirected = false
    else commands.at(-1)?.push(token.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'))
  }
  return commands.map(withoutAssignments).filter((words) => words.length > 0)
}

function withoutAssignments(words: readonly string[]): readonly string[] {
  const from = words.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word))
  return from === -1 ? [] : words.slice(from)
}

const isOrderly = ({ words }: ShellCommand) => words[0] === 'npx' && words[1] === 'orderly'

/** Commands that npm brings itself. */
const OF_NPM = new Set(['ci', 'install'])

describe('reading shell examples', () => {
  const markdown = [
    'Text with `npx orderly nope`.',
    '```sh',
    '$ npm ci && npm run check   # all of it',
    'REDIS_URL=redis://localhost npx orderly sweep orders \\',
    '  --as-of "2025-12-08 21:00" > report.txt | head -3',
    '# npx orderly commented-out',
    '```',
    '~~~text',
    'npx orderly nope',
    '~~~',
    '  ```bash',
    "  npx orderly orders show 'a b#c'; npm start",
    '  ```',
  ].join('\n')

  it('finds every command, its line, and whether it needs an account', () => {
    expect(shellCommandsIn(markdown)).toEqual([
      { line: 3, words: ['npm', 'ci'], needsAccount: true },
      { line: 3, words: ['npm', 'run', 'check'], needsAccount: true },
      {
        line: 4,
        words: ['npx', 'orderly', 'sweep', 'orders', '--as-of', '2025-12-08 21:00'],
        needsAccount: true,
      },
      { line: 4, words: ['head', '-3'], needsAccount: true },
      { line: 12, words: ['npx', 'orderly', 'orders', 'show', 'a b#c'], needsAccount: false },
      { line: 12, words: ['npm', 'start'], needsAccount: false },
    ])
  })

  it('refuses a code block that never ends', () => {
    expect(() => shellCommandsIn('```sh\nnpm ci')).toThrow('never ends')
  })
})

describe('the README', () => {
  const commands = shellCommandsIn(README)
  const orderlyCommands = commands.filter(isOrderly)
  const npmCommands = commands.filter(({ words }) => words[0] === 'npm')
  let folder: string
  let redis: TestRedis | undefined

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orderly-readme-'))
    mkdirSync(join(folder, FIXTURES), { recursive: true })
    cpSync(join(root, FIXTURES), join(folder, FIXTURES), { recursive: true })
    if (redisAvailable) redis = await testRedis()
  })
  afterAll(async () => {
    await redis?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('shows commands of orderly and of npm', () => {
    expect(orderlyCommands.length).toBeGreaterThan(0)
    expect(npmCommands.length).toBeGreaterThan(0)
  })

  it('names only scripts that package.json has', () => {
    for (const { line, words } of npmCommands) {
      const [, verb = '', script = ''] = words
      const name = verb === 'run' ? script : verb
      expect([line, OF_NPM.has(name) || Object.hasOwn(scripts, name)]).toEqual([line, true])
    }
  })

  it('calls nothing but orderly through npx', () => {
    expect(commands.filter((command) => command.words[0] === 'npx' && !isOrderly(command))).toEqual([])
  })

  // In their order and in one folder, for later ones use what earlier ones wrote. An order is shown, and whatever needs an
  // account runs, against a private Redis that holds the former bot's orders.
  it.each(orderlyCommands.map((command) => [`line ${command.line}: ${command.words.join(' ')}`, command] as const))(
    '%s ends well',
    { timeout: 20_000 },
    async (_, { words, needsAccount }) => {
      const args = words.slice(2)
      const isReal = needsAccount || (args[0] === 'orders' && args[1] === 'show')
      if (isReal && redis === undefined) return
      const env: Record<string, string> = isReal && redis !== undefined ? { REDIS_URL: redis.url } : {}
      if (isReal) await callOrderly(['orders', 'import', join(root, FIXTURES, 'former-bot-orders.jsonl')], { env })

      const { code, stderr } = await runOrderly(args, { env: { ...env, LOG_LEVEL: 'silent' }, cwd: folder })

      expect([code, stderr.replaceAll(/^Note: .*\n/gm, '')]).toEqual([0, ''])
    },
  )
})
