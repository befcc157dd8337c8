import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callOrderly, type CliRun, type Env, envelopeOf, hasStackTrace, runOrderly, version } from '../support/cli.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startFakeServer } from '../support/fake-server.ts'
import { openResp } from '../support/resp.ts'
import { type Fault, type RestServer, startRestServer } from '../support/rest-server.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/former-bot-orders.jsonl')
const folder = mkdtempSync(join(tmpdir(), 'orderly-envelope-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Port 1 of this machine, where nothing listens. */
const UNREACHABLE = { REDIS_URL: 'redis://127.0.0.1:1' }
const BAD_CONFIGURATION = { RETENTION_DAYS: 'two' }

const REPORT_FIELDS = (
  'id startedAt attempt sweep trigger by dryRun asOf zone days cutoff extendedCutoff outcome mode summary because scanned due deleted ' +
  'kept keptOpen unreadable parts commands billedCommands requests valueBytes durationMs'
)
  .split(' ')
  .toSorted()

const keysOf = (value: unknown) => Object.keys(value ?? {}).toSorted()

/** Checks what is true of every answer with `--json`, and gives the object. */
function expectEnvelope<Data = unknown>(run: CliRun) {
  const envelope = envelopeOf<Data>(run)
  expect(Object.keys(envelope)).toEqual(['ok', 'command', 'data', 'error', 'warnings', 'cost'])
  expect(keysOf(envelope.cost)).toEqual(['redisCommands', 'requests'])
  expect(Object.values(envelope.cost).every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true)
  expect(envelope.warnings.every((warning) => typeof warning === 'string')).toBe(true)
  expect(envelope.ok).toBe(run.code === 0)
  expect(envelope.ok).toBe(envelope.error === null)
  const { code, message } = envelope.error ?? { code: 'NONE', message: 'None.' }
  expect(envelope.error).toEqual(envelope.ok ? null : { code, message })
  expect(code).toMatch(/^[A-Z_]+$/)
  expect(message).not.toBe('')
  expect(JSON.stringify(envelope)).not.toMatch('undefined')
  expect(hasStackTrace(run)).toBe(false)
  return envelope
}

const INNGEST_COMMANDS = ['redis-check', 'diagnose', 'verify', 'once', 'test'].map((name) => `inngest ${name}`)

interface Call {
  readonly args: readonly string[]
  readonly env?: Env
  readonly command: string | null
  readonly exit: number
  readonly code?: string
}

const calls: readonly Call[] = [
  { args: ['sweep', 'orders'], command: 'sweep orders', exit: 0 },
  { args: ['sweep', 'orders', '--apply'], command: 'sweep orders', exit: 0 },
  { args: ['sweep', '--days', '3', 'orders'], command: 'sweep orders', exit: 0 },
  { args: ['sweep', 'orders', '--file', FIXTURE], command: 'sweep orders', exit: 0 },
  { args: ['redis-check'], command: 'redis-check', exit: 0 },
  { args: ['orders', 'import', FIXTURE], command: 'orders import', exit: 0 },
  { args: ['orders', 'export', join(folder, 'new.jsonl')], command: 'orders export', exit: 0 },
  { args: ['--help'], command: null, exit: 0 },
  { args: ['--version'], command: null, exit: 0 },
  { args: ['-V'], command: null, exit: 0 },
  { args: ['sweep', '--help'], command: 'sweep', exit: 0 },
  { args: ['sweep', 'orders', '-h'], command: 'sweep orders', exit: 0 },
  { args: ['redis-check', '--help'], command: 'redis-check', exit: 0 },
  { args: ['orders', '--help'], command: 'orders', exit: 0 },
  { args: ['orders', 'show', '--help'], command: 'orders show', exit: 0 },
  { args: ['inngest', '--help'], command: 'inngest', exit: 0 },
  { args: ['inngest', 'verify', '--help'], command: 'inngest verify', exit: 0 },

  { args: ['sweep'], command: 'sweep', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', 'order'], command: 'sweep order', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', 'orders', '--days', 'x'], command: 'sweep orders', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', '--days', 'x', 'orders'], command: 'sweep orders', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', '--as-of', 'noon', 'orders'], command: 'sweep orders', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', 'orders', '--nope'], command: 'sweep orders', exit: 2, code: 'WRONG_USE' },
  { args: ['redis-check', 'x'], command: 'redis-check', exit: 2, code: 'WRONG_USE' },
  { args: ['orders'], command: 'orders', exit: 2, code: 'WRONG_USE' },
  { args: ['orders', 'delete'], command: 'orders delete', exit: 2, code: 'WRONG_USE' },
  { args: ['orders', 'show'], command: 'orders show', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest'], command: 'inngest', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', 'purge'], command: 'inngest purge', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', 'verify', '--sample', '0'], command: 'inngest verify', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', '--sample', '5', 'verify'], command: 'inngest verify', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', 'diagnose', '--days', '0'], command: 'inngest diagnose', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', 'test', '--apply'], command: 'inngest test', exit: 2, code: 'WRONG_USE' },
  { args: ['inngest', 'cron'], command: 'inngest cron', exit: 2, code: 'WRONG_USE' },
  { args: ['sweep', 'inngest', '--file', FIXTURE], command: 'sweep inngest', exit: 2, code: 'WRONG_USE' },
  { args: ['clean'], command: 'clean', exit: 2, code: 'WRONG_USE' },
  { args: ['--nope'], command: null, exit: 2, code: 'WRONG_USE' },

  {
    args: ['sweep', 'orders', '--apply', '--max-commands', '1'],
    command: 'sweep orders',
    exit: 3,
    code: 'CAP_REACHED',
  },
  { args: ['sweep', 'orders', '--file', 'missing'], command: 'sweep orders', exit: 1, code: 'BAD_INPUT' },
  { args: ['sweep', '--file', 'missing', 'orders'], command: 'sweep orders', exit: 1, code: 'BAD_INPUT' },
  { args: ['orders', 'import', 'missing'], command: 'orders import', exit: 1, code: 'BAD_INPUT' },
  { args: ['orders', 'export', FIXTURE], command: 'orders export', exit: 1, code: 'BAD_INPUT' },
  { args: ['orders', 'show', 'missing'], command: 'orders show', exit: 1, code: 'BAD_INPUT' },
  ...['sweep inngest', ...INNGEST_COMMANDS].map((command) => ({
    args: command.split(' '),
    command,
    exit: 1,
    code: 'BAD_CONFIGURATION',
  })),
  ...[
    { args: ['sweep', 'orders'], command: 'sweep orders' },
    { args: ['sweep', '--days', '3', 'orders'], command: 'sweep orders' },
    { args: ['sweep', 'orders', '--file', FIXTURE], command: 'sweep orders' },
    { args: ['redis-check'], command: 'redis-check' },
    { args: ['orders', 'import', FIXTURE], command: 'orders import' },
    { args: ['orders', 'export', join(folder, 'never.jsonl')], command: 'orders export' },
    { args: ['orders', 'show', 'x'], command: 'orders show' },
  ].map((call) => ({ ...call, env: BAD_CONFIGURATION, exit: 1, code: 'BAD_CONFIGURATION' })),
  ...[
    { args: ['redis-check'], command: 'redis-check' },
    { args: ['orders', 'import', FIXTURE], command: 'orders import' },
    { args: ['orders', 'show', 'x'], command: 'orders show' },
  ].map((call) => ({ ...call, env: UNREACHABLE, exit: 1, code: 'REDIS_UNREACHABLE' })),
]

