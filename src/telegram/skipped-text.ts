import type { SweepReport } from '../sweeps/report.ts'
import { minuteText } from './text.ts'

/** What kept a cleanup out: who started the run that holds the lock (`<trigger> by <user>, started <time>`), if one does. */
export function skippedText({ because }: SweepReport, what: string): string {
  const [, trigger, by, at = ''] = /: ([a-z-]+)(?: by (.+))?, started (\S+)\.$/.exec(because ?? '') ?? []
  if (trigger === undefined) return `⏳ ${what} is already running. ${because ?? ''}`
  const who = by === undefined ? `the ${trigger}` : `${by} (${trigger})`
  return `⏳ ${what} is already running, started by ${who} at ${minuteText(at)}.`
}
