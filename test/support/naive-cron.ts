import type { Slot } from '../../src/schedule/timetable.ts'
import { wallAt } from './wall-clock.ts'

/** The slots of a cron pattern by plain looking: what the real timetable is compared with. */

const MINUTE_MS = 60_000

/** Whether a cron pattern of `*`, numbers, ranges, lists and steps names a minute, given as UTC would show it. */
export function cronMatcher(pattern: string): (wallMs: number) => boolean {
  const [minute, hour, day, month, weekday] = pattern.split(' ').map(valuesOf)
  const [, , dayText, , weekdayText] = pattern.split(' ')
  return (wallMs) => {
    const date = new Date(wallMs)
    const isDay = day?.(date.getUTCDate()) === true
    const isWeekday = weekday?.(date.getUTCDay()) === true || (date.getUTCDay() === 0 && weekday?.(7) === true)
    const isEither = dayText === '*' ? isWeekday : weekdayText === '*' ? isDay : isDay || isWeekday
    return (
      minute?.(date.getUTCMinutes()) === true &&
      hour?.(date.getUTCHours()) === true &&
      month?.(date.getUTCMonth() + 1) === true &&
      isEither
    )
  }
}

function valuesOf(field: string, at: number): (value: number) => boolean {
  const least = at === 2 || at === 3 ? 1 : 0
  const parts = field.split(',').map((part) => {
    const [range = '', every = '1'] = part.split('/')
    const [from, to = from] = range === '*' ? [least, 99] : range.split('-').map(Number)
    return { from: from ?? 0, to: to ?? 0, every: Number(every) }
  })
  return (value) => parts.some(({ from, to, every }) => value >= from && value <= to && (value - from) % every === 0)
}

export interface Watch {
  readonly pattern: string
  readonly zone: string
  readonly fromMs: number
  readonly toMs: number
}

/** Looks at the clocks each minute: a local time is due when they first show it, or, having skipped it, a later one. */
export function slotsByHand({ pattern, zone, fromMs, toMs }: Watch): readonly Slot[] {
  const matches = cronMatcher(pattern)
  const slots: Slot[] = []
  const start = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS
  let shown = wallAt(zone, start)
  for (let atMs = start + MINUTE_MS; atMs <= toMs; atMs += MINUTE_MS) {
    let name = ''
    for (const wall = wallAt(zone, atMs); shown < wall;) {
      shown += MINUTE_MS
      if (matches(shown)) name = new Date(shown).toISOString().slice(0, 16)
    }
    if (name !== '') slots.push({ name, atMs })
  }
  return slots
}
