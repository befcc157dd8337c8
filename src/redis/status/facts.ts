import type { Connection } from '../transport.ts'
import type { Figures, SlowCommand } from './status.ts'

/** What one look at a server brought, as the rules judge it. */
export interface ServerFacts {
  /** The store's name. */
  readonly name: string
  readonly kind: Connection['kind']
  /** Whether a provider bills it: such a server tells less, and what it does not tell is its own affair. */
  readonly isBilled: boolean
  /** Whether INFO was answered. */
  readonly hasInfo: boolean
  readonly figures: Figures
  readonly nowMs: number
  /** The latest first; undefined where it was not asked for, null where the server refused. */
  readonly slowLog: readonly SlowCommand[] | null | undefined
}
