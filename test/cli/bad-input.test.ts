import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  callOrderly,
  type CliRun,
  type Env,
  envelopeOf,
  hasStackTrace,
  runOrderly,
  steeringIn,
} from '../support/cli.ts'
import { describeWithRedis, redisAvailable, testRedis, type TestRedis } from '../support/redis-server.ts'
import { openResp, type RespConnection, textReply } from '../support/resp.ts'
import { startRestServer } from '../support/rest-server.ts'

/** Something wrong, and what must be said about it. */
interface BadInput {
  readonly title: string
  readonly args: readonly string[]
  readonly env?: Env
  readonly exit: 1 | 2
  /** What the message must name: the thing that is wrong, and its rule. */
  readonly says: readonly (string | RegExp)[]
}

const folder = mkdtempSync(join(tmpdir(), 'orderly-bad-input-'))
const at = (name: string) => join(folder, name)

/** Stands in every row's environment, and must stand in no output. */
const SENTINEL = 'sentinel-7f3a9c-4d21'

// --- Configuration -------------------------------------------------------------------------------------------------

const CHECK = ['redis-check']
const wrong = (env: Env, ...says: (string | RegExp)[]): BadInput => ({
  title: Object.entries(env)
    .map(([name, value]) => `${name}=${value.length > 60 ? `${value.slice(0, 60)}…` : value}`)
    .join(' '),
  args: CHECK,
  env,
  exit: 1,
  says: ['The configuration is not usable', ...says],
})
const wrongEach = (name: string, values: readonly string[], rule: string, others: Env = {}): BadInput[] =>
  values.map((value) => wrong({ ...others, [name]: value }, name, rule))

const REST = { UPSTASH_REDIS_REST_URL: 'https://db-name-1.example.org', UPSTASH_REDIS_REST_TOKEN: 'token-1234567' }
const TCP = { REDIS_URL: 'redis://:password-1@127.0.0.1:1' }
const HOST = { REDIS_HOST: 'db-name-2.example.org' }

