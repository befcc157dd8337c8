/** @import { Actions, FaultFacts } from '../page-view.ts' */
/** @import { Notices } from './notices.js' */
/** @import { State } from './state.js' */
import { find, makeButton, say, setBusy } from './dom.js'
import { counted, duration } from './figures.js'
import { ask } from './server.js'

/** @type {readonly (readonly [label: string, kind: Actions['fault']['kind']])[]} */
const FAULTS = [
  ['Answer 429 once', 'too-many'],
  ['Down for 10 s', 'down'],
  ['Slow answers (2 s)', 'slow'],
  ['Break one connection', 'reset'],
  ['Back to normal', 'calm'],
]

/**
 * What can be made to go wrong between bot and Telegram.
 *
 * @param {object} deps
 * @param {State} deps.state
 * @param {Notices} deps.notices
 */
export function createTrouble({ state, notices }) {
  const buttons = find('trouble-buttons', HTMLDivElement)
  const words = find('trouble-state', HTMLParagraphElement)

  /** @param {string} label @param {() => Promise<unknown>} act */
  const add = (label, act) => {
    /** @type {HTMLButtonElement} */
    const button = makeButton(
      label,
      () => {
        setBusy(button, true)
        act()
          .catch(notices.problem)
          .finally(() => setBusy(button, false))
      },
      { class: 'button small' },
    )
    buttons.append(button)
  }

  for (const [label, kind] of FAULTS) add(label, () => ask('fault', { kind }))
  add('Deliver the last update twice', async () => {
    const { updateId } = await ask('again', {})
    notices.toast(typeof updateId === 'number' ? `Update ${updateId} was delivered again.` : 'There was no update yet.')
  })

  state.watch(({ kind }) => {
    if (kind !== 'facts' && kind !== 'begin') return
    const { faults } = state.facts()
    say(words, faultsText(faults))
    words.classList.toggle('active', faults.isDown || faults.planned > 0 || faults.slowMs > 0)
  })
}

/** @param {FaultFacts} faults */
function faultsText({ isDown, planned, slowMs }) {
  const said = [
    ...(isDown ? ['Telegram is down: what is said now gets no answer.'] : []),
    ...(planned > 0 ? [`${counted(planned, 'fault')} waiting for the next call.`] : []),
    ...(slowMs > 0 ? [`Each answer is ${duration(slowMs)} late.`] : []),
  ]
  return said.length === 0 ? 'All is well.' : said.join(' ')
}
