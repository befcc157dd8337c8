import type { Entry } from './entries.ts'
import { BackupError } from './errors.ts'

/** What one line of a logical dump holds: a key, or the code of a library of functions. */
export type Line =
  { readonly kind: 'entry'; readonly entry: Entry } | { readonly kind: 'library'; readonly code: Buffer }

/** Bytes that become text at a time: a multiple of three, so that the pieces together are the text of the whole. */
const PIECE_BYTES = 3_000_000

/** Characters that become bytes at a time: a multiple of four. */
const PIECE_CHARACTERS = 4_000_000

/**
 * A line in pieces: `<database> <epoch ms or -> <key> <payload>`, or `library <code>`, bytes in Base64, a line feed at the
 * end. In pieces, for a value may be longer than a text of JavaScript.
 */
export function* encodeLine(line: Line): Generator<string> {
  if (line.kind === 'library') {
    yield 'library '
    yield* piecesOf(line.code)
  } else {
    const { database, expiresAtMs, key, payload } = line.entry
    yield `${database} ${expiresAtMs ?? '-'} ${key.toString('base64')} `
    yield* piecesOf(payload)
  }
  yield '\n'
}

/** Reads a line without its line feed. @throws BackupError `BACKUP_BROKEN` */
export function parseLine(line: Buffer): Line {
  if (line.subarray(0, LIBRARY.length).equals(LIBRARY)) {
    return { kind: 'library', code: bytesIn(line.subarray(LIBRARY.length)) }
  }
  const [first, second, third] = spacesIn(line)
  const [, database, expiresAt] = HEAD.exec(line.toString('latin1', 0, second)) ?? []
  if (first === undefined || second === undefined || third === undefined || database === undefined) throw broken()
  return {
    kind: 'entry',
    entry: {
      database: Number(database),
      expiresAtMs: expiresAt === '-' ? undefined : Number(expiresAt),
      key: bytesIn(line.subarray(second + 1, third)),
      payload: bytesIn(line.subarray(third + 1)),
    },
  }
}

const LIBRARY = Buffer.from('library ')
const HEAD = /^(\d{1,5}) (-|\d{1,16})$/

function* piecesOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.toString('base64', at, at + PIECE_BYTES)
}

function spacesIn(line: Buffer): readonly number[] {
  const found: number[] = []
  for (let at = line.indexOf(' '); at !== -1 && found.length < 3; at = line.indexOf(' ', at + 1)) found.push(at)
  return found
}

function bytesIn(text: Buffer): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length / 4) * 3))
  let length = 0
  for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
    length += bytes.write(text.toString('latin1', at, at + PIECE_CHARACTERS), length, 'base64')
  }
  // Decoding skips what is no Base64, so the length tells.
  if (text.length % 4 !== 0 || length !== bytes.length - paddingOf(text)) throw broken()
  return bytes.subarray(0, length)
}

function paddingOf(text: Buffer): number {
  const end = text.toString('latin1', Math.max(0, text.length - 2))
  return end.endsWith('==') ? 2 : end.endsWith('=') ? 1 : 0
}

const broken = () =>
  new BackupError('BACKUP_BROKEN', 'The file holds a line that is none of a logical dump. Use another backup.')
