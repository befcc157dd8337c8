/** @import { EntityView } from '../page-view.ts' */

/**
 * A piece of formatted text. `children` is empty for `plain`, whose `text` is shown as it is.
 *
 * @typedef {object} TextNode
 * @property {string} type `plain`, or the entity's type.
 * @property {string} text All of the text inside.
 * @property {string} [url]
 * @property {string} [language]
 * @property {readonly TextNode[]} children
 */

/**
 * @typedef {object} Span
 * @property {string} type
 * @property {number} start
 * @property {number} end
 * @property {string} [url]
 * @property {string} [language]
 */

/** What stands on lines of its own, so that the line breaks around it would be shown twice. */
const BLOCKS = new Set(['pre', 'blockquote', 'expandable_blockquote'])

/**
 * Text with entities as a tree. Entities that overlap by halves are split, those outside of the text are cut or left out,
 * and none cuts a character in two.
 *
 * @param {string} text
 * @param {readonly EntityView[]} entities
 * @returns {readonly TextNode[]}
 */
export const textTree = (text, entities) => branch(text, 0, text.length, spansOf(text, entities))

/**
 * @param {string} text
 * @param {readonly EntityView[]} entities
 * @returns {Span[]}
 */
function spansOf(text, entities) {
  return entities
    .filter(({ offset, length }) => Number.isInteger(offset) && Number.isInteger(length) && offset >= 0)
    .map(({ type, offset, length, url, language }) => {
      const start = offset - (isInsideCharacter(text, offset) ? 1 : 0)
      const end = Math.min(text.length, offset + length)
      return { type, start, end: end + (isInsideCharacter(text, end) ? 1 : 0), url, language }
    })
    .filter(({ start, end }) => start < end)
    .toSorted(inOrder)
}

/**
 * @param {string} text
 * @param {number} index
 */
const isInsideCharacter = (text, index) =>
  /[\uDC00-\uDFFF]/.test(text.charAt(index)) && /[\uD800-\uDBFF]/.test(text.charAt(index - 1))

/**
 * @param {Span} a
 * @param {Span} b
 */
const inOrder = (a, b) => a.start - b.start || b.end - a.end

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {Span[]} spans All within start and end, in order.
 * @returns {TextNode[]}
 */
function branch(text, start, end, spans) {
  /** @type {TextNode[]} */
  const nodes = []
  let at = start
  let rest = spans
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    if (first.start > at) nodes.push(plain(text.slice(at, first.start)))
    const { inside, later } = splitAt(first.end, rest.slice(1))
    nodes.push({
      type: first.type,
      text: text.slice(first.start, first.end),
      url: first.url,
      language: first.language,
      children: branch(text, first.start, first.end, inside),
    })
    at = first.end
    rest = later
  }
  if (at < end) nodes.push(plain(text.slice(at, end)))
  return withoutDoubleBreaks(nodes)
}

/**
 * @param {number} border
 * @param {readonly Span[]} spans
 */
function splitAt(border, spans) {
  const inside = spans
    .filter(({ start }) => start < border)
    .map((span) => ({ ...span, end: Math.min(span.end, border) }))
  const later = spans
    .filter(({ end }) => end > border)
    .map((span) => ({ ...span, start: Math.max(span.start, border) }))
    .toSorted(inOrder)
  return { inside, later }
}

/**
 * @param {string} text
 * @returns {TextNode}
 */
const plain = (text) => ({ type: 'plain', text, children: [] })

/** @param {readonly TextNode[]} nodes */
function withoutDoubleBreaks(nodes) {
  return nodes
    .map((node, index) => {
      if (node.type !== 'plain') return node
      const afterBlock = BLOCKS.has(nodes[index - 1]?.type ?? '') ? node.text.replace(/^\n/, '') : node.text
      return plain(BLOCKS.has(nodes[index + 1]?.type ?? '') ? afterBlock.replace(/\n$/, '') : afterBlock)
    })
    .filter(({ type, text }) => type !== 'plain' || text !== '')
}

/** Where a link may lead: anything else could run as a script of the page. */
const SCHEMES = new Set(['http:', 'https:', 'tg:'])

/**
 * The address that a link may lead to, undefined when it may not be followed. One without a scheme is of the web.
 *
 * @param {string} address
 * @returns {string | undefined}
 */
export function safeLink(address) {
  const hasScheme = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(address.trim())
  const candidate = hasScheme ? address : `http://${address}`
  if (!URL.canParse(candidate)) return undefined
  const url = new URL(candidate)
  return SCHEMES.has(url.protocol) ? url.href : undefined
}
