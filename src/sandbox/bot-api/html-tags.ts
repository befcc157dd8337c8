import type { CallFailure } from './failures.ts'

/** Where a text is read, and how a refusal is made of a reason. */
export interface HtmlSource {
  readonly text: string
  readonly refuse: (reason: string) => CallFailure
}

/** A tag that opens, and where the text goes on behind it. */
export interface StartTag {
  readonly name: string
  /** By their names as written; the last one of a name counts. A name without a value has an empty one. */
  readonly attributes: ReadonlyMap<string, string>
  readonly end: number
}

export interface EndTag {
  /** Empty for `</>`, which closes whatever is open. */
  readonly name: string
  readonly end: number
}

export interface CharacterReference {
  readonly character: string
  /** Whether it is half of a surrogate pair. */
  readonly isHalf: boolean
  readonly end: number
}

/** The names of Telegram's tags. Deliberately without `tg-time`. */
const NAMES = new Set('a b strong i em s strike del u ins tg-spoiler tg-emoji span pre code blockquote'.split(' '))

const SPACE = /[ \t\r\n\0\v]/

/** The end of the text reads as a zero, which also counts as a space. */
const charAt = ({ text }: HtmlSource, index: number) => text[index] ?? '\0'

const isSpace = (source: HtmlSource, index: number) => SPACE.test(charAt(source, index))

/** The first place from `index` on that does not fit; the end of the text at the latest. */
function skip(source: HtmlSource, index: number, fits: (index: number) => boolean): number {
  let at = index
  while (at < source.text.length && fits(at)) at += 1
  return at
}

const skipSpaces = (source: HtmlSource, index: number) => skip(source, index, (at) => isSpace(source, at))

/** The place as Telegram counts it in refusals. */
export const byteOffset = ({ text }: HtmlSource, index: number): string =>
  `at byte offset ${Buffer.byteLength(text.slice(0, index))}`

/**
 * A character written as `&lt;` `&gt;` `&amp;` `&quot;` or by its number, with or without the semicolon; undefined for
 * what is none, which stays as it is written.
 */
export function decodeReference({ text }: HtmlSource, index: number): CharacterReference | undefined {
  const pattern = /&(?:#x([0-9a-fA-F]*)|#(\d*)|([a-zA-Z]+))/y
  pattern.lastIndex = index
  const [written, hex, decimal, name = ''] = pattern.exec(text) ?? []
  if (written === undefined) return undefined
  const code = hex === undefined ? Number(decimal ?? CODES[name] ?? 0) : Number.parseInt(hex, 16)
  const isNumber = name === ''
  if (!(code > 0 && code < 0x10ffff) || (isNumber && written.length >= 10)) return undefined
  const end = index + written.length
  const isHalf = code >= 0xd800 && code <= 0xdfff
  return { character: String.fromCodePoint(code), isHalf, end: text[end] === ';' ? end + 1 : end }
}

const CODES: Readonly<Record<string, number>> = { lt: 60, gt: 62, amp: 38, quot: 34 }

/**
 * Reads the tag that opens at `begin`.
 *
 * @throws CallFailure for a tag that Telegram does not know or that does not end.
 */
export function parseStartTag(source: HtmlSource, begin: number): StartTag {
  const { text, refuse } = source
  const nameEnd = skip(source, begin + 1, (at) => !isSpace(source, at) && text[at] !== '>')
  if (charAt(source, nameEnd) === '\0') throw refuse(`Unclosed start tag ${byteOffset(source, begin)}`)
  const name = text.slice(begin + 1, nameEnd).toLowerCase()
  if (!NAMES.has(name)) throw refuse(`Unsupported start tag "${name}" ${byteOffset(source, begin)}`)
  const attributes = new Map<string, string>()
  let at = skipSpaces(source, nameEnd)
  while (charAt(source, at) !== '>') {
    const attribute = parseAttribute(source, at, { name, begin })
    attributes.set(attribute.name, attribute.value)
    at = skipSpaces(source, attribute.end)
  }
  return { name, attributes, end: at + 1 }
}

interface Attribute {
  readonly name: string
  readonly value: string
  readonly end: number
}

/** The tag in which an attribute stands. */
interface Owner {
  readonly name: string
  readonly begin: number
}

function parseAttribute(source: HtmlSource, start: number, tag: Owner): Attribute {
  const { text, refuse } = source
  const unclosed = () => refuse(`Unclosed start tag "${tag.name}" ${byteOffset(source, tag.begin)}`)
  const nameEnd = skip(source, start, (at) => !isSpace(source, at) && !'=>/"\''.includes(charAt(source, at)))
  const name = text.slice(start, nameEnd)
  if (name === '') {
    throw refuse(`Empty attribute name in the tag "${tag.name}" ${byteOffset(source, tag.begin)}`)
  }
  const next = skipSpaces(source, nameEnd)
  if (next >= text.length) throw unclosed()
  if (text[next] !== '=') return { name, value: '', end: next }
  const valueStart = skipSpaces(source, next + 1)
  if (valueStart >= text.length) throw unclosed()
  const isQuoted = '"\''.includes(charAt(source, valueStart))
  const { value, end } = isQuoted ? readQuoted(source, valueStart) : parseToken(source, valueStart)
  if (end >= text.length) throw refuse(`Unclosed start tag ${byteOffset(source, tag.begin)}`)
  return { name, value, end }
}

type Value = Omit<Attribute, 'name'>

/** A value without quotes: letters, digits, periods and hyphens, whose case does not count. */
function parseToken(source: HtmlSource, start: number): Value {
  const end = skip(source, start, (at) => /[a-z0-9.-]/i.test(charAt(source, at)))
  if (!isSpace(source, end) && charAt(source, end) !== '>') {
    throw source.refuse(`Unexpected end of name token ${byteOffset(source, start)}`)
  }
  return { value: source.text.slice(start, end).toLowerCase(), end }
}

function readQuoted(source: HtmlSource, start: number): Value {
  const { text } = source
  const quote = charAt(source, start)
  let value = ''
  let at = start + 1
  while (at < text.length && text[at] !== quote) {
    const reference = text[at] === '&' ? decodeReference(source, at) : undefined
    value += reference?.character ?? charAt(source, at)
    at = reference?.end ?? at + 1
  }
  return { value, end: at + 1 }
}

/**
 * Reads the tag that closes at `begin`.
 *
 * @throws CallFailure when it does not end.
 */
export function parseEndTag(source: HtmlSource, begin: number): EndTag {
  const nameEnd = skip(source, begin + 2, (at) => !isSpace(source, at) && source.text[at] !== '>')
  const end = skipSpaces(source, nameEnd)
  if (charAt(source, end) !== '>') throw source.refuse(`Unclosed end tag ${byteOffset(source, begin)}`)
  return { name: source.text.slice(begin + 2, nameEnd).toLowerCase(), end: end + 1 }
}
