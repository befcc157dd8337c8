import type { TerminalSize } from './fitting.ts'

/** What a command has of the outside world. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Whether stderr is a terminal with a person before it. */
  readonly isTerminal: boolean
  /** The same of stdout. */
  readonly isOutTerminal?: boolean
  /** How much of a text its terminal shows at once. */
  readonly outSize?: () => TerminalSize
  /** Aborted when nobody reads stdout any more, as behind `| head`. */
  readonly outClosed?: AbortSignal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}
