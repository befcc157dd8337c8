import type { CronConfig } from '../config.ts'

/** The trigger of a schedule as the engine reads it: with its zone, and with weekdays from 0 to 6, for it knows no 7. */
export function cronTrigger({ pattern, zone }: CronConfig): { readonly cron: string } {
  const fields = pattern.split(' ')
  const weekday = fields.at(-1) ?? '*'
  return { cron: `TZ=${zone} ${[...fields.slice(0, -1), withSundayAsZero(weekday)].join(' ')}` }
}

const withSundayAsZero = (field: string) => field.split(',').map(partWithSundayAsZero).join(',')

/** A range up to 7 becomes the days that it means; all else says the same for 0 as for 7. */
function partWithSundayAsZero(part: string): string {
  const [, from, to, step = '1'] = /^(\d)(?:-(\d))?(?:\/(\d+))?$/.exec(part) ?? []
  if (from === undefined || (from !== '7' && to !== '7')) return part
  const days = Array.from({ length: Number(to ?? from) - Number(from) + 1 }, (_, at) => Number(from) + at)
  return days
    .filter((_, at) => at % Number(step) === 0)
    .map((day) => day % 7)
    .join(',')
}
