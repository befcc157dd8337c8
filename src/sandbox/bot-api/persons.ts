import { InputError } from '../../errors.ts'
import type { Delivery } from './delivery.ts'
import { createDeferred } from './deferred.ts'
import { type Entity, findCommands } from './formatted-text.ts'
import type { Button } from './keyboard.ts'
import { messageJson, userJson } from './message-json.ts'
import type { PressAnswer, Queries } from './queries.ts'
import type { Chat, ChatMessage, NewMessage, World } from './world.ts'

export type { PressAnswer } from './queries.ts'

export interface SayOptions {
  /** The id of the message that is replied to. */
  readonly replyTo?: number
  /** Beside the commands, which are found in the text. */
  readonly entities?: readonly Entity[]
}

/** Where a button is, counted from 0. */
export interface ButtonPosition {
  readonly row: number
  readonly column: number
}

/** The bot did not answer a press in time. */
export class UnansweredPress extends Error {
  override readonly name = 'UnansweredPress'
}

/** What people do. All of it throws an InputError when a person could not do it in Telegram. */
export interface Persons {
  /** A person writes something. In a private chat this also presses Start, and ends a block. */
  say(userId: number, chatId: number, text: string, options?: SayOptions): ChatMessage
  /**
   * A person presses a button, named by its text, its callback data or its position. Resolves when the bot has answered.
   *
   * @throws InputError when there is no such button.
   * @throws UnansweredPress when there is no answer within `pressWithinMs`.
   */
  press(userId: number, chatId: number, messageId: number, button: string | ButtonPosition): Promise<PressAnswer>
  /** A person blocks the bot, until they unblock it or say something again. */
  block(userId: number): void
  unblock(userId: number): void
  /** A group becomes a supergroup, whose id is returned. */
  migrate(chatId: number): number
  /** The bot is thrown out of a group. Deliberately without an update about its membership. */
  kick(chatId: number): void
  /** The bot is added to the group again. Deliberately without an update about its membership. */
  admit(chatId: number): void
}

export interface PersonsDeps {
  readonly world: World
  readonly delivery: Delivery
  readonly queries: Queries
  readonly pressWithinMs: number
  /** Aborted when nothing is answered any more. */
  readonly ending: AbortSignal
}

export function createPersons({ world, delivery, queries, pressWithinMs, ending }: PersonsDeps): Persons {
  const chatOf = (id: number) => {
    const chat = world.findChat(id)
    if (chat === undefined) throw new InputError(`There is no chat ${id}.`)
    return chat
  }

  const chatWith = (userId: number, chatId: number) => {
    const chat = chatOf(chatId)
    if (!chat.members.has(userId)) throw new InputError(`User ${userId} is not in chat ${chatId}.`)
    if (chat.migratedTo !== undefined) throw new InputError(`Chat ${chatId} became ${chat.migratedTo}.`)
    return chat
  }

  const groupOf = (id: number) => {
    const chat = chatOf(id)
    if (chat.type === 'private') throw new InputError(`Chat ${id} is no group.`)
    return chat
  }

  const block = (userId: number, isBlocked: boolean) => {
    const chat = chatOf(userId)
    if (chat.type !== 'private') throw new InputError(`Chat ${userId} is no person's.`)
    world.changeChat(chat, { isBlocked })
  }

  const add = (chat: Chat, content: NewMessage) => {
    const message = world.addMessage(chat, content)
    if (!chat.isKicked && reachesBot(chat, message, world)) {
      void delivery.add({ message: messageJson(world, chat, message) })
    }
    return message
  }

  return {
    say: (userId, chatId, text, { replyTo, entities = [] } = {}) => {
      const chat = chatWith(userId, chatId)
      const said = text.trim()
      if (said === '') throw new InputError('Nobody can send an empty message.')
      if (!chat.hasStarted || chat.isBlocked) world.changeChat(chat, { hasStarted: true, isBlocked: false })
      const found = [...findCommands(said), ...entities].toSorted((one, other) => one.offset - other.offset)
      return add(chat, { from: userId, text: said, entities: found, ...(replyTo !== undefined && { replyTo }) })
    },
    press: async (userId, chatId, messageId, button) => {
      const chat = chatWith(userId, chatId)
      const { message, data, text } = findButton(chat, messageId, button)
      const { id, answered } = queries.open()
      void delivery.add({
        callback_query: {
          id,
          from: userJson(userId, world),
          message: messageJson(world, chat, message),
          chat_instance: String(chatId * 31),
          data,
        },
      })
      return inTime(answered, { ms: pressWithinMs, ending, complaint: `Nobody answered the press of "${text}"` })
    },
    block: (userId) => block(userId, true),
    unblock: (userId) => block(userId, false),
    migrate: (chatId) => {
      const chat = chatOf(chatId)
      if (chat.type !== 'group' || chat.migratedTo !== undefined) throw new InputError(`Chat ${chatId} is no group.`)
      const from = chat.owner ?? [...chat.members].find((id) => id !== world.bot.id) ?? world.bot.id
      const supergroup = world.migrate(chat)
      add(chat, { from, migrateTo: supergroup.id })
      add(supergroup, { from, migrateFrom: chatId })
      return supergroup.id
    },
    kick: (chatId) => world.changeChat(groupOf(chatId), { isKicked: true }),
    admit: (chatId) => world.changeChat(groupOf(chatId), { isKicked: false }),
  }
}

