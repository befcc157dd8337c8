import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callOrderly, envelopeOf } from '../../support/cli.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { openResp, textReply } from '../../support/resp.ts'

const root = mkdtempSync(join(tmpdir(), 'orderly-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function ask(server: RedisServer, ...command: string[]): Promise<unknown> {
  const connection = await openResp(server.url)
  const [reply = null] = await connection.call([command])
  connection.close()
  return textReply(reply)
}

describeWithRedis('the procedure with the file itself (docs/redis.md)', () => {
  let dump: string
  beforeAll(async () => {
    const source = await startRedisServer()
    for (const name of ['a', 'b', 'c']) await ask(source, 'SET', name, name)
    const run = await callOrderly(['redis', 'backup', root, '--url', source.url, '--json'])
    dump = join(envelopeOf<{ readonly folder: string }>(run).data.folder, 'dump.rdb')
    await source.stop()
  })

  function folderWithDump(name: string): string {
    const folder = join(root, name)
    mkdirSync(folder)
    cpSync(dump, join(folder, 'dump.rdb'))
    return folder
  }

  it('must not begin with the append-only file on, for such a server starts empty', async () => {
    const server = await startRedisServer({ args: ['--dir', folderWithDump('wrong'), '--appendonly', 'yes'] })

    expect(await ask(server, 'DBSIZE')).toBe(0)
    await server.stop()
  })

  it('brings every key into a server with the append-only file on, also after it is killed', async () => {
    const folder = folderWithDump('right')
    const first = await startRedisServer({ args: ['--dir', folder, '--appendonly', 'no'] })
    expect(await ask(first, 'DBSIZE')).toBe(3)
    expect(await ask(first, 'CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK')
    while (/aof_rewrite_(in_progress|scheduled):1/.test(String(await ask(first, 'INFO', 'persistence')))) continue
    expect(String(await ask(first, 'INFO', 'persistence'))).toContain('aof_last_bgrewrite_status:ok')
    await first.stop()

    const second = await startRedisServer({ args: ['--dir', folder, '--appendonly', 'yes'] })
    expect(await ask(second, 'DBSIZE')).toBe(3)
    await ask(second, 'SET', 'd', 'd')
    await second.kill('SIGKILL')
    await second.restart()
    expect(await ask(second, 'DBSIZE')).toBe(4)
    await second.stop()
  })
})
