import type { StatusLine } from './status.ts'

/** Bytes as Redis's own configuration counts them: 1 MiB is 1 024 x 1 024. */
export function memoryText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  const [size, unit] = units.find(([least]) => bytes >= least) ?? [1_024, 'KiB']
  const amount = bytes / size
  return `${amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${unit}`
}

const units: readonly (readonly [least: number, unit: string])[] = [
  [1_024 ** 3, 'GiB'],
  [1_024 ** 2, 'MiB'],
]

/** Seconds as a person would say them, cut to one unit. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} days`
}

/** Microseconds in milliseconds, as a slow log is read. */
export const microsText = (micros: number) => `${(micros / 1_000).toFixed(micros < 100_000 ? 1 : 0)} ms`

/** A ratio from 0 to 1 in percent. */
export const percentText = (ratio: number) => `${(100 * ratio).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`

/** A name of a foreign system without what could steer a terminal or hide text, at most 60 characters of it. */
export function harmless(name: string): string {
  const shown = name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}\ufffd]/gu, '?')
  if (shown.length <= MOST_CHARACTERS) return shown
  return `${shown.slice(0, MOST_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

const MOST_CHARACTERS = 60

/** A line about which there is nothing to do. */
export const fine = (name: string, value: string): StatusLine => ({ name, value, verdict: 'ok', cure: null })

/** A line that nobody could judge; `cure` says what is missing. */
export const untold = (name: string, cure: string): StatusLine => ({
  name,
  value: 'not told',
  verdict: 'unknown',
  cure,
})

/** What a server says no to, most often because the user's rules do not allow it. */
export const needsRight = (right: string) => `The server refused to say. Give the user the right ${right}.`
