import { findChat, findMessage } from './access.ts'
import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject } from './fields.ts'
import type { FileStore } from './files.ts'
import { parseText, TEXT } from './formatted-text.ts'
import { createMediaMethods } from './media-methods.ts'
import { createMessages } from './messages.ts'
import type { Methods } from './methods.ts'
import type { Chat, ChatMessage, World } from './world.ts'

/** Seconds after which a bot cannot take a message back any more. */
const DELETABLE_FOR = 48 * 3600

/** Sending, changing and deleting messages. What is uploaded goes to `files`. */
export function createMessageMethods(world: World, files: FileStore): Methods {
  const messages = createMessages(world)

  return {
    ...createMediaMethods(messages, files),
    sendMessage: (call) => {
      const text = parseText(call, TEXT)
      const linkPreview = linkPreviewOf(call)
      return messages.send(call, () => ({ ...text, ...linkPreview }))
    },
    editMessageText: (call) => {
      const text = parseText(call, TEXT)
      const linkPreview = linkPreviewOf(call)
      return messages.change(call, ({ photo, document }) => {
        if ((photo ?? document) !== undefined) throw badRequest('There is no text in the message to edit')
        return { ...text, ...linkPreview }
      })
    },
    editMessageReplyMarkup: (call) => messages.change(call, (message) => message),
    deleteMessage: (call) => {
      const id = call.integer('message_id')
      if (call.text('chat_id') === '') throw badRequest('Chat identifier is not specified')
      if (id <= 0) throw badRequest('Message identifier is not specified')
      const chat = findChat(world, call, 'write')
      const message = findMessage(chat, id, 'message to delete')
      checkDeletable(world, chat, message)
      world.deleteMessage(chat, id)
      return { result: true }
    },
    deleteMessages: (call) => {
      const ids = parseMessageIds(call)
      const chat = findChat(world, call, 'write')
      const found = ids.map((id) => chat.messages.get(id)).filter((message) => message !== undefined)
      found.forEach((message) => checkDeletable(world, chat, message))
      found.forEach(({ id }) => world.deleteMessage(chat, id))
      return { result: true }
    },
    sendChatAction: (call) => {
      if (!ACTIONS.has(call.text('action').toLowerCase())) throw badRequest('Wrong parameter action in request')
      findChat(world, call, 'write')
      return { result: true }
    },
  }
}

const ACTIONS = new Set(
  (
    'typing upload_photo record_video upload_video record_voice upload_voice record_audio upload_audio upload_document ' +
    'choose_sticker find_location pick_up_location record_video_note upload_video_note cancel'
  ).split(' '),
)

/** Own messages can be deleted for 48 hours, those of others in a private chat, too, and in a group only by an admin. */
function checkDeletable(world: World, chat: Chat, message: ChatMessage): void {
  if (chat.isBotAdmin) return
  if (!message.isFromBot && chat.type !== 'private') throw badRequest("message can't be deleted")
  if (world.now() - message.date > DELETABLE_FOR) throw badRequest("message can't be deleted for everyone")
}

function linkPreviewOf(call: Arguments): Pick<ChatMessage, 'linkPreview'> {
  const linkPreview = call.json('link_preview_options', 'link preview options')
  if (linkPreview === undefined) return {}
  if (!isObject(linkPreview)) throw badRequest('Object expected as link preview options')
  return { linkPreview }
}

function parseMessageIds(call: Arguments): readonly number[] {
  const ids = call.json('message_ids', 'message_ids')
  if (ids === undefined) throw badRequest('Message identifiers are not specified')
  if (!Array.isArray(ids)) throw badRequest('Expected an Array of message identifiers')
  if (ids.length > 100) throw badRequest('Too many message identifiers specified')
  if (ids.length === 0) throw badRequest('Message identifiers are not specified')
  return ids.map((id: unknown) => {
    if (typeof id !== 'number' && typeof id !== 'string') throw badRequest('Message identifier must be a Number')
    if (!/^-?\d+$/.test(String(id))) throw badRequest("Can't parse message identifier as a Number")
    if (Number(id) <= 0) throw badRequest('Invalid message identifier specified')
    return Number(id)
  })
}