describe('--json', () => {
  it.each(calls)('prints one object for $args, exit $exit', async ({ args, env = {}, command, exit, code }) => {
    // In front of the other words of a command, so that an option without its value does not take it.
    const [first = '', ...rest] = args
    const run = await callOrderly(first === 'sweep' ? [first, '--json', ...rest] : [first, ...rest, '--json'], { env })

    const envelope = expectEnvelope(run)
    expect(envelope.command).toBe(command)
    expect(run.code).toBe(exit)
    expect(envelope.error?.code).toBe(code)
    expect(run.stderr).toBe('')
  })

  it('before the command means the same as after it', async () => {
    const run = await callOrderly(['--json', 'redis-check'])

    expect(expectEnvelope(run)).toMatchObject({ ok: true, command: 'redis-check' })
  })

  it('after -- is a word like any other', async () => {
    const { code, stdout, stderr } = await callOrderly(['orders', 'show', '--', '--json'])

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch('no such order')
  })

  it('of a sweep holds every field of a report', async () => {
    const { data, cost } = expectEnvelope<Record<string, unknown>>(
      await callOrderly(['sweep', 'orders', '--file', FIXTURE, '--as-of', '2025-12-08T21:00:00+01:00', '--json']),
    )

    expect(keysOf(data)).toEqual(REPORT_FIELDS)
    expect(data).toMatchObject({
      attempt: 1,
      sweep: 'orders',
      trigger: 'cli',
      by: null,
      dryRun: true,
      asOf: '2025-12-08T21:00:00.000+01:00',
      zone: 'Europe/Berlin',
      days: 2,
      cutoff: '2025-12-06T00:00:00.000+01:00',
      extendedCutoff: '2025-12-04T00:00:00.000+01:00',
      outcome: 'planned',
      because: null,
      scanned: 225,
      due: 143,
      deleted: 0,
      kept: 82,
      unreadable: { count: 0, sample: [] },
      parts: null,
    })
    expect(data['startedAt']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/)
    expect(cost).toEqual({ redisCommands: data['billedCommands'], requests: data['requests'] })
  })

  it('of a sweep holds the report where the sweep failed, too', async () => {
    const { data, error } = expectEnvelope<Record<string, unknown>>(
      await callOrderly(['sweep', 'orders', '--apply', '--json'], { env: UNREACHABLE }),
    )

    expect(error?.code).toBe('REDIS_UNREACHABLE')
    expect(keysOf(data)).toEqual(REPORT_FIELDS)
    expect(data).toMatchObject({ outcome: 'failed', deleted: 0, dryRun: false })
  })

  it('of redis-check has the same fields whether Redis answers or not', async () => {
    type Stores = { readonly stores: readonly Record<string, unknown>[] }
    const good = expectEnvelope<Stores>(await callOrderly(['redis-check', '--json'])).data.stores
    const bad = expectEnvelope<Stores>(await callOrderly(['redis-check', '--json'], { env: UNREACHABLE })).data.stores

    expect(good).toHaveLength(1)
    expect(keysOf(good[0])).toEqual(
      expect.arrayContaining(['latencyMs', 'name', 'ok', 'prefixes', 'server', 'version']),
    )
    expect(good[0]).toMatchObject({ name: 'orders', ok: true, server: 'embedded' })
    expect(bad[0]).toMatchObject({
      name: 'orders',
      ok: false,
      latencyMs: null,
      server: null,
      version: null,
      prefixes: [],
    })
    expect(keysOf(bad[0])).toEqual(keysOf(good[0]))
  })

  it('of --version holds the version of package.json', async () => {
    const { data } = expectEnvelope<{ text: string }>(await callOrderly(['--version', '--json']))

    expect(data.text.trim()).toBe(version)
  })

  it('of an interrupted command says so, exit 130', async () => {
    const aborted = AbortSignal.abort()
    for (const args of [['sweep', 'orders', '--apply'], ['redis-check'], ['orders', 'import', FIXTURE]]) {
      const run = await callOrderly([...args, '--json'], { signal: aborted })

      expect(expectEnvelope(run).error?.code).toBe('INTERRUPTED')
      expect(run.code).toBe(130)
    }
  })
})

