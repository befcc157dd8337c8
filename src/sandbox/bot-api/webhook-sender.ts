import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import { createDeferred } from './deferred.ts'
import type { JsonObject } from './fields.ts'
import { addLatest } from './latest.ts'
import type { PendingUpdate, UpdateQueue } from './update-queue.ts'

/** Where updates are sent to. */
export interface Webhook {
  readonly url: string
  /** Empty is none. */
  readonly secretToken: string
  readonly maxConnections: number
}

/** One attempt to bring an update to the webhook. */
export interface DeliveryAttempt {
  /** Counts calls and deliveries together, from 1, in the order of their beginnings. */
  readonly number: number
  readonly updateId: number
  readonly kind: string
  /** The update as it was sent. */
  readonly body: JsonObject
  /** When it was over; while it is under way, when it began. */
  readonly atMs: number
  /** How long it took; absent while it is under way. */
  readonly ms?: number
  /** The status that the webhook answered with; absent when it did not answer. */
  readonly status?: number
  /** Why the update will be sent again. */
  readonly failure?: string
}

/** Sends updates to a webhook. Deliberately without method calls inside the webhook's answers. */
export interface WebhookSender {
  /** The latest that are over, oldest first; without those that another webhook or the end broke off. */
  readonly attempts: readonly DeliveryAttempt[]
  /** The latest attempt that failed at the present webhook. */
  readonly lastFailure: DeliveryAttempt | undefined
  /** Starts over with another webhook, or stops. What is on its way is broken off. */
  use(webhook: Webhook | undefined): void
  /** There is something new to send. */
  wake(): void
  stop(): void
}

export interface WebhookSenderOptions {
  readonly queue: UpdateQueue
  readonly clock: Clock
  readonly resendMs: readonly number[]
  readonly answerWithinMs: number
  readonly nextNumber: () => number
  /** Told of each attempt when it begins, and again when it is over. */
  readonly onAttempt: (attempt: DeliveryAttempt) => void
}

/** Attempts that are kept. */
const MOST_ATTEMPTS = 5000

export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { queue, clock, resendMs, answerWithinMs, nextNumber, onAttempt } = options
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  const attempts: DeliveryAttempt[] = []
  let lastFailure: DeliveryAttempt | undefined
  let current: { readonly webhook: Webhook; readonly ending: AbortController; readonly lanes: Set<string> } | undefined

  const attempt = async (update: PendingUpdate, webhook: Webhook, signal: AbortSignal) => {
    const { id: updateId, kind, body } = update
    const begun = { number: nextNumber(), updateId, kind, body, atMs: clock() }
    onAttempt(begun)
    const outcome = await post({ webhook, body, agents, answerWithinMs, signal })
    const made = { ...begun, atMs: clock(), ms: clock() - begun.atMs, ...outcome }
    if (!signal.aborted) {
      addLatest(attempts, made, MOST_ATTEMPTS)
      if (made.failure !== undefined) lastFailure = made
    }
    onAttempt(made)
    return outcome
  }

  /** Sends a lane's updates one after the other until there are none left. */
  const run = async (lane: string, { webhook, ending: { signal }, lanes }: NonNullable<typeof current>) => {
    for (;;) {
      const update = queue.list().find((pending) => pending.lane === lane)
      if (update === undefined) lanes.delete(lane)
      if (update === undefined || signal.aborted) return
      const { failure } = await attempt(update, webhook, signal)
      if (signal.aborted) return
      if (failure === undefined) {
        queue.settle(update, 'delivered')
        continue
      }
      const pauseMs = resendMs[update.failures] ?? resendMs.at(-1) ?? 0
      update.failures += 1
      await pause(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  const wake = () => {
    if (current === undefined) return
    for (const { lane } of queue.list()) {
      if (current.lanes.has(lane)) continue
      current.lanes.add(lane)
      void run(lane, current)
    }
  }

  const use = (webhook: Webhook | undefined) => {
    current?.ending.abort()
    lastFailure = undefined
    current = webhook && { webhook, ending: new AbortController(), lanes: new Set() }
    wake()
  }

  return {
    attempts,
    get lastFailure() {
      return lastFailure
    },
    use,
    wake,
    stop: () => {
      use(undefined)
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

interface Posting {
  readonly webhook: Webhook
  readonly body: object
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  readonly answerWithinMs: number
  readonly signal: AbortSignal
}

type Outcome = Pick<DeliveryAttempt, 'status' | 'failure'>

/** Never rejects: no answer is a failure, too. */
async function post({ webhook, body, agents, answerWithinMs, signal }: Posting): Promise<Outcome> {
  const text = JSON.stringify(body)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(webhook.secretToken !== '' && { 'x-telegram-bot-api-secret-token': webhook.secretToken }),
  }
  const isHttps = webhook.url.startsWith('https:')
  const settings = { method: 'POST', headers, agent: isHttps ? agents.https : agents.http, signal }
  const { promise, resolve, reject } = createDeferred<IncomingMessage>()
  const request = (isHttps ? requestHttps : requestHttp)(webhook.url, settings, (response) => {
    response
      .resume()
      .on('end', () => resolve(response))
      .on('error', reject)
  })
  request.setTimeout(answerWithinMs, () => request.destroy(new Error('Read timeout expired')))
  request.on('error', reject)
  request.end(text)
  try {
    const { statusCode: status = 0, statusMessage = '' } = await promise
    const isTaken = status >= 200 && status <= 299
    return isTaken ? { status } : { status, failure: `Wrong response from the webhook: ${status} ${statusMessage}` }
  } catch (error) {
    return { failure: reasonOf(error) }
  }
}

/** The reason in the words of getWebhookInfo. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ECONNREFUSED') return 'Connection refused'
  return error instanceof Error && code === undefined ? error.message : 'Webhook connection closed'
}
