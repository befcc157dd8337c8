import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { extname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { PAGE_POLICY } from '../../src/sandbox/page-files.ts'
import { asha, lena, ravi, sam } from '../../src/sandbox/people.ts'
import { openChatPage } from '../support/chat-page.ts'
import { png } from '../support/images.ts'
import { HOOK_SECRET, startSandboxServer, type SandboxServer } from '../support/sandbox-server.ts'
import { waitFor } from '../support/service-process.ts'

const folder = join(import.meta.dirname, '../../src/sandbox/page')
const servers: SandboxServer[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const server of servers.splice(0)) await server.stop()
})

async function start(...args: Parameters<typeof startSandboxServer>): Promise<SandboxServer> {
  const server = await startSandboxServer(...args)
  servers.push(server)
  return server
}

describe('the files of the page', () => {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.svg': 'image/svg+xml',
  }
  const files = readdirSync(folder).filter((name) => extname(name) in types)

  it('are served with their types, under a policy that allows nothing but themselves', async () => {
    const { url } = await start()
    expect(files).toEqual(expect.arrayContaining(['index.html', 'app.js', 'icon.svg']))

    for (const name of files) {
      const response = await fetch(url + (name === 'index.html' ? '/' : `/sandbox/page/${name}`))
      const content = await response.text()
      expect([name, response.status, response.headers.get('content-type')]).toEqual([name, 200, types[extname(name)]])
      expect(response.headers.get('content-security-policy')).toBe(PAGE_POLICY)
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(content).toBe(readFileSync(join(folder, name), 'utf8'))
    }
  })

  it('are allowed no inline script or style, no other site and no frame', () => {
    expect(PAGE_POLICY).not.toContain('unsafe')
    expect(PAGE_POLICY).toContain("default-src 'none'")
    expect(PAGE_POLICY).toContain("frame-ancestors 'none'")
    expect(PAGE_POLICY.match(/https?:|\*|data:|blob:/)).toBeNull()
  })

  it('hold no inline script or style, nothing of another site, and name only files that are there', () => {
    const page = readFileSync(join(folder, 'index.html'), 'utf8')
    const scripts = [...page.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)]
    const named = [...page.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)

    expect(scripts.length).toBeGreaterThan(0)
    expect(scripts.map(([, , content]) => content?.trim())).toEqual(scripts.map(() => ''))
    expect(page).not.toMatch(/<style\b|\bstyle=|\son[a-z]+=|javascript:/i)
    expect(named.map((path) => path.replace('/sandbox/page/', '')).filter((name) => !files.includes(name))).toEqual([])
    for (const name of files.filter((file) => file.endsWith('.js'))) {
      const text = readFileSync(join(folder, name), 'utf8')
      const imports = [...text.matchAll(/^(?:import|export)\b.* from '([^']+)'/gm)].map(([, path = '']) => path)
      expect([name, imports.filter((path) => !files.includes(path.replace('./', '')))]).toEqual([name, []])
      expect([name, /\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|\beval\(|new Function/.test(text)]).toEqual([
        name,
        false,
      ])
    }
  })

  it.each([
    '/index.html',
    '/sandbox',
    '/sandbox/',
    '/sandbox/page',
    '/sandbox/page/',
    '/sandbox/page/index.html',
    '/sandbox/page/none.js',
    '/sandbox/page/tsconfig.json',
    '/sandbox/page/../gate.ts',
    '/sandbox/page/..%2fgate.js',
    '/sandbox/page/%2e%2e/gate.js',
    '/sandbox/files/none',
    '/sandbox/files/..%2f..%2fpackage.json',
    '/sandbox/actions',
    '/favicon.ico',
  ])('are all there is: %s is not found', async (path) => {
    const { server } = await start()

    expect((await server.inject({ url: path, headers: { host: 'localhost' } })).statusCode).toBe(404)
  })
})

