import { badRequest, type CallFailure } from './failures.ts'
import { isObject, type JsonObject, optionalText, requiredInteger, requiredText } from './fields.ts'
import type { Entity } from './formatted-text.ts'
import { parseLink } from './links.ts'

type Refuse = (reason: string) => CallFailure

/** Types that mean nothing but themselves. */
const PLAIN_TYPES = new Set([
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'code',
  'blockquote',
  'expandable_blockquote',
])

/** Types that Telegram finds by itself: it does not look at them when a bot sends them. */
const FOUND_TYPES = new Set([
  'mention',
  'hashtag',
  'cashtag',
  'bot_command',
  'url',
  'email',
  'phone_number',
  'bank_card_number',
])

/**
 * The entities that a bot sends along with a text, with what belongs to their types and nothing else; without those that
 * are empty or that Telegram finds by itself. `refuse` makes the refusals of what cannot be read.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseEntities(text: string, listed: unknown, refuse: Refuse): readonly Entity[] {
  if (!Array.isArray(listed)) throw refuse('Expected an Array of MessageEntity')
  const refuseEntity = (reason: string) => refuse(`Can't parse MessageEntity: ${reason}`)
  const read = listed.flatMap((entity) => parseEntity(entity, refuseEntity)).map(withLink)
  read.forEach(checkRange)
  const sent = read.filter(({ length }) => length > 0)
  sent.forEach((entity) => checkBounds(text, entity))
  return sent
}

/** None for a type that Telegram finds by itself. */
function parseEntity(value: unknown, refuse: Refuse): readonly Entity[] {
  if (!isObject(value)) throw refuse('expected an Object')
  const offset = requiredInteger(value, 'offset', refuse)
  const length = requiredInteger(value, 'length', refuse)
  const type = requiredText(value, 'type', refuse)
  return FOUND_TYPES.has(type) ? [] : [{ type, offset, length, ...parseExtras(type, value, refuse) }]
}

/** What entities of some types carry along. */
function parseExtras(type: string, value: JsonObject, refuse: Refuse): Partial<Entity> {
  if (PLAIN_TYPES.has(type)) return {}
  switch (type) {
    case 'pre': {
      const language = optionalText(value, 'language', refuse)
      return language === '' ? {} : { language }
    }
    case 'text_link':
      return { url: requiredText(value, 'url', refuse) }
    case 'text_mention':
      return { user: parseUser(value['user'], refuse) }
    case 'custom_emoji':
      requiredInteger(value, 'custom_emoji_id', refuse)
      return { custom_emoji_id: requiredText(value, 'custom_emoji_id', refuse) }
    case 'date_time': {
      const format = optionalText(value, 'date_time_format', refuse)
      const unixTime = requiredInteger(value, 'unix_time', refuse)
      return { unix_time: unixTime, ...(format !== '' && { date_time_format: format }) }
    }
    default:
      throw refuse('Unsupported type specified')
  }
}

function parseUser(user: unknown, refuse: Refuse): { readonly id: number } {
  if (user === undefined || user === null) throw refuse('Can\'t find field "user"')
  if (!isObject(user)) throw refuse('Field "user" must be of type Object')
  return { id: requiredInteger(user, 'id', refuse) }
}

/** A link to a person is a mention. */
function withLink(entity: Entity): Entity {
  const { type, offset, length, url } = entity
  if (url === undefined) return entity
  const link = parseLink(url, 'Entity')
  return 'userId' in link
    ? { type: 'text_mention', offset, length, user: { id: link.userId } }
    : { type, offset, length, ...link }
}

function checkRange({ offset, length }: Entity): void {
  if (offset < 0 || offset > 1_000_000) throw badRequest(`Receive an entity with incorrect offset ${offset}`)
  if (length < 0 || length > 1_000_000) throw badRequest(`Receive an entity with incorrect length ${length}`)
}

function checkBounds(text: string, { offset, length }: Entity): void {
  const end = offset + length
  const byte = (index: number) => Buffer.byteLength(text.slice(0, index + 1))
  if (offset > text.length) throw badRequest(`Entity begins after the end of the text at UTF-16 offset ${offset}`)
  if (splitsSymbol(text, offset)) {
    throw badRequest(`Entity begins in a middle of a UTF-16 symbol at byte offset ${byte(offset)}`)
  }
  const beginning = `Entity beginning at UTF-16 offset ${offset}`
  if (end > text.length) throw badRequest(`${beginning} ends after the end of the text at UTF-16 offset ${end}`)
  if (splitsSymbol(text, end)) {
    throw badRequest(`${beginning} ends in a middle of a UTF-16 symbol at byte offset ${byte(end)}`)
  }
}

const splitsSymbol = (text: string, index: number) =>
  /[\uD800-\uDBFF]/.test(text.charAt(index - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(index))
