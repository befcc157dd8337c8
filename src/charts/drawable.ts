import { textWidth, type Setting } from './text-width.ts'

/** Longest text that is worth measuring. */
const LONGEST = 300

/** What the fonts have of what is left: ASCII, accented letters of western Europe, a thin space, a dash and three dots. */
const LACKING =
  /[^\u0020-\u007e\u00c0-\u00c5\u00c7-\u00cf\u00d1-\u00d6\u00d9-\u00dd\u00df-\u00e5\u00e7-\u00ef\u00f1-\u00f6\u00f9-\u00fd\u00ff\u2009\u2013\u2026]/gu

/**
 * A text as the fonts can show it: control, format and unassigned characters are dropped, a narrow space becomes a thin one,
 * any other space a plain one, and what the fonts lack a question mark.
 */
export const drawable = (text: string): string =>
  text
    .slice(0, LONGEST)
    .normalize('NFC')
    .replaceAll('\u202f', '\u2009')
    .replaceAll(/(?!\u2009)\s/gu, ' ')
    .replaceAll(/\p{C}/gu, '')
    .replaceAll(LACKING, '?')

/** A text and the size at which it fits. */
export interface Fitted {
  readonly text: string
  readonly size: number
}

/** Sets a drawable text smaller, down to 3/4, until it is no wider than `width`; what still does not fit is cut and ends in dots. */
export function fitText(text: string, { size, bold, width }: Setting & { readonly width: number }): Fitted {
  const wanted = textWidth(text, { size, bold })
  if (wanted <= width) return { text, size }
  const smallest = size * 0.75
  const smaller = (size * width) / wanted
  if (smaller >= smallest) return { text, size: smaller }
  const setting = { size: smallest, bold }
  const letters = Array.from(text)
  while (letters.length > 0 && textWidth(`${letters.join('')}…`, setting) > width) letters.pop()
  return { text: `${letters.join('').trimEnd()}…`, size: smallest }
}
