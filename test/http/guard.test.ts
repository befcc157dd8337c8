import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { anIntake } from '../support/orders.ts'
import { type HttpRig, postOrder, postUpdate, SECRET, startRig } from './rig.ts'

const wrongUpdate = (rig: HttpRig, from = '192.0.2.1') =>
  postUpdate(rig, { headers: { 'x-telegram-bot-api-secret-token': 'wrong', 'x-forwarded-for': from } })
const wrongOrder = (rig: HttpRig, from = '192.0.2.1') =>
  postOrder(rig, { headers: { authorization: 'Bearer wrong', 'x-forwarded-for': from } })

/** The statuses of so many requests in a row, each named once. */
const statuses = async (times: number, send: () => ReturnType<typeof wrongUpdate>) => {
  const seen = new Set<number>()
  for (let time = 0; time < times; time += 1) seen.add((await send()).statusCode)
  return [...seen]
}

describe('failed authentications', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2025-12-08T19:00:00Z') })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('of one address are answered 429 from the 21st in a minute on, on all routes together', async () => {
    const rig = await startRig()

    expect(await statuses(10, () => wrongUpdate(rig))).toEqual([401])
    expect(await statuses(10, () => wrongOrder(rig))).toEqual([401])
    const answer = await wrongUpdate(rig)

    expect([answer.statusCode, answer.json().error.code]).toEqual([429, 'TOO_MANY_FAILURES'])
    expect(Number(answer.headers['retry-after'])).toBe(60)
    expect(await statuses(5, () => wrongOrder(rig))).toEqual([429])
  })

  it('never lock out a right secret or a pinger of the same address', async () => {
    const rig = await startRig()
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    await statuses(100, () => wrongUpdate(rig))

    expect((await postUpdate(rig, { headers })).statusCode).toBe(200)
    expect((await postOrder(rig, { headers, body: JSON.stringify(anIntake()) })).statusCode).toBe(201)
    expect((await rig.server.inject({ url: '/healthz', headers })).statusCode).toBe(200)
  })

  it('of other addresses do not count', async () => {
    const rig = await startRig()
    await statuses(30, () => wrongUpdate(rig))

    expect((await wrongUpdate(rig, '192.0.2.2')).statusCode).toBe(401)
    expect((await wrongUpdate(rig, '2001:db8::1')).statusCode).toBe(401)
  })

  it('of one network in IPv6 count together', async () => {
    const rig = await startRig()
    for (let host = 1; host <= 20; host += 1) await wrongUpdate(rig, `2001:db8::${host}`)

    expect((await wrongUpdate(rig, '2001:db8::ffff')).statusCode).toBe(429)
    expect((await wrongUpdate(rig, '2001:db8:0:1::1')).statusCode).toBe(401)
  })

  it('are forgotten a minute after the first', async () => {
    const rig = await startRig()
    await statuses(21, () => wrongUpdate(rig))

    vi.setSystemTime(new Date('2025-12-08T19:00:59Z'))
    expect((await wrongUpdate(rig)).headers['retry-after']).toBe('1')
    vi.setSystemTime(new Date('2025-12-08T19:01:00Z'))
    expect((await wrongUpdate(rig)).statusCode).toBe(401)
  })

  it('count for the address that the proxy saw, not for one that the client made up', async () => {
    const rig = await startRig()
    for (let made = 1; made <= 20; made += 1) await wrongUpdate(rig, `10.0.0.${made}, 192.0.2.1`)

    expect((await wrongUpdate(rig, '10.0.0.99, 192.0.2.1')).statusCode).toBe(429)
  })

  it('from addresses that are none count together, however long they are', async () => {
    const rig = await startRig()
    for (let made = 1; made <= 20; made += 1) await wrongUpdate(rig, `${'x'.repeat(1_000)}${made}`)

    expect((await wrongUpdate(rig, SECRET)).statusCode).toBe(429)
  })
})
