import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createDeveloperApi } from '../../../src/redis/budget/developer-api.ts'
import { fakeClock } from '../../support/clock.ts'

const ACCOUNT = { email: 'owner@shop.test', apiKey: 'keySECRET-0123', databaseId: 'b1c2-d3' }
const STATS = '/v2/redis/stats/b1c2-d3'
const DATABASE = '/v2/redis/database/b1c2-d3?credentials=hide'

/** What is told where all is well; the plan's figures are those of a free one. */
const stats = { total_monthly_requests: 359_613, total_monthly_bandwidth: 2_000_000_000, current_storage: 51_200_000 }
const database = { type: 'free', db_request_limit: 500_000, db_disk_threshold: 268_435_456 }
const told = {
  isTold: true,
  requests: 359_613,
  bandwidthBytes: 2_000_000_000,
  storageBytes: 51_200_000,
  storageLimitBytes: 268_435_456,
  requestLimit: 500_000,
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

let server: Server | undefined

afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  if (server?.listening === true) await once(server, 'close')
  server = undefined
})

/** A developer API that says what a test wants, and a client for it; `asked` are the paths in order. */
async function apiThat(serve: Serve) {
  const asked: string[] = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    serve(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const clock = fakeClock('2026-11-20T12:00:00Z')
  return { api: createDeveloperApi(ACCOUNT, { clock, address: `http://127.0.0.1:${port}/v2` }), asked, clock }
}

const json =
  (first: unknown, second: unknown = database): Serve =>
  ({ url }, response) =>
    void response.end(JSON.stringify(url === STATS ? first : second))

describe('the developer API', () => {
  it('is asked for statistics and plan with the credentials in a header, and for no credentials', async () => {
    const headers: (string | undefined)[] = []
    const { api, asked } = await apiThat((request, response) => {
      headers.push(request.headers.authorization)
      json(stats)(request, response)
    })

    expect(await api.look()).toEqual({ ...told, atMs: Date.parse('2026-11-20T12:00:00Z') })
    expect(asked.toSorted()).toEqual([DATABASE, STATS])
    const basic = `Basic ${Buffer.from('owner@shop.test:keySECRET-0123').toString('base64')}`
    expect(headers).toEqual([basic, basic])
  })

  it.each([
    ['missing', {}],
    ['texts', { total_monthly_requests: '359613', total_monthly_bandwidth: '2', current_storage: '1' }],
    ['negative', { total_monthly_requests: -1, total_monthly_bandwidth: -2, current_storage: -3 }],
    ['null or a list', { total_monthly_requests: null, total_monthly_bandwidth: [1], current_storage: {} }],
    ['no whole numbers', { total_monthly_requests: 1.5, total_monthly_bandwidth: 1e300, current_storage: 2 ** 53 }],
  ])('takes figures that are %s for unknown, never for 0', async (_, figures) => {
    const { api } = await apiThat(json(figures, { db_request_limit: '500000', db_disk_threshold: -1 }))

    const unknown = { requests: null, bandwidthBytes: null, storageBytes: null }
    expect(await api.look()).toMatchObject({ isTold: true, ...unknown, storageLimitBytes: null, requestLimit: null })
  })

  it('takes a figure of NaN, which no JSON has, for no answer', async () => {
    const { api } = await apiThat((_, response) => void response.end('{"total_monthly_requests":NaN}'))

    expect(await api.look()).toEqual({ isTold: false, isRefused: false, why: 'its answer is no object' })
  })

  it('tells what one of the two answers brought where the other failed', async () => {
    const { api } = await apiThat((request, response) => {
      if (request.url === STATS) json(stats)(request, response)
      else response.writeHead(500).end('oops')
    })

    expect(await api.look()).toMatchObject({ ...told, storageLimitBytes: null, requestLimit: null })
  })

  it.each<readonly [string, Serve, boolean, RegExp]>([
    [
      '401',
      (_, response) => void response.writeHead(401).end('{"error":"keySECRET-0123"}'),
      true,
      /^it answered with status 401$/,
    ],
    ['404', (_, response) => void response.writeHead(404).end('no database'), true, /^it answered with status 404$/],
    ['500', (_, response) => void response.writeHead(500).end('{}'), false, /^it answered with status 500$/],
    ['HTML', (_, response) => void response.end('<html>keySECRET-0123</html>'), false, /^its answer is no object$/],
    ['a list', json([stats], []), false, /^its answer is no object$/],
    ['a closed socket', ({ socket }) => void socket.destroy(), false, /^the connection failed \([A-Z_]+\)$/],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{')
        setImmediate(() => response.destroy())
      },
      false,
      /^the connection failed/,
    ],
  ])('says in words of ours what failed: %s', async (_, serve, isRefused, why) => {
    const { api } = await apiThat(serve)

    const answer = await api.look()

    expect(answer).toEqual({
      isTold: false,
      isRefused,
      why: expect.stringMatching(why),
    })
    expect(JSON.stringify(answer)).not.toMatch(/SECRET|127\.0\.0\.1|owner/)
  })

  it('follows no redirect, which could carry the credentials elsewhere', async () => {
    const { api, asked } = await apiThat(
      (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    )

    expect(await api.look()).toMatchObject({ isTold: false, why: 'it answered with status 302' })
    expect(asked).not.toContain('/elsewhere')
  })

  it('reads no more than 1 MB of an answer that never ends', async () => {
    const { api } = await apiThat((_, response) => {
      // Each piece asks for the next one, until the other side hangs up.
      const more = () => void response.write('x'.repeat(65_536), (error) => error ?? more())
      more()
    })

    expect(await api.look()).toMatchObject({ isTold: false, why: 'the answer is larger than 1 MB' })
  })

  it('waits 5 s for an answer and not longer', { timeout: 30_000 }, async () => {
    const { api } = await apiThat((_, response) => void response.write('{'))

    expect(await api.look()).toEqual({ isTold: false, isRefused: false, why: 'no answer within 5 s' })
  })

  it('asks once for all who ask at the same time, and again after 10 minutes', async () => {
    const { api, asked, clock } = await apiThat(json(stats))

    await Promise.all([api.look(), api.look(), api.look()])
    clock.advance(9 * 60_000)
    await api.look()
    expect(asked).toHaveLength(2)

    clock.advance(60_000)
    await api.look()
    expect(asked).toHaveLength(4)
  })

  it('asks again a minute after a failure, and not before', async () => {
    let isBroken = true
    const { api, asked, clock } = await apiThat((request, response) => {
      if (isBroken) response.writeHead(503).end()
      else json(stats)(request, response)
    })

    await api.look()
    isBroken = false
    clock.advance(59_000)
    expect((await api.look()).isTold).toBe(false)
    expect(asked).toHaveLength(2)

    clock.advance(1_000)
    expect((await api.look()).isTold).toBe(true)
  })
})
