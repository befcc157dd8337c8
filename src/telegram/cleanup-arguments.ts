import { otherSweepNames, type OtherSweepName, type SweepName } from '../sweeps/registry.ts'
import { isOtherSweepName, sweepWords } from './sweep-words.ts'

/** What somebody asks of `/cleanup`. */
export type Asked =
  | { readonly sweep: 'orders'; readonly days: number; readonly isPreview: boolean }
  | {
      readonly sweep: OtherSweepName
      /** Undefined for the sweep's own retention. */
      readonly days: number | undefined
      readonly isPreview: boolean
    }

/** Days that a bare /cleanup keeps before today. */
const DEFAULT_DAYS = 1
const MOST_DAYS = 365

/** With no days at all a run of Inngest would go the moment it ends, an error the moment it is written. */
const leastDays = (sweep: SweepName) => (sweep === 'orders' ? 0 : 1)

/** Whether so many days may be kept, whoever says so. */
export const mayKeep = (sweep: SweepName, days: number) => days >= leastDays(sweep) && days <= MOST_DAYS

const WORDS = new RegExp(`^(${otherSweepNames.join('|')})?(?:(?:^|\\s+)(\\d{1,3}))?(?:(?:^|\\s+)(preview))?$`, 'i')

/** The words after the command; undefined when they are none it knows. */
export function readArguments(text: string): Asked | undefined {
  const match = WORDS.exec(text.trim())
  if (match === null) return undefined
  const [, name = '', digits, preview] = match
  const isPreview = preview !== undefined
  const days = digits === undefined ? undefined : Number(digits)
  const other = name.toLowerCase()
  const sweep = isOtherSweepName(other) ? other : 'orders'
  if (days !== undefined && !mayKeep(sweep, days)) return undefined
  return sweep === 'orders' ? { sweep, days: days ?? DEFAULT_DAYS, isPreview } : { sweep, days, isPreview }
}

const usageLine = (name: OtherSweepName) => {
  const { usage, asksAboutDays } = sweepWords[name]
  const asks = asksAboutDays ? ' With days it asks first.' : ''
  return `For ${usage.subject} it is a whole number from ${leastDays(name)} to ${MOST_DAYS}, of 24 hours each (default ${usage.defaultDays}).${asks}`
}

/** The answer to words that it does not know. */
export const USAGE = [
  'Usage: /cleanup [days] [preview]',
  ...otherSweepNames.map((name) => `or: /cleanup ${name} [days] [preview]`),
  '',
  `days is a whole number from ${leastDays('orders')} to ${MOST_DAYS}: how many days before today are kept (default ${DEFAULT_DAYS}).`,
  'Example: /cleanup 2 preview shows what would be deleted.',
  '',
  ...otherSweepNames.map(usageLine),
].join('\n')
