/** @import { TrafficRow } from '../page-view.ts' */
/** @import { State } from './state.js' */
import { arrange, find, isAtEnd, make, say, scrollToEnd, perFrame } from './dom.js'
import { duration } from './figures.js'

/**
 * What went between bot and Telegram, newest last.
 *
 * @param {object} deps
 * @param {State} deps.state
 */
export function createTraffic({ state }) {
  const scroll = find('traffic-scroll', HTMLDivElement)
  const list = find('traffic', HTMLOListElement)
  const nothing = find('no-traffic', HTMLParagraphElement)
  const clear = find('clear', HTMLButtonElement)
  /** @type {Map<number, ReturnType<typeof trafficLine>>} */
  const lines = new Map()
  let clearedTo = 0

  /** @param {TrafficRow} row */
  const show = (row) => {
    const line = lines.get(row.number) ?? trafficLine()
    lines.set(row.number, line)
    line.show(row)
    return line.element
  }

  const showAll = () => {
    const isFollowing = isAtEnd(scroll)
    const rows = state.rows().filter(({ number }) => number > clearedTo)
    const numbers = new Set(rows.map(({ number }) => number))
    for (const number of lines.keys()) if (!numbers.has(number)) lines.delete(number)
    arrange(list, rows.map(show))
    nothing.hidden = rows.length > 0
    if (isFollowing) scrollToEnd(scroll)
  }

  const showSoon = perFrame(showAll)
  clear.addEventListener('click', () => {
    clearedTo = Math.max(clearedTo, ...state.rows().map(({ number }) => number))
    showAll()
  })
  state.watch((change) => {
    if (change.kind === 'row' || change.kind === 'begin') {
      if (change.kind === 'begin' && change.isNewRun) clearedTo = 0
      showSoon()
    }
  })
}

/** Whether something did not work: refused, failed, or broken off. @param {TrafficRow} row */
const isFailure = ({ status, failure }) => failure !== undefined || (status !== undefined && status >= 400)

/** A line that shows its parameters on demand; they are not in the page before. */
function trafficLine() {
  const kind = make('span', { class: 'row-kind' })
  const name = make('span', { class: 'row-name' })
  const outcome = make('span', { class: 'row-outcome' })
  const failure = make('span', { class: 'row-failure' })
  const detail = make('pre', { class: 'row-detail', tabindex: 0, 'aria-label': 'Parameters' })
  const summary = make('summary', {}, kind, ' ', name, ' ', outcome, ' ', failure)
  const details = make('details', {}, summary, detail)
  const element = make('li', { class: 'row' }, details)
  let text = ''

  details.addEventListener('toggle', () => {
    if (!details.open) return
    say(detail, text)
    element.scrollIntoView({ block: 'nearest' })
  })

  return {
    element,
    /** @param {TrafficRow} row */
    show: (row) => {
      text = row.detail
      if (details.open) say(detail, text)
      element.dataset['kind'] = row.kind
      element.classList.toggle('failed', isFailure(row))
      say(kind, row.kind)
      say(name, row.name)
      say(outcome, outcomeText(row))
      say(failure, isFailure(row) ? `✕ ${row.failure ?? 'refused'}` : '')
    },
  }
}

/** @param {TrafficRow} row */
function outcomeText({ status, ms, failure }) {
  if (status === undefined && failure === undefined) return 'under way'
  return [status ?? 'broken', ...(ms === undefined ? [] : [duration(ms)])].join(' ')
}
