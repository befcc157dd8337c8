/** @import { CommandView } from '../page-view.ts' */
import { find, make, say, isComposing } from './dom.js'
import { counted } from './figures.js'
import { commandsFor, movedIndex } from './menu-filter.js'

/**
 * The list of commands that opens while a command is typed.
 *
 * @param {object} deps
 * @param {HTMLTextAreaElement} deps.field
 * @param {() => readonly CommandView[]} deps.menu
 * @param {(command: CommandView) => void} deps.onChoose
 */
export function createCommandMenu({ field, menu, onChoose }) {
  const list = find('command-menu', HTMLUListElement)
  const count = find('menu-count', HTMLParagraphElement)
  /** @type {readonly CommandView[]} */
  let offered = []
  let chosen = -1

  /** @param {number} index */
  const mark = (index) => {
    chosen = index
    ;[...list.children].forEach((option, place) => option.setAttribute('aria-selected', String(place === index)))
    const option = list.children[index]
    if (option === undefined) return field.removeAttribute('aria-activedescendant')
    field.setAttribute('aria-activedescendant', option.id)
    option.scrollIntoView({ block: 'nearest' })
  }

  /** @param {readonly CommandView[]} commands */
  const offer = (commands) => {
    offered = commands
    list.hidden = commands.length === 0
    list.replaceChildren(...commands.map((command, index) => optionOf(command, index, onChoose)))
    say(count, commands.length === 0 ? '' : `${counted(commands.length, 'command')}, arrow keys to choose.`)
    mark(commands.length === 0 ? -1 : 0)
  }

  field.addEventListener('blur', () => offer([]))

  return {
    /** Offers what fits what was typed. */
    follow: () => offer(document.activeElement === field ? commandsFor(menu(), field.value) : []),

    /** Whether the key was for the menu. @param {KeyboardEvent} event */
    take: (event) => {
      const command = offered[chosen]
      if (command === undefined || isComposing(event)) return false
      const next = movedIndex(event.key, chosen, offered.length)
      if (next !== undefined) mark(next)
      else if (event.key === 'Escape') offer([])
      else if (event.key === 'Tab' && !event.shiftKey) onChoose(command)
      else if (event.key === 'Enter' && !event.shiftKey && field.value !== `/${command.command}`) onChoose(command)
      else return false
      event.preventDefault()
      return true
    },
    close: () => offer([]),
  }
}

/**
 * @param {CommandView} command
 * @param {number} index
 * @param {(command: CommandView) => void} onChoose
 */
function optionOf(command, index, onChoose) {
  const name = make('strong', { class: 'option-name' }, `/${command.command}`)
  const description = make('span', { class: 'quiet' }, command.description)
  const option = make(
    'li',
    { id: `command-${index}`, role: 'option', 'aria-selected': 'false' },
    name,
    ' ',
    description,
  )
  // Before the field loses the focus, which would close the menu.
  option.addEventListener('pointerdown', (event) => event.preventDefault())
  option.addEventListener('click', () => onChoose(command))
  return option
}
