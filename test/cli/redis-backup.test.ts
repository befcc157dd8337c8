import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callOrderly, envelopeOf, runOrderly, type Env } from '../support/cli.ts'
import { startFakeServer, type FakeServer } from '../support/fake-server.ts'
import { freePort } from '../support/free-port.ts'
import {
  describeWithRedis,
  startRedisServer,
  type RedisServer,
  type RedisServerOptions,
} from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'

const root = mkdtempSync(join(tmpdir(), 'orderly-backup-'))
const stops: (() => Promise<void>)[] = []

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()))
  rmSync(root, { recursive: true, force: true })
})

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options)
  stops.push(server.stop)
  return server
}

async function send(url: string, ...commands: (string | number)[][]): Promise<void> {
  const connection = await openResp(url)
  await connection.call(commands)
  connection.close()
}

interface Backup {
  readonly outcome: string
  readonly folder: string
  readonly keys: number
  readonly price: { readonly commands: number; readonly dollars: number; readonly shareOfFreePlan: number }
}

let count = 0
const freshFolder = () => join(root, `backups-${(count += 1)}`)

interface BackUpOptions {
  readonly directory?: string
  readonly words?: readonly string[]
  readonly env?: Env
}

async function backUp(url: string, { directory = freshFolder(), words = [], env = {} }: BackUpOptions = {}) {
  const run = await callOrderly(['redis', 'backup', directory, '--url', url, '--json', ...words], { env })
  return { ...envelopeOf<Backup>(run), run, directory }
}

async function restore(
  backup: string,
  to: string,
  { words = ['--apply'], env = {} }: Omit<BackUpOptions, 'directory'> = {},
) {
  return envelopeOf(await callOrderly(['redis', 'restore', backup, '--to', to, '--json', ...words], { env }))
}

/** As a server elsewhere: CONFIG is what tells where its file is. */
const REMOTE = ['--rename-command', 'CONFIG', '', '--repl-diskless-sync-delay', '0']

const entriesOf = (directory: string) => (existsSync(directory) ? readdirSync(directory) : [])

