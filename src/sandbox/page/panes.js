/** @import { State } from './state.js' */
import { find, make, perFrame } from './dom.js'

/** @typedef {'side' | 'talk' | 'work'} Pane */

/** @type {readonly (readonly [pane: Pane, label: string])[]} */
const PANES = [
  ['side', 'Chats'],
  ['talk', 'Conversation'],
  ['work', 'Traffic'],
]

/**
 * The bar at the bottom of a narrow page, which shows one part at a time.
 *
 * @param {object} deps
 * @param {State} deps.state
 */
export function createPanes({ state }) {
  const panes = find('panes', HTMLElement)
  const bar = find('bar', HTMLElement)
  const log = find('log', HTMLDivElement)
  const dot = make('span', { class: 'dot' }, make('span', { class: 'unseen' }, 'new messages'))

  /** @param {Pane} pane */
  const show = (pane) => {
    panes.dataset['pane'] = pane
    panes.dispatchEvent(new Event('pane'))
    for (const [other, button] of buttons) {
      if (other === pane) button.setAttribute('aria-current', 'true')
      else button.removeAttribute('aria-current')
    }
    const focused = document.activeElement
    if (focused !== null && getComputedStyle(focused).visibility === 'hidden') log.focus({ preventScroll: true })
  }

  const buttons = new Map(
    PANES.map(([pane, label]) => {
      const button = make('button', { type: 'button', 'data-pane': pane }, label)
      button.addEventListener('click', () => show(pane))
      return /** @type {const} */ ([pane, button])
    }),
  )
  bar.append(...buttons.values())
  buttons.get('side')?.append(dot)
  show('talk')

  const mark = perFrame(() => {
    dot.hidden = !state.chats().some(({ id }) => state.unread(id) > 0)
  })
  state.watch(({ kind }) => {
    if (kind !== 'row') mark()
  })

  return { show }
}
