/** The wall clocks of all zones by Intl alone, slow and plain: what the calendar is compared with. */

const MINUTE_MS = 60_000
const AROUND_MS = 28 * 60 * MINUTE_MS
/** No zone changes its clocks twice in so short a time. */
const STEP_MS = 120 * MINUTE_MS
const formats = new Map<string, Intl.DateTimeFormat>()

/** What the clocks of a zone show at an instant, as the epoch milliseconds that UTC would need to show it. */
export function wallAt(zone: string, ms: number): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = formatOf(zone)
    .formatToParts(ms)
    .filter(({ type }) => type !== 'literal')
    .map(({ value }) => Number(value))
  return Date.UTC(year, month - 1, day, hour, minute, second) + (ms % 1_000)
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const twoDigits = '2-digit'
  const known = formats.get(zone)
  if (known !== undefined) return known
  // In Swedish the parts come in the order of ISO 8601.
  const made = new Intl.DateTimeFormat('sv', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: twoDigits,
    day: twoDigits,
    hour: twoDigits,
    minute: twoDigits,
    second: twoDigits,
  })
  formats.set(zone, made)
  return made
}

/**
 * The first instant at which the clocks show a time, or, where they skip it, the first at which they show a later one. Walks
 * through the 28 hours on both sides of it, by the stretches between two changes of the clocks.
 */
export function firstShown(zone: string, wanted: number): number {
  const stretches = stretchesAround(zone, wanted)
  const shown = stretches.flatMap(({ fromMs, toMs, offsetMs }) => {
    const ms = wanted - offsetMs
    return ms >= fromMs && ms < toMs ? [ms] : []
  })
  const afterGap = stretches.find(({ fromMs, offsetMs }) => fromMs + offsetMs > wanted)
  return shown[0] ?? afterGap?.fromMs ?? NaN
}

function stretchesAround(zone: string, wanted: number) {
  const offsetAt = (ms: number) => wallAt(zone, ms) - ms
  const stretches: { fromMs: number; toMs: number; offsetMs: number }[] = []
  let fromMs = wanted - AROUND_MS
  let offsetMs = offsetAt(fromMs)
  for (let ms = fromMs; ms < wanted + AROUND_MS; ms += STEP_MS) {
    const nextMs = offsetAt(ms + STEP_MS)
    if (nextMs === offsetMs) continue
    let [low, high] = [ms / MINUTE_MS, (ms + STEP_MS) / MINUTE_MS]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offsetAt(middle * MINUTE_MS) === offsetMs) low = middle
      else high = middle
    }
    stretches.push({ fromMs, toMs: high * MINUTE_MS, offsetMs })
    fromMs = high * MINUTE_MS
    offsetMs = nextMs
  }
  return [...stretches, { fromMs, toMs: Infinity, offsetMs }]
}
