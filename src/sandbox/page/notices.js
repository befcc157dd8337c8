import { find, make } from './dom.js'
import { safeLink } from './text-tree.js'

/** Milliseconds for which a toast is in sight. */
const TOAST_MS = 4000

/** Says things that need no answer, and asks for those that do. */
export function createNotices() {
  const region = find('toast', HTMLDivElement)
  const alertDialog = find('alert', HTMLDialogElement)
  const confirmDialog = find('confirm', HTMLDialogElement)
  const alertText = find('alert-text', HTMLParagraphElement)
  const alertLink = find('alert-link', HTMLParagraphElement)
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  /** @param {string} text @param {string} kind */
  const toast = (text, kind) => {
    clearTimeout(timer)
    region.replaceChildren(make('p', { class: `toast ${kind}` }, text))
    timer = setTimeout(() => region.replaceChildren(), TOAST_MS)
  }

  return {
    /** For 4 s. @param {string} text */
    toast: (text) => toast(text, 'told'),

    /** What was said was for a chat that is not open any more. */
    clear: () => region.replaceChildren(),

    /** Something that did not work. @param {unknown} error */
    problem: (error) => toast(error instanceof Error ? error.message : String(error), 'problem'),

    /** Until it is closed. @param {string} text @param {string | null} [url] */
    alert: (text, url = null) => {
      alertText.textContent = text
      const href = url === null ? undefined : safeLink(url)
      const link = href === undefined ? [] : [make('a', { href, target: '_blank', rel: 'noopener noreferrer' }, href)]
      alertLink.replaceChildren(...link)
      if (!alertDialog.open) alertDialog.showModal()
    },

    /** Whether the person agrees. @returns {Promise<boolean>} */
    confirmStartOver: () =>
      new Promise((resolve) => {
        confirmDialog.returnValue = ''
        confirmDialog.addEventListener('close', () => resolve(confirmDialog.returnValue === 'yes'), { once: true })
        confirmDialog.showModal()
      }),
  }
}

/** @typedef {ReturnType<typeof createNotices>} Notices */
