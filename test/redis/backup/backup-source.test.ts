import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { askBinary, openBinary } from '../../../src/redis/binary.ts'
import { callOrderly, envelopeOf, runOrderly } from '../../support/cli.ts'
import { freePort } from '../../support/free-port.ts'
import { describeWithRedis, hasRedisServer, startRedisServer, type RedisServer } from '../../support/redis-server.ts'

const root = mkdtempSync(join(tmpdir(), 'orderly-source-'))
const servers: RedisServer[] = []

async function start(...args: string[]): Promise<RedisServer> {
  const server = await startRedisServer({ args })
  servers.push(server)
  return server
}

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(root, { recursive: true, force: true })
})

interface Backup {
  readonly folder: string
  readonly keys: number
}

let count = 0
async function backUp(url: string) {
  const directory = join(root, `backups-${(count += 1)}`)
  const run = envelopeOf<Backup>(await callOrderly(['redis', 'backup', directory, '--url', url, '--json']))
  return { ...run, directory }
}

async function ask({ url }: { readonly url: string }, name: string, ...args: (string | number)[]): Promise<string> {
  const connection = await openBinary({ url })
  const reply = await askBinary(connection, [name, ...args])
  connection.close()
  return String(reply)
}

async function untilTold({ url }: RedisServer, line: string): Promise<void> {
  const deadlineMs = systemClock() + 20_000
  while (!(await ask({ url }, 'INFO', 'replication')).includes(line)) {
    if (systemClock() > deadlineMs) throw new Error(`The server never told ${line}.`)
  }
}

describeWithRedis('a backup of a replica', () => {
  it('whose link to the primary is up is made, with a warning that it may lag', async () => {
    const primary = await start('--repl-diskless-sync-delay', '0')
    await ask(primary, 'SET', 'a', '1')
    const replica = await start('--replicaof', `127.0.0.1 ${primary.port}`)
    await untilTold(replica, 'master_link_status:up')

    const { error, data, warnings } = await backUp(replica.url)

    expect(error).toBeNull()
    expect(data.keys).toBe(1)
    expect(warnings.join()).toContain('replica')
  }, 30_000)

  it('that never got its data is refused and leaves nothing behind', async () => {
    const replica = await start('--replicaof', `127.0.0.1 ${await freePort()}`)

    const { error, directory } = await backUp(replica.url)

    expect(error).toMatchObject({ code: 'BACKUP_UNFIT', message: expect.stringContaining('lost its primary') })
    expect(existsSync(directory)).toBe(false)
  })

  it('that has lost its primary is refused, though it holds keys', async () => {
    const replica = await start()
    await ask(replica, 'SET', 'stale', '1')
    await ask(replica, 'REPLICAOF', '127.0.0.1', await freePort())

    expect((await backUp(replica.url)).error?.code).toBe('BACKUP_UNFIT')
  })
})

describeWithRedis('a backup of a server without keys', () => {
  it('is made, with a warning', async () => {
    const { error, data, warnings } = await backUp((await start()).url)

    expect(error).toBeNull()
    expect(data.keys).toBe(0)
    expect(warnings.join()).toContain('holds no keys')
  })
})

describeWithRedis('a server whose file another one writes to', () => {
  it('is backed up with its own keys', async () => {
    const folder = join(root, 'shared')
    mkdirSync(folder)
    const mine = await start('--dir', folder, '--repl-diskless-sync-delay', '0')
    const theirs = await start('--dir', folder)
    await ask(mine, 'SET', 'mine', '1')
    for (const name of ['a', 'b', 'c']) await ask(theirs, 'SET', name, '1')
    const over = new AbortController()
    const connection = await openBinary({ url: theirs.url })
    const saving = (async () => {
      while (!over.signal.aborted) await connection.send([['SAVE']])
    })()
    try {
      for (let run = 0; run < 3; run += 1) {
        const { error, data } = await backUp(mine.url)
        expect({ error, keys: data.keys }).toEqual({ error: null, keys: 1 })
      }
    } finally {
      over.abort()
      await saving
      connection.close()
    }
  }, 30_000)
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const hasTls = hasRedisServer && hasOpenssl && spawnSync('redis-cli', ['--tls', '--version']).status === 0
const UNTRIED = 'SKIPPED: without openssl and a Redis with TLS here, a CA of one’s own is not tried.'
if (!hasTls && process.env['CI'] === 'true') throw new Error(UNTRIED)
if (!hasTls) console.warn(UNTRIED)

describeWithRedis('a server with a certificate of a CA of one’s own', () => {
  it.runIf(hasTls)(
    'is backed up by who trusts it through NODE_EXTRA_CA_CERTS alone',
    async () => {
      const { file, words } = certificates()
      const port = await freePort()
      const server = await start('--tls-port', String(port), ...words, '--rename-command', 'CONFIG', '')
      await ask(server, 'SET', 'a', '1')
      const directory = join(root, 'tls-backups')
      const backup = ['redis', 'backup', directory, '--url', `rediss://localhost:${port}`, '--json']

      const { error, data } = envelopeOf<Backup>(await runOrderly(backup, { env: { NODE_EXTRA_CA_CERTS: file } }))
      expect(error).toBeNull()
      expect(data.keys).toBe(1)

      // redis-cli does not know this switch of Node: the connection of Orderly is made, that of redis-cli is not.
      const untrusted = await runOrderly(backup, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
      expect(envelopeOf(untrusted).error).toMatchObject({
        code: 'BACKUP_FAILED',
        message: expect.stringContaining('SSL_CERT_FILE'),
      })
      expect(readdirSync(directory)).toHaveLength(1)
    },
    60_000,
  )
})

const at = (name: string) => join(root, name)
const openssl = (...words: string[]) => expect(spawnSync('openssl', words).status).toBe(0)

/** A CA, and the words that start a server with a certificate of it for this machine. */
function certificates() {
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout']
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  openssl('req', '-x509', ...key, at('ca.key'), '-out', at('ca.crt'), '-days', '2', '-subj', '/CN=own')
  openssl('req', ...key, at('own.key'), '-out', at('own.csr'), '-subj', '/CN=localhost')
  const signing = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')]
  openssl('x509', '-req', '-in', at('own.csr'), ...signing, '-out', at('own.crt'), '-days', '2')
  const files = ['--tls-cert-file', at('own.crt'), '--tls-key-file', at('own.key'), '--tls-ca-cert-file', at('ca.crt')]
  return { file: at('ca.crt'), words: [...files, '--tls-auth-clients', 'no', '--repl-diskless-sync-delay', '0'] }
}
