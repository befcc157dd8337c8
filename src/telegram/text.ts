/** What Telegram takes in one message, in UTF-16 units. */
const MOST_UNITS = 4_096

const CUT_MARK = '…'

/** A text that fits one message. What is cut is visibly cut, never inside a character. */
export function cut(text: string, most: number = MOST_UNITS): string {
  if (text.length <= most) return text
  const kept = text.slice(0, most - CUT_MARK.length)
  const endsInsideCharacter = /[\ud800-\udbff]$/.test(kept)
  return `${endsInsideCharacter ? kept.slice(0, -1) : kept}${CUT_MARK}`
}

/** An ISO instant for people, to the minute: `2025-12-08 23:59`. */
export const minuteText = (iso: string) => iso.slice(0, 16).replace('T', ' ')

/** `1 order`, `2 orders`. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
