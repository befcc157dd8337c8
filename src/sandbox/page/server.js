/** @import { Actions, Facts, Hello, MessageView, TrafficRow } from '../page-view.ts' */

/** A problem whose message the person may read. */
class ServerProblem extends Error {
  name = 'ServerProblem'
}

/**
 * Asks the server for an action.
 *
 * @template {keyof Actions} Name
 * @param {Name} name
 * @param {Actions[Name]} action
 * @returns {Promise<Readonly<Record<string, unknown>>>} What it answered.
 * @throws {ServerProblem} What went wrong, in words for the person.
 */
export async function ask(name, action) {
  const response = await send(name, action)
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const message = answer?.error?.message
  throw new ServerProblem(typeof message === 'string' ? message : `The server answered with status ${response.status}.`)
}

/** @param {string} name @param {object} action */
async function send(name, action) {
  try {
    return await fetch(`/sandbox/actions/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(action),
    })
  } catch (error) {
    throw new ServerProblem('The sandbox does not answer. Start it again with npm start.', { cause: error })
  }
}

/**
 * What the page wants to hear.
 *
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} hello
 * @property {(facts: Facts) => void} facts
 * @property {(message: MessageView) => void} message
 * @property {(where: { readonly chatId: number, readonly messageId: number }) => void} deleted
 * @property {(row: TrafficRow) => void} traffic
 * @property {(isConnected: boolean) => void} connection
 */

/** Milliseconds until the page tries again where the browser has given up. */
const RETRY_MS = 1000

/**
 * Listens to the server for as long as the page is open, and connects again whenever the connection is lost.
 *
 * @param {Listener} listener
 */
export function listen(listener) {
  const source = new EventSource('/sandbox/events')
  for (const name of /** @type {const} */ (['hello', 'facts', 'message', 'deleted', 'traffic'])) {
    source.addEventListener(name, ({ data }) => listener[name](JSON.parse(data)))
  }
  source.addEventListener('hello', () => listener.connection(true))
  source.addEventListener('error', () => {
    listener.connection(false)
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(listener), RETRY_MS)
  })
}
