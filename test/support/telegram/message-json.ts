import { keyboardJson } from './keyboard.ts'
import type { BotAccount, Chat, ChatMessage, Person, World } from './world.ts'

/** A message as Telegram shows it to bots, with the message it replies to. */
export function messageJson(world: World, chat: Chat, message: ChatMessage): object {
  const repliedTo = message.replyTo === undefined ? undefined : chat.messages.get(message.replyTo)
  return {
    ...plainMessage(world, chat, message),
    ...(repliedTo !== undefined && { reply_to_message: plainMessage(world, chat, repliedTo) }),
  }
}

export function chatJson({ id, type, title }: Chat, world: World): object {
  const person = world.people.get(id)
  if (type !== 'private' || person === undefined) return { id, type, title }
  return { id, type, ...names(person) }
}

/** A user, be it the bot itself. */
export function userJson(id: number, { bot, people }: World): object {
  if (id === bot.id) return botJson(bot)
  const person = people.get(id)
  if (person === undefined) return { id, is_bot: false, first_name: '' }
  return { id, is_bot: false, ...names(person), ...(person.languageCode && { language_code: person.languageCode }) }
}

export const botJson = ({ id, firstName, username }: BotAccount): object => ({
  id,
  is_bot: true,
  first_name: firstName,
  username,
})

function plainMessage(world: World, chat: Chat, message: ChatMessage): object {
  const { id, from, date, editDate, linkPreview, migrateTo, migrateFrom, buttons } = message
  const keyboard = keyboardJson(buttons)
  return {
    message_id: id,
    from: userJson(from, world),
    chat: chatJson(chat, world),
    date,
    ...(editDate !== undefined && { edit_date: editDate }),
    ...contentJson(message),
    ...(linkPreview !== undefined && { link_preview_options: linkPreview }),
    ...(keyboard !== undefined && { reply_markup: keyboard }),
    ...(migrateTo !== undefined && { migrate_to_chat_id: migrateTo }),
    ...(migrateFrom !== undefined && { migrate_from_chat_id: migrateFrom }),
  }
}

function contentJson({ text, entities, document }: ChatMessage): object {
  if (document === undefined) {
    return { ...(text !== '' && { text }), ...(entities.length > 0 && { entities }) }
  }
  const { fileId, fileName, mimeType, bytes } = document
  return {
    document: {
      file_name: fileName,
      mime_type: mimeType,
      file_id: fileId,
      file_unique_id: fileId.slice(-16),
      file_size: bytes.length,
    },
    ...(text !== '' && { caption: text }),
    ...(entities.length > 0 && { caption_entities: entities }),
  }
}

const names = ({ firstName, lastName, username }: Person) => ({
  first_name: firstName,
  ...(lastName !== undefined && { last_name: lastName }),
  ...(username !== undefined && { username }),
})
