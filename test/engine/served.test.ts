import { describe, expect, it } from 'vitest'
import { ConfigError, DatabaseError } from '../../src/errors.ts'
import { until } from '../http/rig.ts'
import { listing, serve, startEngineRig, type EngineRig } from './rig.ts'
import { eventKey, postStep, runToEnd, signatureOf, signingKey, stepBody, type SentEvent } from './stand-in.ts'

const PATH = '/api/inngest'
const json = { 'content-type': 'application/json' }

const timer = { name: 'inngest/scheduled.timer', data: { cron: 'TZ=Europe/Lisbon 0 5 * * *' } }
const alertEvent = (data: object) => ({ name: 'alerts/cleanup.resolved.alerts', data })

/** A registration as an Inngest asks for it. */
const register = (url: string, signature?: string) =>
  fetch(url + PATH, {
    method: 'PUT',
    headers: { ...json, ...(signature !== undefined && { 'x-inngest-signature': signature }) },
    body: registerText(url),
  })
const registerText = (url: string) => JSON.stringify({ url: url + PATH })

/** What the engine was told of a function. */
interface Registered {
  readonly id: string
  readonly triggers: readonly object[]
  readonly concurrency?: unknown
  readonly idempotency?: string
  readonly steps: { readonly step: { readonly runtime: { readonly url: string }; readonly retries: unknown } }
}

const registrationAt = ({ standIn }: EngineRig) => {
  const call = standIn.calls.find(({ path }) => path.startsWith('/fn/register'))
  return { ...call, body: call?.body as { url: string; appName: string; functions: readonly Registered[] } }
}

const schedules = [
  {
    name: 'orders',
    cron: { pattern: '59 23 * * *', zone: 'Europe/Berlin' },
    runDue: async () => undefined,
  },
] as const

const failToLoad = async () => {
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
}

describe('the engine registers', () => {
  it('each function with its trigger, limits and address, at the configured Inngest', async () => {
    const rig = await startEngineRig({ schedules })
    const url = await serve(rig)

    const answer = await register(url, signatureOf(registerText(url)))

    expect(answer.status).toBe(200)
    const { body, authorization } = registrationAt(rig)
    expect(body).toMatchObject({ appName: 'orderly', url: `https://orders.example${PATH}` })
    // A digest of the key: the key itself never travels.
    expect(authorization).toMatch(/^Bearer signkey-test-[0-9a-f]{64}$/)
    expect(JSON.stringify(rig.standIn.calls)).not.toContain(signingKey)
    expect(rig.engine.functionIds.map((id) => `orderly-${id}`)).toEqual(body.functions.map(({ id }) => id))
    expect(
      body.functions.map(({ id, triggers, concurrency, idempotency }) => ({ id, triggers, concurrency, idempotency })),
    ).toEqual([
      { id: 'orderly-alerts-cleanup-prepare', triggers: [{ cron: 'TZ=Europe/Lisbon 0 5 * * *' }] },
      {
        id: 'orderly-cleanup-resolved-alerts',
        triggers: [{ event: 'alerts/cleanup.resolved.alerts' }],
        concurrency: 4,
        idempotency: "event.data.organization_id + '-' + event.data.day",
      },
      { id: 'orderly-errors-cleanup-prepare', triggers: [{ cron: 'TZ=Europe/Lisbon 0 4 * * *' }] },
      {
        id: 'orderly-cleanup-old-errors',
        triggers: [{ event: 'errors/cleanup.old.errors' }],
        concurrency: 1,
        idempotency: 'event.data.day',
      },
      {
        id: 'orderly-sweep-requested',
        triggers: [{ event: 'sweep/requested' }],
        concurrency: { limit: 1, key: 'event.data.name' },
      },
      { id: 'orderly-orders-sweep', triggers: [{ cron: 'TZ=Europe/Berlin 59 23 * * *' }], concurrency: 1 },
    ])
    for (const { id, steps } of body.functions) {
      expect(steps.step.retries).toEqual({ attempts: 3 })
      expect(steps.step.runtime.url).toBe(`https://orders.example${PATH}?fnId=${id}&stepId=step`)
    }
    expect(rig.standIn.foreign).toEqual([])
  })

  it('where its own address is not configured, the one that it was asked at', async () => {
    const rig = await startEngineRig({ origin: undefined })
    const url = await serve(rig)

    await register(url, signatureOf(registerText(url)))

    expect(registrationAt(rig).body.url).toBe(url + PATH)
  })

  it('also when the request has an empty body', async () => {
    const rig = await startEngineRig()
    const url = await serve(rig)

    const answer = await fetch(url + PATH, {
      method: 'PUT',
      headers: { ...json, 'x-inngest-signature': signatureOf('') },
    })

    expect(answer.status).toBe(200)
    expect(registrationAt(rig).body.functions).toHaveLength(5)
  })

  it('no functions for an audit database that is not configured', async () => {
    const { engine } = await startEngineRig({ audit: undefined, organizations: undefined })

    expect(engine.functionIds).toEqual(['sweep-requested'])
  })

  it('nothing without the package, and says what to install', async () => {
    const made = startEngineRig({ load: failToLoad })

    await expect(made).rejects.toThrow(ConfigError)
    await expect(made).rejects.toThrow('npm install inngest')
  })
})

