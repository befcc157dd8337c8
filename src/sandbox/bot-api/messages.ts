import { findChat, findMessage } from './access.ts'
import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject, requiredInteger } from './fields.ts'
import { parseKeyboard } from './keyboard.ts'
import { messageJson } from './message-json.ts'
import type { Answer } from './methods.ts'
import type { Chat, ChatMessage, World } from './world.ts'

/** What a message says and shows, without its buttons. */
export type Content = Pick<
  ChatMessage,
  'text' | 'entities' | 'photo' | 'document' | 'isCaptionAbove' | 'hasSpoiler' | 'linkPreview'
>

/** What all methods have in common that send or change a message. */
export interface Messages {
  /** Sends what `contentOf` gives; it is asked last, when nothing else about the call is wrong. */
  send(call: Arguments, contentOf: () => Content): Answer
  /** Replaces the content and the buttons of a message of the bot's own. `refusal` is for messages of others. */
  change(call: Arguments, contentOf: (message: ChatMessage) => Content, refusal?: string): Answer
}

export function createMessages(world: World): Messages {
  return {
    send: (call, contentOf) => {
      const repliedTo = parseReply(call)
      const buttons = parseKeyboard(call)
      const chat = findChat(world, call, 'write')
      const replyTo = repliedTo && findReplied(chat, repliedTo)
      const message = world.addMessage(chat, {
        ...contentOf(),
        buttons,
        from: world.bot.id,
        ...(replyTo !== undefined && { replyTo }),
        ...(call.flag('protect_content') && { isProtected: true }),
      })
      return { result: messageJson(world, chat, message) }
    },
    change: (call, contentOf, refusal = "Message can't be edited") => {
      if (call.text('chat_id') === '' && call.integer('message_id') === 0) {
        throw badRequest('Message identifier is not specified')
      }
      const buttons = parseKeyboard(call)
      const chat = findChat(world, call, 'write')
      const message = findMessage(chat, call.integer('message_id'), 'message to edit')
      if (!message.isFromBot) throw badRequest(refusal)
      const emptied = withoutContent(message)
      const changed = { ...emptied, ...contentOf(message), buttons }
      if (face(message) === face(changed)) throw notModified()
      const change = { ...changed, edits: message.edits + 1, editDate: world.now() }
      return { result: messageJson(world, chat, world.changeMessage(chat, emptied, change)) }
    },
  }
}

/** A message with everything but its content, which would stay where nothing replaces it. */
function withoutContent(message: ChatMessage): ChatMessage {
  const emptied: { -readonly [Name in keyof ChatMessage]: ChatMessage[Name] } = { ...message, text: '', entities: [] }
  for (const name of OPTIONAL) delete emptied[name]
  return emptied
}

/** All of the content that may be absent. */
const OPTIONAL = ['photo', 'document', 'isCaptionAbove', 'hasSpoiler', 'linkPreview'] as const

const notModified = () =>
  badRequest(
    'message is not modified: specified new message content and reply markup are exactly the same as a current ' +
      'content and reply markup of the message',
  )

/** What can be seen of a message as text, the preview of a link aside: equal texts are equal messages. */
function face(message: ChatMessage): string {
  const { text, entities, buttons, photo, document, isCaptionAbove = false, hasSpoiler = false } = message
  return JSON.stringify([text, entities, buttons, photo?.fileId, document?.fileId, isCaptionAbove, hasSpoiler])
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
