import type { Value } from '../transport.ts'
import type { Keyspace } from './keyspace.ts'

/** One command of the embedded store. */
export interface CommandRule {
  /** Words with the name, as Redis counts them: exactly so many, or at least so many when negative. */
  readonly arity: number
  /** @throws Refused with the text that a Redis server would answer. */
  run(args: readonly string[], store: Keyspace): Value
}

/** Commands by upper-case name. */
export type CommandTable = Readonly<Record<string, CommandRule>>
