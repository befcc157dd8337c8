import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { checkRdb } from '../../../src/redis/backup/check-rdb.ts'
import { mapped } from '../../../src/redis/backup/folder.ts'
import { copyDump, findLocalDump, isContentOf } from '../../../src/redis/backup/local-dump.ts'
import { saveDump } from '../../../src/redis/backup/save.ts'
import { totalOf } from '../../../src/redis/backup/server-facts.ts'
import { openBinary, type BinaryConnection } from '../../../src/redis/binary.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'orderly-save-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signal = new AbortController().signal

describeWithRedis('a save', () => {
  let server: RedisServer
  let connection: BinaryConnection
  beforeAll(async () => {
    server = await startRedisServer({ args: ['--dir', folder] })
    connection = await openBinary({ url: server.url })
    await connection.send(Array.from({ length: 100 }, (_, at) => ['SET', `key:${at}`, at]))
    await connection.send([
      ['SELECT', 2],
      ...Array.from({ length: 17_000 }, (_, at) => ['SET', `key:${at}`, at, 'EX', 5_000] as const),
      ['SELECT', 0],
    ])
  })
  afterAll(async () => {
    connection.close()
    await server.stop()
  })
  /** Microseconds that each key takes. */
  const slowDown = (micros: number) => connection.send([['CONFIG', 'SET', 'rdb-key-save-delay', micros]])
  const found = (url: string, processId: number | null) => findLocalDump(url, { connection, facts: { processId } })
  const options = () => ({ connection, signal, clock: systemClock, onProgress: () => undefined })

  it('that is under way is waited for, and a new one is made', async () => {
    await slowDown(20)
    await connection.send([['BGSAVE'], ['SET', 'since', 'then']])
    await slowDown(0)
    const saved = await saveDump(options())

    expect(saved?.savedAtSeconds).toBeGreaterThan(1_700_000_000)
    expect(readFileSync(join(folder, 'dump.rdb')).includes('since')).toBe(true)
    expect(await checkRdb(join(folder, 'dump.rdb'), { env: {}, signal })).toEqual({
      keys: 17_101,
      expiring: 17_000,
      databases: [
        { database: 0, keys: 101, expiring: 0 },
        { database: 2, keys: 17_000, expiring: 17_000 },
      ],
    })
  })

  it('that takes longer than its deadline ends clearly', async () => {
    await slowDown(10_000)
    await connection.send([['BGSAVE']])
    await expect(saveDump({ ...options(), deadlineMs: 300 })).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    await slowDown(0)
    // Ends the child, which would go on for minutes.
    await connection.send([['FLUSHALL']])
  })

  it('is not waited for once the person has pressed Ctrl-C', async () => {
    await connection.send([['SET', 'one', 1]])
    await slowDown(60_000_000)
    await connection.send([['BGSAVE']])
    const interruption = new AbortController()
    const run = saveDump({ ...options(), signal: interruption.signal, onProgress: () => interruption.abort() })

    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('is looked for on this machine only where the server tells its folder and its process is at work there', async () => {
    expect(await found(server.url, server.pid)).toBe(join(folder, 'dump.rdb'))
    expect(await found('redis://redis.example.com', server.pid)).toBeUndefined()
    // A process of another folder, as that of another server; one that is not on this machine; and one that is not told.
    expect(await found(server.url, process.pid)).toBeUndefined()
    expect(await found(server.url, 99_999_999)).toBeUndefined()
    expect(await found(server.url, null)).toBeUndefined()
  })
})

const databasesOf = (counts: readonly (readonly [number, number])[]) =>
  counts.map(([database, keys]) => ({ database, keys, expiring: 0 }))

const copy = async (writtenAtSeconds: number) => {
  const [from, to] = [join(folder, 'other.rdb'), join(folder, `copy-${writtenAtSeconds}`)]
  writeFileSync(from, 'REDIS')
  utimesSync(from, writtenAtSeconds, writtenAtSeconds)
  return await copyDump(from, to, { begunAtSeconds: 1_000, savedAtSeconds: 1_010, needRoom: async () => {}, signal })
}

describe('a dump file that lies where the server says', () => {
  it('is taken only where it was written during our save, for the address may lead to another machine', async () => {
    expect(await copy(1_005)).toMatchObject({ bytes: 5 })
    expect(await copy(990)).toBeUndefined()
    expect(await copy(1_020)).toBeUndefined()
    expect(
      await copyDump(join(folder, 'none'), '', {
        begunAtSeconds: 0,
        savedAtSeconds: 0,
        needRoom: async () => {},
        signal,
      }),
    ).toBeUndefined()
  })

  it.each([
    [
      'as many keys in each database',
      [
        [0, 5],
        [2, 7],
      ],
      true,
    ],
    [
      'as many as there were in between',
      [
        [0, 6],
        [2, 7],
      ],
      true,
    ],
    [
      'other databases',
      [
        [0, 5],
        [3, 7],
      ],
      false,
    ],
    [
      'more keys',
      [
        [0, 5],
        [2, 8],
      ],
      false,
    ],
    [
      'fewer keys',
      [
        [0, 4],
        [2, 7],
      ],
      false,
    ],
    ['nothing', [], false],
  ] as const)('is taken only where it holds what the server does: %s', (_, counts, isTaken) => {
    const saved = {
      before: databasesOf([
        [0, 5],
        [2, 7],
      ]),
      after: databasesOf([
        [0, 6],
        [2, 7],
      ]),
    }
    const databases = databasesOf(counts)

    expect(isContentOf({ keys: totalOf(databases), expiring: 0, databases }, saved)).toBe(isTaken)
  })

  it('that no longer fits on the disk while it is written ends clearly', async () => {
    await expect(mapped(() => writeFile('/dev/full', 'text'))).rejects.toMatchObject({
      code: 'BACKUP_UNWRITABLE',
      message: expect.stringContaining('no room left'),
    })
  })
})

describe('a dump file that is broken', () => {
  it('is not taken for a backup', async () => {
    const file = join(folder, 'broken.rdb')
    writeFileSync(file, 'REDIS0010 and then nothing of the kind')

    await expect(checkRdb(file, { env: {}, signal })).rejects.toMatchObject({ code: 'BACKUP_BROKEN' })
  })
})
