/** What the first bytes of an image say about it. */
export interface ImageSize {
  readonly mimeType: string
  /** The usual ending of a file's name, without the dot. */
  readonly ending: string
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/**
 * Reads size and kind of a PNG, JPEG, GIF or WebP from its header; undefined for all else, also for a header that is cut.
 * Deliberately not a check of the picture itself: what comes after the header is not looked at. Looks at each byte at
 * most once.
 */
export function decodeImageSize(bytes: Buffer): ImageSize | undefined {
  for (const { mimeType, ending, decode } of FORMATS) {
    const size = decode(bytes)
    if (size !== undefined) return { mimeType, ending, width: size[0], height: size[1] }
  }
  return undefined
}

type Size = readonly [width: number, height: number]

interface Format {
  readonly mimeType: string
  readonly ending: string
  readonly decode: (bytes: Buffer) => Size | undefined
}

const FORMATS: readonly Format[] = [
  { mimeType: 'image/png', ending: 'png', decode: pngSize },
  { mimeType: 'image/jpeg', ending: 'jpg', decode: jpegSize },
  { mimeType: 'image/gif', ending: 'gif', decode: gifSize },
  { mimeType: 'image/webp', ending: 'webp', decode: webpSize },
]

const PNG_SIGNATURE = '\x89PNG\r\n\x1A\n'

function pngSize(bytes: Buffer): Size | undefined {
  if (
    bytes.length < 24 ||
    bytes.toString('latin1', 0, 8) !== PNG_SIGNATURE ||
    bytes.toString('latin1', 12, 16) !== 'IHDR'
  ) {
    return undefined
  }
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

function gifSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 10 || !/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) return undefined
  return [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
}

function webpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return undefined
  const chunk = bytes.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]
  if (chunk === 'VP8L' && bytes[20] === 0x2f) {
    const bits = bytes.readUInt32LE(21)
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1]
  }
  if (chunk === 'VP8 ' && bytes.readUIntBE(23, 3) === 0x9d012a) {
    return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff]
  }
  return undefined
}

/** A JPEG is a row of segments; the one that begins a frame holds the size. */
function jpegSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  let at = 2
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes.readUInt8(at + 1)
    if (isFrame(marker)) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
    // The picture itself, or its end, came before any frame.
    if (marker === 0xd9 || marker === 0xda) return undefined
    if (marker === 0xff) at += 1
    else if (isAlone(marker)) at += 2
    else at += 2 + Math.max(bytes.readUInt16BE(at + 2), 2)
  }
  return undefined
}

/** SOF0 to SOF15, without the three in between that are tables. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

/** Markers without a length. */
const isAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