describe('a run over HTTP', () => {
  it('sends the organizations of the day, and each event of them is done with one step', async () => {
    const organizations = Array.from({ length: 7 }, (_, index) => ({ id: `org-${index}`, retentionDays: 30 + index }))
    const rig = await startEngineRig({
      organizations: listing(organizations),
      work: { alerts: ({ findings }) => void (findings.deleted = 3) },
    })
    const url = await serve(rig)

    const prepared = await runToEnd(url, 'alerts-cleanup-prepare', timer)
    const results = []
    for (const event of rig.standIn.events) results.push(await runToEnd(url, 'cleanup-resolved-alerts', event))

    expect(prepared).toMatchObject({ result: { sent: 7 }, failures: [] })
    expect(rig.standIn.calls.map(({ path }) => path)).toEqual([`/e/${eventKey}`])
    expect(results.map(({ result, requests }) => ({ result, requests }))).toMatchObject(
      organizations.map(({ id }) => ({
        result: { organization_id: id, outcome: 'done', deleted: 3 },
        requests: 2,
      })),
    )
    expect(rig.jobs.map(({ organization }) => organization)).toEqual(organizations.map(({ id }) => id))
    expect(rig.standIn.foreign).toEqual([])
  })

  it('prepared twice on a day sends the same ids again, which an Inngest takes once', async () => {
    const rig = await startEngineRig({ organizations: listing([{ id: 'a', retentionDays: 5 }]) })
    const url = await serve(rig)
    const ids = async () => {
      rig.standIn.events.length = 0
      await runToEnd(url, 'alerts-cleanup-prepare', timer)
      return rig.standIn.events.map(({ id }: SentEvent) => id)
    }

    const first = await ids()
    rig.clock.moveTo('2026-03-10T17:00:00Z')
    const again = await ids()
    rig.clock.moveTo('2026-03-11T05:00:00Z')
    const later = await ids()

    expect(first).toEqual(['orderly:alerts:2026-03-10:a'])
    expect(again).toEqual(first)
    expect(later).toEqual(['orderly:alerts:2026-03-11:a'])
  })

  it('that goes on after midnight keeps the day that it began with, and lists once', async () => {
    let listings = 0
    const organizations = () => {
      listings += 1
      return listing(Array.from({ length: 501 }, (_, index) => ({ id: `org-${index}`, retentionDays: 5 })))()
    }
    const rig = await startEngineRig({ organizations })
    const url = await serve(rig)
    rig.clock.moveTo('2026-03-10T23:59:59Z')
    const first = await postStep(url, 'alerts-cleanup-prepare', { event: timer })
    const [{ id, data }] = first.body as [{ id: string; data: unknown }]
    const steps = { [id]: { type: 'data', data } }

    rig.clock.moveTo('2026-03-11T00:00:01Z')
    await postStep(url, 'alerts-cleanup-prepare', { event: timer, steps })

    expect(listings).toBe(1)
    expect(new Set(rig.standIn.events.map((event) => event.data['day']))).toEqual(new Set(['2026-03-10']))
  })

  it('that fails is repeated up to three times, and then people are told once', async () => {
    let tries = 0
    const rig = await startEngineRig({
      work: {
        alerts: ({ organization }) => {
          tries += 1
          if (organization === 'locked' || tries < 3) throw new DatabaseError('DATABASE_BUSY', 'The rows are locked.')
        },
      },
    })
    const url = await serve(rig)

    const mended = await runToEnd(url, 'cleanup-resolved-alerts', alertEvent({ organization_id: 'slow' }))
    const lost = await runToEnd(url, 'cleanup-resolved-alerts', alertEvent({ organization_id: 'locked' }))

    expect(mended).toMatchObject({ result: { outcome: 'done' }, failures: [{}, {}] })
    expect(mended.failures.map(({ headers }) => headers.get('x-inngest-no-retry'))).toEqual(['false', 'false'])
    // The step's last failure, and then the function's own.
    expect(lost.failures).toHaveLength(5)
    expect(lost.failures.at(-1)?.headers.get('x-inngest-no-retry')).toBe('true')
    expect(rig.jobs).toHaveLength(3 + 4)
    expect(rig.announced).toMatchObject([{ sweep: 'alerts', outcome: 'failed', attempt: 4 }])
  })

  it('whose payload breaks a rule is not repeated', async () => {
    const rig = await startEngineRig({ work: { alerts: () => expect.fail('It ran.') } })
    const url = await serve(rig)

    const { failures } = await runToEnd(
      url,
      'cleanup-resolved-alerts',
      alertEvent({ organization_id: 'a', retention_days: '30' }),
    )

    expect(failures).toMatchObject([{ status: 400, body: { name: 'NonRetriableError', stack: '' } }])
  })

  it('kept out by a lock sleeps for a minute and looks again', async () => {
    const rig = await startEngineRig({ work: { errors: () => undefined } })
    const url = await serve(rig)
    await rig.connection.send([['SET', 'orderly:lock:errors', 'somebody', 'EX', 120]])

    const event = { name: 'errors/cleanup.old.errors', data: { retention_days: 90 } }
    const ending = runToEnd(url, 'cleanup-old-errors', event)
    await until(() => rig.log().includes('"because":"Another run holds the lock'))
    await rig.connection.send([['DEL', 'orderly:lock:errors']])
    const { result, sleeps, failures } = await ending

    expect(result).toMatchObject({ outcome: 'done' })
    expect(new Set(sleeps)).toEqual(new Set(['1m']))
    expect(failures).toEqual([])
  })

  it('tells neither the engine nor the log a secret, a foreign text or a path of this machine', async () => {
    const rig = await startEngineRig({
      work: {
        alerts: () => {
          throw Object.assign(new Error('connect postgresql://user:SECRET@db'), { cause: new Error('SECRET') })
        },
      },
    })
    const url = await serve(rig)

    const answer = await postStep(url, 'cleanup-resolved-alerts', { event: alertEvent({ organization_id: 'a' }) })

    expect(JSON.stringify(answer.body)).toContain('A defect of Orderly ended the run (Error). See the log.')
    expect(JSON.stringify(answer.body)).not.toMatch(/SECRET|node_modules|\/src\/|at /)
    expect(rig.log()).not.toContain('SECRET')
    expect(rig.log()).not.toContain(signingKey)
  })

  it('of a function that is not there names no path of this machine either', async () => {
    const url = await serve(await startEngineRig())

    const answer = await postStep(url, 'nothing', { event: alertEvent({ organization_id: 'a' }) })

    expect(answer.status).toBe(500)
    expect(answer.body).toHaveProperty('message')
    expect(JSON.stringify(answer.body)).not.toMatch(/stack|node_modules|file:/)
  })

  it('whose events the engine does not take says so, without the answer or the key', { timeout: 60_000 }, async () => {
    const rig = await startEngineRig({ organizations: listing([{ id: 'a', retentionDays: 5 }]) })
    const url = await serve(rig)
    rig.standIn.refuseEvents(401)
    const first = await postStep(url, 'alerts-cleanup-prepare', { event: timer })
    const [{ id, data }] = first.body as [{ id: string; data: unknown }]

    const answer = await postStep(url, 'alerts-cleanup-prepare', {
      event: timer,
      steps: { [id]: { type: 'data', data } },
    })

    expect(JSON.stringify(answer.body)).toContain('The engine did not take the events. Check INNGEST_EVENT_KEY')
    expect(JSON.stringify(answer.body) + rig.log()).not.toContain(eventKey)
    expect(rig.standIn.events).toEqual([])
  })

  it('takes what large runs carry with them, and no more', async () => {
    const rig = await startEngineRig({ work: { alerts: () => undefined } })
    const url = await serve(rig)
    // An event stands in a request twice.
    const post = (megabytes: number) =>
      postStep(url, 'cleanup-resolved-alerts', {
        event: alertEvent({ organization_id: 'a', note: 'x'.repeat(megabytes * 1_048_576) }),
      })

    expect((await post(2)).status).toBe(206)
    expect((await post(3)).status).toBe(413)
  })
})

