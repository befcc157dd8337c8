/**
 * Makes an element. Children that are strings become text, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | undefined>>} [attributes] `true` sets an empty one;
 *   `false` and `undefined` leave it out.
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children)
  return element
}

/**
 * A button that does something, unless it is marked as busy.
 *
 * @param {string} label
 * @param {() => void} press
 * @param {Readonly<Record<string, string | boolean | undefined>>} [attributes]
 */
export function makeButton(label, press, attributes = {}) {
  const button = make('button', { type: 'button', ...attributes }, label)
  onPress(button, press)
  return button
}

/**
 * Does something at each press, unless the button is marked as busy. A double click is one press: its second half would
 * meet what the first one put in the button's place.
 *
 * @param {HTMLButtonElement} button
 * @param {() => void} press
 */
export function onPress(button, press) {
  button.addEventListener('click', ({ detail }) => {
    if (detail <= 1 && button.getAttribute('aria-disabled') !== 'true') press()
  })
}

/**
 * The element of the page with an id.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(id, kind) {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} named ${id}.`)
  return element
}

/**
 * Says something only where it says something else so far, so that a reader's place in the text stays.
 *
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Puts children into an order without touching those that already stand right: focus, selection and open details stay.
 *
 * @param {Element} parent
 * @param {readonly Element[]} wanted
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted)
  for (const child of Array.from(parent.children)) if (!keep.has(child)) child.remove()
  let there = parent.firstElementChild
  for (const child of wanted) {
    if (there === child) there = there.nextElementSibling
    else parent.insertBefore(child, there)
  }
}

/** Milliseconds after which work is done without a frame: a page out of sight has none. */
const NO_FRAME_MS = 250

/**
 * Does some work once for all that happens until the next frame, so that a burst costs no more than one change.
 *
 * @param {() => void} work
 * @returns {() => void} Says that there is something to do.
 */
export function perFrame(work) {
  let isDue = false
  const run = () => {
    if (!isDue) return
    isDue = false
    work()
  }
  return () => {
    if (isDue) return
    isDue = true
    requestAnimationFrame(run)
    setTimeout(run, NO_FRAME_MS)
  }
}

/**
 * Whether the last lines of a scrolling element are in sight.
 *
 * @param {Element} element
 */
export const isAtEnd = (element) => element.scrollHeight - element.scrollTop - element.clientHeight < 48

/** @param {Element} element */
export const scrollToEnd = (element) => element.scrollTo({ top: element.scrollHeight, behavior: 'instant' })

/**
 * Marks a button as at work. It keeps the focus, which a disabled one would lose.
 *
 * @param {HTMLElement} button
 * @param {boolean} isBusy
 */
export function setBusy(button, isBusy) {
  button.classList.toggle('busy', isBusy)
  if (isBusy) button.setAttribute('aria-disabled', 'true')
  else button.removeAttribute('aria-disabled')
}

/** Whether a key belongs to a word that is put together; Safari tells only by the number 229. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229
