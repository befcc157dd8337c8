import type { Arguments, UploadedFile } from './arguments.ts'
import { badRequest, CallFailure } from './failures.ts'
import type { FileStore } from './files.ts'
import { decodeImageSize, type ImageSize } from './image-size.ts'
import type { StoredFile } from './world.ts'

/** What a call names as a file: bytes that came with it, or the id or address of a file. */
export type InputFile = UploadedFile | string

export type FileKind = StoredFile['kind']

/** Bytes of an upload. */
const LARGEST_FILE = 50 * 1024 * 1024

/** Bytes of a photo. */
const LARGEST_PHOTO = 10 * 1024 * 1024

/** Pixels of a photo's width and height together, and how many times longer than the other one side may be. */
const MOST_PIXELS = 10_000
const MOST_RATIO = 20

const NAMES = { photo: 'Photo', document: 'Document' }

/** The file that a value names; `field` is where its bytes may stand without being named. Undefined where there is none. */
export function findInputFile(call: Arguments, value: string, field?: string): InputFile | undefined {
  if (value !== '' && !value.startsWith(ATTACHED)) return value
  const name = value === '' ? field : value.slice(ATTACHED.length)
  return name === undefined || name === '' ? undefined : call.file(name)
}

const ATTACHED = 'attach://'

/**
 * The stored file that is meant: one that is there already, or an upload, which is kept. Deliberately does not fetch
 * addresses, and does not scale or turn photos: their bytes stay as they came.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function storeInputFile(files: FileStore, input: InputFile, kind: FileKind): StoredFile {
  if (typeof input === 'string') return findStored(files, input, kind)
  const { length } = input.bytes
  if (length === 0) throw badRequest('File must be non-empty')
  if (length > LARGEST_FILE) throw new CallFailure(413, 'Request Entity Too Large')
  return files.add(input, kind === 'photo' ? parsePhoto(input.bytes) : undefined)
}

function findStored(files: FileStore, id: string, kind: FileKind): StoredFile {
  // No id has a period, and every address does, save for those of one's own machine.
  if (id.includes('.') || /^https?:/i.test(id)) throw badRequest('Failed to get HTTP URL content')
  const file = files.find(id)
  if (file === undefined) throw badRequest('Wrong file identifier/HTTP URL specified')
  if (file.kind !== kind) throw badRequest(`Can't use file of type ${NAMES[file.kind]} as ${NAMES[kind]}`)
  return file
}

function parsePhoto(bytes: Buffer): ImageSize {
  if (bytes.length > LARGEST_PHOTO) {
    const limit = `the maximum size is ${LARGEST_PHOTO} bytes`
    throw badRequest(`File of size ${bytes.length} bytes is too big for a photo; ${limit}`)
  }
  const size = decodeImageSize(bytes)
  if (size === undefined) throw badRequest('IMAGE_PROCESS_FAILED')
  const [shorter, longer] = [Math.min(size.width, size.height), Math.max(size.width, size.height)]
  const isFit = shorter > 0 && shorter + longer <= MOST_PIXELS && longer <= shorter * MOST_RATIO
  if (!isFit) throw badRequest('PHOTO_INVALID_DIMENSIONS')
  return size
}
