import type { Arguments } from './arguments.ts'
import { createChatMethods } from './chat-methods.ts'
import { createCommandMethods } from './command-methods.ts'
import type { Delivery } from './delivery.ts'
import { badRequest } from './failures.ts'
import type { FileStore } from './files.ts'
import { countCharacters } from './formatted-text.ts'
import type { Menus } from './menus.ts'
import { createMessageMethods } from './message-methods.ts'
import { botJson } from './message-json.ts'
import type { Queries } from './queries.ts'
import { createUpdateMethods } from './update-methods.ts'
import type { World } from './world.ts'

/** What a call brings back. */
export interface Answer {
  readonly result: unknown
  readonly description?: string
}

/** A method of the API. The signal is aborted when the bot does not wait any more. */
export type Method = (call: Arguments, signal: AbortSignal) => Answer | Promise<Answer>

export type Methods = Readonly<Record<string, Method>>

export interface MethodsDeps {
  readonly world: World
  readonly delivery: Delivery
  readonly queries: Queries
  readonly menus: Menus
  readonly files: FileStore
}

/** Characters of an answer to a button press. */
const LONGEST_ANSWER = 200

/** All methods, by their names. */
export function createMethods({ world, delivery, queries, menus, files }: MethodsDeps): Methods {
  return {
    getMe: () => ({ result: { ...botJson(world.bot), ...ABILITIES } }),
    answerCallbackQuery: (call) => {
      const [text, url] = [call.text('text'), call.text('url')]
      if (countCharacters(text) > LONGEST_ANSWER) throw badRequest('MESSAGE_TOO_LONG')
      const shown = text === '' ? {} : { toast: text, alert: call.flag('show_alert') }
      queries.answer(call.text('callback_query_id'), { ...shown, ...(url !== '' && { url }) })
      return { result: true }
    },
    ...createUpdateMethods(delivery),
    ...createCommandMethods(world, menus),
    ...createMessageMethods(world, files),
    ...createChatMethods(world),
  }
}

/** A bot as BotFather makes it: it may join groups and has privacy mode on. */
const ABILITIES = {
  can_join_groups: true,
  can_read_all_group_messages: false,
  supports_inline_queries: false,
  supports_guest_queries: false,
  can_connect_to_business: false,
  has_main_web_app: false,
  has_topics_enabled: false,
  allows_users_to_create_topics: false,
  can_manage_bots: false,
}