describeWithRedis('orderly redis backup', () => {
  let source: RedisServer
  beforeAll(async () => {
    source = await start({ password: 'quite secret' })
    await send(source.url, ...Array.from({ length: 225 }, (_, at) => ['SET', `key:${at}`, `${at}`]), [
      'EXPIRE',
      'key:1',
      5_000,
    ])
  })

  it('writes a folder that only its owner may read, with no address and no secret in it', async () => {
    const { error, data, directory } = await backUp(source.url)

    expect(error).toBeNull()
    expect(entriesOf(directory)).toEqual([data.folder.slice(directory.length + 1)])
    expect(statSync(data.folder).mode & 0o777).toBe(0o700)
    for (const file of ['dump.rdb', 'manifest.json']) expect(statSync(join(data.folder, file)).mode & 0o777).toBe(0o600)
    const manifest = readFileSync(join(data.folder, 'manifest.json'), 'utf8')
    expect(JSON.parse(manifest)).toMatchObject({
      kind: 'rdb',
      keys: 225,
      expiring: 1,
      databases: [{ database: 0, keys: 225 }],
    })
    expect(manifest).not.toMatch(/secret|127\.0\.0\.1|redis:\/\//)
  })

  it('takes the password from REDISCLI_AUTH where the address has none', async () => {
    const { error } = await backUp(`redis://127.0.0.1:${source.port}`, { env: { REDISCLI_AUTH: 'quite secret' } })

    expect(error).toBeNull()
  })

  it('fetches the dump as a replica where the file of the server cannot be read here', async () => {
    const remote = await start({ password: 'quite secret', args: REMOTE })
    await send(remote.url, ['SET', 'a', '1'], ['SELECT', 9], ['SET', 'b', '2', 'EX', 5_000])

    const { error, data } = await backUp(remote.url)

    expect(error).toBeNull()
    expect(data).toMatchObject({ outcome: 'written', manifest: { kind: 'rdb', keys: 2, expiring: 1 } })
    expect(statSync(join(data.folder, 'dump.rdb')).mode & 0o777).toBe(0o600)
  })

  it('does without a password where the server asks for none, though REDISCLI_AUTH holds one', async () => {
    const open = await start({ args: REMOTE })
    const env = { REDISCLI_AUTH: 'of another server' }

    const { error, data } = await backUp(open.url, { env })
    expect(error).toBeNull()
    expect((await restore(data.folder, open.url, { env })).error).toBeNull()
  })

  it('of a server without redis-check-rdb here warns that nobody checked it', async () => {
    const { error, warnings, data } = await backUp(source.url, { env: { PATH: '/nonexistent' } })

    expect(error).toBeNull()
    expect(data.keys).toBeNull()
    expect(warnings.join()).toContain('was not checked')
  })

  it.each([
    ['the password is wrong', (url: string) => url.replace('quite%20secret', 'guessed'), 'REDIS_REFUSED'],
    ['the password is missing', (url: string) => url.replace(':quite%20secret@', ''), 'REDIS_REFUSED'],
    ['nobody listens', () => 'redis://127.0.0.1:1', 'REDIS_UNREACHABLE'],
    ['the address is none', () => 'localhost:6379', 'WRONG_USE'],
    ['the address is one of REST', () => 'https://eu1.upstash.io', 'BAD_INPUT'],
  ] as const)('ends clearly and leaves nothing behind when %s', async (_, wrong, code) => {
    const { error, run, directory } = await backUp(wrong(source.url))

    expect(error?.code).toBe(code)
    expect(run.code).toBe(code === 'WRONG_USE' ? 2 : 1)
    expect(entriesOf(directory)).toEqual([])
    expect(run.stdout + run.stderr).not.toMatch(/quite|guessed/)
  })

  it('of a user without the right to save ends clearly and leaves nothing behind', async () => {
    await send(source.url, ['ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-bgsave'])
    const { error, directory } = await backUp(`redis://app:pw@127.0.0.1:${source.port}`)

    expect(error).toMatchObject({ code: 'REDIS_REFUSED', message: expect.stringContaining('may not run it') })
    expect(entriesOf(directory)).toEqual([])
  })

  it('of a user without the right to replicate ends clearly and leaves nothing behind', async () => {
    await send(source.url, ['ACL', 'SETUSER', 'near', 'on', '>pw', '~*', '+@all', '-config', '-sync', '-psync'])
    const { error, directory } = await backUp(`redis://near:pw@127.0.0.1:${source.port}`)

    expect(error).toMatchObject({ code: 'BACKUP_FAILED', message: expect.stringContaining('may not fetch') })
    expect(entriesOf(directory)).toEqual([])
  })

  it('into what is no folder ends clearly', async () => {
    const file = join(root, 'a-file')
    writeFileSync(file, 'mine')

    expect((await backUp(source.url, { directory: file })).error?.code).toBe('BACKUP_UNWRITABLE')
    expect((await backUp(source.url, { directory: join(file, 'below') })).error?.code).toBe('BACKUP_UNWRITABLE')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  it('of a server that holds an unfinished restore is refused', async () => {
    const half = await start()
    await send(half.url, ['SET', 'orderly:restore', 'a'.repeat(64)])

    expect((await backUp(half.url)).error?.code).toBe('BACKUP_UNFIT')
  })
})

describeWithRedis('a server that hands over no dump', () => {
  const REFUSED = ['BGSAVE', 'SYNC', 'PSYNC', 'CONFIG'].flatMap((name) => ['--rename-command', name, ''])
  let provider: RedisServer
  beforeAll(async () => {
    provider = await start({ args: REFUSED })
    const writes = Array.from({ length: 2_500 }, (_, at) => [
      'HSET',
      `key:${at}`,
      'field',
      at,
      'text',
      'ü'.repeat(at % 50),
    ])
    await send(
      provider.url,
      ...writes,
      ['PEXPIREAT', 'key:7', 4_102_444_800_000],
      ['SELECT', 5],
      ['SET', 'far', 'away'],
    )
  })

  it('is not read key by key before the price was shown', async () => {
    const { error, data, directory } = await backUp(provider.url)

    expect(error).toBeNull()
    expect(data).toMatchObject({ outcome: 'priced', keys: 2_501, price: { commands: 5_007 } })
    expect(data.price.dollars).toBeCloseTo(0.01, 3)
    expect(data.price.shareOfFreePlan).toBeCloseTo(0.01, 3)
    expect(entriesOf(directory)).toEqual([])
  })

  it('is read key by key with --apply, for no more than that price, and restored from it', async () => {
    const { error, data, cost } = await backUp(provider.url, { words: ['--apply'] })
    const target = await start()
    // A restore that needs no redis-server here.
    const restored = await restore(data.folder, target.url, { env: { PATH: '/nonexistent' } })

    expect(error).toBeNull()
    expect(cost.redisCommands).toBeLessThanOrEqual(5_007 + 10)
    expect(restored.error).toBeNull()
    expect(restored.data).toMatchObject({
      restored: 2_501,
      databases: [
        { keys: 2_500, expiring: 1 },
        { database: 5, keys: 1 },
      ],
    })
    const connection = await openResp(target.url)
    const [text, expiry] = await connection.call([
      ['HGET', 'key:49', 'text'],
      ['PEXPIRETIME', 'key:7'],
    ])
    connection.close()
    expect(textReply(text ?? null)).toBe('ü'.repeat(49))
    expect(expiry).toBe(4_102_444_800_000)
  })
})

describe('a backup of what only tells that it is one of a kind', () => {
  const fakes: FakeServer[] = []
  afterAll(async () => {
    await Promise.all(fakes.map((fake) => fake.stop()))
  })

  /** A server that answers INFO, and as many other commands as come with OK. */
  async function startTelling(...lines: string[]): Promise<string> {
    const text = lines.join('\r\n')
    const fake = await startFakeServer((piece) => (/info/i.test(piece) ? `$${text.length}\r\n${text}\r\n` : '+OK\r\n'))
    fakes.push(fake)
    return `redis://127.0.0.1:${fake.port}`
  }

  it.each([
    ['a Redis 5', ['redis_version:5.0.14', 'role:master', 'db0:keys=3,expires=0,avg_ttl=0'], 'older than 6.2'],
    ['a sentinel', ['redis_version:7.0.15', 'redis_mode:sentinel'], 'sentinel'],
    ['a server that hides its keys', ['redis_version:7.0.15', 'role:master'], 'how many keys'],
    ['a server that hides its version', ['role:master'], 'version'],
  ])('%s is refused with what to do', async (_, lines, words) => {
    const url = await startTelling(...lines)
    const { error, directory } = await backUp(url)

    expect(error).toMatchObject({ code: 'BACKUP_UNFIT', message: expect.stringContaining(words) })
    expect(entriesOf(directory)).toEqual([])
  })

  it('Upstash shows the price and writes nothing', async () => {
    const url = await startTelling(
      'redis_version:6.2.6',
      'total_data_size:1000',
      'max_data_size:256000000',
      'db0:keys=100000,expires=5',
    )
    const run = await callOrderly(['redis', 'backup', freshFolder(), '--url', url])

    expect(run.code).toBe(0)
    expect(run.stdout).toContain('200102 commands')
    expect(run.stdout).toContain('$0.40')
    expect(run.stdout).toContain('40.0 % of a free month')
  })

  it('Upstash over REST asks for the other address', async () => {
    const env = { UPSTASH_REDIS_REST_URL: 'https://eu1.upstash.io', UPSTASH_REDIS_REST_TOKEN: 'token' }
    const run = await callOrderly(['redis', 'backup', freshFolder(), '--json'], { env })

    expect(envelopeOf(run).error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('rediss://') })
  })
})

describeWithRedis('a backup where the disk is full', () => {
  const disk = join(root, 'disk')
  mkdirSync(disk)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]).status === 0
  if (!isMounted) console.warn('SKIPPED: no small disk can be mounted here, so a full one is not tried.')
  stops.push(async () => void (isMounted && spawnSync('umount', ['-l', disk])))

  it.runIf(isMounted)('of ours ends clearly and leaves nothing behind', async () => {
    const source = await start()
    await send(source.url, ...Array.from({ length: 200 }, (_, at) => ['SET', `key:${at}`, noise()]))
    const { error, directory } = await backUp(source.url, { directory: disk })

    expect(error).toMatchObject({ code: 'BACKUP_UNWRITABLE', message: expect.stringContaining('free') })
    expect(entriesOf(directory)).toEqual([])
  })

  it.runIf(isMounted)('of the server ends clearly and leaves nothing behind', async () => {
    const source = await start({ args: ['--dir', disk] })
    await send(source.url, ...Array.from({ length: 200 }, (_, at) => ['SET', `key:${at}`, noise()]))
    const { error, directory } = await backUp(source.url)

    expect(error).toMatchObject({ code: 'BACKUP_FAILED', message: expect.stringContaining('room') })
    expect(entriesOf(directory)).toEqual([])
  })
})

