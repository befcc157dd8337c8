/** One source file as the checker sees it; `path` is relative to `src`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** What of `src` a part may import: paths by their beginning; `types` where types only. */
interface Part {
  readonly of: RegExp
  readonly may: readonly string[]
  readonly types?: readonly string[]
}

const ROOT = ['calendar.ts', 'clock.ts', 'errors.ts', 'events.ts', 'log.ts', 'secrets.ts', 'turns.ts']
const ROOT_TYPES = ['config.ts']

/** The table of DESIGN.md, section 3. The first part that fits a path counts. */
const parts: readonly Part[] = [
  { of: /^(calendar|clock|cron-text|errors|events|lifecycle|secrets|turns)\.ts$/, may: [] },
  { of: /^config(-[a-z]+)?\.ts$/, may: ['errors.ts', 'cron-text.ts', 'config-'], types: ROOT_TYPES },
  { of: /^log\.ts$/, may: ['errors.ts', 'events.ts'] },
  { of: /^env-file\.ts$/, may: ['errors.ts'] },
  { of: /^own-version\.ts$/, may: [] },
  { of: /^(app|app-[a-z-]+|main|cli|service|service-[a-z-]+|scheduled-sweep)\.ts$|^cli\//, may: [''] },
  { of: /^(redis|postgres|charts)\//, may: ROOT, types: ROOT_TYPES },
  { of: /^(orders|executions|schedule)\//, may: ['redis/', ...ROOT], types: ROOT_TYPES },
  { of: /^sweeps\//, may: ['orders/', 'executions/', 'redis/', 'postgres/', ...ROOT], types: ROOT_TYPES },
  { of: /^engine\//, may: ['sweeps/', ...ROOT], types: ROOT_TYPES },
  {
    of: /^telegram\//,
    may: ['orders/', 'sweeps/', 'schedule/', 'charts/', 'redis/budget/', ...ROOT],
    types: ['redis/status/status.ts', ...ROOT_TYPES],
  },
  {
    of: /^http\//,
    may: ['orders/', 'charts/', ...ROOT],
    types: ['schedule/', 'sweeps/', 'redis/budget/', 'redis/status/status.ts', ...ROOT_TYPES],
  },
  { of: /^sandbox\//, may: ['orders/', ...ROOT], types: ROOT_TYPES },
]

/** Packages that belong to one place. */
const packages: readonly (readonly [name: RegExp, home: RegExp])[] = [
  [/^@upstash\/redis/, /^redis\/upstash\.ts$/],
  [/^ioredis/, /^redis\/(tcp|binary|client-options)\.ts$/],
  [/^prom-client/, /^http\//],
  [/^(grammy|@grammyjs\/)/, /^telegram\//],
  [/^(fastify$|@fastify\/)/, /^(http|sandbox)\//],
  [/^croner/, /^schedule\//],
  [/^inngest/, /^engine\//],
  [/^(pg|libsql|@libsql\/|better-sqlite3)/, /^(postgres\/|sweeps\/inngest\/)/],
  [/^bullmq/, /^sweeps\/bullmq/],
  [/^commander/, /^cli\//],
]

/** What no code may say, outside the files that are its home. */
const words: readonly (readonly [what: string, pattern: RegExp, home?: RegExp])[] = [
  ['the environment', /\bprocess\.env\b|\bfrom 'node:process'/, /^(main|cli)\.ts$/],
  [
    'the real clock',
    /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\b|\bhrtime\b|\bDateTime\.(now|local|utc)\(\s*\)/,
    /^clock\.ts$/,
  ],
  // A method of that name, as `AbortSignal` has one, is no type.
  ['any', /(?<!\.)\bany\b/],
  ['a non-null assertion', /[\w)\]]!(?!=)/],
  ['an enum', /\benum\s+\w/],
  ['a default export', /\bexport\s+default\b|\bas\s+default\b/],
]

/** Every rule of the house that a file breaks, in words. */
export function violations({ path, text }: SourceFile): string[] {
  const { code, literals } = dissect(text)
  const found = words
    .filter(([, pattern, home]) => pattern.test(code) && home?.test(path) !== true)
    .map(([what]) => what)
  if (/\b(TODO|FIXME|XXX)\b/.test(text)) found.push('a note of something to do')
  if (text.split('\n').length > 301) found.push('more than 300 lines')
  if (path !== 'redis/keys.ts' && literals.some((literal) => /^(order|orderly):/.test(literal)))
    found.push('a key of our own')
  return [...found, ...importViolations(path, text)].map((what) => `${path}: ${what}`)
}

function importViolations(path: string, text: string): string[] {
  const part = parts.find(({ of }) => of.test(path))
  if (part === undefined) return ['a part that DESIGN.md does not name']
  return importsOf(text).flatMap(({ from, typesOnly }) => {
    if (!from.startsWith('.')) {
      const home = packages.find(([name]) => name.test(from))?.[1]
      return home === undefined || home.test(path) ? [] : [`imports ${from}`]
    }
    const target = resolve(path, from)
    const isAllowed = isOwnPart(path, target) || mayImport(part, target, typesOnly)
    return isAllowed && !isAnotherSweep(path, target) ? [] : [`imports ${target}`]
  })
}

const isOwnPart = (path: string, target: string) => path.includes('/') && target.startsWith(`${path.split('/')[0]}/`)

function mayImport({ may, types = [] }: Part, target: string, typesOnly: boolean): boolean {
  if (/^app(-[a-z-]+)?\.ts$/.test(target)) return may.includes('')
  return [...may, ...(typesOnly ? types : [])].some((beginning) => target.startsWith(beginning))
}

/** The sweep that a file is part of: its folder, or the first word of `order-pruner.ts`; undefined for what all share. */
function sweepOf(path: string): string | undefined {
  const [, name = ''] = /^sweeps\/(?:(.+)\/|.*)/.exec(path) ?? []
  if (name !== '') return name
  return /^sweeps\/([a-z]+)-[a-z]+\.ts$/.exec(path)?.[1]
}

function isAnotherSweep(path: string, target: string): boolean {
  const [own, other] = [sweepOf(path), sweepOf(target)]
  return own !== undefined && other !== undefined && own !== other
}

interface Import {
  readonly from: string
  readonly typesOnly: boolean
}

function importsOf(text: string): Import[] {
  const { withoutComments } = dissect(text)
  const statements = [...withoutComments.matchAll(/^(import|export)\b([^'"`;]*?)\bfrom\s*'([^']+)'/gm)].map(
    ([, , names = '', from = '']): Import => ({ from, typesOnly: isTypesOnly(names) }),
  )
  const others = [...withoutComments.matchAll(/\bimport\s*\(?\s*['"`]([^'"`]+)['"`]/g)].map(
    ([, from = '']): Import => ({ from, typesOnly: false }),
  )
  return [...statements, ...others]
}

function isTypesOnly(names: string): boolean {
  if (/^\s+type\b/.test(names)) return true
  const listed = /\{([^}]*)\}/
    .exec(names)?.[1]
    ?.split(',')
    .map((name) => name.trim()) ?? ['']
  return listed.filter((name) => name !== '').every((name) => name.startsWith('type ')) && listed.length > 1
}

function resolve(path: string, from: string): string {
  const steps = path.split('/').slice(0, -1)
  for (const step of from.split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '.') steps.push(step)
  }
  return steps.join('/')
}

interface Dissected {
  /** Without comments, and with nothing inside quotes. */
  readonly code: string
  readonly withoutComments: string
  /** What stands inside quotes; of a template each piece between `${}`. */
  readonly literals: readonly string[]
}

/** A comment, a text in quotes, a regular expression after what can stand before one, or the next character. */
const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|(?<=[(=,:;!&|?{}[]\s*|\breturn\s+)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*\/[a-z]*|[^]/g

/** Takes a text apart as far as the rules need it. */
export function dissect(text: string): Dissected {
  const literals: string[] = []
  let [code, withoutComments, piece] = ['', '', '']
  /** For each open template the depth of braces inside its current `${}`; -1 in its text. */
  const templates: number[] = []
  for (const [token] of matchTokens(text)) {
    const depth = templates.at(-1)
    if (depth === -1) {
      withoutComments += token
      if (token !== '`' && token !== '${') {
        piece += token
        continue
      }
      literals.push(piece)
      piece = ''
      code += token
      if (token === '`') templates.pop()
      else templates[templates.length - 1] = 0
      continue
    }
    if (/^\/[/*]/.test(token)) continue
    withoutComments += token
    const isQuoted = token.length > 1 && /^['"]/.test(token)
    if (isQuoted) literals.push(token.slice(1, -1))
    code += isQuoted ? "''" : token.length > 1 && token.startsWith('/') ? '/x/' : token
    if (token === '`') templates.push(-1)
    if (depth === undefined) continue
    if (token === '{') templates[templates.length - 1] = depth + 1
    if (token === '}') templates[templates.length - 1] = depth - 1
  }
  return { code, withoutComments, literals }

  /** Inside the text of a template only its end and `${` count. */
  function* matchTokens(source: string): Generator<readonly [string]> {
    for (let at = 0; at < source.length;) {
      const pattern = templates.at(-1) === -1 ? /\\[^]|\$\{|`|[^]/y : new RegExp(TOKEN.source, 'y')
      pattern.lastIndex = at
      const [token] = pattern.exec(source) ?? [source.slice(at)]
      at += token.length
      yield [token]
    }
  }
}
