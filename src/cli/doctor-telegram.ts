import type { Clock } from '../clock.ts'
import type { TelegramConfig } from '../config.ts'
import { askJson } from '../redis/budget/ask-json.ts'
import { fail, ok, warn, type Finding } from './doctor-check.ts'
import { fieldsOf } from './doctor-fields.ts'
import { counted } from './text.ts'

/** What Telegram answered to a call. */
export type BotAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly movedTo: number | undefined }
  | { readonly kind: 'silent'; readonly why: string }

/** Calls a method of the Bot API with a GET. Never throws, and never tells the address, which holds the token. */
export type CallBot = (method: string, chatId?: number) => Promise<BotAnswer>

export interface BotCalls {
  readonly call: CallBot
  /** By how many milliseconds Telegram's clock was ahead of ours at the latest answer; undefined before the first. */
  readonly aheadMs: () => number | undefined
}

export interface BotCallsOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
}

const DEADLINE_MS = 8_000

/** Asks the Bot API that is configured. */
export function createBotCalls({ token, apiRoot }: TelegramConfig, { clock, signal }: BotCallsOptions): BotCalls {
  let aheadMs: number | undefined
  return {
    aheadMs: () => aheadMs,
    call: async (method, chatId) => {
      const query = chatId === undefined ? '' : `?chat_id=${chatId}`
      const url = `${apiRoot ?? 'https://api.telegram.org'}/bot${token}/${method}${query}`
      const answer = await askJson(url, { deadlineMs: DEADLINE_MS, signal })
      if (!answer.isAnswered) return { kind: 'silent', why: answer.why }
      if (answer.serverMs !== null) aheadMs = answer.serverMs - clock()
      const body = fieldsOf(answer.body)
      if (body['ok'] === true) return { kind: 'result', result: body['result'] }
      if (body['ok'] !== false) return { kind: 'silent', why: `no answer of a Bot API (status ${answer.status})` }
      const movedTo = fieldsOf(body['parameters'])['migrate_to_chat_id']
      return {
        kind: 'refused',
        status: answer.status,
        movedTo: Number.isSafeInteger(movedTo) ? Number(movedTo) : undefined,
      }
    },
  }
}

const REACH = 'Check the connection to api.telegram.org (or TELEGRAM_API_ROOT), and run orderly doctor again.'

/** What there is to say where a call brought nothing that could be judged. */
export const unjudged = (answer: Exclude<BotAnswer, { kind: 'result' }>): Finding =>
  answer.kind === 'silent'
    ? fail(`Telegram could not be asked: ${answer.why}`, REACH)
    : fail(`Telegram refused with status ${answer.status}`, answer.status === 401 ? NEW_TOKEN : REACH)

const NEW_TOKEN = 'Ask BotFather for the token (/token) and set TELEGRAM_BOT_TOKEN.'

/** Whether the token is one that Telegram knows. */
export async function checkBot(call: CallBot, { token }: TelegramConfig): Promise<Finding> {
  const answer = await call('getMe')
  if (answer.kind === 'refused' && (answer.status === 401 || answer.status === 404)) {
    return fail(`Telegram does not know the token (status ${answer.status})`, NEW_TOKEN)
  }
  if (answer.kind !== 'result') return unjudged(answer)
  const name = fieldsOf(answer.result)['username']
  // A name is short; whatever else stands there may be what nobody should read.
  const isName = typeof name === 'string' && /^\w{3,32}$/.test(name) && !token.includes(name)
  return ok(isName ? `@${name}` : 'Telegram knows the token')
}

/** Whether Telegram knows the chat for orders, and the bot may see it. */
export async function checkOrdersChat(call: CallBot, chatId: number): Promise<Finding> {
  const answer = await call('getChat', chatId)
  if (answer.kind === 'result') return ok('Telegram knows it, and the bot is in it')
  if (answer.kind === 'silent') return unjudged(answer)
  if (answer.movedTo !== undefined) {
    return fail('the group became a supergroup, which has another id', `Set ORDERS_CHAT_ID to ${answer.movedTo}.`)
  }
  if (!isAboutChat(answer)) return unjudged(answer)
  return fail('Telegram does not know this chat, or the bot is not in it', ADD_BOT)
}

const ADD_BOT =
  'Add the bot to the group, and set ORDERS_CHAT_ID to its id, the negative number in its address at web.telegram.org.'

/** Whether Telegram refused because of the chat that was asked for. */
const isAboutChat = (answer: BotAnswer) => answer.kind === 'refused' && (answer.status === 400 || answer.status === 403)

/** More admins than anybody has; each costs a call. */
const MOST_ADMINS = 20

/** Whether each admin has begun a chat with the bot, without which it cannot write to them. */
export async function checkAdmins(call: CallBot, adminIds: readonly number[]): Promise<Finding> {
  if (adminIds.length === 0) {
    return warn(
      'nobody may give admin commands',
      'Send /start to the bot, which tells your id, and set ADMIN_IDS to it.',
    )
  }
  const asked = adminIds.slice(0, MOST_ADMINS)
  const answers = await Promise.all(asked.map((id) => call('getChat', id)))
  const unclear = answers.find((answer) => answer.kind !== 'result' && !isAboutChat(answer))
  if (unclear !== undefined && unclear.kind !== 'result') return unjudged(unclear)
  const unknown = answers.flatMap((answer, at) => (answer.kind === 'result' ? [] : [at + 1]))
  if (unknown.length === 0) return ok(`${counted(asked.length, 'admin')}, all known to the bot`)
  const detail = `of ${asked.length} in ADMIN_IDS the bot does not know no. ${unknown.join(', ')}`
  return warn(detail, 'Each of them has to send /start to the bot once; a wrong id must be taken out of ADMIN_IDS.')
}