/** Ways in which a request is not the engine's, by what they make of its body and time. Those of which only the body tells: */
type Forgery = readonly [string, (text: string) => string | undefined]
const forgeries: readonly Forgery[] = [
  ['with another signature', (text) => signatureOf(text).replace(/s=.*/, `s=${'0'.repeat(64)}`)],
  ['signed with another key', (text) => signatureOf(text, { key: `signkey-test-${'0bad'.repeat(12)}` })],
  ['signed over another body', (text) => signatureOf(JSON.stringify({ signed: text.length }))],
  [
    'with the time changed',
    (text) => signatureOf(text, { atMs: Date.now() - 60_000 }).replace(/t=\d+/, `t=${nowSeconds()}`),
  ],
]
/** And those that show at once: */
const obvious: readonly Forgery[] = [
  ['without a signature', () => undefined],
  ['with an empty signature', () => ''],
  ['with half a signature', (text) => signatureOf(text).split('&')[0]],
  ['signed six minutes ago', (text) => signatureOf(text, { atMs: Date.now() - 6 * 60_000 })],
  ['signed six minutes ahead', (text) => signatureOf(text, { atMs: Date.now() + 6 * 60_000 })],
]
const nowSeconds = () => Math.floor(Date.now() / 1_000)

describe('a request that the engine did not sign', () => {
  it.each([...forgeries, ...obvious])('%s is refused, whatever it asks for', async (way, forge) => {
    const rig = await startEngineRig({ work: { alerts: () => expect.fail('It ran.') } })
    const url = await serve(rig)
    const step = stepBody({ event: alertEvent({ organization_id: 'a' }) })
    const put = registerText(url)
    const send = (path: string, method: string, body?: string) => {
      const signature = forge(body ?? '')
      const headers = { ...json, ...(signature !== undefined && { 'x-inngest-signature': signature }) }
      return fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
    }

    const answers = [
      await send(PATH, 'GET'),
      await send(PATH, 'PUT', put),
      await send(PATH, 'PUT', ''),
      await send(`${PATH}?fnId=orderly-cleanup-resolved-alerts&stepId=step`, 'POST', step),
      await send(`${PATH}?fnId=nothing&stepId=step`, 'POST', step),
      await send(`${PATH}?probe=trust`, 'POST', step),
    ]

    const isObvious = obvious.some(([name]) => name === way)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
    for (const answer of answers) {
      expect(await answer.json()).toMatchObject(
        isObvious ? { error: { code: 'UNAUTHORIZED' } } : { message: 'Unauthorized' },
      )
      expect(answer.headers.get('x-inngest-signature')).toBeNull()
    }
    expect(rig.jobs).toEqual([])
    expect(rig.standIn.calls).toEqual([])
    // Somebody should look where a key may be wrong.
    expect(/"level":40,[^\n]*"msg":"Signature validation failed"/.test(rig.log())).toBe(!isObvious)
    expect(rig.log().includes('"frames"')).toBe(!isObvious)
    expect(rig.log()).not.toContain(signingKey)
  })

  it('signed as it should be passes at each of these', async () => {
    const rig = await startEngineRig()
    const url = await serve(rig)
    const headers = { 'x-inngest-signature': signatureOf('') }

    const answer = await fetch(url + PATH, { headers })

    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ mode: 'cloud', function_count: 5, authentication_succeeded: true })
    // The engine checks in turn who answered.
    expect(answer.headers.get('x-inngest-signature')).toMatch(/^t=\d+&s=[0-9a-f]{64}$/)
  })

  it('passes in development, where nobody has a key', async () => {
    const rig = await startEngineRig({
      work: { alerts: () => undefined },
      engineConfig: { isDev: true, signingKey: undefined, eventKey: undefined },
    })
    const url = await serve(rig)

    const answer = await fetch(`${url}${PATH}?fnId=orderly-cleanup-resolved-alerts&stepId=step`, {
      method: 'POST',
      headers: json,
      body: stepBody({ event: alertEvent({ organization_id: 'a' }) }),
    })

    expect(answer.status).toBe(206)
    expect((await fetch(url + PATH)).status).toBe(200)
    expect((await register(url)).status).toBe(200)
    expect(rig.standIn.foreign).toEqual([])
  })
})

