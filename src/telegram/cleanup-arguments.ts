/** What somebody asks of `/cleanup`. */
export type Asked =
  | { readonly sweep: 'orders'; readonly days: number; readonly isPreview: boolean }
  | {
      readonly sweep: 'inngest'
      /** Undefined for the sweep's own retention. */
      readonly days: number | undefined
      readonly isPreview: boolean
    }

/** Days that a bare /cleanup keeps before today. */
const DEFAULT_DAYS = 1
const MOST_DAYS = 365

/** With no days at all a run of Inngest would go the moment it ends. */
const LEAST_DAYS = { orders: 0, inngest: 1 } as const satisfies Record<Asked['sweep'], number>

/** Whether so many days may be kept, whoever says so. */
export const mayKeep = (sweep: Asked['sweep'], days: number) => days >= LEAST_DAYS[sweep] && days <= MOST_DAYS

/** The words after the command; undefined when they are none it knows. */
export function readArguments(text: string): Asked | undefined {
  const match = /^(inngest)?(?:(?:^|\s+)(\d{1,3}))?(?:(?:^|\s+)(preview))?$/i.exec(text.trim())
  if (match === null) return undefined
  const [, name, digits, preview] = match
  const isPreview = preview !== undefined
  const days = digits === undefined ? undefined : Number(digits)
  const sweep = name === undefined ? 'orders' : 'inngest'
  if (days !== undefined && !mayKeep(sweep, days)) return undefined
  return sweep === 'orders' ? { sweep, days: days ?? DEFAULT_DAYS, isPreview } : { sweep, days, isPreview }
}

/** The answer to words that it does not know. */
export const USAGE = [
  'Usage: /cleanup [days] [preview]',
  'or: /cleanup inngest [days] [preview]',
  '',
  `days is a whole number from ${LEAST_DAYS.orders} to ${MOST_DAYS}: how many days before today are kept (default ${DEFAULT_DAYS}).`,
  'Example: /cleanup 2 preview shows what would be deleted.',
  '',
  `For Inngest it is a whole number from ${LEAST_DAYS.inngest} to ${MOST_DAYS}, of 24 hours each (default INNGEST_RETENTION_DAYS).`,
].join('\n')