describe('without --json', () => {
  it.each([[[]], [['--help']], [['sweep', '-h']], [['orders', 'import', '--help']], [['--version']]])(
    '%j speaks on stdout only',
    async (args) => {
      const { code, stdout, stderr } = await callOrderly(args)

      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout.trim()).not.toBe('')
    },
  )

  it('data go to stdout, notes to stderr', async () => {
    const { stdout, stderr } = await callOrderly(['redis-check'])

    expect(stdout).toMatch(/^No Redis is configured; the embedded store answers\./)
    expect(stdout).not.toMatch('Note:')
    expect(stderr).toMatch(/^Note: No Redis is configured/)
  })

  it('a failure goes to stderr only', async () => {
    const { code, stdout, stderr } = await callOrderly(['orders', 'show', 'x'])

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.split('\n').filter((line) => line.includes('no such order'))).toHaveLength(1)
  })

  it('the help names every command with an example, and both defaults of --days', async () => {
    const { stdout } = await callOrderly(['--help'])
    const sweepHelp = await callOrderly(['sweep', '--help'])

    for (const command of ['sweep', 'redis-check', 'inngest', 'orders']) expect(stdout).toMatch(command)
    expect(stdout).toMatch('Example')
    expect(sweepHelp.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      "default: RETENTION_DAYS; the chat's bare /cleanup keeps 1; for inngest INNGEST_RETENTION_DAYS",
    )
  })
})

describe('a process of its own', () => {
  it.each([
    [['redis-check', '--json'], {}, 0],
    [['--version', '--json'], {}, 0],
    [['nope', '--json'], {}, 2],
    [['redis-check', '--json'], BAD_CONFIGURATION, 1],
    [['sweep', 'orders', '--apply', '--max-commands', '2', '--json'], {}, 3],
  ] as const)('%j exits with the code of its one object', async (args, env, exit) => {
    const run = await runOrderly(args, { env })

    expectEnvelope(run)
    expect(run).toMatchObject({ code: exit, signal: null })
  })

  it('reads the .env of its folder, and what is set wins over it', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'))
    writeFileSync(join(cwd, '.env'), 'TIME_ZONE="Pacific/Auckland"\nRETENTION_DAYS=7\n')

    const run = await runOrderly(['sweep', 'orders', '--json'], { cwd, env: { RETENTION_DAYS: '9' } })

    expect(expectEnvelope(run).data).toMatchObject({ zone: 'Pacific/Auckland', days: 9 })
  })
})

