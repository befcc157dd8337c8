import { DateTime } from 'luxon'

/** A local date, `yyyy-mm-dd`, for people: `28 Nov`. */
export const dayText = (date: string): string =>
  DateTime.fromISO(date, { zone: 'utc', locale: 'en-US' }).toFormat('d LLL')
