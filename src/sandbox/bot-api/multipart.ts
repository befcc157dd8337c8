import { buffer } from 'node:stream/consumers'
import { Dicer } from '@fastify/busboy'
import type { Parameters, UploadedFile } from './arguments.ts'
import { createDeferred } from './deferred.ts'
import { badRequest } from './failures.ts'

const MIME_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonl',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  webp: 'image/webp',
}

/**
 * Reads a multipart body: its fields as texts, and its files. What has a file name is a file, be it empty.
 *
 * @throws CallFailure 400 when there is no boundary, a part has no name, or the body does not end with the boundary.
 */
export async function parseMultipart(body: Buffer, contentType: string): Promise<Parameters> {
  const values = new Map<string, string>()
  const files = new Map<string, UploadedFile>()
  for (const { disposition, bytes } of await readParts(body, boundaryOf(contentType))) {
    const attributes = parseAttributes(disposition)
    const [name = '', fileName] = [attributes.get('name'), attributes.get('filename')]
    if (name === '') throw badRequest('field name in multipart/form-data not found')
    if (fileName === undefined) values.set(name, bytes.toString())
    else files.set(name, { fileName, mimeType: mimeTypeOf(fileName), bytes })
  }
  return { values: Object.fromEntries(values), files }
}

/** Characters of a boundary (RFC 2046, section 5.1.1). */
const LONGEST_BOUNDARY = 70

function boundaryOf(contentType: string): string {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;"]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare?.trim()
  if (boundary === undefined || boundary === '' || boundary.length > LONGEST_BOUNDARY)
    throw badRequest('boundary not found')
  return boundary
}

interface Part {
  /** The header `content-disposition`, empty where there is none. */
  readonly disposition: string
  readonly bytes: Buffer
}

/** The package's layer below its form parser, for that one takes the spaces out of file names without quotes. */
async function readParts(body: Buffer, boundary: string): Promise<readonly Part[]> {
  const dicer = new Dicer({ boundary })
  const parts: Promise<Part | undefined>[] = []
  const { promise: finished, resolve } = createDeferred<boolean>()
  dicer.on('part', (stream) => void parts.push(readPart(stream).catch(() => undefined)))
  dicer.on('error', () => resolve(false))
  dicer.on('finish', () => resolve(true))
  dicer.end(body)
  const isWhole = await finished
  const read = await Promise.all(parts)
  const whole = read.filter((part) => part !== undefined)
  if (!isWhole || whole.length < read.length) throw badRequest("can't parse multipart/form-data")
  return whole
}

async function readPart(stream: Dicer.PartStream): Promise<Part> {
  let disposition = ''
  stream.on('header', (header) => {
    const { 'content-disposition': given } = header as Readonly<Record<string, readonly string[] | undefined>>
    disposition = Buffer.from(given?.[0] ?? '', 'latin1').toString()
  })
  const bytes = await buffer(stream)
  return { disposition, bytes }
}

/** As Telegram reads them: separated by semicolons, with or without quotes. grammY sends none. */
function parseAttributes(disposition: string): ReadonlyMap<string, string> {
  const attributes = disposition.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^;]*))/g)
  return new Map(Array.from(attributes, ([, name = '', quoted, bare = '']) => [name, quoted ?? bare.trim()]))
}

/** By the ending of the name, as Telegram does it; what the bot says is not looked at. */
const mimeTypeOf = (fileName: string) =>
  MIME_TYPES[fileName.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream'
