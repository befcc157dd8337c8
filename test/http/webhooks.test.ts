import { describe, expect, it } from 'vitest'
import type { RedisErrorCode } from '../../src/errors.ts'
import type { Update } from '../../src/http/webhooks.ts'
import { anIntake } from '../support/orders.ts'
import { failure } from '../support/transport.ts'
import { intakeToken, postOrder, postUpdate, SECRET, startRig, telegramSecret } from './rig.ts'

const update = { update_id: 42, message: { text: `Pizza for ${SECRET}` } }
const order = { body: JSON.stringify(anIntake({ customer: { name: `Lena ${SECRET}` } })) }

describe('POST /telegram/webhook', () => {
  it('hands an update with the right secret on, and answers 200', async () => {
    const rig = await startRig()

    const answer = await postUpdate(rig, { body: JSON.stringify(update) })

    expect([answer.statusCode, answer.json()]).toEqual([200, { ok: true }])
    expect(rig.updates).toEqual([update])
    expect(rig.log()).toBe('')
  })

  it('takes an update of nearly 1 MB, with any depth', async () => {
    const rig = await startRig()
    const deep = `{"update_id":1,"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"b":"${'x'.repeat(600_000)}"}`

    expect((await postUpdate(rig, { body: deep })).statusCode).toBe(200)
    expect(rig.updates).toHaveLength(1)
  })

  it.each([
    [
      'rejects',
      async () => {
        throw Object.assign(new Error(`token ${SECRET}`), { payload: SECRET, ctx: { SECRET } })
      },
    ],
    [
      'throws',
      () => {
        throw new TypeError(`cannot read ${SECRET}`)
      },
    ],
    [
      'rejects with a text',
      async () => {
        throw SECRET
      },
    ],
  ] as const)(
    'answers 200 when the bot %s, so that nothing is sent for ever, and logs it without its text',
    async (_, receive) => {
      const rig = await startRig({ telegram: { secret: telegramSecret, receive } })

      const answer = await postUpdate(rig, { body: JSON.stringify(update) })

      expect(answer.statusCode).toBe(200)
      expect(rig.lines('update.failed')).toMatchObject([{ updateId: 42, level: 50, err: expect.anything() }])
      expect(rig.log() + answer.body).not.toContain(SECRET)
    },
  )

  it('answers only when the bot has ended, so that Telegram keeps the order of a chat', async () => {
    const seen: string[] = []
    const receive = async ({ update_id }: Update) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      seen.push(`done ${update_id}`)
    }
    const rig = await startRig({ telegram: { secret: telegramSecret, receive } })

    await postUpdate(rig)

    expect(seen).toEqual(['done 1'])
  })

  it('is unknown without a bot', async () => {
    const answer = await postUpdate(await startRig({ without: 'telegram' }))

    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'NOT_FOUND'])
  })

  it('is unknown to other methods', async () => {
    const { server } = await startRig()

    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const)
      expect((await server.inject({ method, url: '/telegram/webhook' })).statusCode).toBe(404)
  })
})

