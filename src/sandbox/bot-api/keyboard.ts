import type { Arguments } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject, optionalText, requiredText } from './fields.ts'
import { parseLink } from './links.ts'

/** A button under a message: a press of one with `callbackData` reaches the bot. */
export interface Button {
  readonly text: string
  readonly callbackData?: string
  readonly url?: string
}

/** Bytes that `callback_data` may have. */
const LARGEST_DATA = 64

/** Buttons that a keyboard may have. */
const MOST_BUTTONS = 100

const OTHER_KINDS = ['web_app', 'login_url', 'switch_inline_query', 'switch_inline_query_current_chat', 'copy_text']

/**
 * The inline keyboard of a call; none is no buttons. Other keyboards are taken and show no buttons.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseKeyboard(call: Arguments): readonly (readonly Button[])[] {
  const markup = call.json('reply_markup', 'reply keyboard markup')
  if (markup === undefined) return []
  if (!isObject(markup)) throw badRequest('Object expected as reply markup')
  const rows = markup['inline_keyboard'] ?? []
  if (!Array.isArray(rows)) throw badRequest('Field "inline_keyboard" must be of type Array')
  const buttons = rows.map(parseRow).filter((row) => row.length > 0)
  if (buttons.flat().length > MOST_BUTTONS) throw badRequest('REPLY_MARKUP_TOO_LONG')
  return buttons
}

/** The keyboard as Telegram shows it to bots; undefined where there is none. */
export function keyboardJson(rows: readonly (readonly Button[])[]): object | undefined {
  if (rows.length === 0) return undefined
  const row = (buttons: readonly Button[]) =>
    buttons.map(({ text, url, callbackData }) => ({ text, url, callback_data: callbackData }))
  return { inline_keyboard: rows.map(row) }
}

function parseRow(row: unknown): readonly Button[] {
  if (!Array.isArray(row)) {
    throw badRequest('Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
  }
  return row.map(parseButton)
}

const refuse = (reason: string) => badRequest(`Can't parse inline keyboard button: ${reason}`)

function parseButton(button: unknown): Button {
  if (!isObject(button)) throw refuse('InlineKeyboardButton must be an Object')
  const text = requiredText(button, 'text', refuse)
  const url = optionalText(button, 'url', refuse)
  const callbackData = optionalText(button, 'callback_data', refuse)
  const isOther = OTHER_KINDS.some((kind) => kind in button)
  if (url === '' && callbackData === '' && !isOther) throw refuse('Text buttons are unallowed in the inline keyboard')
  if (text.trim() === '') throw badRequest('Inline keyboard button text must be non-empty')
  if (url !== '') return { text, url: readAddress(url) }
  if (Buffer.byteLength(callbackData) > LARGEST_DATA) throw badRequest('BUTTON_DATA_INVALID')
  return callbackData === '' ? { text } : { text, callbackData }
}

/** A link to a person is a button, too: Telegram names it by the person's id. */
function readAddress(address: string): string {
  const link = parseLink(address, 'Inline keyboard button')
  return 'userId' in link ? `tg://user?id=${link.userId}` : link.url
}