const badConfiguration: readonly BadInput[] = [
  ...wrongEach('LOG_LEVEL', ['loud', 'INFO', '10', 'info,debug', 'verbose'], 'one of fatal, error, warn'),
  ...wrongEach(
    'TIME_ZONE',
    ['Mars/Olympus', 'Europe/Berln', 'Passau', 'UTC+2', '../etc/passwd', 'Europe/Berlin; rm -rf'],
    'name of a time zone, such as Europe/Berlin',
  ),
  ...wrongEach(
    'UPSTASH_REDIS_REST_URL',
    [
      'http://db.example.org',
      'redis://db.example.org',
      'ftp://db.example.org',
      'db.upstash.io',
      'https://',
      'not an address',
      '"https://db.example.org"',
    ],
    'https:// address',
    { UPSTASH_REDIS_REST_TOKEN: 'token-1234567' },
  ),
  ...wrongEach('UPSTASH_REDIS_REST_TOKEN', ['two words', 'tökén-value', 'line1\nline2'], 'without spaces', {
    UPSTASH_REDIS_REST_URL: REST.UPSTASH_REDIS_REST_URL,
  }),
  ...wrongEach(
    'REDIS_URL',
    [
      'http://db.example.org',
      'https://db.example.org',
      'localhost:6379',
      'redis://',
      'redis:///0',
      '6379',
      'redis://db.example.org:99999',
      'redis://db.example.org:port',
      'redis-cli --tls -u redis://db.example.org',
    ],
    'redis:// or rediss:// address',
  ),
  wrong({ REDIS_URL: 'redis://db.example.org/orders-db' }, 'REDIS_URL'),
  ...wrongEach(
    'REDIS_HOST',
    ['two words', 'redis://db.example.org', 'db.example.org/0', 'höst.example', 'x'.repeat(254), '-$(id)'],
    'host name or an address',
  ),
  wrong({ REDIS_HOST: 'db.example.org:6380' }, 'REDIS_HOST'),
  ...wrongEach('REDIS_PORT', ['0', '65536', '-1', '6379.0', 'abcdef', '1e3', '99999999'], 'from 1 to 65535', HOST),
  ...wrongEach(
    'RETENTION_DAYS',
    ['-1', '366', '1.5', 'two', '1e2', '0x2', '２', '1 2', 'NaN', 'Infinity', '2d', '1,5'],
    'a whole number from 0 to 365',
  ),
  ...wrongEach('ORDER_TTL_DAYS', ['0', '3651', '-3', 'week', '7.5'], 'a whole number from 1 to 3650'),
  ...wrongEach('SWEEP_EVERY_DAYS', ['0', '366', 'daily', '1.5', '-3'], 'a whole number from 1 to 365'),
  wrong({ ORDER_TTL_DAYS: '4' }, 'ORDER_TTL_DAYS', '2 x RETENTION_DAYS + 1'),
  wrong({ ORDER_TTL_DAYS: '60', RETENTION_DAYS: '30' }, 'ORDER_TTL_DAYS', '2 x RETENTION_DAYS + 1'),
  wrong({ REDIS_PORT: '6379' }, 'REDIS_HOST is required with REDIS_PORT'),
  wrong({ REDIS_PASSWORD: 'password-2' }, 'REDIS_HOST is required with REDIS_PASSWORD'),
  wrong({ REDIS_PORT: '6379', REDIS_PASSWORD: 'password-2' }, 'REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD'),
  wrong({ UPSTASH_REDIS_REST_TOKEN: 'token-1234567' }, 'UPSTASH_REDIS_REST_URL is required'),
  wrong({ UPSTASH_REDIS_REST_URL: REST.UPSTASH_REDIS_REST_URL }, 'UPSTASH_REDIS_REST_TOKEN is required'),
  wrong({ ...REST, UPSTASH_REDIS_REST_TOKEN: '  ' }, 'UPSTASH_REDIS_REST_TOKEN is required'),
  wrong({ ...REST, ...TCP }, 'UPSTASH_REDIS_REST_URL', 'REDIS_URL', 'one of them'),
  wrong({ ...REST, ...HOST }, 'UPSTASH_REDIS_REST_URL', 'REDIS_HOST', 'one of them'),
  wrong({ ...TCP, ...HOST }, 'REDIS_URL', 'REDIS_HOST', 'one of them'),
  wrong({ ...REST, ...TCP, ...HOST }, 'UPSTASH_REDIS_REST_URL', 'REDIS_URL', 'REDIS_HOST', 'one of them'),
  wrong({ ...TCP, REDIS_PASSWORD: 'password-2' }, 'REDIS_URL', 'REDIS_PASSWORD'),
  wrong(
    { LOG_LEVEL: 'loud', TIME_ZONE: 'Mars/Olympus', RETENTION_DAYS: 'two', SWEEP_EVERY_DAYS: 'daily' },
    'LOG_LEVEL',
    'TIME_ZONE',
    'RETENTION_DAYS',
    'SWEEP_EVERY_DAYS',
  ),
  wrong({ ...TCP, ...HOST, REDIS_PORT: 'abcdef' }, 'REDIS_PORT', 'REDIS_URL', 'REDIS_HOST'),
  { ...wrong({ RETENTION_DAYS: 'two' }, 'RETENTION_DAYS'), args: ['sweep', 'orders', '--apply'], title: 'of a sweep' },
  {
    ...wrong({ RETENTION_DAYS: 'two' }, 'RETENTION_DAYS'),
    args: ['orders', 'export', at('new')],
    title: 'of an export',
  },
]

// --- Arguments -----------------------------------------------------------------------------------------------------

const misused = (args: readonly string[], ...says: (string | RegExp)[]): BadInput => ({
  title: args.map((arg) => (arg.length > 60 ? `${arg.slice(0, 60)}…` : JSON.stringify(arg))).join(' ') || '(nothing)',
  args,
  exit: 2,
  says,
})
const refused = (args: readonly string[], ...says: (string | RegExp)[]): BadInput => ({
  ...misused(args, ...says),
  exit: 1,
})
const sweep = (...args: string[]) => ['sweep', 'orders', '--apply', ...args]

