import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { askBinary, binaryListOf, bytesOf, openBinary } from '../../../src/redis/binary.ts'
import { callOrderly, envelopeOf, startOrderly } from '../../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { createWaiting } from '../../support/waiting.ts'
import { startStallingProxy, type StallingProxy } from './stalling-proxy.ts'
import { contentOf, fillWithVariety } from './variety.ts'

const DEBUG = ['--enable-debug-command', 'yes']

interface Written {
  readonly folder: string
  readonly manifest: { readonly keys: number; readonly databases: readonly { readonly keys: number }[] }
}

const folder = mkdtempSync(join(tmpdir(), 'orderly-backup-'))
const servers: RedisServer[] = []

async function start(options: Parameters<typeof startRedisServer>[0] = {}): Promise<RedisServer> {
  const server = await startRedisServer({ args: DEBUG, ...options })
  servers.push(server)
  return server
}

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(folder, { recursive: true, force: true })
})

async function backUp(url: string): Promise<Written> {
  const run = envelopeOf<Written>(
    await callOrderly(['redis', 'backup', mkdtempSync(join(folder, 'backups-')), '--url', url, '--json']),
  )
  expect(run.error).toBeNull()
  return run.data
}

const restoreWords = (backup: string, to: string) => ['redis', 'restore', backup, '--to', to, '--apply', '--json']

const seconds = (ms: number) => (ms / 1_000).toFixed(1)

const restore = async (backup: string, to: string) => envelopeOf(await callOrderly(restoreWords(backup, to)))

describeWithRedis('a backup of 100 000 keys of every type', () => {
  it('restored into a server with an append-only file that is killed and started again, is every key, value and expiry', async () => {
    const source = await start()
    const target = await start({ appendOnly: true })
    await fillWithVariety(source.url, 100_000)
    const before = await contentOf(source.url)

    await source.resetStats()
    const startedMs = Date.now()
    const { folder: backup, manifest } = await backUp(source.url)
    const backedUpMs = Date.now()
    const { error, cost, data } = await restore(backup, target.url)
    const restoredMs = Date.now()
    const commands = await target.stats()
    await target.kill('SIGKILL')
    await target.restart()

    expect(error).toBeNull()
    expect(manifest.keys).toBe(100_001)
    expect(manifest.databases.map(({ keys }) => keys)).toEqual([33_335, 33_333, 33_333])
    expect(data).toMatchObject({ restored: 100_001, existing: 0, expired: 0 })
    expect(await contentOf(target.url)).toEqual(before)
    // Beside one RESTORE a key only four for each 500 of them.
    expect(cost.redisCommands).toBeLessThan(100_001 * 1.01 + 30)
    console.log(
      `100 001 keys: backup ${seconds(backedUpMs - startedMs)} s, restore ${seconds(restoredMs - backedUpMs)} s, ` +
        `${cost.redisCommands} billed commands and ${cost.requests} requests to the target (RESTORE ${commands['RESTORE']})`,
    )
    await Promise.all([source.stop(), target.stop()])
  }, 180_000)
})

/** Bytes that a restore sends until it is ended: while it looks, marks, loads functions, and among the keys. */
const POINTS = [30, 400, 1_000, 5_000, 40_000, 90_000, 160_000]

describeWithRedis('a restore that ends early', () => {
  let target: RedisServer
  let proxy: StallingProxy
  let through: string
  let backup: string
  let before: ReadonlyMap<string, string>
  beforeAll(async () => {
    const source = await start()
    await fillWithVariety(source.url, 4_000)
    before = await contentOf(source.url)
    ;({ folder: backup } = await backUp(source.url))
  }, 60_000)
  beforeEach(async () => {
    target = await start({ appendOnly: true })
    proxy = await startStallingProxy(target.port)
    through = `redis://127.0.0.1:${proxy.port}`
  })
  afterEach(() => proxy.stop())

  async function expectCompletion(): Promise<void> {
    proxy.goOn()
    const { error, data } = await restore(backup, through)
    const { restored, existing } = data as { readonly restored: number; readonly existing: number }
    expect(error).toBeNull()
    expect(restored).toBeGreaterThan(100)
    expect(existing).toBeGreaterThan(100)
    expect(restored + existing).toBe(4_001)
    expect(await contentOf(target.url)).toEqual(before)
  }

  it('because its connection breaks is completed by the next run', async () => {
    for (const bytes of POINTS) {
      void proxy.stallAfter(bytes).then(proxy.cut)
      const { error } = await restore(backup, through)
      expect(error?.code).toBe('REDIS_UNREACHABLE')
    }

    await expectCompletion()
  }, 120_000)

  it('because its target is killed and started again is completed by the next run', async () => {
    for (const bytes of POINTS) {
      const stalled = proxy.stallAfter(bytes)
      const run = restore(backup, through)
      await stalled
      await target.kill('SIGKILL')
      expect((await run).error?.code).toBe('REDIS_UNREACHABLE')
      await target.restart()
    }

    await expectCompletion()
  }, 120_000)

  it('because it is killed leaves no server of its own behind and is completed by the next run', async () => {
    const temporary = mkdtempSync(join(folder, 'tmp-'))
    const waiting = createWaiting()
    for (const bytes of POINTS.slice(3)) {
      const stalled = proxy.stallAfter(bytes)
      const { child, ended } = startOrderly(restoreWords(backup, through), { env: { TMPDIR: temporary } })
      await stalled
      expect(readdirSync(temporary)).not.toEqual([])
      child.kill('SIGKILL')
      await ended
      const isGone = () => readdirSync(temporary).length === 0
      await waiting.waitFor(isGone, { timeoutMs: 20_000, explain: () => readdirSync(temporary).join() })
    }

    await expectCompletion()
  }, 180_000)

  it('because the person interrupts it says so, and is completed by the next run', async () => {
    for (const bytes of [1_000, 90_000]) {
      const interruption = new AbortController()
      void proxy.stallAfter(bytes).then(() => interruption.abort())
      const run = await callOrderly(restoreWords(backup, through), { signal: interruption.signal })
      expect(run.code).toBe(130)
      expect(envelopeOf(run).warnings.join()).toContain('the same command continues')
    }

    await expectCompletion()
  }, 120_000)

  it('is refused for another backup, and refuses nothing of its own when nothing is left to do', async () => {
    const other = await start()
    await fillWithVariety(other.url, 10)
    const { folder: another } = await backUp(other.url)
    void proxy.stallAfter(90_000).then(proxy.cut)
    await restore(backup, through)

    proxy.goOn()
    expect((await restore(another, through)).error?.code).toBe('TARGET_NOT_EMPTY')
    expect((await restore(backup, through)).error).toBeNull()
    expect(await contentOf(target.url)).toEqual(before)
  }, 60_000)

  it('and whose target was written to meanwhile stops without overwriting that', async () => {
    void proxy.stallAfter(90_000).then(proxy.cut)
    await restore(backup, through)
    const connection = await openBinary({ url: target.url })
    const [, names] = binaryListOf(await askBinary(connection, ['SCAN', 0]))
    const [key = Buffer.alloc(0)] = binaryListOf(names).filter(
      (name) => Buffer.isBuffer(name) && !String(name).startsWith('orderly:'),
    ) as Buffer[]
    await connection.send([
      ['UNLINK', key],
      ['SET', key, 'written since'],
    ])

    proxy.goOn()
    const { error } = await restore(backup, through)

    expect(error?.code).toBe('TARGET_CHANGED')
    expect(bytesOf(await askBinary(connection, ['GET', key])).toString()).toBe('written since')
    connection.close()
  }, 60_000)
})
