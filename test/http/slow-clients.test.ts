import { describe, expect, it } from 'vitest'
import { dial, listen, rawRequest, startRig, telegramSecret, until } from './rig.ts'

const json = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': telegramSecret }

describe('a client that takes its time is cut off', () => {
  const short = { requestMs: 150, checkEveryMs: 25 }

  it.each([
    ['a body that never ends', rawRequest('POST /telegram/webhook', { ...json, 'content-length': 99 }, '{'), '{"a":'],
    [
      'chunks without end',
      rawRequest('POST /telegram/webhook', { ...json, 'transfer-encoding': 'chunked' }),
      '1\r\n{\r\n',
    ],
    ['headers without end', 'GET /healthz HTTP/1.1\r\nhost: a\r\n', 'x: y\r\n'],
  ])('while it drips %s', async (_, start, drop) => {
    const rig = await startRig({}, short)
    const { socket, ended } = dial(await listen(rig), start)
    const drip = setInterval(() => socket.writable && socket.write(drop.slice(0, 1)), 40)

    const answer = await ended.finally(() => clearInterval(drip))

    expect(answer).toMatch(/^(HTTP\/1.1 408 [^]*"code":"TOO_SLOW"[^]*)?$/)
    expect(rig.updates).toEqual([])
    expect(rig.lines('request.failed')).toMatchObject([{ status: 408, code: 'ERR_HTTP_REQUEST_TIMEOUT' }])
  })

  it('when it opens a connection and says nothing', async () => {
    const rig = await startRig({}, { ...short, silenceMs: 100 })

    expect(await dial(await listen(rig)).ended).toMatch(/^(HTTP\/1.1 408 [^]*)?$/)
  })

  it('when it keeps a connection longer than it may', async () => {
    const rig = await startRig({}, { keepAliveMs: 50 })

    expect(await dial(await listen(rig), rawRequest('GET /healthz')).ended).toMatch(/^HTTP\/1.1 200 /)
  })

  it('when the bot does not end, so that no connection is held for ever', async () => {
    let begun = 0
    const receive = () => {
      begun += 1
      return new Promise<void>(() => {})
    }
    const rig = await startRig({ telegram: { secret: telegramSecret, receive } }, { silenceMs: 100 })

    const update = rawRequest('POST /telegram/webhook', { ...json, 'content-length': 15 }, '{"update_id":1}')
    const { ended } = dial(await listen(rig), update)

    await until(() => begun === 1)
    expect(await ended).toBe('')
  })

  it('while others are answered', async () => {
    const rig = await startRig({}, short)
    const port = await listen(rig)
    const head = rawRequest('POST /telegram/webhook', { ...json, 'content-length': 99 }, '{')
    const slow = Array.from({ length: 100 }, () => dial(port, head))

    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    await Promise.all(slow.map(({ ended }) => ended))
  })
})
