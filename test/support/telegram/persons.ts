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

/** What people do. All of it throws a plain Error when a person could not do it in Telegram. */
export interface Persons {
  say(userId: number, chatId: number, text: string, options?: SayOptions): ChatMessage
  press(userId: number, chatId: number, messageId: number, button: string): Promise<PressAnswer>
  block(userId: number): void
  migrate(chatId: number): number
  kick(chatId: number): void
}

export interface PersonsDeps {
  readonly world: World
  readonly delivery: Delivery
  readonly queries: Queries
  readonly pressWithinMs: number
}

export function createPersons({ world, delivery, queries, pressWithinMs }: PersonsDeps): Persons {
  const chatOf = (id: number) => {
    const chat = world.findChat(id)
    if (chat === undefined) throw new Error(`There is no chat ${id}.`)
    return chat
  }

  const chatWith = (userId: number, chatId: number) => {
    const chat = chatOf(chatId)
    if (!chat.members.has(userId)) throw new Error(`User ${userId} is not in chat ${chatId}.`)
    if (chat.migratedTo !== undefined) throw new Error(`Chat ${chatId} became ${chat.migratedTo}.`)
    return chat
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
      chat.hasStarted = true
      chat.isBlocked = false
      const said = text.trim()
      if (said === '') throw new Error('Nobody can send an empty message.')
      const found = [...findCommands(said), ...entities].toSorted((one, other) => one.offset - other.offset)
      return add(chat, { from: userId, text: said, entities: found, ...(replyTo !== undefined && { replyTo }) })
    },
    press: async (userId, chatId, messageId, button) => {
      const chat = chatWith(userId, chatId)
      const { message, data } = findButton(chat, messageId, button)
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
      return within(answered, pressWithinMs, `Nobody answered the press of "${button}"`)
    },
    block: (userId) => {
      chatOf(userId).isBlocked = true
    },
    migrate: (chatId) => {
      const chat = chatOf(chatId)
      if (chat.type !== 'group' || chat.migratedTo !== undefined) throw new Error(`Chat ${chatId} is no group.`)
      const from = chat.owner ?? [...chat.members].find((id) => id !== world.bot.id) ?? world.bot.id
      const supergroup = world.migrate(chat)
      add(chat, { from, migrateTo: supergroup.id })
      add(supergroup, { from, migrateFrom: chatId })
      return supergroup.id
    },
    kick: (chatId) => {
      const chat = chatOf(chatId)
      if (chat.type === 'private') throw new Error(`Chat ${chatId} is no group.`)
      chat.isKicked = true
    },
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

function findButton(chat: Chat, messageId: number, wanted: string) {
  const message = chat.messages.get(messageId)
  if (message === undefined) throw new Error(`There is no message ${messageId} in chat ${chat.id}.`)
  const buttons = message.buttons.flat()
  const isWanted = ({ text, callbackData }: Button) =>
    callbackData !== undefined && [text, callbackData].includes(wanted)
  const data = buttons.find(isWanted)?.callbackData
  const texts = buttons.map(({ text }) => text).join(', ')
  if (data === undefined) throw new Error(`There is no button "${wanted}" to press, only: ${texts || 'none'}.`)
  return { message, data }
}

async function within<Value>(promise: Promise<Value>, ms: number, complaint: string): Promise<Value> {
  const late = createDeferred<Value>()
  const timer = setTimeout(() => late.reject(new Error(`${complaint} within ${ms} ms.`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
