import type { UsageFigures } from './usage-chart.ts'

/** Where a month stands at a time counted in days from its start, today's fraction included. */
export interface Moment {
  readonly day: number
  readonly value: number
}

/** The known use of one day of the month; `index` counts from 0. */
export interface KnownDay {
  readonly index: number
  readonly own: number
  readonly others: number
  readonly cleanups: number
}

/** A month's use as a picture needs it: sane numbers, whatever came in. */
export interface Course {
  /** Days of the month. */
  readonly length: number
  readonly limit: number
  readonly days: readonly KnownDay[]
  /** Days up to today that nobody counted, as whole runs: from `from` to before `to`. */
  readonly unknown: readonly { readonly from: number; readonly to: number }[]
  /** What was used by the end of each known day, up to now. */
  readonly line: readonly Moment[]
  readonly now: Moment
  /** Null where it is too early for it, and in the last hour, which leaves nothing to forecast. */
  readonly forecast: { readonly end: number; readonly low: number; readonly high: number } | null
  /** Where the limit was or will be reached, within the month. */
  readonly crossing: Moment | null
}

const DAY_MS = 86_400_000

/** In days. */
const HOUR = 1 / 24

const LARGEST = 1e15

/** Reads figures: what is no count becomes 0, days outside of the month or out of order are left out. */
export function courseOf(figures: UsageFigures): Course {
  const length = Math.min(31, Math.max(28, Math.round(figures.month.length) || 30))
  const days = knownDays(figures, length)
  const used = count(figures.used)
  const limit = count(figures.limit)
  const now = { day: nowIn(figures, { length, lastIndex: days.at(-1)?.index }), value: used }
  const line = lineOf(days, now)
  const forecast = now.day > length - HOUR || figures.forecast.isEarly ? null : forecastOf(figures, used)
  const crossing =
    used >= limit ? crossingOf(line, limit) : aheadOf(figures, { now, length, isShown: forecast !== null })
  return {
    length,
    limit,
    days,
    unknown: unknownOf(days, Math.min(length, Math.floor(now.day) + 1)),
    line,
    now,
    forecast,
    crossing,
  }
}

const count = (value: number): number => (value > 0 ? Math.min(value, LARGEST) : 0)

/** Days between two local dates, which know no clock change; NaN where one is no date. */
const daysFrom = (first: string, date: string): number =>
  (Date.parse(`${date}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / DAY_MS

function knownDays({ month, days }: UsageFigures, length: number): readonly KnownDay[] {
  const read = days.map(({ date, own, others, cleanups }) => ({
    index: daysFrom(month.firstDay, date),
    own: count(own),
    others: count(others),
    cleanups: count(cleanups),
  }))
  return read.filter(
    ({ index }, at) =>
      Number.isInteger(index) &&
      index >= 0 &&
      index < length &&
      (at === 0 || index > (read[at - 1]?.index ?? Infinity)),
  )
}

interface Extent {
  readonly length: number
  /** Of the last known day. */
  readonly lastIndex: number | undefined
}

/** Days from the month's start to now. A clock change moves instants by an hour, but never out of the last known day. */
function nowIn({ month, atMs }: UsageFigures, { length, lastIndex }: Extent): number {
  const day = ((atMs - month.startMs) / (month.endMs - month.startMs)) * length
  const [first, last] = lastIndex === undefined ? [0, length] : [lastIndex, lastIndex + 1]
  return Math.min(last, Math.max(first, Number.isFinite(day) ? day : first))
}

/** Ends at now. What was used beyond the known days was used before them. */
function lineOf(days: readonly KnownDay[], now: Moment): readonly Moment[] {
  const first = days[0]
  if (first === undefined) return [now]
  const known = days.reduce((sum, { own, others }) => sum + own + others, 0)
  const line: Moment[] = [{ day: first.index, value: Math.max(0, now.value - known) }]
  for (const { index, own, others } of days.slice(0, -1)) {
    line.push({ day: index + 1, value: Math.min(now.value, (line.at(-1)?.value ?? 0) + own + others) })
  }
  return [...line, now]
}

function forecastOf({ forecast }: UsageFigures, used: number) {
  const end = Math.max(used, count(forecast.end))
  const low = Math.min(end, Math.max(used, count(forecast.low)))
  return { end, low, high: Math.max(end, count(forecast.high)) }
}

/** Where a line that rises passes the limit. */
function crossingOf(line: readonly Moment[], limit: number): Moment | null {
  const at = line.findIndex(({ value }) => value >= limit)
  const [before, after] = [line[at - 1], line[at]]
  if (before === undefined || after === undefined || after.value === before.value) return null
  const share = (limit - before.value) / (after.value - before.value)
  return { day: before.day + share * (after.day - before.day), value: limit }
}

interface Ahead {
  readonly now: Moment
  readonly length: number
  readonly isShown: boolean
}

function aheadOf(
  { month, limit, forecast: { limitAtMs, end } }: UsageFigures,
  { now, length, isShown }: Ahead,
): Moment | null {
  if (!isShown || limitAtMs === null || !(end >= limit)) return null
  const day = ((limitAtMs - month.startMs) / (month.endMs - month.startMs)) * length
  return day > now.day && day <= length ? { day, value: limit } : null
}

/** Runs of days before `until` that have no entry. */
function unknownOf(days: readonly KnownDay[], until: number): Course['unknown'] {
  const edges = [...days.map(({ index }) => index), until]
  return edges
    .map((to, at) => ({ from: at === 0 ? 0 : (edges[at - 1] ?? 0) + 1, to: Math.min(to, until) }))
    .filter(({ from, to }) => from < to)
}
