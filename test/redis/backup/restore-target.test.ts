import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { parseManifest } from '../../../src/redis/backup/manifest.ts'
import { dropMark, keepMark, markOf, setMark, watchMark } from '../../../src/redis/backup/restore-mark.ts'
import { judgeTarget } from '../../../src/redis/backup/restore-target.ts'
import { restore } from '../../../src/redis/backup/restore.ts'
import { askBinary, openBinary } from '../../../src/redis/binary.ts'
import { callOrderly, envelopeOf } from '../../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { startStallingProxy } from './stalling-proxy.ts'

const KEYS = 6_000
/** Bytes of each value, of a kind that cannot be packed to less than a quarter. */
const BYTES = 800

const root = mkdtempSync(join(tmpdir(), 'orderly-target-'))
const servers: RedisServer[] = []

async function start(...args: string[]): Promise<RedisServer> {
  const server = await startRedisServer({ args })
  servers.push(server)
  return server
}

const FILL = `
for i = 1, ${KEYS} do redis.call('SET', 'key:' .. i, string.rep(redis.sha1hex(i), ${BYTES / 40}), 'EX', 864000) end`

let backup: string
let direct: (to: string) => Promise<ReturnType<typeof envelopeOf>>

beforeAll(async () => {
  const source = await start()
  await ask(source, 'EVAL', FILL, 0)
  const run = await callOrderly(['redis', 'backup', root, '--url', source.url, '--json'])
  backup = envelopeOf<{ readonly folder: string }>(run).data.folder
  direct = (to) => restoreInto(backup, to)
}, 60_000)

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(root, { recursive: true, force: true })
})

const restoreInto = async (folder: string, to: string) =>
  envelopeOf(await callOrderly(['redis', 'restore', folder, '--to', to, '--apply', '--json']))

async function ask({ url }: { readonly url: string }, name: string, ...args: (string | number)[]): Promise<unknown> {
  const connection = await openBinary({ url })
  const reply = await askBinary(connection, [name, ...args])
  connection.close()
  return Buffer.isBuffer(reply) ? reply.toString() : reply
}

