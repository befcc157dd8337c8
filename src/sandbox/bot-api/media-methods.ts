import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import type { FileStore } from './files.ts'
import { CAPTION, type FormattedText, parseText } from './formatted-text.ts'
import { type FileKind, findInputFile, storeInputFile } from './input-file.ts'
import { type InputMedia, parseInputMedia } from './input-media.ts'
import { fileJson } from './message-json.ts'
import type { Content, Messages } from './messages.ts'
import type { Methods } from './methods.ts'
import type { StoredFile } from './world.ts'

/** Bytes of a file that a bot may fetch. */
const LARGEST_FETCHED = 20 * 1024 * 1024

/** Sending and changing photos and documents, and fetching them. */
export function createMediaMethods({ send, change }: Messages, files: FileStore): Methods {
  const sendFile = (call: Arguments, kind: FileKind) => {
    const input = findInputFile(call, call.text(kind), kind)
    if (input === undefined) throw badRequest(`There is no ${kind} in the request`)
    const caption = parseText(call, CAPTION)
    const shown = { caption, isCaptionAbove: isCaptionAbove(call), hasSpoiler: call.flag('has_spoiler') }
    return send(call, () => mediaContent(storeInputFile(files, input, kind), shown))
  }

  return {
    sendPhoto: (call) => sendFile(call, 'photo'),
    sendDocument: (call) => sendFile(call, 'document'),
    editMessageCaption: (call) => {
      const caption = parseText(call, CAPTION)
      return change(call, ({ photo, document, hasSpoiler = false }) => {
        const file = photo ?? document
        if (file === undefined) throw badRequest('There is no caption in the message to edit')
        return mediaContent(file, { caption, isCaptionAbove: isCaptionAbove(call), hasSpoiler })
      })
    },
    editMessageMedia: (call) => {
      const media = parseInputMedia(call)
      const contentOf = () => mediaContent(storeInputFile(files, media.file, media.kind), media)
      return change(call, contentOf, "Message media can't be edited")
    },
    getFile: (call) => {
      const id = call.text('file_id')
      if (id === '') throw badRequest('file_id not specified')
      const file = files.find(id)
      if (file === undefined) throw badRequest('invalid file_id')
      if (file.size > LARGEST_FETCHED) throw badRequest('file is too big')
      return { result: { ...fileJson(file), file_path: files.pathOf(file) } }
    },
  }
}

const isCaptionAbove = (call: Arguments) => call.flag('show_caption_above_media')

type Shown = Pick<InputMedia, 'isCaptionAbove' | 'hasSpoiler'> & { readonly caption: FormattedText }

/** Only a photo can stand below its caption or be covered. */
function mediaContent(file: StoredFile, { caption, isCaptionAbove: isAbove, hasSpoiler }: Shown): Content {
  if (file.kind === 'document') return { ...caption, document: file }
  return {
    ...caption,
    photo: file,
    ...(isAbove && { isCaptionAbove: true }),
    ...(hasSpoiler && { hasSpoiler: true }),
  }
}
