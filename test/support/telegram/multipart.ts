import type { Parameters, UploadedFile } from './arguments.ts'

const MIME_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  json: 'application/json',
  jsonl: 'application/jsonl',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
}

/** Reads a multipart body: its fields as texts, and its files. */
export function parseMultipart(body: Buffer, boundary: string): Parameters {
  const values: Record<string, string> = {}
  const files = new Map<string, UploadedFile>()
  for (const part of partsOf(body, boundary)) {
    const name = attribute(part.head, 'name')
    const fileName = attribute(part.head, 'filename')
    if (name === undefined) continue
    if (fileName === undefined) values[name] = part.content.toString()
    else files.set(name, { fileName, mimeType: mimeTypeOf(fileName), bytes: part.content })
  }
  return { values, files }
}

interface Part {
  readonly head: string
  readonly content: Buffer
}

function partsOf(body: Buffer, boundary: string): readonly Part[] {
  const marker = Buffer.from(`\r\n--${boundary}`)
  // The first boundary may stand at the very beginning.
  const whole = Buffer.concat([Buffer.from('\r\n'), body])
  const parts: Part[] = []
  let from = whole.indexOf(marker)
  while (from >= 0) {
    const start = from + marker.length + 2
    const end = whole.indexOf(marker, start)
    const blank = whole.indexOf('\r\n\r\n', start)
    if (end >= 0 && blank >= 0 && blank < end) {
      parts.push({ head: whole.toString('utf8', start, blank), content: Buffer.from(whole.subarray(blank + 4, end)) })
    }
    from = end
  }
  return parts
}

/** An attribute of the content-disposition, with or without quotes: grammY sends none. */
function attribute(head: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\r\\n]*))`, 'i').exec(head)
  return match?.[1] ?? match?.[2]
}

/** By the ending of the name, as Telegram does it; what the bot says is not looked at. */
const mimeTypeOf = (fileName: string) =>
  MIME_TYPES[fileName.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream'