describeWithRedis('a target that drops keys when it is full', () => {
  it('is refused before anything is written where the data may not fit', async () => {
    const target = await start('--maxmemory', '3mb', '--maxmemory-policy', 'volatile-lru')

    const { error } = await direct(target.url)

    expect(error).toMatchObject({ code: 'BACKUP_UNFIT', message: expect.stringContaining('noeviction') })
    expect(await ask(target, 'DBSIZE')).toBe(0)
  })

  it('is taken, with a warning, where there is room enough', async () => {
    const target = await start('--maxmemory', '100mb', '--maxmemory-policy', 'volatile-lru')

    const { error, warnings, data } = await direct(target.url)

    expect(error).toBeNull()
    expect(warnings.join()).toContain('noeviction')
    expect(data).toMatchObject({ restored: KEYS, expired: 0 })
  })

  it('and has dropped some of the backup does not count as restored, and is completed once it has room', async () => {
    const target = await start('--maxmemory', '4mb', '--maxmemory-policy', 'volatile-lru')
    // A backup that says that it is small.
    const small = join(root, 'small')
    cpSync(backup, small, { recursive: true })
    const file = join(small, 'manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"memoryBytes": \d+/, '"memoryBytes": 1'))

    const { error } = await restoreInto(small, target.url)

    expect(error).toMatchObject({ code: 'TARGET_CHANGED', message: expect.stringContaining('evicted_keys') })
    expect(Number(await ask(target, 'DBSIZE'))).toBeLessThan(KEYS)
    await ask(target, 'CONFIG', 'SET', 'maxmemory', '100mb')
    expect((await restoreInto(small, target.url)).error).toBeNull()
    expect(await ask(target, 'DBSIZE')).toBe(KEYS)
  })
})

describeWithRedis('a key that goes from the target while it is restored', () => {
  it('is not taken for one that has expired', async () => {
    const target = await start()
    let isDeleted = false
    const counts = { restored: 0, existing: 0, expired: 0 }
    const run = restore({
      backup,
      url: target.url,
      apply: true,
      clock: systemClock,
      env: process.env,
      signal: new AbortController().signal,
      counts,
      onBegun: () => undefined,
      onProgress: () => {
        if (isDeleted || counts.restored === 0) return
        const { stdout } = spawnSync('redis-cli', ['-p', String(target.port), '--raw', 'EVAL', DELETE_ONE, '0'])
        isDeleted = stdout.toString().trim() === '1'
      },
    })

    await expect(run).rejects.toMatchObject({ code: 'TARGET_CHANGED' })
    expect(isDeleted).toBe(true)
  })
})

const DELETE_ONE = `
for _, key in ipairs(redis.call('KEYS', 'key:*')) do return redis.call('UNLINK', key) end
return 0`

const taken = (words: string) => ({ code: 'TARGET_TAKEN', message: expect.stringContaining(words) })

describeWithRedis('two restores of one backup into one target', () => {
  // Within its first request for keys, in a later one, and near its end.
  it.each([3_000, 300_000, 550_000])(
    'leave a target alone that the other has completed: held after %i bytes',
    async (bytes) => {
      const target = await start()
      const proxy = await startStallingProxy(target.port)
      try {
        const held = proxy.holdAfter(bytes)
        const first = direct(`redis://127.0.0.1:${proxy.port}`)
        await held
        expect((await direct(target.url)).error).toBeNull()
        expect(await ask(target, 'DBSIZE')).toBe(KEYS)
        // The programs have begun to use it, and are done with all of it.
        await ask(target, 'FLUSHALL')
        await ask(target, 'SET', 'mine', 'dear')

        proxy.goOn()
        const { error, warnings } = await first

        expect(error?.code).toBe('TARGET_TAKEN')
        expect(`${error?.message} ${warnings.join()}`).not.toMatch(/empty the target|begin anew|a part of the backup/)
        expect(await ask(target, 'DBSIZE')).toBe(1)
      } finally {
        await proxy.stop()
      }
    },
    30_000,
  )

  it('end with the later one complete, and the earlier one saying that it was taken over', async () => {
    const target = await start()
    const proxies = [await startStallingProxy(target.port), await startStallingProxy(target.port)] as const
    const [early, late] = proxies
    try {
      const held = early.holdAfter(600_000)
      const first = direct(`redis://127.0.0.1:${early.port}`)
      await held
      const heldToo = late.holdAfter(900_000)
      const second = direct(`redis://127.0.0.1:${late.port}`)
      await heldToo

      early.goOn()
      expect((await first).error).toMatchObject({
        code: 'TARGET_TAKEN',
        message: expect.stringContaining('taken over'),
      })
      late.goOn()
      expect((await second).error).toBeNull()
      expect(await ask(target, 'DBSIZE')).toBe(KEYS)
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.stop()))
    }
  }, 30_000)

  it('hold a target by a mark of their own, and let go of it as soon as that is another one’s or gone', async () => {
    const target = await start()
    const connection = await openBinary({ url: target.url })
    const [mine, theirs] = [markOf({ sha256: 'a' }), markOf({ sha256: 'a' })]

    await watchMark(connection)
    await setMark(connection, mine)
    await keepMark(connection, mine)
    await ask(target, 'SET', 'orderly:restore', theirs)
    await expect(dropMark(connection)).rejects.toMatchObject(taken('taken over'))
    await expect(keepMark(connection, mine)).rejects.toMatchObject(taken('taken over'))
    await ask(target, 'UNLINK', 'orderly:restore')
    await expect(setMark(connection, mine)).rejects.toMatchObject(taken('taken over'))
    await expect(keepMark(connection, mine)).rejects.toMatchObject(taken('is gone'))
    connection.close()
  })

  it('that begin at the same moment end with one of them complete', async () => {
    const target = await start()

    const runs = await Promise.all([direct(target.url), direct(target.url)])

    const codes = runs.map(({ error }) => error?.code ?? 'complete')
    expect(codes).toContain('complete')
    expect(['complete', 'TARGET_TAKEN', 'TARGET_NOT_EMPTY']).toEqual(expect.arrayContaining(codes))
    expect(await ask(target, 'DBSIZE')).toBe(KEYS)
  })
})

describeWithRedis('a machine whose clock is ahead of the target', () => {
  it('restores nothing, for it would take keys for expired that are not', async () => {
    const target = await start()
    const connection = await openBinary({ url: target.url })
    const manifest = parseManifest(readFileSync(join(backup, 'manifest.json'), 'utf8'))
    const judge = (aheadMs: number) => judgeTarget(connection, { manifest, clock: () => systemClock() + aheadMs })

    await expect(judge(7_200_000)).rejects.toMatchObject({
      code: 'BACKUP_UNFIT',
      message: expect.stringContaining('clock'),
    })
    expect(await judge(0)).toMatchObject({ isResumed: false })
    connection.close()
  })
})
