/** What Telegram takes in one message, in UTF-16 units. */
const MOST_UNITS = 4_096

const CUT_MARK = '…'

/** For a message with what customers wrote: an address in it must not bring a picture of its own along. */
export const NO_PREVIEW = { link_preview_options: { is_disabled: true } } as const

/**
 * A text that fits one message. What is cut is visibly cut, never inside a character; a half of one that came in, which
 * Telegram refuses with the whole message, becomes a replacement character.
 */
export function cut(given: string, most: number = MOST_UNITS): string {
  const text = given.replaceAll(/\p{Cs}/gu, '\ufffd')
  if (text.length <= most) return text
  const kept = text.slice(0, most - CUT_MARK.length)
  const endsInsideCharacter = /[\ud800-\udbff]$/.test(kept)
  return `${endsInsideCharacter ? kept.slice(0, -1) : kept}${CUT_MARK}`
}

/** Line breaks and other control characters. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/** Marks that change the direction of what stands around them. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Marks upon one character beyond what any language writes, which would cover the lines above and below. */
const PILES = /(?<=\p{M}{6})\p{M}+/gu

/** What Telegram would make a link of that calls a person or gives a command to whoever taps it; not within an address. */
const CALLS = /(?<![\p{L}\p{N}_/<>]|:\/\/\S{0,512})[@/](?=\w)/gu

/** A character that is written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * What somebody wrote, as a part of a line, at most `most` UTF-16 units and a few: no line breaks, nothing that reorders the
 * rest of the line, no mention and no command to tap. Empty where there is nothing to see.
 */
export function inLine(text: string, most: number): string {
  if (!/[^\p{Z}\p{Cc}\p{Cf}]/u.test(text)) return ''
  const tame = text.replaceAll(BREAKS, ' ').replaceAll(DIRECTIONS, '').replaceAll(PILES, '').trim()
  const line = cut(tame, most).replaceAll(CALLS, '$&\u2060')
  return RIGHT_TO_LEFT.test(line) ? `\u2068${line}\u2069` : line
}

/** An ISO instant for people, to the minute: `2025-12-08 23:59`. */
export const minuteText = (iso: string) => iso.slice(0, 16).replace('T', ' ')

/** `1 order`, `2 orders`. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
