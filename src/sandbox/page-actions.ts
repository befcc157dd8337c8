import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { type PressAnswer, type StandIn, UnansweredPress } from './bot-api/stand-in.ts'
import type { Actions, PressView } from './page-view.ts'

export interface PageActionsDeps {
  readonly telegram: StandIn
  /** Lets a new order in and resolves with its id. */
  readonly handIn: () => Promise<string>
  /** Starts the service anew. */
  readonly restart: () => void
}

/** What one answer is late by, for how long nobody answers, and what a bot is told to wait. */
const SLOW_MS = 2_000
const DOWN_MS = 10_000
const RETRY_AFTER_SECONDS = 3

const id = z.int()
const position = z.int().min(0).max(100)
const nothing = z.strictObject({})

/** Serves `POST /sandbox/actions/<name>`: 200 with what `Actions` says, 422 for what nobody could do in Telegram. */
export function addPageActions(app: FastifyInstance, { telegram, handIn, restart }: PageActionsDeps): void {
  const actions: { readonly [Name in keyof Actions]: Action } = {
    say: action<Actions['say']>(
      z.strictObject({ personId: id, chatId: id, text: z.string().min(1).max(4096) }),
      ({ personId, chatId, text }) => void telegram.say(personId, chatId, text),
    ),
    press: action<Actions['press']>(
      z.strictObject({ personId: id, chatId: id, messageId: id, row: position, column: position }),
      ({ personId, chatId, messageId, row, column }) =>
        telegram.press(personId, chatId, messageId, { row, column }).then(answered, unanswered),
    ),
    block: action<Actions['block']>(
      z.strictObject({ personId: id, isBlocked: z.boolean() }),
      ({ personId, isBlocked }) => (isBlocked ? telegram.block(personId) : telegram.unblock(personId)),
    ),
    membership: action<Actions['membership']>(
      z.strictObject({ chatId: id, isBotMember: z.boolean() }),
      ({ chatId, isBotMember }) => (isBotMember ? telegram.admit(chatId) : telegram.kick(chatId)),
    ),
    order: action(nothing, async () => ({ id: await handIn() })),
    fault: action<Actions['fault']>(
      z.strictObject({ kind: z.enum(['too-many', 'down', 'slow', 'reset', 'calm']) }),
      ({ kind }) => {
        if (kind === 'too-many') telegram.failNext('*', { status: 429, retryAfter: RETRY_AFTER_SECONDS })
        if (kind === 'reset') telegram.failNext('*', 'reset')
        if (kind === 'down') telegram.downFor(DOWN_MS)
        if (kind === 'slow') telegram.slowBy(SLOW_MS)
        if (kind === 'calm') telegram.calm()
      },
    ),
    again: action(nothing, () => ({ updateId: telegram.deliverLastAgain() ?? null })),
    restart: action(nothing, restart),
  }

  for (const [name, run] of Object.entries(actions)) {
    app.post(`/sandbox/actions/${name}`, async ({ body }) => (await run(body)) ?? {})
  }
}

/** Takes a request's body and resolves with the answer's, where there is more to say than that it was done. */
type Action = (body: unknown) => Promise<object | void>

const action =
  <Form>(form: z.ZodType<Form>, run: (given: Form) => object | void | Promise<object>): Action =>
  async (body) => {
    const given = form.safeParse(body)
    if (!given.success) throw new InputError('The action does not have the form that it must have.')
    return await run(given.data)
  }

const answered = ({ toast, alert = false, url }: PressAnswer): PressView => ({
  toast: toast ?? null,
  isAlert: alert,
  isAnswered: true,
  url: url ?? null,
})

function unanswered(error: unknown): PressView {
  if (!(error instanceof UnansweredPress)) throw error
  return { toast: null, isAlert: false, isAnswered: false, url: null }
}
