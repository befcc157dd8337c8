import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Readiness } from '../../src/http/health.ts'
import { gate, listen, startRig, until } from './rig.ts'

/** What a caller may hand in, although it promises nothing. */
const asGiven = (onPing: () => unknown): (() => void) => onPing

describe('/healthz', () => {
  it('says how long the process lives, to GET and to HEAD', async () => {
    const { server, clock, store } = await startRig()
    clock.advance(61_500)

    const got = await server.inject('/healthz')
    const head = await server.inject({ method: 'HEAD', url: '/healthz' })

    expect([got.statusCode, got.json()]).toEqual([200, { status: 'ok', uptimeSeconds: 61 }])
    expect([head.statusCode, head.body]).toEqual([200, ''])
    expect(store.sent()).toEqual([])
  })

  it('shows no negative uptime after the clock was put back', async () => {
    const { server, clock } = await startRig()
    clock.advance(-5_000)

    expect((await server.inject('/healthz')).json()).toEqual({ status: 'ok', uptimeSeconds: 0 })
  })

  it.each([
    [
      'throws',
      'ping.failed',
      () => {
        throw new Error('customer SECRET')
      },
    ],
    [
      'rejects',
      'ping.failed',
      async () => {
        throw new Error('customer SECRET')
      },
    ],
    ['never ends', undefined, () => new Promise<void>(() => {})],
  ] as const)('answers all the same when what follows a ping %s', async (_, message, onPing) => {
    const rig = await startRig({ onPing: asGiven(onPing) })
    const url = `http://127.0.0.1:${await listen(rig)}/healthz`

    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url)).status).toBe(200)
    if (message !== undefined) await until(() => rig.lines(message).length === 2)
    expect(rig.log()).not.toContain('SECRET')
  })

  it('lets what follows a ping begin only when the answer has left', async () => {
    const seen: string[] = []
    const rig = await startRig({ onPing: () => void seen.push('ping') })
    const url = `http://127.0.0.1:${await listen(rig)}/healthz`
    const whenSent = () => void seen.push('sent')
    subscribe('http.server.response.finish', whenSent)
    onTestFinished(() => void unsubscribe('http.server.response.finish', whenSent))

    await fetch(url, { method: 'HEAD' })
    await until(() => seen.length === 2)

    expect(seen).toEqual(['sent', 'ping'])
  })

  it('takes neither another route nor a failure for a ping', async () => {
    const onPing = vi.fn<() => void>()
    const { server } = await startRig({ onPing })

    for (const url of ['/readyz', '/healthz/', '/healthz/x', '/']) await server.inject(url)
    await server.inject({ method: 'POST', url: '/healthz' })
    expect(onPing).not.toHaveBeenCalled()

    await server.inject('/healthz?from=a-pinger')
    await vi.waitFor(() => expect(onPing).toHaveBeenCalledOnce())
  })

  it('answers 10 000 pings in little time, without a Redis command or a line of log', async () => {
    let pings = 0
    const rig = await startRig({ onPing: () => void (pings += 1) })

    for (let round = 0; round < 100; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => rig.server.inject('/healthz')))
    }

    await until(() => pings === 10_000)
    expect(rig.store.sent()).toEqual([])
    expect(rig.log()).toBe('')
  })
})

describe('/readyz', () => {
  it('answers 200 when the parts are ready, to GET and to HEAD', async () => {
    const { server } = await startRig()

    const got = await server.inject('/readyz')

    expect([got.statusCode, got.json()]).toEqual([200, { status: 'ready', because: null }])
    expect((await server.inject({ method: 'HEAD', url: '/readyz' })).statusCode).toBe(200)
  })

  it('answers 503 with the reason when they are not', async () => {
    const { server } = await startRig({ readiness: async () => ({ ready: false, because: 'Redis does not answer.' }) })

    const got = await server.inject('/readyz')

    expect([got.statusCode, got.json()]).toEqual([503, { status: 'not ready', because: 'Redis does not answer.' }])
  })

  it('asks once in 5 seconds, however many ask and even while the answer is on its way', async () => {
    const { opened, open } = gate()
    const readiness = vi.fn<() => Promise<Readiness>>(async () => {
      await opened
      return { ready: true, because: null }
    })
    const { server, clock } = await startRig({ readiness })

    const first = Promise.all(Array.from({ length: 50 }, () => server.inject('/readyz')))
    await vi.waitFor(() => expect(readiness).toHaveBeenCalledOnce())
    open()
    expect((await first).every(({ statusCode }) => statusCode === 200)).toBe(true)
    clock.advance(4_999)
    await server.inject('/readyz')
    expect(readiness).toHaveBeenCalledOnce()

    clock.advance(1)
    await server.inject('/readyz')
    expect(readiness).toHaveBeenCalledTimes(2)
  })

  it('asks again when the clock was put back by more than that', async () => {
    const readiness = vi.fn<() => Promise<Readiness>>(async () => ({ ready: true, because: null }))
    const { server, clock } = await startRig({ readiness })

    await server.inject('/readyz')
    clock.advance(-3_600_000)
    await server.inject('/readyz')

    expect(readiness).toHaveBeenCalledTimes(2)
  })

  it('takes no answer within the deadline for a no', async () => {
    const { server } = await startRig({ readiness: () => new Promise(() => {}) }, { readinessMs: 20 })

    const got = await server.inject('/readyz')

    expect([got.statusCode, got.json().because]).toEqual([503, 'The parts did not answer in time.'])
  })

  it.each([
    [
      'rejects',
      async () => {
        throw new Error('redis://user:SECRET@host')
      },
    ],
    [
      'throws',
      () => {
        throw new Error('redis://user:SECRET@host')
      },
    ],
  ] as const)('says no without the error’s text when the check %s', async (_, readiness) => {
    const rig = await startRig({ readiness })

    const got = await rig.server.inject('/readyz')

    expect([got.statusCode, got.json().because]).toEqual([503, 'The parts could not be asked.'])
    expect(rig.lines('readiness.failed')).toHaveLength(1)
    expect(rig.log() + got.body).not.toContain('SECRET')
  })
})