const badDays = [
  '-1',
  '1.5',
  '1e3',
  '366',
  'two',
  '',
  'NaN',
  '0x10',
  ' 2',
  '2 ',
  '+2',
  '２',
  '99999999999',
  '1,5',
  'null',
]
const badTimes = [
  '',
  'now',
  'yesterday',
  '2025-12-08',
  '21:00',
  'T21:00',
  '2025-W50-1T10:00',
  '2025-342T10:00',
  '2025-02-30T10:00',
  '2025-13-01T10:00',
  '2025-12-08T25:00',
  '2025-12-08T21:60',
  '2025-12-08T21',
  '20251208T210000',
  '2025-12-08T21:00:00+25:00',
  '2025-12-08T21:00[Europe/Berlin]',
  '08.12.2025 21:00',
  '12/08/2025 21:00',
  '1733680800',
  'P1D',
  '2025-12-08T21:00:00+01:00 ',
]
const badCaps = ['0', '-5', 'x', '', '1.5', '1e3', '10000000000', 'NaN']

const badArguments: readonly BadInput[] = [
  ...badDays.map((days) => misused(sweep('--days', days), '--days', 'a whole number from 0 to 365')),
  ...badTimes.map((time) => misused(sweep('--as-of', time), '--as-of', 'a date with a time')),
  misused(sweep('--as-of', '2999-01-01T00:00:00+01:00'), '--as-of', 'must not lie ahead'),
  misused(sweep('--as-of', '9999-12-31T23:59'), '--as-of', 'must not lie ahead'),
  ...badCaps.map((cap) => misused(sweep('--max-commands', cap), '--max-commands', 'a whole number from 1 to')),
  misused(sweep('--days'), '--days', 'missing'),
  misused(sweep('--as-of'), '--as-of', 'missing'),
  misused(sweep('--max-commands'), '--max-commands', 'missing'),
  misused(sweep('--file'), '--file', 'missing'),
  misused(sweep('--aply'), '--aply', 'unknown option'),
  misused(sweep('--dry-run'), '--dry-run', 'unknown option'),
  misused(sweep('-d', '2'), '-d', 'unknown option'),
  misused(sweep('--apply=yes'), '--apply'),
  misused(sweep('order'), 'too many arguments'),
  misused(['sweep'], 'missing required argument', 'name'),
  misused(['sweep', 'order'], 'order', 'Allowed choices'),
  misused(['sweep', 'ORDERS'], 'ORDERS', 'Allowed choices'),
  misused(['sweep', ''], 'Allowed choices'),
  misused(['sweep', 'inngest; rm -rf /'], 'Allowed choices'),
  misused(['sweep', 'constructor'], 'Allowed choices'),
  misused(['clean'], 'clean', 'unknown command'),
  misused(['Sweep', 'orders'], 'Sweep', 'unknown command'),
  misused(['__proto__'], 'unknown command'),
  misused(['--nope'], '--nope', 'unknown option'),
  misused(['orders'], /export|command/),
  misused(['orders', 'delete'], 'delete', 'unknown command'),
  misused(['orders', 'show'], 'missing required argument', 'id'),
  misused(['orders', 'show', 'a', 'b'], 'too many arguments'),
  misused(['orders', 'show', '--id', 'a'], '--id', 'unknown option'),
  misused(['orders', 'import'], 'missing required argument', 'file'),
  misused(['orders', 'import', 'a', 'b'], 'too many arguments'),
  misused(['orders', 'export'], 'missing required argument', 'file'),
  misused(['orders', 'export', 'a', 'b'], 'too many arguments'),
  misused(['orders', 'export', '--force', 'a'], '--force', 'unknown option'),
  misused(['redis-check', 'orders'], 'too many arguments'),
  misused(['redis-check', '--all'], '--all', 'unknown option'),
  refused(['orders', 'show', ''], '1 to 512 characters'),
  refused(['orders', 'show', 'order:'], '1 to 512 characters'),
  refused(['orders', 'show', 'x'.repeat(600)], '1 to 512 characters'),
  refused(['orders', 'show', 'no-such-order'], 'no such order'),
  refused(['orders', 'show', 'order:order:no-such-order'], 'no such order'),
  refused(['orders', 'show', '*'], 'no such order'),
  refused(['orders', 'show', "x'\nFLUSHALL"], 'no such order'),
]

// --- Files ---------------------------------------------------------------------------------------------------------

const lineOf = (fields: object) => JSON.stringify({ key: 'order:bad-file-1', value: '{}', ttlSeconds: null, ...fields })
const GOOD = lineOf({ key: 'order:bad-file-good' })

