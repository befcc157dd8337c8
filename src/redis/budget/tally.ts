import type { Counts, DayCounts } from './counts.ts'

/** Counts that grow. */
export interface Tally {
  /** Of one local date, `yyyy-mm-dd`. */
  day(date: string): DayTally
  /** What was counted so far, as it stands now. */
  counts(): Counts
}

/** Counts of one day that grow. A name that no purpose or command has is counted as `other`. */
export interface DayTally {
  charge(purpose: string, command: string, options?: { readonly times: number }): void
  add(counts: DayCounts): void
}

/** Counts in memory, from nothing. A charge is a few look-ups, for a boot may make a million of them. */
export function createTally(): Tally {
  const days = new Map<string, GrowingDay>()
  const open = (date: string): GrowingDay => {
    const day = days.get(date) ?? { commands: new Map(), orders: 0, sweepBytes: 0 }
    days.set(date, day)
    return day
  }
  return {
    day: (date) => growing(open(date)),
    counts: () => Object.fromEntries([...days].map(([date, day]) => [date, countsOf(day)])),
  }
}

interface GrowingDay {
  readonly commands: Map<string, Map<string, number>>
  orders: number
  sweepBytes: number
}

function growing(day: GrowingDay): DayTally {
  const charge: DayTally['charge'] = (purpose, command, { times } = { times: 1 }) => {
    const [group, name] = [isName(purpose, PURPOSE) ? purpose : 'other', isName(command, COMMAND) ? command : 'OTHER']
    const byName = day.commands.get(group) ?? new Map<string, number>()
    day.commands.set(group, byName.set(name, (byName.get(name) ?? 0) + times))
  }
  return {
    charge,
    add: ({ commands, orders, sweepBytes }) => {
      for (const [purpose, byName] of Object.entries(commands)) {
        for (const [command, times] of Object.entries(byName)) charge(purpose, command, { times })
      }
      day.orders += orders
      day.sweepBytes += sweepBytes
    },
  }
}

const PURPOSE = /^[a-z0-9:-]{1,40}$/
const COMMAND = /^[A-Z0-9._-]{1,40}$/

/** What every object has (`constructor`) is no name, so that nobody finds a function where a count is missing. */
const isName = (text: string, pattern: RegExp) => pattern.test(text) && !(text in Object.prototype)

const countsOf = ({ commands, orders, sweepBytes }: GrowingDay): DayCounts => ({
  commands: Object.fromEntries([...commands].map(([purpose, byName]) => [purpose, Object.fromEntries(byName)])),
  orders,
  sweepBytes,
})
