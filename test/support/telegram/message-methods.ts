import { findChat, findMessage } from './access.ts'
import type { Arguments } from './arguments.ts'
import { badRequest, CallFailure } from './failures.ts'
import { isObject, requiredInteger } from './fields.ts'
import { CAPTION, parseText, TEXT } from './formatted-text.ts'
import { parseKeyboard } from './keyboard.ts'
import { messageJson } from './message-json.ts'
import type { Methods } from './methods.ts'
import type { Chat, ChatMessage, NewMessage, StoredFile, World } from './world.ts'

/** Seconds after which a bot cannot take a message back any more. */
const DELETABLE_FOR = 48 * 3600

/** Bytes of an upload. */
const LARGEST_FILE = 50 * 1024 * 1024

/** Sending, changing and deleting messages. */
export function createMessageMethods(world: World): Methods {
  const files = new Map<string, StoredFile>()

  const send = (call: Arguments, content: Partial<NewMessage>) => {
    const repliedTo = parseReply(call)
    const buttons = parseKeyboard(call)
    const chat = findChat(world, call, 'write')
    const replyTo = repliedTo && findReplied(chat, repliedTo)
    const message = { ...content, buttons, from: world.bot.id, ...(replyTo !== undefined && { replyTo }) }
    return { result: messageJson(world, chat, world.addMessage(chat, message)) }
  }

  const change = (call: Arguments, contentOf: (message: ChatMessage) => Partial<ChatMessage>) => {
    const buttons = parseKeyboard(call)
    const chat = findChat(world, call, 'write')
    const message = findMessage(chat, call.integer('message_id'), 'message to edit')
    if (!message.isFromBot) throw badRequest("message can't be edited")
    const content = { ...contentOf(message), buttons }
    if (isUnchanged(message, content)) throw notModified()
    const changed = { ...content, edits: message.edits + 1, editDate: world.now() }
    return { result: messageJson(world, chat, world.changeMessage(chat, message, changed)) }
  }

  return {
    sendMessage: (call) => {
      const text = parseText(call, TEXT)
      return send(call, { ...text, ...linkPreviewOf(call) })
    },
    sendDocument: (call) => {
      const document = files.get(call.text('document')) ?? storeUpload(call, files)
      return send(call, { ...parseText(call, CAPTION), document })
    },
    editMessageText: (call) => {
      const text = parseText(call, TEXT)
      return change(call, ({ document }) => {
        if (document !== undefined) throw badRequest('there is no text in the message to edit')
        return text
      })
    },
    editMessageReplyMarkup: (call) => change(call, () => ({})),
    deleteMessage: (call) => {
      const id = call.integer('message_id')
      if (call.text('chat_id') === '') throw badRequest('Chat identifier is not specified')
      if (id <= 0) throw badRequest('Message identifier is not specified')
      const chat = findChat(world, call, 'write')
      const message = findMessage(chat, id, 'message to delete')
      checkDeletable(world, chat, message)
      chat.messages.delete(id)
      return { result: true }
    },
    deleteMessages: (call) => {
      const ids = parseMessageIds(call)
      const chat = findChat(world, call, 'write')
      const found = ids.map((id) => chat.messages.get(id)).filter((message) => message !== undefined)
      found.forEach((message) => checkDeletable(world, chat, message))
      found.forEach(({ id }) => chat.messages.delete(id))
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

const notModified = () =>
  badRequest(
    'message is not modified: specified new message content and reply markup are exactly the same as a current ' +
      'content and reply markup of the message',
  )

/** Content and buttons as text: equal texts are equal messages. */
const face = ({ text, entities, buttons }: ChatMessage) => JSON.stringify([text, entities, buttons])

function isUnchanged(message: ChatMessage, change: Partial<ChatMessage>): boolean {
  return face(message) === face({ ...message, ...change })
}

/** Own messages can be deleted for 48 hours, those of others in a private chat, too, and in a group only by an admin. */
function checkDeletable(world: World, chat: Chat, message: ChatMessage): void {
  if (chat.isBotAdmin) return
  if (!message.isFromBot && chat.type !== 'private') throw badRequest("message can't be deleted")
  if (world.now() - message.date > DELETABLE_FOR) throw badRequest("message can't be deleted for everyone")
}

function storeUpload(call: Arguments, files: Map<string, StoredFile>): StoredFile {
  const upload = call.file('document')
  if (upload === undefined) {
    const isNamed = call.text('document') !== '' && !call.text('document').startsWith('attach://')
    throw badRequest(isNamed ? 'Wrong file identifier/HTTP URL specified' : 'There is no document in the request')
  }
  if (upload.bytes.length === 0) throw badRequest('file must be non-empty')
  if (upload.bytes.length > LARGEST_FILE) throw new CallFailure(413, 'Request Entity Too Large')
  const stored = { ...upload, fileId: `BQACAgIAAxkDAAI${String(files.size + 1).padStart(10, '0')}` }
  files.set(stored.fileId, stored)
  return stored
}

function linkPreviewOf(call: Arguments): Partial<NewMessage> {
  const linkPreview = call.json('link_preview_options', 'link preview options')
  if (linkPreview === undefined) return {}
  if (!isObject(linkPreview)) throw badRequest('Object expected as link preview options')
  return { linkPreview }
}

interface Reply {
  readonly id: number
  readonly isOptional: boolean
}

function parseReply(call: Arguments): Reply | undefined {
  const reply = call.json('reply_parameters', 'reply parameters')
  if (reply === undefined) {
    const id = call.integer('reply_to_message_id')
    return id > 0 ? { id, isOptional: call.flag('allow_sending_without_reply') } : undefined
  }
  if (!isObject(reply)) throw badRequest('Object expected as reply parameters')
  return { id: requiredInteger(reply, 'message_id'), isOptional: reply['allow_sending_without_reply'] === true }
}

function findReplied(chat: Chat, { id, isOptional }: Reply): number | undefined {
  if (isOptional && !chat.messages.has(id)) return undefined
  return findMessage(chat, id, 'message to be replied').id
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