function written(name: string, content: string | Buffer): string {
  writeFileSync(at(name), content)
  return at(name)
}

let files = 0
const badFile = (title: string, content: string | Buffer, ...says: (string | RegExp)[]): BadInput => ({
  title,
  args: ['orders', 'import', written(`import-${(files += 1)}.jsonl`, content)],
  exit: 1,
  says,
})
const badLine = (title: string, line: string, ...says: (string | RegExp)[]): BadInput =>
  badFile(title, `${line}\n`, 'line 1:', ...says)

mkdirSync(at('a-folder'))
written('a-file', 'not to be overwritten')

const badFiles: readonly BadInput[] = [
  refused(['orders', 'import', at('missing')], 'does not exist'),
  refused(['orders', 'import', ''], 'does not exist'),
  refused(['orders', 'import', at('a-folder')], 'is a folder'),
  refused(['orders', 'import', at('a-file/below')], /file/i),
  refused(['orders', 'import', at('n'.repeat(300))], /file/i),
  refused(sweep('--file', at('missing')), 'does not exist'),
  refused(sweep('--file', at('a-folder')), 'is a folder'),
  { ...badLine('of a rehearsal', '[]', 'JSON object'), args: sweep('--file', written('rehearsal', '[]\n')) },
  badFile('binary', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0x00]), 'UTF-8'),
  badFile('Latin-1', Buffer.from(lineOf({ value: '"Straße"' }), 'latin1'), 'UTF-8'),
  badFile('UTF-16', Buffer.from(`\ufeff${GOOD}`, 'utf16le'), 'UTF-8'),
  badFile('ends inside a character', Buffer.concat([Buffer.from(`${GOOD}\n`), Buffer.from([0xe2, 0x82])]), 'UTF-8'),
  badFile('NUL bytes', '\0\0\0\0', 'line 1', 'no JSON'),
  badLine('no JSON', 'order:1 {"status":"new"}', 'no JSON'),
  badLine('JSON that is cut', GOOD.slice(0, -1), 'no JSON'),
  badLine('single quotes', "{'key':'order:1','value':'{}'}", 'no JSON'),
  badLine('two objects on a line', `${GOOD}${GOOD}`, 'no JSON'),
  badLine('a trailing comma', `${GOOD},`, 'no JSON'),
  badLine('an array', `[${GOOD}]`, 'JSON object'),
  badLine('a number', '42', 'JSON object'),
  badLine('null', 'null', 'JSON object'),
  badLine('a text', '"order:1"', 'JSON object'),
  badFile('a pretty-printed array', JSON.stringify([JSON.parse(GOOD)], null, 2), 'line 1'),
  badLine('an empty object', '{}', '"key"', 'order:'),
  badLine('no key', JSON.stringify({ value: '{}', ttlSeconds: null }), '"key"', 'order:'),
  badLine('a key without order:', lineOf({ key: '6986534250496' }), '"key"', 'order:'),
  badLine('a key that is exactly order:', lineOf({ key: 'order:' }), '"key"', 'order:'),
  badLine('a key in capitals', lineOf({ key: 'ORDER:1' }), '"key"', 'order:'),
  badLine('a key of another part', lineOf({ key: 'orderly:lock:orders' }), '"key"', 'order:'),
  badLine('a key with a space before', lineOf({ key: ' order:1' }), '"key"', 'order:'),
  badLine('a key that is a number', lineOf({ key: 1 }), '"key"', 'order:'),
  badLine('a key that is a list', lineOf({ key: ['order:1'] }), '"key"', 'order:'),
  badLine('no value', JSON.stringify({ key: 'order:1' }), '"value"', 'text'),
  badLine('a value that is an object', lineOf({ value: { status: 'new' } }), '"value"', 'text'),
  badLine('a value that is null', lineOf({ value: null }), '"value"', 'text'),
  badLine('a value that is a number', lineOf({ value: 1 }), '"value"', 'text'),
  ...[0, -1, 1.5, '60', true, 1e300, [], {}, 2 ** 53].map((ttlSeconds) =>
    badLine(`ttlSeconds ${JSON.stringify(ttlSeconds)}`, lineOf({ ttlSeconds }), '"ttlSeconds"', 'whole number from 1'),
  ),
  badLine('a further field', lineOf({ type: 'string' }), 'fields besides'),
  badLine('__proto__', `${GOOD.slice(0, -1)},"__proto__":{"x":1}}`, 'fields besides'),
  badFile('the same key twice', `${GOOD}\n${GOOD}\n`, 'line 2:', 'same key as line 1'),
  badFile(
    'one bad line among 700 good ones',
    Array.from({ length: 700 }, (_, index) => lineOf({ key: index === 600 ? '600' : `order:bad-file-${index}` })).join(
      '\n',
    ),
    'line 601:',
    '"key"',
  ),
  badFile('30 bad lines', '[]\n'.repeat(30), 'line 1:', 'line 10:', 'and 20 more'),
  badFile('a bad line after empty ones', '\n\n  \n[]\n', 'line 4:', 'JSON object'),
  badFile('a huge line', `${GOOD}\n${'x'.repeat(5_000_000)}\n`, 'line 2:', 'no JSON'),
  refused(['orders', 'export', at('a-file')], 'exists already'),
  refused(['orders', 'export', at('a-folder')], 'exists already'),
  refused(['orders', 'export', at('no-folder/new')], 'could not be written', 'folder'),
  refused(['orders', 'export', at('a-file/new')], 'could not be written', 'folder'),
  refused(['orders', 'export', at('n'.repeat(300))], 'could not be written'),
  refused(['orders', 'export', ''], 'could not be written'),
]

