import { describe, expect, it } from 'vitest'
import { RedisError } from '../../src/errors.ts'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { aBudgetReport, anUncertainReport } from '../support/budget-report.ts'
import { hostileTexts } from '../support/hostile.ts'
import { SECRET, startRig, type HttpRig } from './rig.ts'

const TOKEN = `api-${SECRET}-3`

const right = { authorization: `Bearer ${TOKEN}` }

/** A server that tells how often the report was asked for. */
async function aServer(report: () => Promise<BudgetReport> = async () => aBudgetReport()) {
  let asked = 0
  const rig = await startRig({
    usage: {
      token: TOKEN,
      report: async () => {
        asked += 1
        return await report()
      },
    },
  })
  return { ...rig, asked: () => asked }
}

interface Asking {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
}

const ask = ({ server }: HttpRig, { method = 'GET', url = '/api/usage', headers = right }: Asking = {}) =>
  server.inject({ method, url, headers })

describe('GET /api/usage', () => {
  it.each([
    ['known', aBudgetReport()],
    ['uncertain', anUncertainReport()],
  ])('answers with the report as it is, where everything is %s', async (_, report) => {
    const answer = await ask(await aServer(async () => report))

    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toEqual(report)
  })

  it('is JSON whatever a purpose is called', async () => {
    const purposes = Object.values(hostileTexts).map((name, at) => ({ name, commands: at }))

    const answer = await ask(await aServer(async () => aBudgetReport({ purposes })))

    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.json().purposes).toEqual(purposes)
  })

  it('tells the headers alone to a HEAD', async () => {
    const answer = await ask(await aServer(), { method: 'HEAD' })

    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it.each([
    ['nothing', { headers: {} }],
    ['another token', { headers: { authorization: 'Bearer wrong' } }],
    ['the beginning of the token', { headers: { authorization: `Bearer ${TOKEN.slice(0, -1)}` } }],
    ['the token without its scheme', { headers: { authorization: TOKEN } }],
    ['the token in another scheme', { headers: { authorization: `Basic ${TOKEN}` } }],
    ['the token in the address', { url: `/api/usage?token=${TOKEN}&api_token=${TOKEN}`, headers: {} }],
    ['the token in a cookie', { headers: { cookie: `token=${TOKEN}` } }],
    ['a HEAD and no token', { method: 'HEAD', headers: {} }],
  ] as const)('is refused with %s, and nobody is asked', async (_, asking: Asking) => {
    const rig = await aServer()

    const answer = await ask(rig, asking)

    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.body).toMatch(asking.method === 'HEAD' ? /^$/ : /"code":"UNAUTHORIZED"/)
    expect(rig.asked()).toBe(0)
    expect(`${answer.body}${rig.log()}`).not.toContain(SECRET)
  })

  it('is answered 429 from the 21st failure of its address on, which keeps out nobody with the token', async () => {
    const rig = await aServer()
    const from = { 'x-forwarded-for': '192.0.2.1' }
    for (let time = 0; time < 20; time += 1) expect((await ask(rig, { headers: from })).statusCode).toBe(401)

    const refused = await ask(rig, { headers: from })

    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'TOO_MANY_FAILURES'])
    expect((await ask(rig, { headers: { ...from, ...right } })).statusCode).toBe(200)
  })

  it('counts its failures together with those of /metrics', async () => {
    const metrics = { token: TOKEN, stores: async () => [], budget: async () => aBudgetReport() }
    const rig = await startRig({ metrics, usage: { token: TOKEN, report: async () => aBudgetReport() } })
    for (let time = 0; time < 20; time += 1) await ask(rig, { url: '/metrics', headers: {} })

    expect((await ask(rig, { headers: {} })).statusCode).toBe(429)
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'] as const)('is unknown to %s', async (method) => {
    const rig = await aServer()

    const answer = await ask(rig, { method })

    expect([answer.statusCode, answer.json().error.code, rig.asked()]).toEqual([404, 'NOT_FOUND', 0])
  })

  it('answers 404 without API_TOKEN and says what to set', async () => {
    const rig = await startRig()

    const answer = await ask(rig)

    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'API_OFF'])
    expect(answer.json().error.message).toContain('API_TOKEN')
    expect((await ask(rig, { method: 'HEAD' })).statusCode).toBe(404)
  })

  it.each([
    [
      'the store does not answer',
      new RedisError('REDIS_UNREACHABLE', 'Redis is unreachable.'),
      503,
      'REDIS_UNREACHABLE',
    ],
    ['the limit is reached', new RedisError('REDIS_LIMIT', 'The limit is reached.'), 503, 'REDIS_LIMIT'],
    ['there is a defect', new TypeError(SECRET), 500, 'UNEXPECTED'],
  ])('says so where %s, and no more', async (_, error, status, code) => {
    const rig = await aServer(() => Promise.reject(error))

    const answer = await ask(rig)

    expect([answer.statusCode, answer.json().error.code]).toEqual([status, code])
    expect(rig.lines('request.failed')).toMatchObject([{ route: '/api/usage', status }])
    expect(`${answer.body}${rig.log()}`).not.toContain(SECRET)
  })
})
