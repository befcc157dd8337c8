/** Names and shapes of the log events that others may rely on. Details are primitives, never order contents. */
export interface Events {
  /** The deletion of one order was carried out, unless somebody else was faster. `orderTime` is ISO 8601, null where it could not be read (far beyond every cutoff). */
  'order.deleted': { readonly order: string; readonly orderTime: string | null }
  /** A sweep ended, whatever came of it. */
  'sweep.finished': {
    readonly sweep: string
    readonly id: string
    readonly trigger: string
    readonly dryRun: boolean
    readonly outcome: string
    readonly mode: string | null
    readonly summary: string | null
    readonly because: string | null
    readonly scanned: number
    readonly deleted: number
    readonly billedCommands: number
    readonly durationMs: number
  }
  /** One part of a sweep, such as an organization, was worked on. `because` is null when it went well; `attempts` counts connections. */
  'sweep.part': {
    readonly sweep: string
    readonly part: string
    readonly startedAt: string
    readonly durationMs: number
    readonly attempts: number
    readonly deleted: number
    readonly because: string | null
  }
  /** A slot was completed late. `stands` is how many missed slots the one run made up for. */
  'schedule.caught-up': { readonly sweep: string; readonly slot: string; readonly stands: number }
  /** The month's budget gave reason to warn (`80`, `90`, `95`, `forecast`, `limit`), and so many admins were told; 0 is nobody. */
  'budget.warning': { readonly warning: string; readonly told: number }
}

export type EventName = keyof Events

/** How urgent an event is: info = someone may care tomorrow, warn = look this week, error = now. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

/** Writes one event to the log. A function as detail is called only when the level is written at all. */
export type Emit = <Name extends EventName>(
  level: EventLevel,
  name: Name,
  detail: Events[Name] | (() => Events[Name]),
) => void
