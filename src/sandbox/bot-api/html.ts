import { badRequest, type CallFailure } from './failures.ts'
import type { Entity, FormattedText } from './formatted-text.ts'
import {
  byteOffset,
  decodeReference,
  type EndTag,
  type HtmlSource,
  parseEndTag,
  parseStartTag,
  type StartTag,
} from './html-tags.ts'
import { decodeLink } from './links.ts'

/**
 * Reads the HTML of `parse_mode`: Telegram's own dialect, with its tags, its four named characters and its refusals.
 * Offsets count UTF-16 units; the entities come in the order in which their tags close. Takes time in proportion to the
 * text. Deliberately without `tg-time`.
 *
 * @throws CallFailure made by `refuse` of a reason that begins with `Can't parse entities`.
 */
export function parseHtml(text: string, refuse: (reason: string) => CallFailure = badRequest): FormattedText {
  const source: HtmlSource = { text, refuse: (reason) => refuse(`Can't parse entities: ${reason}`) }
  const open: OpenTag[] = []
  const entities: Entity[] = []
  let [clean, at, hasHalves] = ['', 0, false]

  const readTag = () => {
    if (text[at + 1] !== '/') {
      const tag = parseStartTag(source, at)
      open.push({ ...tag, argument: argumentOf(tag, source, at), offset: clean.length })
      return tag.end
    }
    const last = open.pop()
    if (last === undefined) throw source.refuse(`Unexpected end tag ${byteOffset(source, at)}`)
    const end = parseEndTag(source, at)
    checkMatch(source, { end, begin: at, last })
    close(entities, last, { clean, source })
    return end.end
  }

  while (at < text.length) {
    if (text[at] === '<') {
      at = readTag()
      continue
    }
    const reference = text[at] === '&' ? decodeReference(source, at) : undefined
    const end = reference?.end ?? nextMark(text, at + 1)
    hasHalves ||= reference?.isHalf === true
    clean += reference?.character ?? text.slice(at, end)
    at = end
  }
  const unclosed = open.at(-1)
  if (unclosed !== undefined) {
    throw source.refuse(`Can't find end tag corresponding to start tag "${unclosed.name}"`)
  }
  if (hasHalves) throw source.refuse(HALVES)
  return { text: clean, entities: entities.map(withoutLanguageOfCode) }
}

const HALVES =
  'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units'

interface OpenTag extends StartTag {
  /** What the tag says beside its name: an address, a language, an id. */
  readonly argument: string
  readonly offset: number
}

function nextMark(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '<' && text[at] !== '&') at += 1
  return at
}

/** @throws CallFailure for a `span` that is no spoiler. */
function argumentOf({ name, attributes }: StartTag, source: HtmlSource, begin: number): string {
  const kind = attributes.get('class') ?? ''
  switch (name) {
    case 'a':
      return attributes.get('href') ?? ''
    case 'code':
      return kind.startsWith('language-') ? kind.slice('language-'.length) : ''
    case 'tg-emoji':
      return attributes.get('emoji-id') ?? ''
    case 'blockquote':
      return attributes.has('expandable') ? 'expandable' : ''
    case 'span':
      if (kind === 'tg-spoiler') return ''
      throw source.refuse(`Tag "span" must have class "tg-spoiler" ${byteOffset(source, begin)}`)
    default:
      return ''
  }
}

interface Match {
  readonly end: EndTag
  readonly begin: number
  readonly last: OpenTag
}

function checkMatch(source: HtmlSource, { end, begin, last }: Match): void {
  if (end.name === '' || end.name === last.name) return
  const place = byteOffset(source, begin)
  throw source.refuse(`Unmatched end tag ${place}, expected "</${last.name}>", found "</${end.name}>"`)
}

interface Progress {
  readonly clean: string
  readonly source: HtmlSource
}

/** Adds what a tag means that closes now; nothing when it is empty. */
function close(entities: Entity[], tag: OpenTag, { clean, source }: Progress): void {
  const { name, offset } = tag
  const range = { offset, length: clean.length - offset }
  if (range.length === 0) return
  const plain = PLAIN[name]
  if (plain !== undefined) entities.push({ type: plain, ...range })
  else if (name === 'a') entities.push(...linkEntities(tag.argument || clean.slice(offset), range))
  else if (name === 'tg-emoji') entities.push({ type: 'custom_emoji', ...range, custom_emoji_id: emojiId(tag, source) })
  else if (name === 'blockquote') entities.push({ type: `${tag.argument && 'expandable_'}blockquote`, ...range })
  else closeCode(entities, tag, range)
}

const PLAIN: Readonly<Record<string, string>> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  span: 'spoiler',
  'tg-spoiler': 'spoiler',
}

type Range = Pick<Entity, 'offset' | 'length'>

/** A link to a person is a mention; an address that is none is not marked at all. */
function linkEntities(address: string, range: Range): Entity[] {
  const link = decodeLink(address)
  if (link === undefined) return []
  if ('userId' in link) return [{ type: 'text_mention', ...range, user: { id: link.userId } }]
  return [{ type: 'text_link', ...range, url: link.url }]
}

function emojiId({ argument }: OpenTag, { refuse }: HtmlSource): string {
  if (!/^-?\d{1,19}$/.test(argument) || Number(argument) === 0) {
    throw refuse('Invalid custom emoji identifier specified')
  }
  return argument
}

/** `pre` and `code` around the very same text are one block of code in the language that `code` names. */
function closeCode(entities: Entity[], { name, argument }: OpenTag, range: Range): void {
  const inner = entities.at(-1)
  const isSame = inner?.offset === range.offset && inner.length === range.length
  if (isSame && name === 'pre' && inner.type === 'code' && inner.language !== undefined) {
    entities.splice(-1, 1, { ...inner, type: 'pre' })
  } else if (isSame && name === 'code' && inner.type === 'pre' && argument !== '') {
    entities.splice(-1, 1, { ...inner, language: argument })
  } else {
    entities.push({ type: name, ...range, ...(argument !== '' && { language: argument }) })
  }
}

/** A language belongs to a block only. */
function withoutLanguageOfCode(entity: Entity): Entity {
  return entity.type === 'code' ? { type: 'code', offset: entity.offset, length: entity.length } : entity
}
