import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { callOrderly, envelopeOf, hasStackTrace, runOrderly } from '../support/cli.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openResp, type RawReply, type RespConnection } from '../support/resp.ts'
import { type RestServer, startRestServer } from '../support/rest-server.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/former-bot-orders.jsonl')

/** Values and keys that a careless copy would change. */
const ODD: Readonly<Record<string, string>> = {
  'order:empty': '',
  'order:number': '007',
  'order:long number': '12345678901234567890',
  'order:true': 'true',
  'order:null': 'null',
  'order:quotes': '"\'`\\"\\\\n',
  'order:lines': 'a\nb\r\nc\u2028d',
  'order:entries': '{"status":"new"}\u001e{"id":"a","note":"x"}\n\u001e{"id":"b"',
  'order:emoji 🏠 Straße': '{"note":"2. Stock 🏠 – \u202eRTL\u202c 한국어"}',
  'order:NUL': 'a\u0000b\u0001\u001b[2J\u007f\u009b',
  'order:markup': '<b>&amp;</b> *_`[x](y)',
  'order:OK': 'OK',
  'order:base64': 'T0s=',
  'order:spaces': '  {}  ',
  'order:BOM': '\ufeff{}',
  'order: with a space first': '{}',
  'order:order:twice': '{}',
  'order:"quoted"': '{}',
  'order:line\nfeed': '{}',
  'order:*?[glob]': '{}',
}

interface Stored {
  readonly value: string
  readonly ttl: number
}

const bytesOf = (reply: RawReply | undefined) => (Buffer.isBuffer(reply) ? reply.toString('hex') : 'no text')

function expectSame(after: Map<string, Stored>, before: Map<string, Stored>) {
  expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted())
  for (const [key, { value, ttl }] of before) {
    const found = after.get(key)
    expect([key, found?.value]).toEqual([key, value])
    expect([key, Math.abs((found?.ttl ?? 0) - ttl) <= 5]).toEqual([key, true])
  }
}

