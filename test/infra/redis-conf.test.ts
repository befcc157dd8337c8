import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeIn, documentText, tableRows } from '../support/markdown.ts'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'

const page = documentText('docs/redis.md')

/** The settings of redis.conf by name, all but the user's. */
const settings = new Map(
  documentText('infra/redis/redis.conf')
    .split('\n')
    .filter((line) => /^[a-z]/.test(line) && !line.startsWith('user '))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
)
const [, userRule = ''] = /^user orderly on (.*)$/m.exec(documentText('infra/redis/redis.conf')) ?? []

/** As Redis writes the value of a setting. */
const inBytes = (value: string) => value.replace(/^(\d+)mb$/, (_, megabytes) => String(Number(megabytes) * 1024 ** 2))

/** A setting of the unit. */
const valueOf = (key: string) =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(documentText('infra/redis/orderly-redis.service'))?.[1]

describe('infra/redis/redis.conf', () => {
  it('names no folder, so that it works from wherever it lies', () => {
    expect([...settings.values()].filter((value) => value.includes('/'))).toEqual([])
    expect([...settings.keys()]).not.toContain('dir')
  })

  it('holds no password and leaves nobody without one', () => {
    expect(`${userRule} ${[...settings.keys()].join(' ')}`).not.toMatch(/nopass|[#>]|requirepass|aclfile|include/)
  })

  it('is the table of docs/redis.md', () => {
    const rows = tableRows(page, 'setting').map(([name, value]) => [codeIn(name), codeIn(value)])

    expect(rows).toEqual([...settings])
  })

  it('gives the application the commands that docs/redis.md lists, and no others of those that can do harm', () => {
    const rows = tableRows(page, 'the application may also')
    const listed = rows.flatMap(([names = '']) => [...names.matchAll(/`([A-Z ]+)`/g)].map(([, name = '']) => name))
    const named = [...userRule.matchAll(/\+([a-z|]+)/g)].map(([, name = '']) => name.replace('|', ' ').toUpperCase())

    expect(listed.toSorted()).toEqual(named.toSorted())
  })
})

describeWithRedis('a bare redis-server with infra/redis/redis.conf', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await startOwnServer({ requirepass: 'a password' })
  })
  afterAll(() => server.stop())

  it('runs with every setting of the file', async () => {
    const admin = await server.open('default')

    const replies = await admin.call([...settings.keys()].map((name) => ['CONFIG', 'GET', name]))

    expect(replies.map(textReply)).toEqual([...settings].map(([name, value]) => [name, inBytes(value)]))
  })

  it('lets in the administrator with the password, and nobody without or with another', async () => {
    const [pong] = await (await server.open('default')).call([['PING']])
    const nobody = await openResp(`redis://127.0.0.1:${server.port}`)

    expect(textReply(pong ?? null)).toBe('PONG')
    expect(await nobody.call([['PING']])).toEqual([{ error: 'NOAUTH Authentication required.' }])
    nobody.close()
    for (const name of [
      'default:wrong',
      'default:',
      'orderly:wrong',
      'orderly:a%20password',
      'stranger:a%20password',
    ]) {
      await expect(openResp(`redis://${name === 'default:' ? ':x' : name}@127.0.0.1:${server.port}`)).rejects.toThrow(
        'WRONGPASS',
      )
    }
  })

  it('lets the application in as soon as the administrator gives it a password', async () => {
    await (await server.open('default')).call([['ACL', 'SETUSER', 'orderly', '>another password']])

    const application = await openResp(`redis://orderly:another%20password@127.0.0.1:${server.port}`)
    const replies = await application.call([['PING'], ['FLUSHALL']])
    application.close()

    expect(replies.map(textReply)).toEqual(['PONG', { error: expect.stringMatching(/^NOPERM/) }])
  })

  it('listens on the loopback interface only', async () => {
    const admin = await server.open('default')

    const [bound = null] = await admin.call([['CONFIG', 'GET', 'bind']])

    expect(textReply(bound)).toEqual(['bind', '127.0.0.1 -::1'])
  })

  it('refuses even the administrator what would reach into the process', async () => {
    const admin = await server.open('default')
    const commands = [
      ['DEBUG', 'SLEEP', '0'],
      ['MODULE', 'LOAD', '/nowhere.so'],
      ['CONFIG', 'SET', 'dir', '/tmp'],
    ]

    for (const reply of await admin.call(commands)) expect(reply).toHaveProperty('error')
  })
})

describeWithRedis('infra/redis/start.sh', () => {
  it('lets both users in whatever characters their passwords have, each with its own only', async () => {
    const server = await startOwnServer()
    try {
      const replies = await Promise.all(
        (['orderly', 'default'] as const).map(async (user) => (await server.open(user)).call([['ACL', 'WHOAMI']])),
      )
      expect(replies.flat().map(textReply)).toEqual(['orderly', 'default'])
      const swapped = server.url('orderly').replace('//orderly:', '//default:')
      await expect(openResp(swapped)).rejects.toThrow('WRONGPASS')
    } finally {
      await server.stop()
    }
  })

  it('gives both the same password where there is only one', async () => {
    const server = await startOwnServer({ env: { REDIS_PASSWORD: 'one for both', REDIS_ADMIN_PASSWORD: '' } })
    try {
      for (const user of ['orderly', 'default']) {
        const connection = await openResp(`redis://${user}:one%20for%20both@127.0.0.1:${server.port}`)
        expect((await connection.call([['ACL', 'WHOAMI']])).map(textReply)).toEqual([user])
        connection.close()
      }
    } finally {
      await server.stop()
    }
  })

  it('shows no password in the process list or in the environment of the server, and leaves no other process', async () => {
    const env = { REDIS_PASSWORD: 'find-me-if-you-can', REDIS_ADMIN_PASSWORD: 'find-me-too' }
    const server = await startOwnServer({ env })
    try {
      const shown = ['cmdline', 'environ', 'comm'].map((name) => readFileSync(`/proc/${server.pid}/${name}`, 'utf8'))
      const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')

      expect(shown.join()).toContain('redis-server')
      expect(shown.join()).not.toContain('find-me')
      expect(children).toBe('')
    } finally {
      await server.stop()
    }
  })

  it.each([{}, { REDIS_PASSWORD: '' }, { REDIS_ADMIN_PASSWORD: 'only this' }])('refuses %j with what to set', (env) => {
    const root = join(import.meta.dirname, '../..')
    const run = spawnSync('sh', ['infra/redis/start.sh', '--port', '0'], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
    })

    expect([run.status, run.stdout]).toEqual([2, ''])
    expect(run.stderr).toMatch(/^REDIS_PASSWORD is not set\. .*\.\n$/)
  })
})

describeWithRedis('infra/redis/orderly-redis.service', () => {
  it('starts what is in the repository, with words that redis-server takes', async () => {
    const [program, ...words] = valueOf('ExecStart')?.split(' ') ?? []
    expect(program).toBe('/opt/orderly/infra/redis/start.sh')
    expect(words.slice(0, 4)).toEqual(['--port', '6379', '--dir', `/var/lib/${valueOf('StateDirectory')}`])

    const server = await startOwnServer({ args: words.slice(4) })
    await server.stop()
  })

  it('gives it the time to end that compose gives', () => {
    const [, seconds] = /stop_grace_period: (\d+)s\n {4}logging/.exec(documentText('compose.yaml')) ?? []

    expect(valueOf('TimeoutStopSec')).toBe(seconds)
  })
})
