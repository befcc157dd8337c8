/**
 * Makes each format once, for that takes longer than all the rest of a line.
 *
 * @param {Intl.DateTimeFormatOptions} options
 */
function formatOf(options) {
  /** @type {Map<string | undefined, Intl.DateTimeFormat>} */
  const made = new Map()
  /** @param {number} seconds @param {string} [timeZone] */
  return (seconds, timeZone) => {
    const format = made.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone })
    made.set(timeZone, format)
    return format.format(seconds * 1000)
  }
}

/** The time of day as HH:MM of seconds since the epoch, in the reader's own zone unless told otherwise. */
export const timeOfDay = formatOf({ hour: '2-digit', minute: '2-digit' })

/** Date and time in full, for those who look closer. */
export const fullTime = formatOf({ dateStyle: 'full', timeStyle: 'medium' })

/**
 * How long something took.
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (ms >= 1000) return `${Number((ms / 1000).toFixed(1))} s`
  return `${ms >= 10 || Number.isInteger(ms) ? Math.round(ms) : ms.toFixed(1)} ms`
}

/**
 * The size of a file, in units of 1 000 as file managers count.
 *
 * @param {number} bytes
 */
export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(bytes < 9_950 ? 1 : 0)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/**
 * A number with its noun: `1 member`, `3 members`.
 *
 * @param {number} number
 * @param {string} noun
 */
export const counted = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`