/** Text of 4 kB that cannot be packed. */
const noise = () => randomBytes(3_000).toString('base64')

describeWithRedis('a cluster', () => {
  it('is neither backed up nor restored into, and says what to do', async () => {
    const nodes: RedisServer[] = []
    for (let node = 0; node < 3; node++) {
      const bus = String(await freePort())
      nodes.push(
        await start({
          args: ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-port', bus],
        }),
      )
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    const made = spawnSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { encoding: 'utf8' })
    expect(made.stdout).toContain('All 16384 slots covered')
    const plain = await start()
    const { data } = await backUp(plain.url)

    const [node] = nodes
    const answers = [await backUp(node?.url ?? ''), await restore(data.folder, node?.url ?? '')]

    for (const { error } of answers) {
      expect(error).toMatchObject({ code: 'BACKUP_UNFIT', message: expect.stringContaining('Save each primary') })
    }
  }, 60_000)
})

describeWithRedis('orderly redis restore', () => {
  let backup: string
  beforeAll(async () => {
    const source = await start()
    await send(
      source.url,
      ['SET', 'a', '1'],
      ['SET', 'b', '2', 'PX', 1],
      ['SELECT', 14],
      ['SET', 'c', '3', 'EX', 5_000],
    )
    ;({
      data: { folder: backup },
    } = await backUp(source.url))
  })

  it('without --apply says what it would do and changes nothing', async () => {
    const target = await start()
    const { error, data } = await restore(backup, target.url, { words: [] })

    expect(error).toBeNull()
    expect(data).toMatchObject({ outcome: 'planned', target: { isResumed: false }, databases: null })
    expect(await target.stats()).not.toHaveProperty('SET')
    expect(await target.stats()).not.toHaveProperty('RESTORE')
  })

  it.each([
    ['a key', ['SET', 'mine', 'dear']],
    ['a key in another database', ['SELECT', '7'], ['SET', 'mine', 'dear']],
    ['a function', ['FUNCTION', 'LOAD', "#!lua name=mine\nredis.register_function('f', function() return 1 end)"]],
    ['the mark of another restore', ['SET', 'orderly:restore', 'b'.repeat(64)]],
    ['what is no mark under the name of one', ['LPUSH', 'orderly:restore', 'b'.repeat(64)]],
  ])('into a server that holds %s is refused and changes nothing', async (_, ...commands) => {
    const target = await start()
    await send(target.url, ...(commands as string[][]))
    await target.resetStats()

    expect((await restore(backup, target.url)).error?.code).toBe('TARGET_NOT_EMPTY')
    expect(await target.stats()).not.toHaveProperty('SET')
    expect(await target.stats()).not.toHaveProperty('RESTORE')
    expect(await target.stats()).not.toHaveProperty('UNLINK')
  })

  it('into a replica is refused', async () => {
    const primary = await start()
    const replica = await start({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] })

    expect((await restore(backup, replica.url)).error).toMatchObject({
      code: 'BACKUP_UNFIT',
      message: expect.stringContaining('replica'),
    })
  })

  it.each([
    ['a database number', (url: string) => `${url}/3`, 'BAD_INPUT'],
    ['a wrong password', (url: string) => url.replace('//', '//:guessed@'), 'REDIS_REFUSED'],
    ['an address of REST', () => 'https://eu1.upstash.io', 'BAD_INPUT'],
  ] as const)('with %s ends clearly', async (_, wrong, code) => {
    const target = await start({ password: 'pw' })
    const plain = `redis://127.0.0.1:${target.port}`

    expect((await restore(backup, wrong(plain))).error?.code).toBe(code)
  })

  it('by a user without the right ends clearly, and is completed by one who has it', async () => {
    const target = await start()
    await send(target.url, ['ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-restore'])

    const refused = await restore(backup, target.url.replace('//', '//app:pw@'))
    expect(refused.error).toMatchObject({ code: 'REDIS_REFUSED', message: expect.stringContaining('may not run it') })
    expect(refused.warnings.join()).toContain('the same command continues')
    expect((await restore(backup, target.url)).error).toBeNull()
  })

  it('counts what has expired since, and gives each other key its time', async () => {
    const target = await start()
    const { data } = await restore(backup, target.url)

    expect(data).toMatchObject({
      restored: 2,
      expired: expect.any(Number),
      databases: [
        { database: 0, keys: 1 },
        { database: 14, keys: 1, expiring: 1 },
      ],
    })
  })

  it('into a server without that many databases says what to do', async () => {
    const target = await start({ args: ['--databases', '4'] })

    expect((await restore(backup, target.url)).error).toMatchObject({
      code: 'BACKUP_UNFIT',
      message: expect.stringContaining('database 14'),
    })
    expect(await target.stats()).not.toHaveProperty('SET')
    expect(await target.stats()).not.toHaveProperty('RESTORE')
  })

  it('of a value that is larger than the server takes says what to do', async () => {
    const source = await start()
    await send(source.url, ['SET', 'large', randomBytes(2_000_000).toString('base64')])
    const { data } = await backUp(source.url)
    const target = await start({ args: ['--proto-max-bulk-len', '1mb'] })

    expect((await restore(data.folder, target.url)).error).toMatchObject({
      code: 'BACKUP_UNFIT',
      message: expect.stringContaining('proto-max-bulk-len'),
    })
  })

  it('into a server that gets full ends clearly and is completed once it has more memory', async () => {
    const source = await start()
    await send(source.url, ...Array.from({ length: 2_000 }, (_, at) => ['SET', `key:${at}`, noise()]))
    const { data } = await backUp(source.url)
    const target = await start({ args: ['--maxmemory', '6mb', '--maxmemory-policy', 'noeviction'] })

    const full = await restore(data.folder, target.url)
    expect(full.error?.code).toBe('REDIS_FULL')
    const planned = await restore(data.folder, target.url, { words: [] })
    expect(planned.warnings.join()).toContain('more memory')
    await send(target.url, ['CONFIG', 'SET', 'maxmemory', '100mb'])
    expect((await restore(data.folder, target.url)).data).toMatchObject({
      outcome: 'restored',
      databases: [{ keys: 2_000 }],
    })
  }, 60_000)

  it('with a folder for temporary files whose path is too long for a socket says so', async () => {
    const target = await start()
    const folder = join(root, 'x'.repeat(100))
    mkdirSync(folder)
    const words = ['redis', 'restore', backup, '--to', target.url, '--apply', '--json']
    const run = await runOrderly(words, { env: { TMPDIR: folder } })

    expect(envelopeOf(run).error).toMatchObject({
      code: 'BACKUP_UNWRITABLE',
      message: expect.stringContaining('TMPDIR'),
    })
    expect(await target.stats()).not.toHaveProperty('SET')
  })

  it('of a dump without redis-server here says what to install', async () => {
    const target = await start()
    const { error } = await restore(backup, target.url, { env: { PATH: '/nonexistent' } })

    expect(error).toMatchObject({ code: 'PROGRAM_MISSING', message: expect.stringContaining('docs/redis.md') })
    expect(await target.stats()).not.toHaveProperty('SET')
  })

  it.each([
    ['a changed byte', (folder: string) => changeByte(join(folder, 'dump.rdb'))],
    [
      'a file cut short',
      (folder: string) =>
        writeFileSync(join(folder, 'dump.rdb'), readFileSync(join(folder, 'dump.rdb')).subarray(0, 50)),
    ],
    ['no file', (folder: string) => rmSync(join(folder, 'dump.rdb'))],
    ['what never ends in place of the manifest', (folder: string) => putPipe(join(folder, 'manifest.json'))],
    ['what never ends in place of the file', (folder: string) => putPipe(join(folder, 'dump.rdb'))],
    ['no manifest', (folder: string) => rmSync(join(folder, 'manifest.json'))],
    ['a manifest that is cut short', (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{"format":')],
    [
      'a manifest that names another file',
      (folder: string) => change(folder, (text) => text.replace('dump.rdb', '../../etc/passwd')),
    ],
    [
      'a manifest of a later format',
      (folder: string) => change(folder, (text) => text.replace('"format": 1', '"format": 2')),
    ],
  ])('of a backup with %s is refused before the target is asked', async (_, spoil) => {
    const copy = join(root, `copy-${(count += 1)}`)
    cpSync(backup, copy, { recursive: true })
    chmodSync(copy, 0o700)
    spoil(copy)

    expect((await restore(copy, 'redis://127.0.0.1:1')).error?.code).toBe('BACKUP_BROKEN')
  })
})

function change(folder: string, by: (text: string) => string): void {
  const file = join(folder, 'manifest.json')
  writeFileSync(file, by(readFileSync(file, 'utf8')))
}

function putPipe(file: string): void {
  rmSync(file)
  spawnSync('mkfifo', [file])
}

function changeByte(file: string): void {
  const bytes = readFileSync(file)
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60)
  writeFileSync(file, bytes)
}