const allRows = [...badConfiguration, ...badArguments, ...badFiles]

let redis: TestRedis | undefined
let resp: RespConnection | undefined

beforeAll(async () => {
  if (!redisAvailable) return
  redis = await testRedis()
  resp = await openResp(redis.url)
})
afterAll(async () => {
  resp?.close()
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** How often the store was written to since it started. */
async function writes(): Promise<string> {
  const [reply] = (await resp?.call([['INFO', 'persistence']])) ?? []
  return /rdb_changes_since_last_save:(\d+)/.exec(String(textReply(reply ?? null)))?.[1] ?? 'no store'
}

const secretsIn = (env: Env): readonly string[] =>
  Object.values(env).flatMap((value) => {
    const password = URL.canParse(value) ? new URL(value).password : ''
    // What a rule itself names, such as `https://`, is no secret.
    return /^\w+:\/\/$/.test(value) ? [] : [value, password].filter((text) => text.trim().length >= 4)
  })

/** An option that was left without its value would take `--json` for it, so that one stands before. */
const withJson = ([first = '', ...rest]: readonly string[]) =>
  first === 'sweep' ? [first, '--json', ...rest] : [first, ...rest, '--json']

/** What holds for each answer to bad input. */
function expectHarmless(run: CliRun, env: Env) {
  expect(hasStackTrace(run)).toBe(false)
  for (const secret of secretsIn(env)) expect(run.stdout + run.stderr).not.toContain(secret)
  expect(steeringIn(run.stdout + run.stderr)).toEqual([])
}

describe('bad input', () => {
  it('is tried in at least a hundred ways', () => {
    expect(badConfiguration.length).toBeGreaterThanOrEqual(60)
    expect(badArguments.length).toBeGreaterThanOrEqual(60)
    expect(allRows.length).toBeGreaterThanOrEqual(100)
    expect(new Set(allRows.map(({ args, env }) => JSON.stringify([args, env]))).size).toBe(allRows.length)
  })

  const tables = { configuration: badConfiguration, arguments: badArguments, files: badFiles }
  for (const [group, rows] of Object.entries(tables)) {
    it.each(rows)(
      `of ${group}: $title exits $exit, says why, and changes nothing`,
      async ({ args, env, exit, says }) => {
        const store = env === undefined && redis !== undefined ? { REDIS_URL: redis.url } : {}
        const given = { ...store, ...env, API_TOKEN: SENTINEL }
        const before = { writes: await writes(), files: readdirSync(folder) }

        const text = await callOrderly(args, { env: given })
        const json = await callOrderly(withJson(args), { env: given })

        const { ok, error } = envelopeOf(json)
        expect([text.code, json.code]).toEqual([exit, exit])
        expect(text.stdout).toBe('')
        expect(ok).toBe(false)
        expect(error?.code).toBe(exit === 2 ? 'WRONG_USE' : env === undefined ? 'BAD_INPUT' : 'BAD_CONFIGURATION')
        for (const needle of says) {
          expect(text.stderr).toMatch(needle)
          expect(error?.message).toMatch(needle)
        }
        expect(json.stderr).toBe('')
        for (const run of [text, json]) expectHarmless(run, given)
        expect({ writes: await writes(), files: readdirSync(folder) }).toEqual(before)
      },
    )
  }

  it('in a .env that cannot be read is answered like any bad configuration', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'))
    mkdirSync(join(cwd, '.env'))

    const run = await runOrderly(['redis-check', '--json'], { cwd })

    expect(hasStackTrace(run)).toBe(false)
    expect(Object.keys(envelopeOf(run))).toContain('ok')
  })

  it('in the .env of the folder is named', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'))
    writeFileSync(join(cwd, '.env'), 'RETENTION_DAYS=two-days\n')

    const run = await runOrderly(['redis-check'], { cwd })

    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch('RETENTION_DAYS must be a whole number from 0 to 365')
    expect(run.stderr).not.toMatch('two-days')
  })

  it('says nothing of the password when Redis cannot be reached or refuses it', async () => {
    const env = { REDIS_URL: 'redis://:unreachable-pw@127.0.0.1:1' }

    const run = await callOrderly(CHECK, { env })

    expect(run.code).toBe(1)
    expect(run.stderr).toMatch('Redis is unreachable')
    expectHarmless(run, env)
  })
})

