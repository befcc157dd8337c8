import { innerCommands } from './scripts.ts'
import type { Command, Reply, Transport } from './transport.ts'

/** What commands are spent on. */
export type Purpose = 'orders' | 'redis-check' | 'schedule' | 'story' | 'usage' | `sweep:${string}`

/** Commands that no provider bills (Upstash's pricing page, November 2026). */
const FREE = new Set(['AUTH', 'COMMAND', 'CONFIG', 'HELLO', 'INFO', 'PING', 'QUIT', 'RESET', 'SELECT'])

/** What was spent: every command by upper-case name, free ones and those inside scripts included. */
export interface Cost {
  readonly commands: Readonly<Record<string, number>>
  readonly billed: number
  readonly requests: number
}

/** A transport that charges one purpose, with the tally of what went through it. */
export interface Account {
  readonly send: Transport
  /** What this account alone has spent, however many others are at work. */
  cost(): Cost
}

/** Wraps a transport so that no command can be sent without being charged. */
export interface Meter {
  /** Opens an account of its own; what it spends also counts for its purpose and for the whole. */
  open(purpose: Purpose): Account
  /** Everything spent through this meter. */
  cost(): Cost
  /** Everything spent, by purpose. */
  costByPurpose(): Readonly<Record<string, Cost>>
}

export interface MeterOptions {
  /** Told of each billed command, at the time it is sent. */
  readonly onBilled?: (purpose: Purpose, name: string) => void
}

/**
 * Counts commands as the provider bills them: when they are sent, whether or not an answer comes, and again when a caller
 * repeats them. A script counts as itself plus the commands it ran inside, the worst case where its reply is lost.
 */
export function createMeter(send: Transport, { onBilled }: MeterOptions = {}): Meter {
  const whole = createTally()
  const purposes = new Map<Purpose, Tally>()

  const open = (purpose: Purpose): Account => {
    const own = createTally()
    const shared = purposes.get(purpose) ?? createTally()
    purposes.set(purpose, shared)
    const tallies: Charged[] = [own, shared, whole]
    if (onBilled !== undefined) tallies.push(ledgerOf((name) => onBilled(purpose, name)))
    return { send: charged(send, tallies), cost: own.cost }
  }

  return {
    open,
    cost: whole.cost,
    costByPurpose: () => Object.fromEntries([...purposes].map(([purpose, tally]) => [purpose, tally.cost()])),
  }
}

/** What a request will be billed at most, scripts in their worst case. */
export const worstCost = (commands: readonly Command[]): number =>
  commands.flatMap((command) => [command[0], ...innerCommands(command, undefined)]).filter(isBilled).length

/** Two costs as one. */
export function sumOf(one: Cost, other: Cost): Cost {
  const commands: Record<string, number> = { ...one.commands }
  for (const [name, count] of Object.entries(other.commands)) commands[name] = (commands[name] ?? 0) + count
  return { commands, billed: one.billed + other.billed, requests: one.requests + other.requests }
}

/** Whether a provider bills a command. */
export const isBilled = (name: string) => !FREE.has(name.toUpperCase())

/** Where commands are noted as they are sent. */
interface Charged {
  charge(name: string): void
  countRequest(): void
}

interface Tally extends Charged {
  cost(): Cost
}

const ledgerOf = (onBilled: (name: string) => void): Charged => ({
  charge: (name) => {
    if (isBilled(name)) onBilled(name.toUpperCase())
  },
  countRequest: () => undefined,
})

function createTally(): Tally {
  const commands = new Map<string, number>()
  let requests = 0
  return {
    charge: (name) => void commands.set(name.toUpperCase(), (commands.get(name.toUpperCase()) ?? 0) + 1),
    countRequest: () => void (requests += 1),
    cost: () => ({
      commands: Object.fromEntries([...commands].toSorted(([a], [b]) => a.localeCompare(b))),
      billed: [...commands].filter(([name]) => isBilled(name)).reduce((sum, [, count]) => sum + count, 0),
      requests,
    }),
  }
}

function charged(send: Transport, tallies: readonly Charged[]): Transport {
  const charge = (name: string) => tallies.forEach((tally) => tally.charge(name))
  const chargeInner = (commands: readonly Command[], replies: readonly Reply[]) =>
    commands.forEach((command, at) => innerCommands(command, replies[at]).forEach(charge))

  return async (commands) => {
    if (commands.length === 0) return []
    tallies.forEach((tally) => tally.countRequest())
    commands.forEach(([name]) => charge(name))
    try {
      const replies = await send(commands)
      chargeInner(commands, replies)
      return replies
    } catch (error) {
      chargeInner(commands, [])
      throw error
    }
  }
}
