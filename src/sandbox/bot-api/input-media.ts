import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject, type JsonObject, optionalText, requiredText } from './fields.ts'
import { CAPTION, type FormattedText, parseRawText } from './formatted-text.ts'
import { type FileKind, findInputFile, type InputFile } from './input-file.ts'

/** A photo or a document with its caption, as `InputMedia` describes it. */
export interface InputMedia {
  readonly kind: FileKind
  readonly file: InputFile
  readonly caption: FormattedText
  readonly isCaptionAbove: boolean
  readonly hasSpoiler: boolean
}

const refuse = (reason: string) => badRequest(`Can't parse InputMedia: ${reason}`)

/**
 * The `InputMedia` of a call. Deliberately without videos, animations and audio, which are refused like a type that
 * Telegram does not know.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseInputMedia(call: Arguments): InputMedia {
  const media = call.json('media', 'input media')
  if (media === undefined) throw badRequest('Parameter "media" is required')
  if (!isObject(media)) throw refuse('expected an Object')
  const raw = {
    text: optionalText(media, 'caption', refuse),
    parseMode: optionalText(media, 'parse_mode', refuse),
    entities: media['caption_entities'],
  }
  const caption = parseRawText(raw, CAPTION, refuse)
  const isCaptionAbove = parseFlag(media, 'show_caption_above_media')
  const hasSpoiler = parseFlag(media, 'has_spoiler')
  const kind = requiredText(media, 'type', refuse)
  const file = findInputFile(call, optionalText(media, 'media', refuse))
  if (file === undefined) throw refuse('media not found')
  if (kind !== 'photo' && kind !== 'document') throw refuse(`type "${kind}" is unsupported`)
  return { kind, file, caption, isCaptionAbove, hasSpoiler }
}

function parseFlag(object: JsonObject, name: string): boolean {
  const value = object[name] ?? false
  if (typeof value !== 'boolean') throw refuse(`Field "${name}" must be of type Boolean`)
  return value
}