describe('POST /intake/orders', () => {
  it('answers 201 with the id of a new order, and 200 with the same id from then on', async () => {
    const rig = await startRig()

    const [first, second] = [await postOrder(rig, order), await postOrder(rig, order)]

    expect([first.statusCode, second.statusCode]).toEqual([201, 200])
    expect(first.json()).toEqual({ id: expect.stringMatching(/^[0-9A-Z]{26}$/) })
    expect(second.json()).toEqual(first.json())
    expect(rig.log()).toBe('')
  })

  it.each(['application/json; charset=utf-8', 'Application/JSON'])('takes the content type %s', async (type) => {
    expect((await postOrder(await startRig(), { ...order, headers: { 'content-type': type } })).statusCode).toBe(201)
  })

  it.each(['bearer', 'BEARER', 'Bearer  '])('takes the scheme as "%s"', async (scheme) => {
    const headers = { authorization: `${scheme} ${intakeToken}` }

    expect((await postOrder(await startRig(), { ...order, headers })).statusCode).toBe(201)
  })

  it('takes a token of other letters than ASCII, as its bytes', async () => {
    const rig = await startRig({
      intake: { token: 'geheim-ä', receive: () => Promise.reject(failure('REDIS_FULL')) },
    })

    const asSent = Buffer.from('geheim-ä').toString('latin1')
    expect((await postOrder(rig, { headers: { authorization: `Bearer ${asSent}` } })).statusCode).toBe(503)
  })

  it('asks for a bearer token', async () => {
    const answer = await postOrder(await startRig(), { headers: { authorization: '' } })

    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })

  it('takes no empty token for a secret', async () => {
    const rig = await startRig({ intake: { token: '', receive: () => Promise.reject(new Error('reached')) } })

    for (const authorization of ['', 'Bearer ', 'Bearer'])
      expect((await postOrder(rig, { headers: { authorization } })).statusCode).toBe(401)
  })

  it('names each field and its rule, never a value', async () => {
    const body = JSON.stringify(anIntake({ source: '', total: { amount: SECRET, currency: 'EUR' } }))

    const { error } = (await postOrder(await startRig(), { body })).json()

    expect(error.message).toMatch(/source: .+ total\.amount: must be a decimal number in quotes/)
    expect(error.message).not.toContain(SECRET)
  })

  it('says what to set when it is off, whatever is sent', async () => {
    const rig = await startRig({ without: 'intake' })

    for (const post of [order, { body: '{' }, { headers: { authorization: 'Bearer wrong' } }]) {
      const answer = await postOrder(rig, post)
      expect([answer.statusCode, answer.json().error]).toEqual([
        404,
        { code: 'INTAKE_OFF', message: 'Set INTAKE_TOKEN to take orders in here.' },
      ])
    }
  })

  it.each<[RedisErrorCode, string]>([
    ['REDIS_UNREACHABLE', '10'],
    ['REDIS_REFUSED', '10'],
    ['REDIS_LIMIT', '3600'],
    ['REDIS_FULL', '10'],
    ['REDIS_WRONG_TYPE', '10'],
  ])('answers 503 for %s and says when to come again; then the same order is taken', async (code, retryAfter) => {
    const rig = await startRig()
    rig.store.onRequest = () => Promise.reject(failure(code))

    const answer = await postOrder(rig, order)
    rig.store.onRequest = undefined

    expect([answer.statusCode, answer.json().error.code, answer.headers['retry-after']]).toEqual([
      503,
      code,
      retryAfter,
    ])
    expect(rig.lines('request.failed')).toMatchObject([{ status: 503, level: 40, err: { code } }])
    expect(rig.log() + answer.body).not.toContain(SECRET)
    expect([200, 201]).toContain((await postOrder(rig, order)).statusCode)
  })

  it.each([
    ['an error', Object.assign(new Error(`Lena ${SECRET}`), { payload: SECRET, statusCode: 418, code: 'E_ODD' })],
    ['an error that looks like a refusal', Object.assign(new Error(SECRET), { statusCode: 400, code: 'toString' })],
    ['a text', SECRET],
    ['nothing', undefined],
  ])('answers 500 without a word of it when the desk throws %s', async (_, thrown) => {
    const rig = await startRig({ intake: { token: intakeToken, receive: () => Promise.reject(thrown) } })

    const answer = await postOrder(rig, order)

    expect([answer.statusCode, answer.json().error.code]).toEqual([500, 'UNEXPECTED'])
    expect(answer.body).not.toMatch(/SECRET|at .*:\d+|E_ODD/)
    expect(rig.lines('request.failed')).toMatchObject([{ status: 500, level: 50, route: '/intake/orders' }])
    expect(rig.log()).not.toContain(SECRET)
  })
})
