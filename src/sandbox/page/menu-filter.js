/** @import { CommandView } from '../page-view.ts' */

/**
 * The commands to offer for what was typed so far: those that begin with it, while it is one word that begins with a slash.
 *
 * @param {readonly CommandView[]} menu
 * @param {string} typed
 * @returns {readonly CommandView[]}
 */
export function commandsFor(menu, typed) {
  const beginning = /^\/([a-z0-9_]*)$/i.exec(typed)?.[1]?.toLowerCase()
  return beginning === undefined ? [] : menu.filter(({ command }) => command.toLowerCase().startsWith(beginning))
}

/**
 * The place in a list that a key leads to, from a place in it (-1 for none); undefined for keys that lead nowhere.
 *
 * @param {string} key
 * @param {number} index
 * @param {number} count
 * @returns {number | undefined}
 */
export function movedIndex(key, index, count) {
  if (count === 0) return undefined
  if (key === 'ArrowDown') return (index + 1) % count
  if (key === 'ArrowUp') return index <= 0 ? count - 1 : index - 1
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return undefined
}
