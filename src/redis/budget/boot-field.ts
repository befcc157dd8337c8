import { z } from 'zod'
import type { Counts } from './counts.ts'
import { createTally } from './tally.ts'

/** What one boot of one instance counted in a month. */
export interface BootCounts {
  /** Since when it counts in this month, in epoch milliseconds. */
  readonly fromMs: number
  readonly days: Counts
}

/**
 * A boot's counts as the text of its field: `of` names the columns after orders and bytes, each day is a row. About 0.2 KB
 * after half an hour, 0.5 KB after a day and 2.5 KB after a month.
 */
export function encodeBoot({ fromMs, days }: BootCounts): string {
  const of = [...new Set(Object.values(days).flatMap(columnsOf))].toSorted()
  const row = ([date, { commands, orders, sweepBytes }]: [string, Counts[string]]) => {
    const cells = of.map((column) => {
      const [purpose, command] = namesOf(column)
      return commands[purpose]?.[command] ?? 0
    })
    return [date, [orders, sweepBytes, ...cells]]
  }
  const rows = Object.entries(days).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify({ from: fromMs, of, days: Object.fromEntries(rows.map(row)) })
}

const columnsOf = ({ commands }: Counts[string]) =>
  Object.entries(commands).flatMap(([purpose, byName]) => Object.keys(byName).map((command) => `${purpose} ${command}`))

const namesOf = (column: string): readonly [string, string] => {
  const [purpose = '', command = ''] = column.split(' ')
  return [purpose, command]
}

/** Far above what any boot writes, in characters. */
const LONGEST = 100_000

/** Above what any database can be asked in a day, and so small that sums stay exact. */
const count = z.int().min(0).max(1e12)

const schema = z.object({
  from: z.int().min(0),
  of: z.array(z.string()).max(500),
  days: z.record(z.string().regex(/^\d{4}-\d{2}-\d{2}$/), z.array(count).max(502)),
})

/** The counts of a stored field; undefined for what no boot wrote, whoever did. */
export function decodeBoot(text: string): BootCounts | undefined {
  const data = text.length > LONGEST ? undefined : read(text)
  if (data === undefined) return undefined
  const tally = createTally()
  for (const [date, [orders = 0, sweepBytes = 0, ...cells]] of Object.entries(data.days)) {
    const day = tally.day(date)
    day.add({ commands: {}, orders, sweepBytes })
    data.of.slice(0, cells.length).forEach((column, at) => {
      const times = cells[at] ?? 0
      if (times > 0) day.charge(...namesOf(column), { times })
    })
  }
  return { fromMs: data.from, days: tally.counts() }
}

function read(text: string) {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
