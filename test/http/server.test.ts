import { describe, expect, it } from 'vitest'
import { anIntake } from '../support/orders.ts'
import { listen, postOrder, postUpdate, SECRET, startRig } from './rig.ts'

describe('a request that no route takes', () => {
  it.each([
    ['GET', '/'],
    ['GET', `/${SECRET}`],
    ['HEAD', '/intake/orders'],
    ['GET', '/intake/orders'],
    ['GET', `/telegram/webhook/${SECRET}`],
    ['POST', '/healthz'],
    ['DELETE', '/readyz'],
    ['OPTIONS', '/intake/orders'],
    ['GET', '/../../etc/passwd'],
    ['GET', '/HEALTHZ'],
    ['POST', '//intake/orders'],
  ] as const)('is told so: %s %s', async (method, url) => {
    const rig = await startRig()

    const answer = await rig.server.inject({ method, url, headers: { 'content-type': 'a/b' }, payload: SECRET })

    expect(answer.statusCode).toBe(404)
    expect(answer.body).toContain(method === 'HEAD' ? '' : '"code":"NOT_FOUND"')
    expect(rig.lines('request.failed')).toMatchObject([{ method, route: null, status: 404 }])
    expect(rig.log() + answer.body).not.toContain(SECRET)
  })

  it.each(['/%', '/%ff', `/${SECRET}%E0%A4%A`])('is told that its path is not well formed: %s', async (url) => {
    const rig = await startRig()

    const answer = await rig.server.inject(url)

    expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'BAD_URL'])
    expect(rig.log() + answer.body).not.toContain(SECRET)
  })
})

describe('every answer', () => {
  it.each(['/healthz', '/readyz', '/nowhere', '/intake/orders'])('of %s forbids what no answer needs', async (url) => {
    const { headers } = await (await startRig()).server.inject(url)

    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  it.each(['abc-123', 'A', '0b5f6e0e-7f0a-4a8e-9d65-0a4d4b7c9a11', 'x'.repeat(64)])(
    'carries the request id %s that a proxy gave, and so does the log',
    async (id) => {
      const rig = await startRig()

      const answer = await rig.server.inject({ url: '/nowhere', headers: { 'x-request-id': id } })

      expect(answer.headers['x-request-id']).toBe(id)
      expect(rig.lines('request.failed')).toMatchObject([{ requestId: id }])
    },
  )

  it.each(['', ' ', 'x'.repeat(65), 'a b', 'a"b', '<script>', 'ä', `${SECRET}!`])(
    'carries a new request id instead of "%s"',
    async (id) => {
      const rig = await startRig()

      const { headers } = await rig.server.inject({ url: '/nowhere', headers: { 'x-request-id': id } })

      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(rig.log()).not.toContain(SECRET)
    },
  )
})

describe('the log', () => {
  it('gets one line for each failed request: method, route, status, time, id, and nothing else', async () => {
    const rig = await startRig()

    const url = `/intake/orders?token=${SECRET}`
    const headers = { authorization: `Bearer ${SECRET}`, cookie: SECRET, 'user-agent': SECRET, host: SECRET }
    await rig.server.inject({ method: 'POST', url, headers, payload: SECRET })

    expect(JSON.parse(rig.log())).toEqual({
      level: 30,
      time: expect.any(String),
      event: 'request.failed',
      method: 'POST',
      route: '/intake/orders',
      status: 401,
      ms: expect.any(Number),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      msg: 'request.failed',
    })
  })

  it('gets no line for a request that did not fail', async () => {
    const rig = await startRig()

    for (const url of ['/healthz', '/readyz']) await rig.server.inject(url)
    await postUpdate(rig)
    await postOrder(rig, { body: JSON.stringify(anIntake()) })

    expect(rig.log()).toBe('')
  })
})

describe('listen', () => {
  it('fails where somebody else listens', async () => {
    const [first, second] = [await startRig(), await startRig()]
    const port = await listen(first)

    await expect(second.server.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it.each(['127.0.0.1', 'localhost', '0.0.0.0'])('resolves with an address that answers on %s', async (host) => {
    const { server } = await startRig()

    expect((await fetch(`${await server.listen(host, 0)}/healthz`)).status).toBe(200)
  })

  it('takes localhost for one address, because a second listener could not be closed under its clients', async () => {
    const { server } = await startRig()

    const { port } = new URL(await server.listen('localhost', 0))

    await expect(fetch(`http://[::1]:${port}/healthz`)).rejects.toThrow('fetch failed')
  })
})
