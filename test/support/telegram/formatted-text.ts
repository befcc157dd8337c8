import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject, type JsonObject, requiredInteger, requiredText } from './fields.ts'

/** A stretch of a text with a meaning; offset and length are in UTF-16 units. */
export interface Entity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
}

export interface FormattedText {
  readonly text: string
  readonly entities: readonly Entity[]
}

export interface TextField {
  readonly name: 'text' | 'caption'
  readonly entities: 'entities' | 'caption_entities'
  /** Characters, that is code points, after trimming. */
  readonly most: number
  readonly tooLong: string
}

export const TEXT: TextField = { name: 'text', entities: 'entities', most: 4096, tooLong: 'Message is too long' }

export const CAPTION: TextField = {
  name: 'caption',
  entities: 'caption_entities',
  most: 1024,
  tooLong: 'Message caption is too long',
}

/** Bytes of a text before anything else is looked at. */
const MOST_BYTES = 1 << 15

const MARKS = ['bold', 'italic', 'underline', 'strikethrough', 'spoiler', 'code', 'pre', 'blockquote']
const SENT_TYPES = new Set([
  ...MARKS,
  'expandable_blockquote',
  'text_link',
  'text_mention',
  'custom_emoji',
  'date_time',
])

/** Types that Telegram finds by itself: it does not look at them when a bot sends them. */
const FOUND_TYPES = new Set([
  'mention',
  'hashtag',
  'cashtag',
  'bot_command',
  'url',
  'email',
  'phone_number',
  'bank_card_number',
])

/**
 * The text and the entities of a call, cleaned and trimmed as Telegram does it.
 * Deliberately without `parse_mode`, which is refused: Orderly sends entities, which no customer's text can break.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseText(call: Arguments, field: TextField): FormattedText {
  const text = call.text(field.name)
  if (text === '') {
    if (field === TEXT) throw badRequest('Message text is empty')
    return { text, entities: [] }
  }
  if (Buffer.byteLength(text) > MOST_BYTES) throw badRequest('Text is too long')
  if (call.text('parse_mode') !== '') throw badRequest('Unsupported parse_mode')
  const listed = call.json(field.entities, 'entities') ?? []
  if (!Array.isArray(listed)) throw badRequest('Expected an Array of MessageEntity')
  const entities = listed.map(parseEntity).filter((entity) => SENT_TYPES.has(entity.type) && entity.length > 0)
  entities.forEach((entity) => checkBounds(text, entity))
  const clean = trim(withoutControls({ text, entities }))
  if (clean.text === '' && field === TEXT) throw badRequest('Text must be non-empty')
  if (countCharacters(clean.text) > field.most) throw badRequest(field.tooLong)
  return clean
}

/** Characters as Telegram counts them: code points. */
export const countCharacters = (text: string): number => Array.from(text).length

/** The commands in a text, found by Telegram's own rule: `/name`, up to 64 characters, also `/name@bot`. */
export function findCommands(text: string): readonly Entity[] {
  const matches = text.matchAll(/(?<![\p{L}\p{N}_/<>])\/\w{1,64}(?:@\w{3,32})?(?![\p{L}\p{N}_/<>])/gu)
  return Array.from(matches, ({ index, 0: command }) => ({
    type: 'bot_command',
    offset: index,
    length: command.length,
  }))
}

const refuse = (reason: string) => badRequest(`Can't parse MessageEntity: ${reason}`)

function parseEntity(value: unknown): Entity {
  if (!isObject(value)) throw refuse('expected an Object')
  const offset = requiredInteger(value, 'offset', refuse)
  const length = requiredInteger(value, 'length', refuse)
  const type = requiredText(value, 'type', refuse)
  if (!SENT_TYPES.has(type) && !FOUND_TYPES.has(type)) throw refuse('Unsupported type specified')
  if (type === 'text_link') requiredText(value, 'url', refuse)
  if (offset < 0 || offset > 1_000_000) throw badRequest(`Receive an entity with incorrect offset ${offset}`)
  if (length < 0 || length > 1_000_000) throw badRequest(`Receive an entity with incorrect length ${length}`)
  return { ...extras(value), type, offset, length }
}

/** What entities of some types carry along. */
function extras(value: JsonObject): object {
  const names = ['url', 'language', 'user', 'custom_emoji_id', 'unix_time', 'date_time_format']
  return Object.fromEntries(names.filter((name) => name in value).map((name) => [name, value[name]]))
}

function checkBounds(text: string, { offset, length }: Entity): void {
  const end = offset + length
  const byte = (index: number) => Buffer.byteLength(text.slice(0, index + 1))
  if (offset > text.length) throw badRequest(`Entity begins after the end of the text at UTF-16 offset ${offset}`)
  if (splitsSymbol(text, offset)) {
    throw badRequest(`Entity begins in a middle of a UTF-16 symbol at byte offset ${byte(offset)}`)
  }
  const beginning = `Entity beginning at UTF-16 offset ${offset}`
  if (end > text.length) throw badRequest(`${beginning} ends after the end of the text at UTF-16 offset ${end}`)
  if (splitsSymbol(text, end)) {
    throw badRequest(`${beginning} ends in a middle of a UTF-16 symbol at byte offset ${byte(end)}`)
  }
}

const splitsSymbol = (text: string, index: number) =>
  /[\uD800-\uDBFF]/.test(text.charAt(index - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(index))

/** Control characters become spaces, and carriage returns are left out. */
function withoutControls({ text, entities }: FormattedText): FormattedText {
  const returnsBefore = (index: number) => text.slice(0, index).split('\r').length - 1
  const moved = entities.map((entity) => {
    const offset = entity.offset - returnsBefore(entity.offset)
    const end = entity.offset + entity.length
    return { ...entity, offset, length: end - returnsBefore(end) - offset }
  })
  // eslint-disable-next-line no-control-regex
  return { text: text.replaceAll('\r', '').replaceAll(/[\u0000-\u0009\u000B-\u001F]/g, ' '), entities: moved }
}

/** White space at the end goes, and at the beginning as far as no entity covers it. */
function trim({ text, entities }: FormattedText): FormattedText {
  const end = text.trimEnd().length
  const firstEntity = Math.min(...entities.map(({ offset }) => offset), end)
  const start = Math.min(text.length - text.trimStart().length, firstEntity)
  const kept = entities
    .map((entity) => ({
      ...entity,
      offset: entity.offset - start,
      length: Math.min(entity.length, end - entity.offset),
    }))
    .filter(({ length }) => length > 0)
    .toSorted((one, other) => one.offset - other.offset || other.length - one.length)
  return { text: text.slice(start, end), entities: kept }
}