describeWithRedis('--json with a Redis', () => {
  let redis: RedisServer
  let rest: RestServer

  beforeAll(async () => {
    redis = await startRedisServer()
    rest = await startRestServer({ redisUrl: redis.url })
  })
  afterAll(async () => {
    await rest.stop()
    await redis.stop()
  })

  it('orders show gives id, status, orderTime, order and history', async () => {
    const env = { REDIS_URL: redis.url }
    await callOrderly(['orders', 'import', FIXTURE], { env })
    const [first = ''] = readFileSync(FIXTURE, 'utf8').split('\n')
    const { key, value } = JSON.parse(first) as { key: string; value: string }
    const connection = await openResp(redis.url)
    const entry = { id: 'n1', at: '2025-12-08T18:10:00.000+01:00', by: 7, note: 'Call first.' }
    await connection.call([['APPEND', key, `\u001e${JSON.stringify(entry)}\n`]])
    connection.close()

    const run = await callOrderly(['orders', 'show', key, '--json'], { env })

    const { data, cost } = expectEnvelope<Record<string, unknown>>(run)
    expect(keysOf(data)).toEqual(['history', 'id', 'order', 'orderTime', 'status'])
    expect(data).toMatchObject({
      id: key.slice('order:'.length),
      status: 'delivered',
      orderTime: '2025-12-01T21:21:32.575+01:00',
      order: JSON.parse(value),
      history: [{ id: 'n1', at: entry.at, by: 7, kind: 'note', applied: true }],
    })
    expect(cost).toEqual({ redisCommands: 1, requests: 1 })
  })

  it('redis-check names the server, its version and what is in it', async () => {
    type Store = { readonly server: string; readonly version: string; readonly prefixes: readonly object[] }
    const env = { REDIS_URL: redis.url }

    const { data, cost } = expectEnvelope<{ readonly stores: readonly Store[] }>(
      await callOrderly(['redis-check', '--json'], { env }),
    )

    const [store] = data.stores
    expect(store?.version).toMatch(/^\d+\.\d+/)
    expect(store?.prefixes).toContainEqual({ prefix: 'order:', keys: 225, sample: expect.any(Array) })
    expect(cost.redisCommands).toBe(1)
  })

  it.each(['limit', 'limit-whole'] as const satisfies readonly Fault[])(
    'the monthly limit of the provider (%s) stops every command with exit 3',
    async (fault) => {
      const env = { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token }
      rest.faults.onRequest = () => fault
      const commands = [['sweep', 'orders'], ['sweep', 'orders', '--apply'], ['redis-check'], ['orders', 'show', 'x']]
      for (const args of [...commands, ['orders', 'import', FIXTURE]]) {
        const before = rest.requests
        const run = await callOrderly([...args, '--json'], { env })

        expect(expectEnvelope(run).error?.code).toBe('REDIS_LIMIT')
        expect(run.code).toBe(3)
        expect(rest.requests - before).toBe(1)
      }
      delete rest.faults.onRequest
    },
  )

  it('a sweep that a lock keeps out is a problem, exit 1', async () => {
    const connection = await openResp(redis.url)
    await connection.call([['SET', 'orderly:lock:orders', 'token cli, started today', 'EX', 60]])

    const run = await callOrderly(['sweep', 'orders', '--apply', '--json'], { env: { REDIS_URL: redis.url } })
    await connection.call([['DEL', 'orderly:lock:orders']])
    connection.close()

    expect(run.code).toBe(1)
    expect(expectEnvelope(run)).toMatchObject({ error: { code: 'LOCKED' }, data: { outcome: 'skipped' } })
    expect(envelopeOf(run).error?.message).toMatch('cli, started today')
  })

  it('a server that speaks no Redis is unreachable, not a crash', async () => {
    const server = await startFakeServer(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')

    const run = await callOrderly(['redis-check', '--json'], { env: { REDIS_URL: `redis://127.0.0.1:${server.port}` } })
    await server.stop()

    expect(expectEnvelope(run).error?.code).toBe('REDIS_UNREACHABLE')
    expect(run.code).toBe(1)
  })
})
