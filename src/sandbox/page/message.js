/** @import { ButtonView, FileView, MessageView } from '../page-view.ts' */
import { arrange, make, makeButton, say } from './dom.js'
import { fileSize, fullTime, timeOfDay } from './figures.js'
import { formattedText } from './formatted-text.js'
import { safeLink } from './text-tree.js'

/**
 * What a message needs of the page around it.
 *
 * @typedef {object} Around
 * @property {(message: MessageView) => string} author
 * @property {(message: MessageView) => boolean} isOwn
 * @property {boolean} hasNames Whether several people write here.
 * @property {(message: MessageView) => MessageView | undefined} repliedTo
 * @property {(command: string) => void} onCommand
 * @property {(message: MessageView, place: { readonly row: number, readonly column: number }, button: HTMLElement) => void} onPress
 */

/** @typedef {{ readonly element: HTMLElement, readonly show: (message: MessageView) => void }} MessageBubble */

/**
 * One message of the conversation. Showing it again changes only what differs, so that focus and selection stay.
 *
 * @param {MessageView} first
 * @param {Around} around
 * @returns {MessageBubble}
 */
export function createMessage(first, around) {
  const body = make('div', { class: 'bubble' })
  const keyboard = make('div', { class: 'keyboard' })
  const element = make('article', { class: 'message', 'data-message-id': first.id }, body, keyboard)
  let message = first
  let shownBody = ''

  /** @param {number} row @param {number} column @param {HTMLElement} button */
  const press = (row, column, button) => around.onPress(message, { row, column }, button)

  return {
    element,
    show: (next) => {
      const isEdit = shownBody !== ''
      message = next
      element.classList.toggle('own', around.isOwn(message))
      element.classList.toggle('service', message.service !== undefined)
      element.setAttribute('aria-label', labelOf(message, around))
      const { buttons: _, ...content } = message
      const wanted = JSON.stringify([content, around.isOwn(message), around.hasNames])
      if (wanted !== shownBody) {
        const hadFocus = body.contains(document.activeElement)
        body.replaceChildren(...bodyOf(message, around))
        if (hadFocus) refocus(body)
        if (isEdit && message.editDate !== undefined) flash(element)
        shownBody = wanted
      }
      showButtons(keyboard, message.buttons, press)
    },
  }
}

/** @param {HTMLElement} body The focus goes to where it can stay when what had it was replaced. */
function refocus(body) {
  body.tabIndex = -1
  body.focus({ preventScroll: true })
}

/** @param {HTMLElement} element */
function flash(element) {
  element.classList.remove('changed')
  requestAnimationFrame(() => element.classList.add('changed'))
}

/** @param {MessageView} message @param {Around} around */
const labelOf = (message, around) =>
  message.service === undefined
    ? `${around.isOwn(message) ? 'You' : around.author(message)}, ${timeOfDay(message.date)}`
    : `Notice, ${timeOfDay(message.date)}`

/** @param {MessageView} message @param {Around} around @returns {Node[]} */
function bodyOf(message, around) {
  if (message.service !== undefined) return [make('p', {}, message.service)]
  /** @type {Node[]} */
  const parts = []
  if (around.hasNames && !around.isOwn(message)) parts.push(make('p', { class: 'author' }, around.author(message)))
  if (message.replyTo !== undefined) parts.push(quote(around.repliedTo(message), around))
  if (message.file !== undefined) parts.push(fileOf(message.file, message.text))
  const text = formattedText(message, around.onCommand)
  if (text.length > 0) parts.push(make('div', { class: 'text', dir: 'auto' }, ...text))
  return [...parts, timeOf(message)]
}

/** @param {MessageView | undefined} original @param {Around} around */
function quote(original, around) {
  if (original === undefined) return make('p', { class: 'reply' }, 'Reply to an earlier message')
  const said = preview(original)
  return make(
    'p',
    { class: 'reply' },
    make('strong', {}, around.author(original)),
    ' ',
    make('span', { dir: 'auto' }, said),
  )
}

/**
 * A message in one line, for lists and quotes.
 *
 * @param {MessageView} message
 */
export function preview({ text, entities, file, service }) {
  const line = (service ?? masked(text, entities)).replace(/\s+/g, ' ').trim()
  const short = line.length > 120 ? `${line.slice(0, 120).replace(/[\uD800-\uDBFF]$/, '')}…` : line
  return short !== '' || file === undefined ? short : `${file.photo === undefined ? 'File' : 'Photo'}: ${file.name}`
}

/** A text whose spoilers are not told. @param {string} text @param {MessageView['entities']} entities */
const masked = (text, entities) =>
  entities
    .filter(({ type }) => type === 'spoiler')
    .reduce((shown, { offset, length }) => {
      const end = offset + length
      return shown.slice(0, offset) + '▒'.repeat(Math.max(0, end - offset)) + shown.slice(end)
    }, text)

/** @param {FileView} file @param {string} caption */
function fileOf({ name, path, bytes, photo }, caption) {
  if (photo === undefined) {
    const size = make('span', { class: 'quiet' }, fileSize(bytes))
    return make(
      'a',
      { class: 'document', href: path, download: name },
      make('span', { class: 'file-name' }, name),
      ' ',
      size,
    )
  }
  const firstLine = caption.split('\n')[0] ?? ''
  const alt = firstLine.trim() === '' ? name : firstLine
  const image = make('img', { src: path, alt, width: photo.width, height: photo.height, decoding: 'async' })
  return make(
    'a',
    { class: 'photo', href: path, target: '_blank', rel: 'noopener', title: 'Open the picture alone' },
    image,
  )
}

/** @param {MessageView} message */
function timeOf({ date, editDate }) {
  const seconds = editDate ?? date
  const text = editDate === undefined ? timeOfDay(seconds) : `edited ${timeOfDay(seconds)}`
  const iso = new Date(seconds * 1000).toISOString()
  return make('time', { class: 'time', datetime: iso, title: fullTime(seconds) }, text)
}

/**
 * Buttons keep their places: one that changes its name keeps the focus.
 *
 * @param {HTMLElement} keyboard
 * @param {readonly (readonly ButtonView[])[]} rows
 * @param {(row: number, column: number, button: HTMLElement) => void} press
 */
function showButtons(keyboard, rows, press) {
  const hadFocus = keyboard.contains(document.activeElement)
  const lines = rows.map((buttons, row) => {
    const line = keyboard.children[row] ?? make('div', { class: 'keyboard-row' })
    arrange(
      line,
      buttons.map((button, column) =>
        buttonAt(line.children[column], button, (pressed) => press(row, column, pressed)),
      ),
    )
    return line
  })
  arrange(keyboard, lines)
  if (hadFocus && !keyboard.contains(document.activeElement)) {
    const next = keyboard.querySelector('button') ?? keyboard.closest('.log')
    if (next instanceof HTMLElement) next.focus({ preventScroll: true })
  }
}

/**
 * @param {Element | undefined} there
 * @param {ButtonView} button
 * @param {(button: HTMLElement) => void} press
 */
function buttonAt(there, { text, url }, press) {
  const href = url === undefined ? undefined : safeLink(url)
  if (href !== undefined && there instanceof HTMLAnchorElement && there.href === new URL(href).href) {
    say(there, `${text} ↗`)
    return there
  }
  if (href !== undefined)
    return make('a', { class: 'key', href, target: '_blank', rel: 'noopener noreferrer' }, `${text} ↗`)
  if (there instanceof HTMLButtonElement) {
    say(there, text)
    return there
  }
  /** @type {HTMLButtonElement} */
  const made = makeButton(text, () => press(made), { class: 'key' })
  return made
}