describe('files that look odd but are right', () => {
  const accepted: readonly (readonly [title: string, content: string, imported: number])[] = [
    ['empty', '', 0],
    ['only empty lines', '\n\n  \n', 0],
    ['with a byte order mark', `\ufeff${GOOD}\n`, 1],
    ['with CRLF', `${GOOD}\r\n${lineOf({ key: 'order:2' })}\r\n`, 2],
    ['without a line feed at the end', GOOD, 1],
    ['without ttlSeconds', JSON.stringify({ key: 'order:1', value: '{}' }), 1],
    ['with a value that is no order', lineOf({ value: 'no JSON at all' }), 1],
    ['with an empty value', lineOf({ value: '' }), 1],
    ['with spaces around a line', `  ${GOOD}  \n`, 1],
    ['with fields in another order', `{"ttlSeconds":60,"value":"{}","key":"order:1"}\n`, 1],
    ['with a line of 3 MB', lineOf({ value: 'x'.repeat(3_000_000) }), 1],
  ]

  it.each(accepted)('%s', async (_, content, imported) => {
    const { ok, data } = envelopeOf<{ imported: number }>(
      await callOrderly(['orders', 'import', written('accepted.jsonl', content), '--json']),
    )

    expect(ok).toBe(true)
    expect(data.imported).toBe(imported)
  })
})

/** Texts that steer a terminal, forge lines, or hide what follows. */
const HOSTILE = {
  'clear the screen': '\u001b[2J\u001b[H',
  'set the title': '\u001b]0;owned\u0007',
  'a C1 control sequence': '\u009b31mred',
  'a line feed': 'first\nsecond: forged',
  'a carriage return': 'good\rbad!',
  backspaces: 'no\b\byes',
  'a NUL': 'a\0b',
  DEL: 'a\u007fb',
  'right to left': '\u202egnp.exe\u2066',
  'line and paragraph separators': 'a\u2028b\u2029c',
  'a bell': '\u0007',
} as const

const ofRedis = () => ({ REDIS_URL: redis?.url ?? '' })
const call = async (...commands: (readonly (string | number)[])[]) => (await resp?.call(commands)) ?? []

