import type { Entity } from './formatted-text.ts'
import { keyboardJson } from './keyboard.ts'
import type { BotAccount, Chat, ChatMessage, Person, StoredFile, World } from './world.ts'

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

/** What is said about each file; the rest depends on what it is. */
export const fileJson = ({ fileId, size }: StoredFile): object => ({
  file_id: fileId,
  file_unique_id: fileId.slice(-16),
  file_size: size,
})

function plainMessage(world: World, chat: Chat, message: ChatMessage): object {
  const { id, from, date, editDate, linkPreview, migrateTo, migrateFrom, buttons, isProtected } = message
  const keyboard = keyboardJson(buttons)
  return {
    message_id: id,
    from: userJson(from, world),
    chat: chatJson(chat, world),
    date,
    ...(editDate !== undefined && { edit_date: editDate }),
    ...(isProtected && { has_protected_content: true }),
    ...contentJson(message, world),
    ...(linkPreview !== undefined && { link_preview_options: linkPreview }),
    ...(keyboard !== undefined && { reply_markup: keyboard }),
    ...(migrateTo !== undefined && { migrate_to_chat_id: migrateTo }),
    ...(migrateFrom !== undefined && { migrate_from_chat_id: migrateFrom }),
  }
}

function contentJson(message: ChatMessage, world: World): object {
  const { text, photo, document } = message
  const entities = message.entities.map((entity) => entityJson(entity, world))
  if (photo === undefined && document === undefined) {
    return { ...(text !== '' && { text }), ...(entities.length > 0 && { entities }) }
  }
  return {
    ...(document !== undefined && { document: documentJson(document) }),
    ...(photo !== undefined && { photo: [photoSizeJson(photo)] }),
    ...(message.hasSpoiler && { has_media_spoiler: true }),
    ...(text !== '' && { caption: text }),
    ...(entities.length > 0 && { caption_entities: entities }),
    ...(text !== '' && message.isCaptionAbove && { show_caption_above_media: true }),
  }
}

const documentJson = (file: StoredFile) => ({
  file_name: file.fileName,
  mime_type: file.mimeType,
  ...fileJson(file),
})

/** Telegram makes several sizes of a photo; here the only one is the photo itself. */
const photoSizeJson = (file: StoredFile) => ({ ...fileJson(file), width: file.width, height: file.height })

/** A person who is mentioned is shown whole. */
const entityJson = (entity: Entity, world: World): object =>
  entity.user === undefined ? entity : { ...entity, user: userJson(entity.user.id, world) }

const names = ({ firstName, lastName, username }: Person) => ({
  first_name: firstName,
  ...(lastName !== undefined && { last_name: lastName }),
  ...(username !== undefined && { username }),
})
