import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { envelopeOf, hasStackTrace, runOrderly } from '../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp, type RespConnection } from '../support/resp.ts'

const OLD = '{"status":"delivered","created_at":"2025-12-01T12:00:00+01:00"}'
const SWEEP = ['sweep', 'orders', '--as-of', '2025-12-08T21:00:00+01:00', '--apply', '--json']
const newFolder = () => mkdtempSync(join(tmpdir(), 'orderly-hard-'))

describe('a log', () => {
  it('whose destination fails never fails the work that it tells of', () => {
    const log = createLog({
      level: 'info',
      destination: {
        write: () => {
          throw new Error('ENOSPC')
        },
      },
    })

    expect(() => log.info('one line')).not.toThrow()
  })

  it('shows no character of a stored key that could steer a terminal', () => {
    let written = ''
    const log = createLog({ level: 'info', destination: { write: (line) => void (written += line) } })

    log.info({ order: '\u009b31m\u202e' }, 'order.deleted')

    expect(written).not.toMatch(/[\u009b\u202e]/)
    expect(JSON.parse(written)).toMatchObject({ order: '\u009b31m\u202e' })
  })
})

describe('a file .env', () => {
  it('is read although an editor put a byte order mark before it', async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, '.env'), '\ufeffRETENTION_DAYS=x\r\n')

    const { code, stderr } = await runOrderly(['redis-check'], { cwd })

    expect({ code, names: stderr.includes('RETENTION_DAYS must be') }).toEqual({ code: 1, names: true })
  })

  it('that cannot be read is told as a problem of the configuration, in JSON too', async () => {
    const cwd = newFolder()
    symlinkSync('.env', join(cwd, '.env'))

    const run = await runOrderly(['redis-check', '--json'], { cwd })

    expect(envelopeOf(run).error).toMatchObject({ code: 'BAD_CONFIGURATION' })
    expect(hasStackTrace(run)).toBe(false)
    expect((await runOrderly(['--version'], { cwd })).code).toBe(0)
  })
})

describe('an import', () => {
  it('refuses a pipe, which could be read only once', async () => {
    const pipe = join(newFolder(), 'pipe')
    execFileSync('mkfifo', [pipe])

    const { code, stderr } = await runOrderly(['orders', 'import', pipe])

    expect({ code, told: stderr.includes('must be a regular file') }).toEqual({ code: 1, told: true })
  })
})

describeWithRedis('in a hard place', () => {
  let redis: RedisServer
  let resp: RespConnection
  beforeAll(async () => {
    redis = await startRedisServer()
    resp = await openResp(redis.url)
  })
  afterAll(async () => {
    resp.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await resp.call([['FLUSHALL'], ...Array.from({ length: 20 }, (_, at) => ['SET', `order:${at}`, OLD])])
  })

  it('a sweep whose log goes to a full disk deletes, reports and gives its lock back', async () => {
    const full = openSync('/dev/full', 'w')
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
    const { status, stdout } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), cli, ...SWEEP], {
      cwd: newFolder(),
      env: { REDIS_URL: redis.url },
      stdio: ['ignore', 'pipe', full],
      encoding: 'utf8',
    })
    closeSync(full)

    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { deleted: 20, outcome: 'done' } })
    expect(
      await resp.call([
        ['EXISTS', 'orderly:lock:orders'],
        ['XLEN', 'orderly:sweeps:orders'],
      ]),
    ).toEqual([0, 1])
  })

  it.each([[SWEEP], [['orders', 'show', '5', '--json']], [['redis-check', '--json']]])(
    'Ctrl-C ends %j with 130 within seconds although the server does not answer',
    async (args) => {
      await redis.kill('SIGSTOP')
      try {
        const startedMs = performance.now()
        const run = await runOrderly(args, { env: { REDIS_URL: redis.url }, signalAfter: 1_500 })

        expect({ code: run.code, error: envelopeOf(run).error?.code }).toEqual({ code: 130, error: 'INTERRUPTED' })
        expect(performance.now() - startedMs).toBeLessThan(9_000)
      } finally {
        await redis.kill('SIGCONT')
      }
    },
  )

  it('a refused history does not keep the lock', async () => {
    await resp.call([['ACL', 'SETUSER', 'sweeper', 'on', '>secret', '~*', '+@all', '-xadd']])
    const url = redis.url.replace('redis://', 'redis://sweeper:secret@')

    const run = await runOrderly(SWEEP, { env: { REDIS_URL: url } })

    expect(envelopeOf(run)).toMatchObject({ ok: true, data: { deleted: 20 } })
    expect(await resp.call([['EXISTS', 'orderly:lock:orders']])).toEqual([0])
  })

  it('an export names keys that no command can name among those left out, and never replaces a file', async () => {
    const file = join(newFolder(), 'orders.jsonl')
    await resp.call([['EVAL', "return redis.call('SET', 'order:\\255\\254', 'x')", '0']])

    const run = await runOrderly(['orders', 'export', file, '--json'], { env: { REDIS_URL: redis.url } })
    const again = await runOrderly(['orders', 'export', file], { env: { REDIS_URL: redis.url } })

    expect(envelopeOf(run).data).toMatchObject({ exported: 20, leftOut: 1 })
    expect(again.code).toBe(1)
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(20)
    expect(existsSync(`${file}.part`)).toBe(false)
  })

  it('large values are read a few at a time once their size is known', async () => {
    const large = JSON.stringify({
      status: 'delivered',
      created_at: '2025-12-01T12:00:00+01:00',
      note: 'x'.repeat(300_000),
    })
    await resp.call(Array.from({ length: 600 }, (_, at) => ['SET', `order:large${at}`, large]))
    await redis.resetStats()

    const run = await runOrderly(SWEEP, { env: { REDIS_URL: redis.url } })

    expect(envelopeOf(run)).toMatchObject({ data: { deleted: 620 } })
    expect((await redis.stats())['MGET']).toBeGreaterThan(30)
  })
})
