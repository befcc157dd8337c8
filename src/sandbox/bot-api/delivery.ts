import type { Clock } from '../../clock.ts'
import type { JsonObject } from './fields.ts'
import { createPoller, type PollOptions } from './poller.ts'
import { createUpdateQueue, type Fate, type UpdateContent } from './update-queue.ts'
import { createWebhookSender, type DeliveryAttempt, type Webhook } from './webhook-sender.ts'

export type { Fate, UpdateContent } from './update-queue.ts'
export type { DeliveryAttempt, Webhook } from './webhook-sender.ts'

/** Brings updates to the bot: to its webhook when it has one, else when it asks for them. */
export interface Delivery {
  readonly attempts: readonly DeliveryAttempt[]
  readonly webhook: Webhook | undefined
  /** The latest attempt that failed at the present webhook. */
  readonly lastFailure: DeliveryAttempt | undefined
  /** Update types that the bot asked for; undefined is Telegram's default. */
  readonly allowed: readonly string[] | undefined
  /** Adds an update, several times over if so told. Resolves with what became of the last copy. */
  add(content: UpdateContent, options?: { readonly copies: number }): Promise<Fate>
  /** Sends the latest update once more, under its id, and returns that; undefined when there was none. */
  addLastAgain(): number | undefined
  allow(kinds: readonly string[] | undefined): void
  /** Sets or, with undefined, deletes the webhook. A poll that waits is ended. */
  setWebhook(webhook: Webhook | undefined): void
  poll(options: PollOptions): Promise<readonly JsonObject[]>
  /** Forgets what the bot has not taken yet. */
  dropPending(): void
  pendingCount(): number
  stop(): void
}

export interface DeliveryOptions {
  readonly clock: Clock
  readonly resendMs: readonly number[]
  readonly answerWithinMs: number
  readonly nextNumber: () => number
  /** Told of each attempt when it begins, and again when it is over. */
  readonly onAttempt: (attempt: DeliveryAttempt) => void
  /** Told of anything else: what waits, what the bot asked for, and the webhook. */
  readonly onChange: () => void
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const queue = createUpdateQueue(options)
  const sender = createWebhookSender({ ...options, queue })
  const poller = createPoller(queue)
  let webhook: Webhook | undefined

  const wake = () => {
    if (webhook === undefined) poller.wake()
    else sender.wake()
  }

  return {
    attempts: sender.attempts,
    get webhook() {
      return webhook
    },
    get lastFailure() {
      return sender.lastFailure
    },
    get allowed() {
      return queue.allowed
    },
    add: (content, { copies } = { copies: 1 }) => {
      const fate = queue.add(content, copies)
      wake()
      return fate
    },
    addLastAgain: () => {
      const id = queue.addLastAgain()
      wake()
      return id
    },
    allow: (kinds) => {
      queue.allowed = kinds
    },
    setWebhook: (next) => {
      webhook = next
      if (next !== undefined) poller.end('terminated by setWebhook request')
      sender.use(next)
      options.onChange()
    },
    poll: poller.poll,
    dropPending: () => [...queue.list()].forEach((update) => queue.settle(update, 'dropped')),
    pendingCount: () => queue.list().length,
    stop: sender.stop,
  }
}