/**
 * Privacy mode: in a group the bot sees commands that are for it or for anybody, replies to its own messages, and what
 * Telegram itself says; an admin sees everything.
 */
function reachesBot(chat: Chat, message: ChatMessage, { bot }: World): boolean {
  const isService = message.migrateTo !== undefined || message.migrateFrom !== undefined
  if (chat.type === 'private' || chat.isBotAdmin || isService) return true
  const repliedTo = message.replyTo === undefined ? undefined : chat.messages.get(message.replyTo)
  if (repliedTo?.isFromBot) return true
  const command = message.entities.find(({ type, offset }) => type === 'bot_command' && offset === 0)
  if (command === undefined) return false
  const [, addressee = bot.username] = message.text.slice(0, command.length).split('@')
  return addressee.toLowerCase() === bot.username.toLowerCase()
}

function findButton(chat: Chat, messageId: number, wanted: string | ButtonPosition) {
  const message = chat.messages.get(messageId)
  if (message === undefined) throw new InputError(`There is no message ${messageId} in chat ${chat.id}.`)
  const button = buttonAt(message.buttons, wanted)
  if (button?.callbackData !== undefined) return { message, data: button.callbackData, text: button.text }
  const name = typeof wanted === 'string' ? `"${wanted}"` : `in row ${wanted.row}, column ${wanted.column},`
  const texts = message.buttons.flat().map(({ text }) => text)
  throw new InputError(`There is no button ${name} to press, only: ${texts.join(', ') || 'none'}.`)
}

function buttonAt(rows: ChatMessage['buttons'], wanted: string | ButtonPosition): Button | undefined {
  if (typeof wanted !== 'string') return rows[wanted.row]?.[wanted.column]
  return rows
    .flat()
    .find(({ text, callbackData }) => callbackData !== undefined && [text, callbackData].includes(wanted))
}

interface Limits {
  readonly ms: number
  readonly ending: AbortSignal
  readonly complaint: string
}

async function inTime<Value>(promise: Promise<Value>, { ms, ending, complaint }: Limits): Promise<Value> {
  const late = createDeferred<Value>()
  const timer = setTimeout(() => late.reject(new UnansweredPress(`${complaint} within ${ms} ms.`)), ms)
  const end = () => late.reject(new UnansweredPress(`${complaint} before the end.`))
  if (ending.aborted) end()
  ending.addEventListener('abort', end)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
    ending.removeEventListener('abort', end)
  }
}