describe('beside the engine', () => {
  it('every other route keeps its rules', async () => {
    const url = await serve(await startEngineRig())
    const big = JSON.stringify({ note: 'x'.repeat(2 * 1_048_576) })
    const post = (path: string, headers = {}) =>
      fetch(url + path, { method: 'POST', headers: { ...json, ...headers }, body: big })

    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/api/other`)).status).toBe(404)
    expect((await fetch(`${url}${PATH}/other`)).status).toBe(404)
    const intake = { method: 'POST', headers: { ...json, authorization: 'Bearer intake-SECRET-2' }, body: '' }
    expect((await fetch(`${url}/intake/orders`, intake)).status).toBe(400)
    expect((await post('/telegram/webhook')).status).toBe(401)
    expect((await post('/intake/orders', { authorization: 'Bearer intake-SECRET-2' })).status).toBe(413)
  })

  it.each([
    ['{"event":', 'application/json', 400],
    ['event', 'text/plain', 415],
    ['{"__proto__":{"x":1}}', 'application/json', 400],
  ])('a body of %s as %s is refused', async (body, type, status) => {
    const url = await serve(await startEngineRig())

    const headers = { 'content-type': type, 'x-inngest-signature': signatureOf('') }
    const answer = await fetch(url + PATH, { method: 'POST', headers, body })

    expect(answer.status).toBe(status)
  })
})
