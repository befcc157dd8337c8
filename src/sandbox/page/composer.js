/** @import { Notices } from './notices.js' */
/** @import { State } from './state.js' */
import { createCommandMenu } from './command-menu.js'
import { find, setBusy, isComposing } from './dom.js'
import { ask } from './server.js'

/** @typedef {ReturnType<typeof createComposer>} Composer */

/**
 * Where the person writes. What was begun in one chat waits there while another one is open.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {Notices} deps.notices
 */
export function createComposer({ state, notices }) {
  const form = find('write', HTMLFormElement)
  const field = find('field', HTMLTextAreaElement)
  const button = find('send', HTMLButtonElement)
  const start = find('start', HTMLButtonElement)
  const unblock = find('unblock', HTMLButtonElement)
  /** @type {Map<string, string>} */
  const drafts = new Map()
  let place = ''

  const menu = createCommandMenu({
    field,
    menu: () => state.chat()?.menus[String(state.person()?.id)] ?? [],
    onChoose: ({ command }) => write(`/${command} `),
  })

  /** @param {string} text */
  const write = (text) => {
    field.value = text
    fit(field)
    menu.close()
    field.focus()
    field.setSelectionRange(text.length, text.length)
  }

  /** @param {string} text */
  const send = async (text) => {
    const [person, chat] = [state.person(), state.chat()]
    if (person === undefined || chat === undefined) return
    await ask('say', { personId: person.id, chatId: chat.id, text })
  }

  const submit = async () => {
    const text = field.value
    if (text.trim() === '' || button.getAttribute('aria-disabled') === 'true') return
    setBusy(button, true)
    const sentFrom = place
    try {
      await send(text)
      drafts.delete(sentFrom)
      if (place === sentFrom && field.value === text) write('')
    } catch (error) {
      notices.problem(error)
    } finally {
      setBusy(button, false)
    }
  }

  /** Puts the focus where the person goes on. */
  const focus = () => [unblock, start, field].find((element) => element.closest('[hidden]') === null)?.focus()

  const show = () => {
    const chat = state.chat()
    const isPrivate = chat?.type === 'private'
    const isBlocked = isPrivate && chat.isBlocked
    const isNew = isPrivate && !chat.isBlocked && !chat.hasStarted
    const hadFocus = [form, start, unblock].find((element) => element.contains(document.activeElement))
    form.hidden = chat === undefined || isBlocked || isNew
    start.hidden = !isNew
    unblock.hidden = !isBlocked
    // A browser takes the focus away from what is hidden.
    if (hadFocus?.hidden === true) focus()
  }

  const change = () => {
    drafts.set(place, field.value)
    place = `${state.person()?.id} ${state.chat()?.id}`
    field.value = drafts.get(place) ?? ''
    show()
    fit(field)
    menu.close()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })
  field.addEventListener('input', () => {
    fit(field)
    if (field.value.length === field.maxLength) notices.toast('Telegram takes at most 4 096 characters.')
    menu.follow()
  })
  field.addEventListener('keydown', (event) => {
    if (menu.take(event) || event.key !== 'Enter' || event.shiftKey || isComposing(event)) return
    event.preventDefault()
    menu.close()
    void submit()
  })
  start.addEventListener('click', () => void send('/start').catch(notices.problem))
  unblock.addEventListener('click', () => {
    const person = state.person()
    if (person !== undefined) ask('block', { personId: person.id, isBlocked: false }).catch(notices.problem)
  })
  state.watch(({ kind }) => {
    if (kind === 'chat' || kind === 'begin') change()
    if (kind === 'facts') show()
  })

  return {
    /** Puts a text into the field, for the person to send. @param {string} text */
    write,
    focus,
  }
}

/** As high as the text, within bounds that the style sets. @param {HTMLTextAreaElement} field */
function fit(field) {
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + 2}px`
}
