import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Received } from '../orders/desk.ts'
import { NotReadyError } from '../errors.ts'
import { bearerHook, routeOff } from './bearer.ts'
import type { Guard } from './guard.ts'
import { ProblemError, type Problem } from './problems.ts'
import { secretCheck } from '../secrets.ts'

/** What is known of a Telegram update before the bot reads it. */
export interface Update {
  readonly update_id: number
  readonly [field: string]: unknown
}

export interface TelegramDeps {
  /** What Telegram repeats in the header `X-Telegram-Bot-Api-Secret-Token`. */
  readonly secret: string
  /** Takes an update. Whatever it rejects with is logged, never answered. */
  readonly receive: (update: Update) => Promise<void>
}

export interface IntakeDeps {
  readonly token: string
  /** Takes an order in, as `Desk.receive`. */
  readonly receive: (payload: unknown) => Promise<Received>
}

export interface WebhookParts {
  readonly guard: Guard
  readonly log: Logger
  readonly isClosing: () => boolean
}

/** The largest order text. An order with 200 items of the longest allowed names is about half of it. */
const ORDER_BYTES = 256 * 1_024

/** How many levels of objects and lists an order may nest. Deeper ones could be read, but not written again. */
const ORDER_LEVELS = 32

/** A server on its way down; Telegram and intake clients send the same again, to the next one. */
export const stopping: Problem = {
  status: 503,
  code: 'STOPPING',
  message: 'The server is stopping. Send the same again.',
  headers: { 'retry-after': '5' },
}

/**
 * `POST /telegram/webhook`: 401 without the secret, 400 for what is no update, else 200 once `receive` has ended, however it
 * ended: Telegram would send a poisoned update again for a day. Only a failure while the server closes is answered 503.
 */
export const telegramRoute = ({ secret, receive }: TelegramDeps, { guard, log, isClosing }: WebhookParts) => {
  const isSecret = secretCheck(secret)
  const onRequest = guard((request) => isSecret(headerOf(request, 'x-telegram-bot-api-secret-token')), {
    status: 401,
    code: 'UNAUTHORIZED',
    message: 'The header X-Telegram-Bot-Api-Secret-Token is missing or wrong.',
  })
  return async (app: FastifyInstance): Promise<void> => {
    app.post('/telegram/webhook', { onRequest }, async (request, reply) => {
      const update = decodeUpdate(request.body)
      if (update === undefined) throw new ProblemError(noUpdate)
      if (isClosing()) throw new ProblemError(stopping)
      try {
        await receive(update)
      } catch (error) {
        log.error({ event: 'update.failed', updateId: update.update_id, err: error }, 'update.failed')
        if (isClosing()) throw new ProblemError(stopping)
        if (error instanceof NotReadyError) throw new ProblemError(notReady)
      }
      return reply.send({ ok: true })
    })
  }
}

/**
 * `POST /intake/orders`: 201 with the id of a new order, 200 with the same id for the same order again, 401 without the
 * bearer token, 422 naming each field that breaks a rule, 503 when the store fails. Without a token configured: 404.
 */
export const intakeRoute = (intake: IntakeDeps | undefined, { guard }: WebhookParts) => {
  if (intake === undefined) return routeOff('POST', '/intake/orders', intakeOff)
  const onRequest = bearerHook(guard, { token: intake.token, variable: 'INTAKE_TOKEN' })
  return async (app: FastifyInstance): Promise<void> => {
    app.post('/intake/orders', { onRequest, bodyLimit: ORDER_BYTES }, async (request, reply) => {
      if (request.body === undefined) throw new ProblemError(noBody)
      if (isDeeperThan(request.body, ORDER_LEVELS)) throw new ProblemError(tooDeep)
      const { outcome, order } = await intake.receive(request.body)
      return reply.code(outcome === 'received' ? 201 : 200).send({ id: order.id })
    })
  }
}

const notReady: Problem = {
  status: 503,
  code: 'NOT_READY',
  message: 'The bot is not ready. Send the same again.',
  headers: { 'retry-after': '5' },
}
const noUpdate: Problem = { status: 400, code: 'BAD_UPDATE', message: 'The body is no Telegram update.' }
const noBody: Problem = { status: 400, code: 'BAD_JSON', message: 'The body must be an order as JSON.' }
const tooDeep: Problem = { status: 400, code: 'TOO_DEEP', message: `The body nests more than ${ORDER_LEVELS} levels.` }
const intakeOff: Problem = { status: 404, code: 'INTAKE_OFF', message: 'Set INTAKE_TOKEN to take orders in here.' }

const headerOf = ({ headers }: FastifyRequest, name: string) => {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function decodeUpdate(body: unknown): Update | undefined {
  if (typeof body !== 'object' || body === null || !('update_id' in body)) return undefined
  const { update_id: id } = body
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? (body as Update) : undefined
}

const isDeeperThan = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1)))
