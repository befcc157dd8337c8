import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { SECRET, startRig, type HttpRig } from './rig.ts'

const HEX = 'ab'.repeat(32)

/** A server on whose engine's path something answers as it is asked to. */
async function aServer({ isSigned = true } = {}) {
  const bodies: unknown[] = []
  const plugin = (app: FastifyInstance, _options: object, done: () => void) => {
    app.post('/api/inngest', async ({ body, query }, reply) => {
      bodies.push(body)
      const { status = '200' } = query as { status?: string }
      return reply
        .code(Number(status))
        .send(JSON.stringify({ message: 'said', stack: 'at /srv/app/x.js', nested: [{ stack: 'y' }] }))
    })
    done()
  }
  return { bodies, rig: await startRig({ engine: { plugin, options: {}, isSigned } }) }
}

interface Asked {
  readonly signature?: string | undefined
  readonly payload?: string
  readonly status?: number
  readonly from?: string
}

const ask = ({ server }: HttpRig, { signature, payload = '{}', status = 200, from = '192.0.2.1' }: Asked) =>
  server.inject({
    method: 'POST',
    url: `/api/inngest?status=${status}`,
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': from,
      ...(signature !== undefined && { 'x-inngest-signature': signature }),
    },
    payload,
  })

/** A signature by its form, so many seconds after the server's clock. */
const signed = ({ clock }: HttpRig, seconds = 0) => `t=${Math.floor(clock() / 1_000) + seconds}&s=${HEX}`

describe('a request for the engine', () => {
  it.each([
    undefined,
    '',
    't=&s=',
    `s=${HEX}`,
    `t=1e9&s=${HEX}`,
    `t=NaN&s=${HEX}`,
    `t=9999999999999999&s=${HEX}`,
    SECRET,
  ])('that is signed by %j is refused before its body is read', async (signature) => {
    const { rig, bodies } = await aServer()

    const answer = await ask(rig, { signature, payload: '{"broken' })

    expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'UNAUTHORIZED'])
    expect(bodies).toEqual([])
    expect(rig.lines('request.failed')).toMatchObject([{ level: 30, status: 401 }])
    expect(rig.log()).not.toMatch(/frames|SECRET/)
  })

  it.each(['s=ab', `s=${HEX}0`, `s=${HEX.slice(1)}`, `s=${'z'.repeat(64)}`, `s=${HEX}&s=${HEX}`])(
    'whose signature is of this time, but %s, is refused',
    async (digest) => {
      const { rig } = await aServer()

      expect((await ask(rig, { signature: signed(rig).replace(/s=.*/, digest) })).statusCode).toBe(401)
    },
  )

  it.each([
    [-301, 401],
    [-300, 200],
    [0, 200],
    [300, 200],
    [301, 401],
  ])('signed %i seconds off is answered %i', async (seconds, status) => {
    const { rig } = await aServer()

    expect((await ask(rig, { signature: signed(rig, seconds) })).statusCode).toBe(status)
  })

  it('needs no signature in development', async () => {
    const { rig, bodies } = await aServer({ isSigned: false })

    expect((await ask(rig, { payload: '{"a":1}' })).statusCode).toBe(200)
    expect(bodies).toEqual([{ a: 1 }])
  })

  it('is answered 429 from the 21st failure of its address on, which keeps nobody out who signs', async () => {
    const { rig } = await aServer()
    for (let time = 0; time < 20; time += 1) expect((await ask(rig, {})).statusCode).toBe(401)

    expect((await ask(rig, {})).json().error.code).toBe('TOO_MANY_FAILURES')
    expect((await ask(rig, { from: '192.0.2.2' })).statusCode).toBe(401)
    expect((await ask(rig, { signature: signed(rig) })).statusCode).toBe(200)
  })

  it('is told no stack of what failed, and whatever else is said', async () => {
    const { rig } = await aServer()
    const signature = signed(rig)

    const failed = await ask(rig, { signature, status: 500 })

    expect(failed.json()).toEqual({ message: 'said', nested: [{}] })
    expect(Number(failed.headers['content-length'])).toBe(failed.body.length)
    expect((await ask(rig, { signature })).json()).toHaveProperty('stack')
  })
})
