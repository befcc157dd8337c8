/** @import { EntityView } from '../page-view.ts' */
/** @import { TextNode } from './text-tree.js' */
import { make } from './dom.js'
import { safeLink, textTree } from './text-tree.js'

/** Entities that are an element of their own and nothing else. @type {ReadonlyMap<string, keyof HTMLElementTagNameMap>} */
const TAGS = new Map([
  ['bold', 'strong'],
  ['italic', 'em'],
  ['underline', 'u'],
  ['strikethrough', 's'],
  ['code', 'code'],
  ['blockquote', 'blockquote'],
  ['expandable_blockquote', 'blockquote'],
])

/**
 * Formatted text as elements. All of it is set as text, and a link leads only to the web or into Telegram.
 *
 * @param {{ readonly text: string, readonly entities: readonly EntityView[] }} message
 * @param {(command: string) => void} onCommand A command in the text was pressed.
 * @returns {(Node | string)[]}
 */
export const formattedText = ({ text, entities }, onCommand) => shown(textTree(text, entities), onCommand)

/**
 * @param {readonly TextNode[]} nodes
 * @param {(command: string) => void} onCommand
 */
const shown = (nodes, onCommand) => nodes.map((node) => element(node, onCommand))

/**
 * @param {TextNode} node
 * @param {(command: string) => void} onCommand
 * @returns {Node | string}
 */
function element(node, onCommand) {
  if (node.type === 'plain') return node.text
  if (node.type === 'bot_command') return commandButton(node.text, onCommand)
  const children = shown(node.children, onCommand)
  const tag = TAGS.get(node.type)
  if (tag !== undefined) return make(tag, {}, ...children)
  if (node.type === 'pre') return make('pre', {}, make('code', { 'data-language': node.language }, ...children))
  if (node.type === 'spoiler') return spoiler(children)
  if (node.type === 'url') return link(node.text, children)
  if (node.type === 'text_link') return link(node.url ?? '', children)
  return make(
    'span',
    { class: /^(mention|text_mention|hashtag|cashtag)$/.test(node.type) ? 'mention' : undefined },
    ...children,
  )
}

/**
 * @param {string} address
 * @param {(Node | string)[]} children
 */
function link(address, children) {
  const href = safeLink(address)
  if (href === undefined) return make('span', {}, ...children)
  return make('a', { href, target: '_blank', rel: 'noopener noreferrer', title: href }, ...children)
}

/**
 * @param {string} command
 * @param {(command: string) => void} onCommand
 */
function commandButton(command, onCommand) {
  const button = make('button', { type: 'button', class: 'command' }, command)
  button.addEventListener('click', () => onCommand(command))
  return button
}

/** What is inside is out of reach until it is revealed, by pointer or keyboard. @param {(Node | string)[]} children */
function spoiler(children) {
  const inner = make('span', { class: 'spoiler-text', inert: true }, ...children)
  const outer = make(
    'span',
    { class: 'spoiler', role: 'button', tabindex: 0, 'aria-label': 'Reveal hidden text' },
    inner,
  )
  /** @param {Event} event */
  const reveal = (event) => {
    if (event instanceof KeyboardEvent && event.key !== 'Enter' && event.key !== ' ') return
    if (!inner.inert) return
    event.preventDefault()
    inner.inert = false
    outer.classList.add('revealed')
    for (const name of ['role', 'aria-label']) outer.removeAttribute(name)
    outer.tabIndex = -1
  }
  outer.addEventListener('click', reveal)
  outer.addEventListener('keydown', reveal)
  return outer
}