const act = ({ server }: SandboxServer, name: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  server.inject({
    method: 'POST',
    url: `/sandbox/actions/${name}`,
    headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('an action', () => {
  const group = -1_000_000_014
  const say = { personId: asha.id, chatId: asha.id, text: '/start' }
  const press = { personId: asha.id, chatId: asha.id, messageId: 1, row: 0, column: 0 }

  it.each([
    ['say', {}],
    ['say', { ...say, text: undefined }],
    ['say', { ...say, text: '' }],
    ['say', { ...say, text: '   ' }],
    ['say', { ...say, text: 7 }],
    ['say', { ...say, text: ['/start'] }],
    ['say', { ...say, text: 'x'.repeat(4_097) }],
    ['say', { ...say, personId: String(asha.id) }],
    ['say', { ...say, personId: 1.5 }],
    ['say', { ...say, personId: 9e15 }],
    ['say', { ...say, personId: null }],
    ['say', { ...say, personId: 42 }],
    ['say', { ...say, chatId: 42 }],
    ['say', { ...say, chatId: sam.id }],
    ['say', { ...say, personId: sam.id, chatId: group }],
    ['say', { ...say, replyTo: 1 }],
    ['say', { ...say, __proto__: { text: 'x' }, isAdmin: true }],
    ['say', '{"personId":5100000001,"chatId":5100000001,"text":"x","__proto__":{"x":1}}'],
    ['say', '{"constructor":{"prototype":{"x":1}}}'],
    ['say', []],
    ['say', null],
    ['say', 7],
    ['say', 'true'],
    ['say', '"say"'],
    ['press', {}],
    ['press', press],
    ['press', { ...press, messageId: -1 }],
    ['press', { ...press, row: -1 }],
    ['press', { ...press, column: 101 }],
    ['press', { ...press, row: 0.5 }],
    ['press', { ...press, personId: 42 }],
    ['press', { ...press, chatId: 42 }],
    ['press', { ...press, data: 'md::X' }],
    ['block', {}],
    ['block', { personId: asha.id }],
    ['block', { personId: asha.id, isBlocked: 'yes' }],
    ['block', { personId: 42, isBlocked: true }],
    ['block', { personId: group, isBlocked: true }],
    ['membership', {}],
    ['membership', { chatId: asha.id, isBotMember: false }],
    ['membership', { chatId: 42, isBotMember: true }],
    ['membership', { chatId: group, isBotMember: 1 }],
    ['order', { id: 'x' }],
    ['order', null],
    ['fault', {}],
    ['fault', { kind: 'fire' }],
    ['fault', { kind: 'down', ms: 1 }],
    ['fault', { kind: ['down'] }],
    ['again', { updateId: 1 }],
    ['restart', { now: true }],
    ['restart', []],
  ])('%s with %.200j is refused readably', async (name, body) => {
    const sandbox = await start()

    const answer = await act(sandbox, name, body)

    expect([400, 422]).toContain(answer.statusCode)
    const { error } = answer.json<{ readonly error: { readonly code: string; readonly message: string } }>()
    expect(error.message).toMatch(/^[A-Z].*\.$/)
    expect(error.code).not.toBe('UNEXPECTED')
    expect(errorsIn(sandbox)).toEqual([])
    expect(sandbox.restarts()).toBe(0)
  })

  it.each([
    ['no JSON', 'say', '{"personId":', {}, 400],
    ['nothing', 'say', '', {}, 400],
    ['another type', 'say', 'text=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a text, which other sites may send', 'restart', '{}', { 'content-type': 'text/plain' }, 415],
    ['far too much', 'say', JSON.stringify({ ...say, text: 'x'.repeat(1_100_000) }), {}, 413],
    ['an action that there is not', 'shout', say, {}, 404],
    ['an action of the language', '__proto__', {}, {}, 404],
    ['an action in another case', 'SAY', say, {}, 404],
  ] as const)('that is %s is refused', async (_, name, body, headers, status) => {
    const sandbox = await start()

    const answer = await act(sandbox, name, body, headers)

    expect([answer.statusCode, sandbox.restarts()]).toEqual([status, 0])
    expect(answer.json()).toMatchObject({ error: { message: expect.stringMatching(/\.$/) } })
  })

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS'] as const)('is not asked for by %s', async (method) => {
    const { server, restarts } = await start()
    const url = '/sandbox/actions/restart'

    expect((await server.inject({ method, url, headers: { host: 'localhost' } })).statusCode).toBe(404)
    expect(restarts()).toBe(0)
  })

  it('without a body is no action either', async () => {
    const { server, restarts } = await start()
    const answer = await server.inject({
      method: 'POST',
      url: '/sandbox/actions/restart',
      headers: { host: 'localhost' },
    })

    expect([answer.statusCode, restarts()]).toEqual([422, 0])
  })

  it.each([
    [new InputError('The field total is missing.'), 422, 'The field total is missing.'],
    [new TypeError('fetch failed'), 500, 'Something failed here.'],
  ])('that fails in the intake with %s is answered %i', async (error, status, message) => {
    const sandbox = await start({ handIn: () => Promise.reject(error) })

    const answer = await act(sandbox, 'order', {})

    expect(answer.statusCode).toBe(status)
    expect(answer.json<{ readonly error: { readonly message: string } }>().error.message).toContain(message)
  })

  it('does what a person can do in Telegram, whoever that is', async () => {
    const sandbox = await start()
    const { url } = sandbox
    const page = await openChatPage(url)

    expect(await page.act('again', {})).toEqual({ status: 200, body: { updateId: null } })
    expect(await page.act('say', { personId: lena.id, chatId: lena.id, text: ' hello ' })).toEqual({
      status: 200,
      body: {},
    })
    await waitFor(() => page.messages(lena.id).find(({ text }) => text === 'hello'))
    await waitFor(() => page.facts.chats.find(({ id, hasStarted }) => id === lena.id && hasStarted))
    await page.act('block', { personId: ravi.id, isBlocked: true })
    await waitFor(() => page.facts.chats.find(({ id, isBlocked }) => id === ravi.id && isBlocked))
    await page.act('membership', { chatId: page.chatId('Vendor'), isBotMember: false })
    await waitFor(() => page.facts.chats.find(({ title, isBotRemoved }) => title.startsWith('Vendor') && isBotRemoved))
    for (const kind of ['too-many', 'reset', 'slow', 'down'] as const) await page.act('fault', { kind })
    await waitFor(
      () => page.facts.faults.planned === 2 && page.facts.faults.isDown && page.facts.faults.slowMs === 2_000,
    )
    await page.act('fault', { kind: 'calm' })
    await waitFor(() => page.facts.faults.planned === 0 && !page.facts.faults.isDown && page.facts.faults.slowMs === 0)
    expect(await page.act('order', {})).toEqual({ status: 200, body: { id: 'an-order' } })
    await waitFor(() => page.traffic().find(({ kind, status }) => kind === 'intake' && status === 201))
    expect(await page.act('restart', {})).toEqual({ status: 200, body: {} })
    expect(sandbox.restarts()).toBe(1)
    page.close()
  })
})

/** Has the bot send a file to Asha. */
const upload = async ({ url, token }: SandboxServer, [method, field]: readonly [string, string], file: File) => {
  const form = new FormData()
  form.set('chat_id', String(asha.id))
  form.set(field, file)
  const response = await fetch(`${url}/sandbox/bot${token}/${method}`, { method: 'POST', body: form })
  expect(response.status).toBe(200)
}

describe('a file that the bot sent', () => {
  it('is a picture where it is a photo, and else a download that no browser runs', async () => {
    const sandbox = await start()
    const page = await openChatPage(sandbox.url)
    const script = '<script>alert(1)</script>'
    await upload(sandbox, ['sendPhoto', 'photo'], new File([png(640, 480)], 'figures.png', { type: 'text/html' }))
    await upload(sandbox, ['sendDocument', 'document'], new File([script], 'päge\r\n".html', { type: 'text/html' }))

    const files = await waitFor(() => {
      const found = page.messages(asha.id).flatMap(({ file }) => file ?? [])
      return found.length === 2 && found
    })
    const answers = await Promise.all(files.map(({ path }) => fetch(sandbox.url + path)))

    expect(answers.map(({ status, headers }) => [status, headers.get('content-type')])).toEqual([
      [200, 'image/png'],
      [200, 'application/octet-stream'],
    ])
    expect(answers.map(({ headers }) => headers.get('content-disposition')?.split(';')[0])).toEqual([
      'inline',
      'attachment',
    ])
    for (const { headers } of answers) {
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(files[0]?.photo).toEqual({ width: 640, height: 480 })
    expect(await answers[1]?.text()).toBe(script)
    page.close()
  })
})

/** What the log says of failures that nobody expected. */
const errorsIn = ({ log }: SandboxServer) =>
  log()
    .split('\n')
    .filter((line) => /"level":[56]0/.test(line))

describe('the events', () => {
  it('tell a page everything first, and another page the same', async () => {
    const { url, sandbox } = await start()
    const page = await openChatPage(url)
    await page.act('say', { personId: asha.id, chatId: asha.id, text: 'one' })
    sandbox.noteSeeded(225)
    await waitFor(() => page.facts.store.seeded === 225)

    const other = await openChatPage(url)

    expect(other.hello).toMatchObject({
      run: 'a-run',
      version: '0.0.0-test',
      facts: { store: { kind: 'memory', seeded: 225 } },
    })
    expect(other.messages(asha.id)).toEqual(page.messages(asha.id))
    page.close()
    other.close()
  })

  it('mask the secret of the webhook, and never hold the token', async () => {
    const { url, token } = await start()
    const page = await openChatPage(url)
    const params = { url: `${url}/telegram/webhook`, secret_token: HOOK_SECRET }
    const body = JSON.stringify(params)
    const headers = { 'content-type': 'application/json' }
    for (const [name, of] of [
      ['setWebhook', token],
      ['setWebhook', `${token}x`],
      ['getMe', token],
    ] as const) {
      await fetch(`${url}/sandbox/bot${of}/${name}`, { method: 'POST', headers, body })
    }
    await fetch(
      `${url}/sandbox/bot${token}/setWebhook?secret_token=${HOOK_SECRET}&url=${encodeURIComponent(params.url)}`,
    )
    await waitFor(() => page.traffic().filter(({ status }) => status !== undefined).length >= 3)
    const late = await openChatPage(url)

    expect(page.told + JSON.stringify(late.hello)).not.toContain('SANDBOXSECRET')
    expect(page.told).toContain('***')
    page.close()
    late.close()
  })

  it('keep the latest 300 messages of a chat and 300 lines of traffic for a page that is opened', async () => {
    const { url, token } = await start()
    for (let number = 1; number <= 310; number++) {
      await fetch(`${url}/sandbox/bot${token}/sendMessage?chat_id=${asha.id}&text=${number}`)
    }

    const page = await openChatPage(url)

    expect(page.hello.messages.map(({ text }) => text)).toEqual(Array.from({ length: 300 }, (_, at) => String(at + 11)))
    expect(page.hello.traffic).toHaveLength(300)
    page.close()
  })

  it('cut off a page that does not read', { timeout: 30_000 }, async () => {
    const { url, sandbox } = await start()
    const { port, host } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    let isClosed = false
    socket.on('close', () => (isClosed = true)).on('error', () => {})
    socket.write(`GET /sandbox/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.pause()
    const reader = await openChatPage(url)

    // Facts are about 2 kB: what the system buffers, and 4 MB more.
    for (let count = 1; count <= 8_000; count++) {
      sandbox.noteSeeded(count)
      if (count % 200 === 0) await waitFor(() => reader.facts.store.seeded === count)
    }
    socket.resume()

    await waitFor(() => isClosed)
    expect(reader.isOver).toBe(false)
    reader.close()
  })

  it('give a sign of life every 15 s', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { url } = await start()
    const leaving = new AbortController()
    const response = await fetch(`${url}/sandbox/events`, { signal: leaving.signal })
    let text = ''
    const decoder = new TextDecoder()
    const reading = (async () => {
      for await (const piece of response.body ?? []) text += decoder.decode(piece)
    })().catch(() => undefined)
    await waitFor(() => text.startsWith('retry: 500\nevent: hello\n'))

    vi.advanceTimersByTime(45_000)
    await waitFor(() => (text.match(/: alive\n\n/g)?.length ?? 0) >= 3)

    leaving.abort()
    await reading
    expect(text.match(/: alive\n\n/g)).toHaveLength(3)
  })

  it('end when the sandbox stops, and a page that comes later is not told to stay away', async () => {
    const { url, sandbox } = await start()
    const page = await openChatPage(url)

    await sandbox.stop()

    await waitFor(() => page.isOver)
    await expect(fetch(`${url}/sandbox/events`)).rejects.toThrow('fetch failed')
  })

  it('outlive the time after which the server ends a silent connection', async () => {
    const { url, sandbox } = await start({}, { silenceMs: 400 })
    const page = await openChatPage(url)
    // As often as the heartbeat: at a quarter of that time.
    let orders = 0
    const alive = setInterval(() => sandbox.noteSeeded((orders += 1)), 100)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    clearInterval(alive)

    expect(page.isOver).toBe(false)
    await waitFor(() => page.isOver, 3_000)
  })
})