describeWithRedis(
  'hostile stored values',
  () => {
    beforeEach(async () => redis?.flush())

    it.each(Object.entries(HOSTILE))('%s reaches no output of any command', async (_, hostile) => {
      const order = { status: hostile, created_at: hostile, [hostile]: hostile, customer: { name: hostile } }
      const entry = { id: 'm1', at: hostile, by: hostile, move: hostile, after: null }
      await call(
        ['SET', `order:${hostile}`, `${JSON.stringify(order)}\u001e${JSON.stringify(entry)}\n`],
        ['SET', `order:broken ${hostile}`, hostile],
        ['SET', hostile, hostile],
        ['SET', `${hostile}:1`, hostile],
      )
      const before = await writes()

      const commands = [
        ['orders', 'show', hostile],
        ['redis-check'],
        ['sweep', 'orders'],
        ['sweep', 'orders', '--apply'],
      ]
      for (const args of hostile.includes('\0') ? commands.slice(1) : commands) {
        const text = await callOrderly(args, { env: ofRedis() })
        const json = await callOrderly([...args, '--json'], { env: ofRedis() })

        expect([args, text.code, json.code]).toEqual([args, 0, 0])
        expect([args, steeringIn(text.stdout + text.stderr)]).toEqual([args, []])
        expect(text.stdout).not.toMatch(/^second: forged/m)
        expect(envelopeOf(json).ok).toBe(true)
        expect([args, steeringIn(json.stdout + json.stderr)]).toEqual([args, []])
      }

      const [kept] = await call(['EXISTS', `order:${hostile}`, `order:broken ${hostile}`])
      expect(kept).toBe(2)
      // Lock, record and release of the two runs that were no dry runs.
      expect(Number(await writes()) - Number(before)).toBeLessThanOrEqual(6)
    })

    it.each(Object.entries(HOSTILE))('%s in the name of who holds the lock is made harmless', async (_, hostile) => {
      await call(['SET', 'orderly:lock:orders', `token ${hostile}`])

      const text = await callOrderly(['sweep', 'orders', '--apply'], { env: ofRedis() })
      const json = await callOrderly(['sweep', 'orders', '--apply', '--json'], { env: ofRedis() })

      expect([text.code, json.code]).toEqual([1, 1])
      expect(text.stderr).toMatch('Another run holds the lock')
      expect(steeringIn(text.stdout + text.stderr + json.stdout)).toEqual([])
    })

    it.each([
      ['a hash', ['HSET', 'order:odd', 'status', 'new'], /another type/],
      ['a list', ['RPUSH', 'order:odd', 'new'], /another type/],
      ['a stream', ['XADD', 'order:odd', '*', 'a', 'b'], /another type/],
      ['no JSON', ['SET', 'order:odd', 'not JSON'], /no order/],
      ['JSON that is no object', ['SET', 'order:odd', '[1]'], /no order/],
      ['nothing', ['SET', 'order:odd', ''], /no order/],
      ['only entries', ['SET', 'order:odd', '\u001e{"id":"a"}\n'], /no order/],
      ['a deep nest', ['SET', 'order:odd', '['.repeat(200_000)], /no order/],
    ] as const)('%s at the key of an order is told by show and kept by a sweep', async (_, command, says) => {
      await call(command)

      const show = await callOrderly(['orders', 'show', 'odd'], { env: ofRedis() })
      const swept = await callOrderly(['sweep', 'orders', '--days', '0', '--apply', '--json'], { env: ofRedis() })

      expect(show).toMatchObject({ code: 1, stdout: '' })
      expect(show.stderr).toMatch(says)
      expectHarmless(show, {})
      expect(envelopeOf(swept)).toMatchObject({
        ok: true,
        data: { deleted: 0, unreadable: { count: 1, sample: ['order:odd'] } },
      })
    })

    it('an export leaves out what is no text, says so, and writes the rest', async () => {
      await call(['HSET', 'order:odd', 'status', 'new'], ['SET', 'order:even', '{}'])
      const file = at('with-a-hash.jsonl')

      const run = await callOrderly(['orders', 'export', file], { env: ofRedis() })

      expect(run.code).toBe(0)
      expect(run.stderr).toMatch(/1 key under order: hold/)
      expect(existsSync(file)).toBe(true)
    })

    it('a word of a command that the server repeats in its refusal is not repeated', async () => {
      const rest = await startRestServer({ redisUrl: redis?.url ?? '', token: 'right-token' })
      const given = { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: 'wrong-token' }

      const run = await callOrderly(['orders', 'show', 'secret-order-id', '--json'], { env: given })
      await rest.stop()

      expect(envelopeOf(run)).toMatchObject({ ok: false, command: 'orders show', error: { code: 'REDIS_REFUSED' } })
      expect(run.stdout).not.toMatch('secret-order-id')
      expectHarmless(run, given)
    })
  },
  { own: false },
)
