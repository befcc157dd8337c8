import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ulid } from 'ulid'
import { onTestFinished, vi } from 'vitest'

export const signingKey = `signkey-test-${'5ec7e7'.repeat(8)}`
export const eventKey = 'event-key-SECRET'

/** An event as it was sent. */
export interface SentEvent {
  readonly id: string
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A request that the package made. */
export interface Call {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: unknown
}

/** What stands in for an Inngest: it takes events and registrations in, and remembers them. */
export interface StandIn {
  readonly url: string
  readonly calls: Call[]
  readonly events: SentEvent[]
  /** Addresses that are no loopback and were asked for: always none. */
  readonly foreign: string[]
  /** Answers events with this status from now on. */
  refuseEvents(status: number): void
}

/** Listens on loopback; until the test ends the package can reach nothing else. */
export async function startStandIn(): Promise<StandIn> {
  const calls: Call[] = []
  const events: SentEvent[] = []
  let refusal: number | undefined
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const body: unknown = text === '' ? undefined : JSON.parse(text)
      calls.push({ path: request.url ?? '', authorization: request.headers.authorization, body })
      const isEvent = request.url?.startsWith('/e/') === true
      if (isEvent && refusal === undefined) events.push(...(body as SentEvent[]))
      const ids = isEvent ? (body as SentEvent[]).map((_, index) => `01EVENT${index}`) : undefined
      const status = isEvent ? (refusal ?? 200) : 200
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(status === 200 ? { status, ids, modified: true } : { status, error: `no ${eventKey}` }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    events,
    foreign: keepToLoopback(),
    refuseEvents: (status) => {
      refusal = status
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function keepToLoopback(): string[] {
  const foreign: string[] = []
  const real = globalThis.fetch
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.hostname === '127.0.0.1') return await real(input, init)
    foreign.push(url.host)
    throw new Error('Only loopback can be reached.')
  })
  onTestFinished(() => spy.mockRestore())
  return foreign
}

/** The header that an Inngest sends: a time, and the digest of the body's canonical text and that time. */
export function signatureOf(text: string, { key = signingKey, atMs = Date.now() } = {}): string {
  const seconds = String(Math.floor(atMs / 1_000))
  const canonical = text === '' ? '' : canonicalText(JSON.parse(text))
  const secret = key.replace(/^signkey-\w+-/, '')
  return `t=${seconds}&s=${createHmac('sha256', secret).update(canonical).update(seconds).digest('hex')}`
}

/** JSON with sorted names, as RFC 8785 has it; enough of it for what these tests send. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${canonicalText(one)}`).join(',')}}`
}

/** How the engine asks for a function's next step. */
export interface StepRequest {
  readonly event: { readonly name: string; readonly data: unknown; readonly id?: string }
  /** What the steps so far have come to, by hashed id. */
  readonly steps?: Readonly<Record<string, unknown>>
  readonly attempt?: number
  readonly maxAttempts?: number
  readonly runId?: string
}

export const stepBody = ({ event, steps = {}, attempt = 0, maxAttempts = 4, runId = ulid() }: StepRequest): string => {
  const full = { id: '01EVENT', ts: Date.now(), ...event }
  return JSON.stringify({
    event: full,
    events: [full],
    steps,
    ctx: {
      run_id: runId,
      // A real engine names itself so, which lets the package hand in results on the way.
      fn_id: '5f0a3c1e-0000-4000-8000-000000000000',
      qi_id: 'queue-item',
      attempt,
      max_attempts: maxAttempts,
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack: Object.keys(steps), current: Object.keys(steps).length },
    },
  })
}

/** The answer to one request of a run. */
export interface StepAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** Posts one signed request for a function's next step. */
export async function postStep(url: string, functionId: string, request: StepRequest): Promise<StepAnswer> {
  const body = stepBody(request)
  const answer = await fetch(`${url}/api/inngest?fnId=orderly-${functionId}&stepId=step`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-inngest-signature': signatureOf(body) },
    body,
  })
  return { status: answer.status, headers: answer.headers, body: await answer.json() }
}

/** What a run came to. */
export interface Ended {
  readonly result: unknown
  /** Requests that it took. */
  readonly requests: number
  /** How long the engine let it sleep, each time. */
  readonly sleeps: readonly string[]
  /** Attempts that failed. */
  readonly failures: readonly StepAnswer[]
}

interface Op {
  readonly id: string
  readonly op: string
  readonly name?: string
  readonly data?: unknown
  readonly error?: unknown
}

/**
 * Runs a function to its end as an engine does: step by step, repeating what may be repeated up to three times, but without
 * a pause. With several addresses each is asked in turn.
 */
export async function runToEnd(
  url: string | readonly string[],
  functionId: string,
  event: StepRequest['event'],
): Promise<Ended> {
  const urls = [url].flat()
  const sleeps: string[] = []
  const steps: Record<string, unknown> = {}
  const failures: StepAnswer[] = []
  const runId = ulid()
  let attempt = 0
  for (let requests = 1; ; requests += 1) {
    const answer = await postStep(urls[requests % urls.length] ?? '', functionId, { event, steps, attempt, runId })
    const [op] = answer.status === 206 ? (answer.body as Op[]) : []
    if (answer.status === 200) return { result: answer.body, requests, sleeps, failures }
    if (op !== undefined && op.error === undefined) {
      if (op.op === 'Sleep') sleeps.push(op.name ?? '')
      steps[op.id] = { type: 'data', data: op.data ?? null }
      attempt = 0
      continue
    }
    failures.push(answer)
    const isFinal = answer.headers.get('x-inngest-no-retry') === 'true' || attempt === 3
    if (isFinal && op !== undefined) {
      steps[op.id] = { type: 'error', error: op.error }
      attempt = 0
    } else if (isFinal) return { result: undefined, requests, sleeps, failures }
    else attempt += 1
  }
}
