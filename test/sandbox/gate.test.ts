import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLoopbackHost } from '../../src/sandbox/gate.ts'
import { startSandboxServer, type SandboxServer } from '../support/sandbox-server.ts'

let sandbox: SandboxServer
let own: string
beforeAll(async () => {
  sandbox = await startSandboxServer()
  own = new URL(sandbox.url).host
})
afterAll(() => sandbox.stop())

/** Sends a request with these headers as they are; an absent host is not made up. */
function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  method = 'GET',
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(sandbox.url + path, { method, headers, setHost: false, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        // The events never end.
        if (path === '/sandbox/events') response.destroy()
      })
      response.once('close', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('error', reject).end()
  })
}

/** All that a sandbox serves, and what a request without body and secret is answered by each once the gate lets it in. */
const routes = (token: string) =>
  [
    ['GET', '/', 200],
    ['GET', '/sandbox/page/app.js', 200],
    ['GET', '/sandbox/events', 200],
    ['GET', '/sandbox/files/none', 404],
    ['POST', '/sandbox/actions/say', 422],
    ['POST', '/telegram/webhook', 401],
    ['POST', '/intake/orders', 401],
    ['GET', `/sandbox/bot${token}/getMe`, 200],
    ['GET', `/sandbox/file/bot${token}/none`, 404],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
  ] as const

const port = () => new URL(sandbox.url).port

describe('a host', () => {
  it.each([
    ['127.0.0.1:PORT'],
    ['localhost:PORT'],
    ['LOCALHOST:PORT'],
    ['[::1]:PORT'],
    ['localhost'],
    ['127.0.0.1:80'],
    // What a tunnel to this machine sends: the name counts, not the port.
    ['localhost:8080'],
  ])('%s is let in', async (host) => {
    expect((await ask('/healthz', { host: host.replace('PORT', port()) })).status).toBe(200)
  })

  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1.evil.example',
    'localhost.evil.example:PORT',
    'notlocalhost',
    '127.0.0.1:PORT@evil.example',
    'evil.example@127.0.0.1:PORT',
    'user:pass@localhost:PORT',
    'localhost:PORT/x',
    'localhost:PORT?x',
    'localhost#x',
    'localhost:PORT,evil.example',
    'localhost.',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0.0.0.0:PORT',
    '127.0.0.2',
    '[::]:PORT',
    '[::ffff:127.0.0.1]:PORT',
    '[0:0:0:0:0:0:0:1]:PORT',
    'localhost:99999',
    ':PORT',
    '',
    ' ',
    'localhost\\@evil.example',
    'locäl',
  ])('%j is kept out', async (host) => {
    const answer = await ask('/healthz', { host: Buffer.from(host.replace('PORT', port())).toString('latin1') })

    expect([400, 403]).toContain(answer.status)
    expect(answer.text).not.toContain('"ok"')
  })

  it('that is missing is kept out', async () => {
    expect([400, 403]).toContain((await ask('/healthz', {})).status)
  })

  it('of another site is kept out of everything', async () => {
    for (const [method, path] of routes(sandbox.token)) {
      const answer = await ask(path, { host: 'evil.example' }, method)
      expect([path, answer.status, JSON.parse(answer.text)]).toEqual([
        path,
        403,
        { error: { code: 'FOREIGN_REQUEST', message: expect.stringContaining('localhost') } },
      ])
    }
  })
})

describe('an origin', () => {
  it('that is absent, as for programs, is let in everywhere', async () => {
    for (const [method, path, status] of routes(sandbox.token)) {
      expect([path, (await ask(path, { host: own }, method)).status]).toEqual([path, status])
    }
  })

  it("that is the page's own is let in everywhere", async () => {
    for (const [method, path, status] of routes(sandbox.token)) {
      const answer = await ask(path, { host: own, origin: sandbox.url }, method)
      expect([path, answer.status]).toEqual([path, status])
    }
  })

  it.each([
    ['null'],
    ['http://127.0.0.1:1'],
    ['http://127.0.0.1'],
    ['http://localhost:PORT'],
    ['https://127.0.0.1:PORT'],
    ['http://evil.example'],
    ['http://127.0.0.1:PORT.evil.example'],
    ['http://127.0.0.1:PORT/'],
    ['http://evil.example@127.0.0.1:PORT'],
    ['http://127.0.0.1:PORT http://evil.example'],
    ['file://'],
    ['127.0.0.1:PORT'],
    [''],
  ])('%j is kept out of everything', async (text) => {
    const origin = text.replace('PORT', port())
    for (const [method, path] of routes(sandbox.token)) {
      expect([path, (await ask(path, { host: own, origin }, method)).status]).toEqual([path, 403])
    }
  })

  it('is the name by which the page was opened', async () => {
    const host = own.replace('127.0.0.1', 'localhost')

    expect((await ask('/healthz', { host, origin: `http://${host}` })).status).toBe(200)
    expect((await ask('/healthz', { host, origin: sandbox.url })).status).toBe(403)
  })
})

it.each([
  ['127.0.0.1', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.2', false],
  ['orderly.example', false],
  ['', false],
])('a sandbox that listens at %j: %s', (host, isFine) => {
  expect(isLoopbackHost(host)).toBe(isFine)
})
