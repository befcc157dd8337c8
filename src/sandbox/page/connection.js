/** @import { StoreFacts } from '../page-view.ts' */
/** @import { State } from './state.js' */
import { find, say } from './dom.js'

/** Milliseconds without a connection after which the person is told what to do. A start over takes less. */
const PATIENCE_MS = 4000

/**
 * Whether the server is there, and what stands behind it.
 *
 * @param {object} deps
 * @param {State} deps.state
 */
export function createConnectionBadge({ state }) {
  const badge = find('connection', HTMLSpanElement)
  const lost = find('lost', HTMLParagraphElement)
  const about = find('about', HTMLParagraphElement)
  const question = find('confirm-text', HTMLParagraphElement)
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let isRestarting = false

  const complain = () => {
    lost.hidden = false
    say(lost, 'The sandbox does not answer. Start it again with npm start in its folder; this page connects by itself.')
  }

  state.watch(({ kind }) => {
    if (kind !== 'facts' && kind !== 'begin') return
    const { store } = state.facts()
    say(about, `A local stand-in for Telegram. The bot behind it is the real one. ${storeText(store)}`)
    say(question, startOverText(store))
  })

  return {
    /** @param {boolean} isConnected */
    show: (isConnected) => {
      badge.classList.toggle('bad', !isConnected)
      if (isConnected) {
        clearTimeout(timer)
        timer = undefined
        isRestarting = false
        lost.hidden = true
        say(lost, '')
        say(badge, 'connected')
        return
      }
      say(badge, isRestarting ? 'starting over' : 'reconnecting')
      timer ??= setTimeout(complain, PATIENCE_MS)
    },
    /** The connection will end soon, and nothing is wrong with that. */
    expectRestart: () => {
      isRestarting = true
      say(badge, 'starting over')
    },
  }
}

/** @param {StoreFacts['kind']} kind */
const storeName = (kind) => (kind === 'upstash' ? 'your Upstash database' : 'your Redis')

/** @param {StoreFacts} store */
const storeText = ({ kind }) =>
  kind === 'memory'
    ? 'Everything is in memory.'
    : `The orders are in ${storeName(kind)}; Start over erases nothing in it.`

/** @param {StoreFacts} store */
const startOverText = ({ kind }) =>
  kind === 'memory'
    ? 'The service starts anew: all chats are emptied, and the story of orders begins again.'
    : `The service starts anew and all chats are emptied. The orders in ${storeName(kind)} stay as they are.`
