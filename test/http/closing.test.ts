import { Agent, request } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { dial, gate, type HttpRig, listen, rawRequest, startRig, telegramSecret, until } from './rig.ts'

const updateHead = (length: number, headers: Readonly<Record<string, string>> = {}) =>
  rawRequest('POST /telegram/webhook', {
    'content-type': 'application/json',
    'x-telegram-bot-api-secret-token': telegramSecret,
    'content-length': length,
    ...headers,
  })

const update = updateHead(15) + '{"update_id":1}'

/** Updates that end when the gate opens, and how many have begun. */
function slowBot() {
  const { opened, open } = gate()
  const bot = { begun: 0, open, telegram: { secret: telegramSecret, receive } }
  async function receive() {
    bot.begun += 1
    await opened
  }
  return bot
}

/** Posts an update over a kept connection; resolves with the status and what the answer says of the connection. */
const post = (port: number, agent: Agent) =>
  new Promise<readonly [number | undefined, string | undefined]>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': telegramSecret }
    request({ port, host: '127.0.0.1', path: '/telegram/webhook', method: 'POST', headers, agent }, (answer) => {
      answer.resume().on('end', () => resolve([answer.statusCode, answer.headers.connection]))
    })
      .on('error', reject)
      .end('{"update_id":1}')
  })

/** How long it takes, in milliseconds. */
async function took(work: Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work
  return performance.now() - startedMs
}

describe('close', () => {
  it('answers 20 slow requests of clients that keep their connections, and ends at once', async () => {
    const bot = slowBot()
    const rig = await startRig({ telegram: bot.telegram })
    const port = await listen(rig)
    const agents = Array.from({ length: 20 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    const answers = Promise.all(agents.map((agent) => post(port, agent)))
    await until(() => bot.begun === 20)

    const closed = rig.server.close()
    setTimeout(bot.open, 100)

    expect(await took(closed)).toBeLessThan(1_000)
    expect(await answers).toEqual(Array.from({ length: 20 }, () => [200, 'close']))
    expect(rig.log()).toBe('')
  })

  it('does not wait for connections that are only kept, nor for those that never said a word', async () => {
    const rig = await startRig()
    const port = await listen(rig)
    const kept = Array.from({ length: 10 }, () => dial(port, rawRequest('GET /healthz')))
    const silent = Array.from({ length: 10 }, () => dial(port))
    const halfHead = dial(port, 'GET /healthz HTTP/1.1\r\nhost: a\r\n')
    await until(() => [...kept, ...silent].every(({ socket }) => socket.readyState === 'open'))
    await until(() => kept.every(({ socket }) => socket.bytesRead > 0))

    expect(await took(rig.server.close())).toBeLessThan(500)
    await Promise.all([...kept, ...silent, halfHead].map(({ ended }) => ended))
    expect(rig.log()).toBe('')
  })

  it('lets an update under way end, and drops one that waits behind it on the same connection', async () => {
    const bot = slowBot()
    const rig = await startRig({ telegram: bot.telegram })
    const { socket, ended } = dial(await listen(rig), update)
    await until(() => bot.begun === 1)

    const closed = rig.server.close()
    socket.write(update)
    setTimeout(bot.open, 50)

    expect(await took(closed)).toBeLessThan(1_000)
    expect((await ended).match(/HTTP\/1.1 \d+|connection: \w+/gi)).toEqual(['HTTP/1.1 200', 'connection: close'])
    expect(bot.begun).toBe(1)
  })

  it('turns away what arrives only then, and ends its connection', async () => {
    const bot = slowBot()
    const onPing = vi.fn<() => void>()
    const rig = await startRig({ telegram: bot.telegram, onPing })
    const port = await listen(rig)
    const late = [dial(port), dial(port)] as const
    await until(() => late.every(({ socket }) => socket.readyState === 'open'))
    // Connections are accepted in order: when this one has come in, so have they.
    const underWay = dial(port, update)
    await until(() => bot.begun === 1)

    const closed = rig.server.close()
    late[0].socket.write(update)
    late[1].socket.write(rawRequest('GET /healthz'))
    const turnedAway = await Promise.all(late.map(({ ended }) => ended))
    bot.open()
    await closed

    for (const answer of turnedAway) {
      expect(answer).toMatch(/^HTTP\/1.1 503 [^]*connection: close[^]*retry-after: 5[^]*"code":"STOPPING"/i)
    }
    expect(await underWay.ended).toMatch(/^HTTP\/1.1 200 /)
    expect([bot.begun, onPing.mock.calls.length]).toEqual([1, 0])
  })

  it('turns an update away whose body ends only then', async () => {
    const bot = slowBot()
    const rig = await startRig({ telegram: bot.telegram })
    const { socket, ended } = dial(await listen(rig), updateHead(15, { expect: '100-continue' }))
    await until(() => socket.bytesRead > 0)

    const closed = rig.server.close()
    socket.write('{"update_id":1}')
    await closed

    expect(await ended).toMatch(/HTTP\/1.1 503 [^]*connection: close[^]*"code":"STOPPING"/i)
    expect(bot.begun).toBe(0)
  })

  it('answers 503 for an update that fails on the way down: the next server may succeed', async () => {
    const { opened, open } = gate()
    let begun = false
    const receive = async () => {
      begun = true
      await opened
      throw new Error('the store was closed')
    }
    const rig = await startRig({ telegram: { secret: telegramSecret, receive } })
    const { ended } = dial(await listen(rig), update)
    await until(() => begun)

    const closed = rig.server.close()
    open()
    await closed

    expect(await ended).toMatch(/^HTTP\/1.1 503 /)
  })

  it('cuts at its deadline what does not end, and says how many', async () => {
    const bot = slowBot()
    const rig = await startRig({ telegram: bot.telegram }, { closeMs: 100 })
    const port = await listen(rig)
    const stuck = Array.from({ length: 3 }, () => dial(port, update))
    const dripping = dial(port, updateHead(15, { expect: '100-continue' }))
    await until(() => bot.begun === 3 && dripping.socket.bytesRead > 0)

    const ms = await took(rig.server.close())

    expect(ms).toBeGreaterThanOrEqual(95)
    expect(ms).toBeLessThan(1_000)
    expect(await Promise.all(stuck.map(({ ended }) => ended))).toEqual(['', '', ''])
    expect(await dripping.ended).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect(rig.lines('http.cut')).toMatchObject([{ requests: 4, level: 40 }])
  })

  it('takes no new connection', async () => {
    const rig = await startRig()
    const port = await listen(rig)

    await rig.server.close()

    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed')
  })

  it.each<[string, (rig: HttpRig) => Promise<unknown>]>([
    ['before it listened', async () => undefined],
    ['while nothing happens', listen],
  ])('ends %s, and once more', async (_, begin) => {
    const rig = await startRig()
    await begin(rig)

    await Promise.all([rig.server.close(), rig.server.close()])
    await expect(rig.server.close()).resolves.toBeUndefined()
  })
})
