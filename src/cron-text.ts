import { IANAZone } from 'luxon'

/** What a cron text says. */
export interface CronText {
  /** The five fields with one space between them: minute, hour, day of the month, month, day of the week. */
  readonly pattern: string
  /** The zone that the text names by itself. */
  readonly zone: string | undefined
}

/**
 * Reads five fields of standard cron, with `TZ=<zone> ` before them where somebody names a zone. Undefined for anything
 * else: seconds, nicknames, `L`, `#`, a range that runs backwards, a date that no year has.
 */
export function decodeCronText(text: string): CronText | undefined {
  const [, zone, rest = ''] = /^(?:TZ=(\S+)\s+)?(.{1,200})$/.exec(text.trim()) ?? []
  if (zone !== undefined && !IANAZone.isValidZone(zone)) return undefined
  const texts = rest.split(/\s+/)
  const [minutes, hours, days, months, weekdays] = fields.map((field, at) => decodeField(texts[at] ?? '', field))
  if (texts.length !== fields.length || !minutes || !hours || !days || !months || !weekdays) return undefined
  // Where a weekday is named, that alone is enough.
  if (texts[4] === '*' && !isInSomeYear(days, months)) return undefined
  return { pattern: texts.join(' '), zone }
}

/** What a field of cron may hold. */
interface Field {
  readonly least: number
  readonly most: number
  /** How many different things its values mean: 0 and 7 are both Sunday. */
  readonly size: number
  /** Three letters for each value, from the least on. */
  readonly names?: string
}

const fields: readonly Field[] = [
  { least: 0, most: 59, size: 60 },
  { least: 0, most: 23, size: 24 },
  { least: 1, most: 31, size: 31 },
  { least: 1, most: 12, size: 12, names: 'janfebmaraprmayjunjulaugsepoctnovdec' },
  { least: 0, most: 7, size: 7, names: 'sunmontuewedthufrisat' },
]

/** The values that a field lists; undefined when it breaks a rule. */
function decodeField(text: string, field: Field): readonly number[] | undefined {
  const parts = text.split(',').map((part) => decodePart(part, field))
  return parts.includes(undefined) ? undefined : parts.flatMap((part) => part ?? [])
}

function decodePart(text: string, field: Field): readonly number[] | undefined {
  const [whole, from, to, every] = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,2}))?$/.exec(text) ?? []
  const isOne = from !== undefined && to === undefined
  if (whole === undefined || (isOne && every !== undefined)) return undefined
  const first = from === undefined ? field.least : decodeValue(from, field)
  const last = isOne ? first : to === undefined ? field.most : decodeValue(to, field)
  const step = Number(every ?? 1)
  if (first === undefined || last === undefined || first > last || step < 1 || step > field.size) return undefined
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => first + at * step)
}

function decodeValue(text: string, { least, most, names = '' }: Field): number | undefined {
  const at = /^[a-z]{3}$/i.test(text) ? names.indexOf(text.toLowerCase()) : -1
  if (at >= 0 && at % 3 === 0) return least + at / 3
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN
  return value >= least && value <= most ? value : undefined
}

/** Days of each month in a leap year, from January on. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isInSomeYear = (days: readonly number[], months: readonly number[]) =>
  months.some((month) => days.some((day) => day <= (MONTH_DAYS[month - 1] ?? 0)))
