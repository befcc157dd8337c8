import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { dial, listen, rawRequest, SECRET, startRig } from './rig.ts'

describe('what is hardly HTTP', () => {
  it.each([
    ['headers of 20 kB', rawRequest('GET /healthz', { cookie: SECRET.repeat(4_000) }), 431],
    ['no HTTP at all', `${SECRET} ${SECRET}\r\n\r\n`, 400],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001', 400],
    ['a method that is none', rawRequest(`${SECRET} /healthz`), 400],
    [
      'two lengths',
      `POST /telegram/webhook HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n${SECRET}`,
      400,
    ],
    [
      'a length beside chunks',
      rawRequest('POST /x', { 'content-length': 3, 'transfer-encoding': 'chunked' }, SECRET),
      400,
    ],
    ['a length that is no number', rawRequest('POST /x', { 'content-length': SECRET }), 400],
    ['a header with a line break', `GET /healthz HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n`, 400],
    ['no host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ])('is answered and cut off: %s', async (_, text, status) => {
    const rig = await startRig()
    const port = await listen(rig)

    const answer = await dial(port, text).ended

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(rig.log() + answer).not.toContain(SECRET)
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  })

  it('is answered as JSON and logged by its code alone', async () => {
    const rig = await startRig()

    const answer = await dial(await listen(rig), `${SECRET}\r\n\r\n`).ended

    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code).toBe('BAD_REQUEST')
    expect(rig.lines('request.failed')).toMatchObject([
      { method: null, route: null, status: 400, code: 'HPE_INVALID_METHOD' },
    ])
  })

  it('is cut off although the client keeps its half of the connection', async () => {
    const socket = connect({ port: await listen(await startRig()), host: '127.0.0.1', allowHalfOpen: true })
    const closed = new Promise<boolean>((resolve) => socket.on('close', resolve))
    // The reset that the test waits for.
    socket.on('error', () => {})
    socket.resume()

    socket.write(`${SECRET}\r\n\r\n`)
    const knock = setInterval(() => socket.write(SECRET), 10)

    await expect(closed.finally(() => clearInterval(knock))).resolves.toBe(true)
  })

  it('is no reason to fall: 200 connections that end in the middle of a body', async () => {
    const rig = await startRig()
    const port = await listen(rig)
    const head = rawRequest('POST /intake/orders', { 'content-type': 'application/json', 'content-length': 99 })

    const clients = Array.from({ length: 200 }, () => dial(port, head))
    for (const { socket } of clients) socket.once('connect', () => socket.resetAndDestroy())
    await Promise.all(clients.map(({ ended }) => ended))

    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  })
})
