import type { Arguments } from './arguments.ts'
import { badRequest, forbidden, migrated } from './failures.ts'
import type { Chat, ChatMessage, World } from './world.ts'

/** What a call does with a chat. Its members can be asked for where the bot is one of them. */
export type Access = 'read' | 'members' | 'write'

/**
 * The chat that a call names.
 *
 * @throws CallFailure when there is none, or when the bot may not do this there.
 */
export function findChat(world: World, call: Arguments, access: Access): Chat {
  const id = call.text('chat_id')
  if (id === '') throw badRequest('chat_id is empty')
  return checkAccess(world.findChat(Number(id)), access)
}

/** Passes a chat through that the bot may read or write in. */
export function checkAccess(chat: Chat | undefined, access: Access): Chat {
  if (chat === undefined) throw badRequest('chat not found')
  if (access !== 'read' && chat.migratedTo !== undefined) throw migrated(chat.migratedTo)
  if (chat.isKicked && (access !== 'read' || chat.type === 'supergroup')) {
    throw forbidden(`bot was kicked from the ${chat.type} chat`)
  }
  if (access === 'write' && !chat.hasStarted) throw forbidden("bot can't initiate conversation with a user")
  if (access === 'write' && chat.isBlocked) throw forbidden('bot was blocked by the user')
  return chat
}

/** The message that a call names, such as a `message to edit`. */
export function findMessage(chat: Chat, id: number, what: string): ChatMessage {
  const message = chat.messages.get(id)
  if (message === undefined) throw badRequest(`${what} not found`)
  return message
}
