import type { Arguments } from './arguments.ts'
import { settleEntities } from './entities.ts'
import { badRequest, type CallFailure } from './failures.ts'
import { parseHtml } from './html.ts'
import { parseEntities } from './sent-entities.ts'

/** A stretch of a text with a meaning; offset and length are in UTF-16 units. */
export interface Entity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
  readonly custom_emoji_id?: string
  /** What a `date_time` means, and how it is shown. */
  readonly unix_time?: number
  readonly date_time_format?: string
  /** Whom a `text_mention` means. */
  readonly user?: { readonly id: number }
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

/** A text with its formatting as it came: entities, or the way in which the text itself is to be read. */
export interface RawText {
  readonly text: string
  readonly parseMode: string
  readonly entities: unknown
}

type Refuse = (reason: string) => CallFailure

/**
 * The text and the entities of a call, cleaned and trimmed as Telegram does it. Of the values of `parse_mode` only `HTML`
 * is read; the two kinds of Markdown are refused like a value that Telegram does not know.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseText(call: Arguments, field: TextField): FormattedText {
  const raw = {
    text: call.text(field.name),
    parseMode: call.text('parse_mode'),
    entities: call.json(field.entities, 'entities'),
  }
  if (raw.text === '' && field === TEXT) throw badRequest('Message text is empty')
  return parseRawText(raw, field)
}

/** As `parseText`, for a text that is part of an object; `refuse` makes the refusals of what it cannot read. */
export function parseRawText(raw: RawText, field: TextField, refuse: Refuse = badRequest): FormattedText {
  if (raw.text === '') return { text: '', entities: [] }
  const formatted = readFormatted(raw, refuse)
  const settled = { ...formatted, entities: settleEntities(formatted.entities) }
  const clean = trim(withoutControls(settled))
  if (BLANK.test(clean.text) && field === TEXT) throw badRequest('Text must be non-empty')
  if (countCharacters(clean.text) > field.most) throw badRequest(field.tooLong)
  return { ...clean, entities: settleEntities(clean.entities) }
}

function readFormatted({ text, parseMode, entities }: RawText, refuse: Refuse): FormattedText {
  if (Buffer.byteLength(text) > MOST_BYTES) throw refuse('Text is too long')
  const mode = parseMode.toLowerCase()
  if (mode === 'html') return parseHtml(text, refuse)
  if (mode !== '' && mode !== 'none') throw refuse('Unsupported parse_mode')
  return { text, entities: parseEntities(text, entities ?? [], refuse) }
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

/** What Telegram leaves out of any text: carriage returns, and marks by which a text can reach out of its line. */
const LEFT_OUT = /\r|[\u2028-\u202E]|\u0333|\u033F|\u030A/

/** A text of nothing that can be seen. */
const BLANK = /^[\s\u180E\u200B-\u200F\u2800\u3000\uFEFF\uFFFC]*$/

/** Control characters become spaces, and some characters are left out. */
function withoutControls({ text, entities }: FormattedText): FormattedText {
  const moved = LEFT_OUT.test(text) ? entities.map(mover(text)) : entities
  const kept = Array.from(text, (character) => (LEFT_OUT.test(character) ? '' : character)).join('')
  // eslint-disable-next-line no-control-regex
  return { text: kept.replaceAll(/[\u0000-\u0009\u000B-\u001F]/g, ' '), entities: moved }
}

/** Moves entities to where their text is without what is left out. */
function mover(text: string): (entity: Entity) => Entity {
  const kept: number[] = [0]
  for (let index = 0; index < text.length; index++)
    kept.push((kept[index] ?? 0) + (LEFT_OUT.test(text.charAt(index)) ? 0 : 1))
  return (entity) => {
    const offset = kept[entity.offset] ?? 0
    return { ...entity, offset, length: (kept[entity.offset + entity.length] ?? 0) - offset }
  }
}

/** White space at the end goes, and at the beginning as far as no entity covers it. */
function trim({ text, entities }: FormattedText): FormattedText {
  const end = text.trimEnd().length
  const firstEntity = entities.reduce((first, { offset }) => Math.min(first, offset), end)
  const start = Math.min(text.length - text.trimStart().length, firstEntity)
  const kept = entities
    .map((entity) => ({
      ...entity,
      offset: entity.offset - start,
      length: Math.min(entity.length, end - entity.offset),
    }))
    .filter(({ length }) => length > 0)
  return { text: text.slice(start, end), entities: kept }
}