describeWithRedis('orders on the move', () => {
  let redis: RedisServer
  let rest: RestServer
  let connection: RespConnection
  let folder: string
  let files = 0

  beforeAll(async () => {
    redis = await startRedisServer()
    rest = await startRestServer({ redisUrl: redis.url })
    connection = await openResp(redis.url)
    folder = mkdtempSync(join(tmpdir(), 'orderly-transfer-'))
  })
  afterAll(async () => {
    connection.close()
    await rest.stop()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    await connection.call([['FLUSHDB']])
    rest.faults.latencyMs = 0
    delete rest.faults.onRequest
  })

  const overTcp = () => ({ REDIS_URL: redis.url, LOG_LEVEL: 'silent' })
  const overRest = () => ({
    UPSTASH_REDIS_REST_URL: rest.url,
    UPSTASH_REDIS_REST_TOKEN: rest.token,
    LOG_LEVEL: 'silent',
  })
  const newFile = () => join(folder, `orders-${(files += 1)}.jsonl`)

  /** All orders of the store: keys and values as bytes, and seconds to live. */
  async function snapshot(): Promise<Map<string, Stored>> {
    const [keys] = await connection.call([['KEYS', 'order:*']])
    const names = (Array.isArray(keys) ? keys : []).map(String)
    const values = await connection.call(names.map((key) => ['GET', key]))
    const ttls = await connection.call(names.map((key) => ['TTL', key]))
    return new Map(names.map((key, at) => [key, { value: bytesOf(values[at]), ttl: Number(ttls[at]) }]))
  }

  it.each(['TCP', 'REST'])(
    'export, loss and import over %s restore keys, values byte for byte, and expiries',
    async (driver) => {
      const env = driver === 'TCP' ? overTcp() : overRest()
      await callOrderly(['orders', 'import', FIXTURE], { env })
      const expiries = ['1000', '86400', '604800', '31536000']
      await connection.call([
        ...Object.entries(ODD).map(([key, value], at) => [
          'SET',
          key,
          value,
          ...(at % 2 ? ['EX', expiries[at % 4] ?? ''] : []),
        ]),
        ['SET', 'orderly:other', 'is no order'],
      ])
      const before = await snapshot()
      const file = newFile()

      const exported = await runOrderly(['orders', 'export', file, '--json'], { env })
      await connection.call([['FLUSHDB'], ['SET', 'orderly:other', 'is no order']])
      const imported = await runOrderly(['orders', 'import', file, '--json'], { env })

      const count = 225 + Object.keys(ODD).length
      expect(envelopeOf(exported)).toMatchObject({ ok: true, data: { file, exported: count, leftOut: 0, inexact: 0 } })
      expect(envelopeOf(imported)).toMatchObject({ ok: true, data: { file, imported: count, existing: 0 } })
      expectSame(await snapshot(), before)
    },
  )

  it('importing twice overwrites nothing', async () => {
    const env = overTcp()
    await callOrderly(['orders', 'import', FIXTURE], { env })
    await connection.call([
      ['APPEND', 'order:6986534250496', '\u001e{"id":"a"}\n'],
      ['EXPIRE', 'order:6986534283264', 500],
      ['UNLINK', 'order:6986534316032'],
    ])
    const [value] = await connection.call([['GET', 'order:6986534250496']])

    const run = await callOrderly(['orders', 'import', FIXTURE, '--json'], { env })

    expect(envelopeOf(run)).toMatchObject({
      ok: true,
      data: { imported: 1, existing: 224 },
      cost: { redisCommands: 225 },
    })
    const after = await snapshot()
    expect(after.get('order:6986534250496')?.value).toBe(bytesOf(value))
    expect(after.get('order:6986534283264')?.ttl).toBeGreaterThan(0)
    expect(after.size).toBe(225)
  })

  it('an exported file is for its owner only, and nothing else is left in the folder', async () => {
    await connection.call([['SET', 'order:1', '{}']])
    const own = mkdtempSync(join(folder, 'own-'))
    const file = join(own, 'backup.jsonl')

    const run = await runOrderly(['orders', 'export', file], { env: overTcp() })

    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch('Exported 1 order.')
    expect(readdirSync(own)).toEqual(['backup.jsonl'])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toBe('{"key":"order:1","value":"{}","ttlSeconds":null}\n')
  })

  it('an exported file is for its owner only, even where a .part was left for everybody', async () => {
    await connection.call([['SET', 'order:1', '{}']])
    const file = newFile()
    writeFileSync(`${file}.part`, 'from an earlier export that was killed')
    chmodSync(`${file}.part`, 0o644)

    const run = await callOrderly(['orders', 'export', file], { env: overTcp() })

    expect(run.code).toBe(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toMatch('earlier')
  })

  it('an export that Redis fails leaves no file', async () => {
    await connection.call([['SET', 'order:1', '{}']])
    rest.faults.onRequest = (commands) => (commands.some(([name]) => name === 'TTL') ? 'html-502' : 'pass')
    const own = mkdtempSync(join(folder, 'own-'))

    const run = await callOrderly(['orders', 'export', join(own, 'backup.jsonl'), '--json'], { env: overRest() })

    expect(envelopeOf(run)).toMatchObject({ ok: false, data: null, error: { code: 'REDIS_UNREACHABLE' } })
    expect(readdirSync(own)).toEqual([])
  })

  /** Orders enough for several requests. */
  const fill = (count: number) =>
    connection.call(Array.from({ length: count }, (_, at) => ['SET', `order:${at}`, `{"status":"new","n":${at}}`]))

  /** Slow enough that Ctrl-C comes while the request with this number is under way. */
  function signalAtRequest(number: number): Promise<void> {
    rest.faults.latencyMs = 60
    const first = rest.requests
    return new Promise((resolve) => {
      rest.faults.onRequest = (_, index) => {
        if (index - first === number) resolve()
        return 'pass'
      }
    })
  }

  it.each([0, 1, 3])('an export that is interrupted at request %i exits 130 and leaves no file', async (number) => {
    await fill(3_000)
    const own = mkdtempSync(join(folder, 'own-'))
    const before = await snapshot()

    const run = await runOrderly(['orders', 'export', join(own, 'backup.jsonl'), '--json'], {
      env: overRest(),
      signalAfter: signalAtRequest(number),
    })

    expect(run).toMatchObject({ code: 130, signal: null })
    expect(envelopeOf(run)).toMatchObject({ ok: false, command: 'orders export', error: { code: 'INTERRUPTED' } })
    expect(hasStackTrace(run)).toBe(false)
    expect(readdirSync(own)).toEqual([])
    expectSame(await snapshot(), before)
  })

  it.each([0, 2])(
    'an import that is interrupted at request %i exits 130, and the next one completes it',
    async (number) => {
      const lines = Array.from({ length: 3_000 }, (_, at) =>
        JSON.stringify({ key: `order:${at}`, value: `{"n":${at}}` }),
      )
      const file = newFile()
      writeFileSync(file, lines.join('\n'))

      const run = await runOrderly(['orders', 'import', file, '--json'], {
        env: overRest(),
        signalAfter: signalAtRequest(number),
      })
      const { data, error } = envelopeOf<{ imported: number; existing: number }>(run)
      const stored = (await snapshot()).size
      rest.faults.latencyMs = 0
      const rerun = await callOrderly(['orders', 'import', file, '--json'], { env: overRest() })

      expect(run).toMatchObject({ code: 130, signal: null })
      expect(error?.code).toBe('INTERRUPTED')
      expect(error?.message).toMatch(/Imported so far: \d+/)
      expect(data).toMatchObject({ imported: stored, existing: 0 })
      expect(data.imported).toBeGreaterThan(0)
      expect(data.imported).toBeLessThan(3_000)
      expect(envelopeOf(rerun)).toMatchObject({
        ok: true,
        data: { imported: 3_000 - data.imported, existing: data.imported },
      })
    },
  )

  it('an import into a full Redis stops, tells how far it came, and can be repeated', async () => {
    const lines = Array.from({ length: 1_200 }, (_, at) => JSON.stringify({ key: `order:${at}`, value: `{"n":${at}}` }))
    const file = newFile()
    writeFileSync(file, lines.join('\n'))
    const first = rest.requests
    rest.faults.onRequest = (_, index) => (index - first === 1 ? 'full' : 'pass')

    const run = await callOrderly(['orders', 'import', file, '--json'], { env: overRest() })
    delete rest.faults.onRequest
    const rerun = await callOrderly(['orders', 'import', file, '--json'], { env: overRest() })

    expect(envelopeOf(run)).toMatchObject({
      ok: false,
      data: { imported: 500, existing: 0 },
      error: { code: 'REDIS_FULL' },
    })
    expect(envelopeOf(rerun)).toMatchObject({ ok: true, data: { imported: 700, existing: 500 } })
  })

  it('orders that expire while they are exported are left out without a word', async () => {
    await connection.call([
      ['SET', 'order:gone', '{}', 'PX', 1],
      ['SET', 'order:stays', '{}'],
    ])
    const file = newFile()

    const run = await callOrderly(['orders', 'export', file, '--json'], { env: overTcp() })

    expect(envelopeOf(run)).toMatchObject({ ok: true, data: { exported: 1, leftOut: 0 }, warnings: [] })
  })
})
